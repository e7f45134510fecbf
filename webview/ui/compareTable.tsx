// biome-ignore-all lint/a11y/useSemanticElements: a table cannot leave rows out, this grid draws only what is seen
// biome-ignore-all lint/a11y/useFocusableInteractive: the focus is on the rows, one of them at a time
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the grid hears the keys of all its rows
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { DifferenceRow } from "../protocol/compare";
import { usePage, useText } from "./context";
import { type Cell, roundCell } from "./format";
import { gridTarget } from "./gridKeys";
import type { Translate } from "./texts";
import { drawnItems, useWindow } from "./windowed";

/** Pixels of a row, as the style sheet has them. */
const ROW_HEIGHT = 24;
/** Rows that are seen at most, and pixels of a scroll bar below them. */
const MOST_SEEN = 20;
const SCROLL_BAR = 16;
/** The first figure is what the rows are sorted by. */
const FIGURES = ["norm", "maxAbs", "maxRel"] as const;
const COLUMNS = ["name", "change", ...FIGURES, "differing"] as const;
const SORTED_BY = "norm";

/** The tensors that differ, those in sight only; a row is chosen with arrow keys or a click. */
export function CompareTable({ rows }: { readonly rows: number }): VNode {
  const { compare } = usePage();
  const t = useText();
  const viewport = useRef<HTMLDivElement>(null);
  const sizes = { rows, rowHeight: ROW_HEIGHT, head: ROW_HEIGHT };
  const drawn = useWindow(viewport, sizes);
  const chosen = compare.chosen.value;
  const shown = drawnItems(drawn.firstRow, drawn.lastRow, chosen);
  useEffect(() => {
    for (const row of shown) void compare.need(row);
  });
  const go = (row: number): void => {
    compare.choose(row);
    drawn.reveal(row);
    setTimeout(() => viewport.current?.querySelector<HTMLElement>(`[data-row="${row}"]`)?.focus());
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // Of one column Home and End are the ends of the list.
    const { key, altKey, metaKey } = event;
    const target = gridTarget({ key, altKey, metaKey, ctrlKey: true }, chosen, rows, 1, { start: true, end: true });
    if (target === undefined) return;
    event.preventDefault();
    go(target);
  };
  return (
    <div
      class="compare-grid"
      role="grid"
      aria-label={t("compare.tensors")}
      aria-rowcount={rows + 1}
      aria-colcount={COLUMNS.length}
      data-testid="compare-grid"
      ref={viewport}
      style={{ maxHeight: `${(Math.min(rows, MOST_SEEN) + 1) * ROW_HEIGHT + SCROLL_BAR}px` }}
      onScroll={drawn.onScroll}
      onKeyDown={onKeyDown}
    >
      <div class="compare-body" role="rowgroup" style={{ height: `${drawn.bodyHeight}px` }}>
        <div class="compare-row compare-head" role="row" aria-rowindex={1}>
          {COLUMNS.map((column) => (
            <span
              role="columnheader"
              key={column}
              title={t(`compare.column.${column}Hint`)}
              aria-sort={column === SORTED_BY ? "descending" : undefined}
            >
              {t(`compare.column.${column}`)}
              {column === SORTED_BY ? <span aria-hidden="true"> ↓</span> : null}
            </span>
          ))}
        </div>
        {shown.map((row) => (
          <div
            class={row === chosen ? "compare-row chosen" : "compare-row"}
            role="row"
            key={row}
            aria-rowindex={row + 2}
            aria-selected={row === chosen}
            data-row={row}
            data-testid={`compare-row-${row}`}
            tabIndex={row === chosen ? 0 : -1}
            style={{ top: `${drawn.rowPlace(row)}px` }}
            onClick={() => go(row)}
          >
            <Cells found={compare.rows.value.get(row)} />
          </div>
        ))}
      </div>
    </div>
  );
}

function Cells({ found }: { readonly found: DifferenceRow | undefined }): VNode {
  const { locale } = usePage();
  const t = useText();
  const values = found?.values ?? undefined;
  const name = found === undefined ? "…" : nameOf(found);
  const { leaf } = found ?? {};
  const changes =
    found?.changes.map((change) =>
      change === "values" && leaf ? `${leaf.a} → ${leaf.b}` : t(`compare.change.${change}`),
    ) ?? [];
  if (found?.reason !== null && found !== undefined) changes.push(t("compare.unreadable"));
  return (
    <>
      <span role="gridcell" title={name} class="keeps-end">
        <bdi>{name}</bdi>
      </span>
      <span role="gridcell" title={changes.join(", ")}>
        {changes.join(", ")}
      </span>
      {FIGURES.map((figure) => (
        <span role="gridcell" class="number" key={figure}>
          {figureText(values?.[figure])}
        </span>
      ))}
      <span role="gridcell" class="number">
        {values === undefined ? "" : differingText(t, locale.value, values)}
      </span>
    </>
  );
}

function figureText(figure: Cell | null | undefined): string {
  return typeof figure === "number" ? roundCell(figure) : String(figure ?? "");
}

/** How many values differ, of how many. */
export function differingText(t: Translate, locale: string, values: NonNullable<DifferenceRow["values"]>): string {
  return t("compare.of", values.differing.toLocaleString(locale), values.count.toLocaleString(locale));
}

/** The name on both sides, where they differ. */
export function nameOf({ a, b }: DifferenceRow): string {
  if (a && b && a.name !== b.name) return `${a.name} → ${b.name}`;
  return (a ?? b)?.name ?? "";
}
