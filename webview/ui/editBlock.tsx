import type { ComponentChildren, VNode } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { EditPart, ModelView, Row } from "../protocol/views";
import { usePage, useText } from "./context";
import { ErrorBox } from "./errorBox";
import { focusOnceDrawn, isFocusLost } from "./focusSoon";
import { Icon } from "./icons";
import { Button } from "./kit";

/** What the controls of a form are drawn with. */
export interface EditForm {
  readonly entries: readonly Row[];
  readonly onChange: (entries: readonly Row[]) => void;
  readonly issueOf: (field: string) => string;
}

/** A part of model.yaml: as text, with a button that puts a form in its place. */
export function EditBlock(props: {
  readonly model: ModelView;
  readonly part: EditPart;
  /** Left out where the text needs none, as with labels. */
  readonly title?: string;
  /** Says what the button does, for instance `Edit Labels`. */
  readonly action: string;
  readonly form: (form: EditForm) => ComponentChildren;
  readonly children: ComponentChildren;
}): VNode {
  const { model, part, title, action, form, children } = props;
  const { edit } = usePage();
  const isOpen = edit.input.value?.part === part;
  const button = useRef<HTMLSpanElement>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    // Whoever closes a form goes on where it was opened, but for those who went elsewhere while it was written.
    if (wasOpen.current && !isOpen && isFocusLost())
      button.current?.querySelector<HTMLElement>("vscode-button")?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  const heading = title === undefined ? null : <h2>{title}</h2>;
  if (isOpen) return <Form model={model} part={part} action={action} form={form} heading={heading} />;
  const isOther = edit.input.value !== undefined;
  return (
    <section class="block edit-block" data-testid={`part-${part}`}>
      {heading}
      <span class="edit-button" ref={button}>
        <Button testId={`edit-${part}`} kind="icon" label={action} disabled={isOther} onClick={() => edit.open(part)}>
          <Icon name="edit" />
        </Button>
      </span>
      <div class="edit-content">{children}</div>
    </section>
  );
}

function Form(props: {
  readonly model: ModelView;
  readonly part: EditPart;
  readonly action: string;
  readonly form: (form: EditForm) => ComponentChildren;
  readonly heading: ComponentChildren;
}): VNode {
  const { model, part, action, form, heading } = props;
  const { edit } = usePage();
  const t = useText();
  const element = useRef<HTMLFormElement>(null);
  // The elements of the kit take the focus only once they are drawn.
  useLayoutEffect(() => focusOnceDrawn(() => element.current?.querySelector<HTMLElement>(FOCUSABLE)), []);
  const save = (): void => void edit.save(model.tag);
  const onKeyDown = (event: KeyboardEvent): void => {
    const isLine = event.target instanceof HTMLElement && event.target.matches("vscode-text-field, input");
    if (event.key === "Escape") edit.close();
    else if (event.key === "Enter" && (isLine || event.ctrlKey || event.metaKey)) save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const { conflicts, failure, input, isSaving, issues } = edit;
  const issueOf = (field: string): string => issues.value.find((issue) => issue.field === field)?.message ?? "";
  return (
    <form
      ref={element}
      class="block edit-form stack-small"
      aria-label={action}
      data-testid={`form-${part}`}
      onSubmit={(event) => event.preventDefault()}
      onKeyDown={onKeyDown}
    >
      {heading}
      <div role="alert">
        {conflicts.value.length === 0 ? null : (
          <p class="notice" data-testid="edit-conflict">
            <Icon name="warning" />
            {t("edit.conflict", conflicts.value.join(", "))}
          </p>
        )}
        {issues.value.length === 0 ? null : (
          <p class="hidden" data-testid="edit-issues">
            {issues.value.map(({ message }) => message).join(" ")}
          </p>
        )}
      </div>
      {form({ entries: input.value?.entries ?? [], onChange: (entries) => edit.type(entries), issueOf })}
      {failure.value ? <ErrorBox error={failure.value} testId="edit-failure" title={t("edit.failed")} /> : null}
      <div class="actions">
        <Button testId="edit-save" kind="primary" disabled={isSaving.value} onClick={save}>
          {isSaving.value ? t("save.saving") : t("save.submit")}
        </Button>
        <Button testId="edit-cancel" onClick={() => edit.close()}>
          {t("save.cancel")}
        </Button>
      </div>
    </form>
  );
}

const FOCUSABLE = "vscode-text-field, vscode-text-area, input, vscode-button";
