// biome-ignore-all lint/a11y/useSemanticElements: a table of fields is a grid to assistive technology, with arrow keys
// biome-ignore-all lint/a11y/useFocusableInteractive: the focus is on the fields in the cells, one of them at a time
import type { VNode } from "preact";
import { useRef, useState } from "preact/hooks";
import { cellIssue, elementCount, type FormLayout, formLayout, MAX_FORM_CELLS } from "../protocol/drafts";
import type { Draft, SpecView } from "../protocol/views";
import { usePage, useText } from "./context";
import { withPaste } from "./draftEdits";
import { gridTarget } from "./gridKeys";
import { Icon } from "./icons";
import { Button } from "./kit";

/** The values of an input as typed cells: a single field, or a grid with rows that can be added and pasted. */
export function FormGrid({ spec, draft }: { readonly spec: SpecView; readonly draft: Draft }): VNode {
  const t = useText();
  const count = elementCount(draft.dims);
  if (count > MAX_FORM_CELLS) return <p class="quiet">{t("input.tooMany", count, MAX_FORM_CELLS)}</p>;
  const layout = formLayout(spec, draft.dims);
  return (
    <>
      <Grid spec={spec} draft={draft} layout={layout} />
      {layout.rowsPerStep === 0 ? null : <RowButtons spec={spec} draft={draft} layout={layout} />}
    </>
  );
}

interface GridProps {
  readonly spec: SpecView;
  readonly draft: Draft;
  readonly layout: FormLayout;
}

function Grid({ spec, draft, layout }: GridProps): VNode {
  const t = useText();
  const { rows, columns } = layout;
  const body = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const isScalar = rows * columns === 1 && layout.rowsPerStep === 0;
  const focusCell = (index: number): void => {
    setActive(index);
    const field = body.current?.querySelector<HTMLInputElement>(`[data-cell="${index}"]`);
    field?.focus();
    // As in a spreadsheet, typing after a move replaces what is there.
    field?.select();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const { target } = event;
    if (!(target instanceof HTMLInputElement)) return;
    const next = gridTarget(event, active, rows, columns, isAtEdge(target));
    if (next === undefined) return;
    event.preventDefault();
    focusCell(next);
  };
  const cell = (index: number): VNode => (
    <CellField
      spec={spec}
      draft={draft}
      index={index}
      isCurrent={index === Math.min(active, rows * columns - 1)}
      label={
        isScalar
          ? t("input.scalar", spec.name)
          : t("input.cell", spec.name, Math.floor(index / columns) + 1, (index % columns) + 1)
      }
      onFocus={() => setActive(index)}
    />
  );
  if (isScalar) return <div class="scalar">{cell(0)}</div>;
  return (
    <div class="grid-scroll">
      <div
        class={rows === 1 ? "form-grid form-grid-wrap" : "form-grid"}
        role="grid"
        aria-label={t("input.cells", spec.name)}
        aria-rowcount={rows}
        aria-colcount={columns}
        ref={body}
        onKeyDown={onKeyDown}
        data-testid={`grid-${spec.name}`}
      >
        {Array.from({ length: rows }, (_, row) => (
          <div role="row" class={rows === 1 ? "form-row form-row-wrap" : "form-row"} aria-rowindex={row + 1} key={row}>
            {rows > 1 ? (
              <span class="row-number" aria-hidden="true">
                {row}
              </span>
            ) : null}
            {Array.from({ length: columns }, (_unused, column) => (
              <span role="gridcell" class="form-cell" aria-colindex={column + 1} key={column}>
                {cell(row * columns + column)}
              </span>
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}

function CellField(props: {
  readonly spec: SpecView;
  readonly draft: Draft;
  readonly index: number;
  readonly isCurrent: boolean;
  readonly label: string;
  readonly onFocus: () => void;
}): VNode {
  const { test } = usePage();
  const { spec, draft, index, isCurrent, label, onFocus } = props;
  const text = draft.cells[index] ?? "";
  const isWrong = cellIssue(spec.dtype, text) !== undefined;
  const common = {
    "aria-label": label,
    "data-cell": index,
    "data-testid": `cell-${spec.name}-${index}`,
    tabIndex: isCurrent ? 0 : -1,
    onFocus,
  };
  const put = (value: string): void => {
    test.edit(spec.name, { cells: draft.cells.map((old, at) => (at === index ? value : old)) });
  };
  if (spec.dtype === "bool") {
    const isChecked = text.trim().toLowerCase() === "true";
    return (
      <input
        type="checkbox"
        {...common}
        checked={isChecked}
        onChange={(event) => put(String(event.currentTarget.checked))}
      />
    );
  }
  const onPaste = (event: ClipboardEvent): void => {
    const pasted = event.clipboardData?.getData("text/plain") ?? "";
    if (!/[\t\n]/.test(pasted.replace(/\r?\n$/, ""))) return;
    event.preventDefault();
    test.edit(spec.name, withPaste(spec, draft, index, pasted));
  };
  return (
    <input
      type="text"
      inputMode={spec.dtype === "string" ? "text" : "decimal"}
      spellcheck={false}
      {...common}
      class={spec.dtype === "string" ? "" : "number"}
      value={text}
      aria-invalid={isWrong}
      aria-describedby={isWrong ? `input-${spec.name}-error` : undefined}
      onInput={(event) => put(event.currentTarget.value)}
      onPaste={onPaste}
    />
  );
}

function RowButtons({ spec, draft, layout }: GridProps): VNode {
  const { test } = usePage();
  const t = useText();
  const [first = 1, ...rest] = draft.dims;
  const canAdd = (layout.rows + layout.rowsPerStep) * layout.columns <= MAX_FORM_CELLS;
  return (
    <div class="row">
      <Button testId={`add-row-${spec.name}`} disabled={!canAdd} onClick={() => test.setDim(spec.name, 0, first + 1)}>
        <span class="with-icon">
          <Icon name="add" />
          {t("input.addRow")}
        </span>
      </Button>
      <Button
        testId={`remove-row-${spec.name}`}
        disabled={first <= 1}
        onClick={() => test.resize(spec, [first - 1, ...rest])}
      >
        <span class="with-icon">
          <Icon name="remove" />
          {t("input.removeRow")}
        </span>
      </Button>
      <span class="quiet">{t("input.pasteHint")}</span>
    </div>
  );
}

/** Left and right leave a text only at its ends. */
function isAtEdge(field: HTMLInputElement): { start: boolean; end: boolean } {
  if (field.type !== "text") return { start: true, end: true };
  const isCollapsed = field.selectionStart === field.selectionEnd;
  const isWhole = field.selectionStart === 0 && field.selectionEnd === field.value.length;
  return {
    start: isWhole || (isCollapsed && field.selectionStart === 0),
    end: isWhole || (isCollapsed && field.selectionEnd === field.value.length),
  };
}
