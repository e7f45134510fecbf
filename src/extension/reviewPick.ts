import { type QuickInputButton, type QuickPickItem, QuickPickItemKind, ThemeIcon, window } from "vscode";
import type { Review, ReviewItem } from "./services";

interface Line<T> extends QuickPickItem {
  readonly value?: T;
  readonly disabled?: boolean;
}

interface LineButton extends QuickInputButton {
  readonly id: string;
}

/**
 * Shows what would be done as a list to tick. VS Code has no line that cannot be ticked: one that is ticked all the
 * same loses its tick at once.
 */
export function review<T>({ title, hint, unavailable, items, press }: Review<T>): Promise<readonly T[] | undefined> {
  const picker = window.createQuickPick<Line<T>>();
  picker.canSelectMany = true;
  picker.matchOnDescription = true;
  picker.matchOnDetail = true;
  picker.placeholder = hint;
  // Looking something up meanwhile must not lose what was ticked.
  picker.ignoreFocusOut = true;
  const valuesOf = (lines: readonly Line<T>[]): T[] =>
    lines.flatMap(({ disabled, value }) => (disabled || value === undefined ? [] : [value]));
  const name = (): void => {
    picker.title = title(valuesOf(picker.selectedItems));
  };
  const draw = (isTicked: (item: ReviewItem<T>) => boolean): void => {
    const all = items();
    const active = picker.activeItems[0]?.value;
    picker.items = linesOf(all, unavailable);
    picker.selectedItems = picker.items.filter((line) => {
      const item = all.find(({ value }) => value === line.value);
      return item !== undefined && !item.disabled && isTicked(item);
    });
    picker.activeItems = picker.items.filter(({ value }) => active !== undefined && value === active);
    name();
  };
  draw((item) => item.picked === true);
  return new Promise((resolve) => {
    const finish = (chosen: readonly T[] | undefined): void => {
      resolve(chosen);
      picker.dispose();
    };
    picker.onDidChangeSelection((chosen) => {
      const allowed = chosen.filter(({ disabled }) => !disabled);
      if (allowed.length < chosen.length) picker.selectedItems = allowed;
      name();
    });
    picker.onDidTriggerItemButton(({ button, item }) => {
      if (item.value === undefined || !("id" in button) || typeof button.id !== "string") return;
      press?.(item.value, button.id);
      const ticked = new Set(valuesOf(picker.selectedItems));
      draw(({ value }) => ticked.has(value));
    });
    picker.onDidAccept(() => finish(valuesOf(picker.selectedItems)));
    picker.onDidHide(() => finish(undefined));
    picker.show();
  });
}

/** Those that can be chosen first; the others below a heading. */
function linesOf<T>(items: readonly ReviewItem<T>[], unavailable: string): Line<T>[] {
  const disabled = items.filter((item) => item.disabled).map(lineOf);
  const heading: Line<T> = { label: unavailable, kind: QuickPickItemKind.Separator };
  return [
    ...items.filter((item) => !item.disabled).map(lineOf),
    ...(disabled.length > 0 ? [heading] : []),
    ...disabled,
  ];
}

function lineOf<T>({ label, description, detail, icon, disabled = false, buttons, value }: ReviewItem<T>): Line<T> {
  return {
    label: icon === undefined ? plain(label) : `$(${icon}) ${plain(label)}`,
    value,
    disabled,
    ...(description === undefined ? {} : { description: plain(description) }),
    ...(detail === undefined ? {} : { detail: plain(detail) }),
    ...(buttons === undefined ? {} : { buttons: buttons.map(lineButton) }),
  };
}

function lineButton({ id, icon, tooltip }: { id: string; icon: string; tooltip: string }): LineButton {
  return { id, iconPath: new ThemeIcon(icon), tooltip };
}

/** Text out of an archive's or a file's name: what VS Code would draw as an icon stays as it is written. */
function plain(text: string): string {
  return text.replaceAll("$(", "\\$(");
}
