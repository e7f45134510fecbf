import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodePanels,
  vsCodePanelTab,
  vsCodePanelView,
  vsCodeTextArea,
  vsCodeTextField,
} from "@vscode/webview-ui-toolkit";
import { type ComponentChildren, h } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/*
 * The only importer of the toolkit. The rest of the page uses these functions and no toolkit type, so that
 * replacing the toolkit means rewriting this file.
 */

/** Registers the elements in use; call once before the first rendering. */
export function registerKit(): void {
  provideVSCodeDesignSystem().register(
    vsCodeButton(),
    vsCodeCheckbox(),
    vsCodeDropdown(),
    vsCodeOption(),
    vsCodePanels(),
    vsCodePanelTab(),
    vsCodePanelView(),
    vsCodeTextArea(),
    vsCodeTextField(),
  );
}

/** What every control takes. */
interface ControlProps {
  readonly testId: string;
  readonly disabled?: boolean;
}

/** A push button. `label` names it for screen readers when its content does not. */
export function Button(
  props: ControlProps & {
    readonly onClick: () => void;
    readonly kind?: "primary" | "secondary" | "icon";
    readonly label?: string;
    readonly children: ComponentChildren;
  },
): ComponentChildren {
  const { testId, disabled = false, onClick, kind = "secondary", label, children } = props;
  const attributes = label === undefined ? {} : { "aria-label": label, title: label };
  return h(
    "vscode-button",
    { class: `button-${kind}`, appearance: kind, "data-testid": testId, disabled, onClick, ...attributes },
    children,
  );
}

/** A one-line text field; an invisible label is still read out. */
export function TextField(
  props: ControlProps & {
    readonly label: string;
    readonly value: string;
    readonly onInput: (value: string) => void;
    readonly hideLabel?: boolean;
    readonly invalid?: boolean;
    readonly placeholder?: string;
    readonly className?: string;
  },
): ComponentChildren {
  const { testId, disabled = false, label, value, onInput, hideLabel = false, invalid = false } = props;
  return h(
    "vscode-text-field",
    {
      ref: useLabel(label),
      class: props.className ?? "",
      "data-testid": testId,
      "data-invalid": String(invalid),
      "aria-invalid": String(invalid),
      placeholder: props.placeholder ?? "",
      disabled,
      value,
      onInput: (event: Event) => onInput(textOf(event)),
    },
    hideLabel ? null : label,
  );
}

/** A text of several lines. */
export function TextArea(
  props: ControlProps & {
    readonly label: string;
    readonly value: string;
    readonly onInput: (value: string) => void;
    readonly rows: number;
    readonly invalid?: boolean;
  },
): ComponentChildren {
  const { testId, disabled = false, label, value, onInput, rows, invalid = false } = props;
  return h("vscode-text-area", {
    ref: useLabel(label),
    class: "code",
    "data-testid": testId,
    "data-invalid": String(invalid),
    "aria-invalid": String(invalid),
    rows,
    resize: "vertical",
    disabled,
    value,
    onInput: (event: Event) => onInput(textOf(event)),
  });
}

/** A box to tick. */
export function Checkbox(
  props: ControlProps & {
    readonly label: string;
    readonly checked: boolean;
    readonly onChange: (checked: boolean) => void;
    readonly hideLabel?: boolean;
  },
): ComponentChildren {
  const { testId, disabled = false, label, checked, onChange, hideLabel = false } = props;
  const onToggle = (event: Event): void => {
    const { currentTarget } = event;
    if (!(currentTarget instanceof Element) || !("checked" in currentTarget)) return;
    // The element reports programmatic changes too.
    if (currentTarget.checked !== checked) onChange(currentTarget.checked === true);
  };
  return h(
    "vscode-checkbox",
    { ref: useLabel(label), "data-testid": testId, disabled, checked, onChange: onToggle },
    hideLabel ? null : label,
  );
}

/** One choice of a dropdown. */
export interface Option {
  readonly value: string;
  readonly text: string;
}

/**
 * A list to choose one of. The element takes its options over some time after they were rendered and settles on the
 * first one then, whatever its value was: it is told its value again each time it has taken options over.
 */
export function Dropdown(
  props: ControlProps & {
    readonly label: string;
    readonly options: readonly Option[];
    readonly value: string;
    readonly onChange: (value: string) => void;
  },
): ComponentChildren {
  const { testId, disabled = false, label, options, value, onChange } = props;
  const element = useLabel(label);
  const wanted = useRef(value);
  wanted.current = value;
  const settle = (): void => {
    const { current } = element;
    if (current && "value" in current && current.value !== wanted.current) current.value = wanted.current;
  };
  useLayoutEffect(settle, [value]);
  useLayoutEffect(() => {
    const root = element.current?.shadowRoot;
    root?.addEventListener("slotchange", settle);
    return () => root?.removeEventListener("slotchange", settle);
  }, []);
  const choose = (event: Event): void => {
    const chosen = textOf(event);
    if (chosen !== value && options.some((option) => option.value === chosen)) onChange(chosen);
  };
  return h(
    "vscode-dropdown",
    { ref: element, "data-testid": testId, disabled, onChange: choose },
    options.map((option) => h("vscode-option", { key: option.value, value: option.value }, option.text)),
  );
}

/** One tab of a set. */
export interface Tab<Id extends string> {
  readonly id: Id;
  readonly text: string;
  readonly content: () => ComponentChildren;
  /** Why it cannot be chosen now. */
  readonly disabled?: string | undefined;
}

/** Tabs with their panels; only the shown panel has content. `name` keeps the ids of several sets apart. */
export function Tabs<Id extends string>(props: {
  readonly name: string;
  readonly label: string;
  readonly tabs: readonly Tab<Id>[];
  readonly active: Id;
  readonly onChange: (id: Id) => void;
}): ComponentChildren {
  const { name, label, tabs, active, onChange } = props;
  const element = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    element.current?.shadowRoot?.querySelector("[role=tablist]")?.setAttribute("aria-label", label);
  }, [label]);
  const onSwitch = (event: Event): void => {
    const { target, currentTarget } = event;
    // `change` bubbles from tab sets inside the panels and from every other control there.
    if (target !== currentTarget || !(target instanceof Element) || !("activeid" in target)) return;
    const chosen = tabs.find(({ id }) => `${name}-tab-${id}` === target.activeid);
    if (chosen && chosen.id !== active) onChange(chosen.id);
  };
  return h(
    "vscode-panels",
    {
      ref: element,
      class: "tabs",
      activeid: `${name}-tab-${active}`,
      onChange: onSwitch,
      "data-testid": `${name}-tabs`,
    },
    tabs.map(({ id, text, disabled }) => {
      const tab = `${name}-tab-${id}`;
      const state = { "aria-disabled": disabled === undefined ? undefined : "true", title: disabled };
      return h("vscode-panel-tab", { key: `tab-${id}`, id: tab, "data-testid": tab, ...state }, text);
    }),
    tabs.map(({ id, content }) =>
      h("vscode-panel-view", { key: `view-${id}`, id: `${name}-view-${id}` }, id === active ? content() : null),
    ),
  );
}

/** The elements name themselves after their text, or `Text field`, when they are connected: ours comes after. */
function useLabel(label: string): { current: HTMLElement | null } {
  const element = useRef<HTMLElement>(null);
  useLayoutEffect(() => element.current?.setAttribute("aria-label", label), [label]);
  return element;
}

function textOf(event: Event): string {
  const { currentTarget } = event;
  return currentTarget instanceof Element && "value" in currentTarget ? String(currentTarget.value) : "";
}
