// biome-ignore-all lint/a11y/useSemanticElements: a table cannot leave rows out, this grid draws only what is seen
// biome-ignore-all lint/a11y/useFocusableInteractive: the focus is on the cells, one of them at a time
import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { elementCount } from "../protocol/drafts";
import type { Cells } from "../protocol/views";
import { usePage, useText } from "./context";
import { formatCell, shortCell } from "./format";
import { gridTarget } from "./gridKeys";
import { classOf, gridSize, rowLabel } from "./interpret";
import type { OutputProps } from "./outputCard";

/** Height of a row in pixels; the style sheet has the same. */
const ROW_HEIGHT = 22;
/** Width of the column of row labels in pixels; the style sheet has the same. */
const LABEL_WIDTH = 84;
/** A character of the grid is about this wide in pixels, and a cell has this much beside its text. */
const CHARACTER_WIDTH = 8;
const CELL_PADDING = 18;
/** Bounds of a column's width in pixels; the upper one fits any number. */
const COLUMN_WIDTHS = { least: 72, most: 216 };
/** Most rows seen at once. */
const VISIBLE_ROWS = 12;
/** Rows and columns drawn beyond what is seen, so that scrolling shows no gaps. */
const MARGIN = 4;
/** Browsers cap the height of an element at some 33 million pixels; beyond this many rows the rest is cut. */
const MAX_ROWS = 1_000_000;
/** Values asked for at once when rows are read. */
const PAGE_VALUES = 8_000;

/** The part of the grid that is in the document; the ends are exclusive. */
interface Window {
  readonly firstRow: number;
  readonly lastRow: number;
  readonly firstColumn: number;
  readonly lastColumn: number;
  /** Pixels of each column. */
  readonly width: number;
}

/** Rows and columns of an output; only what is seen is in the document, and rows beyond the first come when seen. */
export function MatrixGrid(props: OutputProps): VNode {
  const { output, classes } = props;
  const t = useText();
  const size = gridSize(output);
  const rows = Math.min(size.rows, MAX_ROWS);
  const { columns } = size;
  const viewport = useRef<HTMLDivElement>(null);
  const names = columns === 1 ? [output.name] : classes.length === columns ? classes : undefined;
  const width = useMemo(() => columnWidth(output, names ?? [], classes), [output, classes]);
  const { drawn, topRow, onScroll } = useWindow(viewport, rows, columns, width);
  const { active, setActive, onKeyDown } = useActiveCell(viewport, rows, columns, drawn);
  const { cellAt, isGone } = useValues(props, topRow, columns);
  return (
    <div class="stack-small">
      <div
        class="matrix"
        role="grid"
        ref={viewport}
        aria-label={t("result.grid", output.name, rows, columns)}
        aria-rowcount={rows + 1}
        aria-colcount={columns + 1}
        data-testid={`matrix-${output.name}`}
        style={{ maxHeight: `${(VISIBLE_ROWS + 1) * ROW_HEIGHT + 16}px` }}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
      >
        <div
          class="matrix-body"
          role="presentation"
          style={{ height: `${(rows + 1) * ROW_HEIGHT}px`, width: `${LABEL_WIDTH + columns * width}px` }}
        >
          <HeadRow drawn={drawn} names={names} />
          {range(drawn.firstRow, drawn.lastRow).map((row) => (
            <BodyRow
              key={row}
              row={row}
              label={rowLabel(output.shape, row)}
              drawn={drawn}
              active={active - row * columns}
              valueAt={(column) => cellAt(row * columns + column)}
              dtype={output.dtype}
              classes={classes}
              onChoose={(column) => setActive(row * columns + column)}
            />
          ))}
        </div>
      </div>
      {isGone ? <p class="quiet">{t("result.gone")}</p> : null}
    </div>
  );
}

function HeadRow({ drawn, names }: { readonly drawn: Window; readonly names: readonly string[] | undefined }): VNode {
  const t = useText();
  return (
    <div class="matrix-row matrix-head" role="row" aria-rowindex={1}>
      <span class="matrix-cell matrix-corner" role="columnheader" aria-colindex={1}>
        {t("result.row")}
      </span>
      {range(drawn.firstColumn, drawn.lastColumn).map((column) => (
        <span
          class="matrix-cell"
          role="columnheader"
          aria-colindex={column + 2}
          key={column}
          style={placeOf(column, drawn.width)}
        >
          {names?.[column] ?? column}
        </span>
      ))}
    </div>
  );
}

function BodyRow(props: {
  readonly row: number;
  readonly label: string;
  readonly drawn: Window;
  /** Column of the active cell when it is in this row; any other number when not. */
  readonly active: number;
  readonly valueAt: (column: number) => Cells[number] | undefined;
  readonly dtype: string;
  readonly classes: readonly string[];
  readonly onChoose: (column: number) => void;
}): VNode {
  const { row, label, drawn, active, valueAt, dtype, classes, onChoose } = props;
  return (
    <div class="matrix-row" role="row" aria-rowindex={row + 2} style={{ top: `${(row + 1) * ROW_HEIGHT}px` }}>
      <span class="matrix-cell matrix-corner" role="rowheader" aria-colindex={1}>
        {label}
      </span>
      {range(drawn.firstColumn, drawn.lastColumn).map((column) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the grid handles the keys of all its cells
        <span
          class="matrix-cell"
          role="gridcell"
          aria-colindex={column + 2}
          tabIndex={column === active ? 0 : -1}
          key={column}
          style={placeOf(column, drawn.width)}
          title={exactText(dtype, valueAt(column))}
          onClick={() => onChoose(column)}
        >
          {valueText(dtype, valueAt(column), classes)}
        </span>
      ))}
    </div>
  );
}

function placeOf(column: number, width: number): { left: string; width: string } {
  return { left: `${LABEL_WIDTH + column * width}px`, width: `${width}px` };
}

/** Wide enough for the longest text known, so that no number loses its end. */
function columnWidth(output: OutputProps["output"], names: readonly string[], classes: readonly string[]): number {
  const texts = output.values.map((value) => valueText(output.dtype, value, classes).length);
  const longest = [...names.map((name) => name.length), ...texts].reduce((a, b) => Math.max(a, b), 0);
  const wanted = longest * CHARACTER_WIDTH + CELL_PADDING;
  return Math.min(COLUMN_WIDTHS.most, Math.max(COLUMN_WIDTHS.least, wanted));
}

function useWindow(
  viewport: { readonly current: HTMLElement | null },
  rows: number,
  columns: number,
  width: number,
): { drawn: Window; topRow: number; onScroll: () => void } {
  const [seen, setSeen] = useState({ top: 0, left: 0, width: 600 });
  const measure = (): void => {
    const { current } = viewport;
    if (current) setSeen({ top: current.scrollTop, left: current.scrollLeft, width: current.clientWidth });
  };
  useLayoutEffect(measure, []);
  const topRow = Math.floor(seen.top / ROW_HEIGHT);
  const firstRow = Math.max(0, topRow - MARGIN);
  const firstColumn = Math.max(0, Math.floor(seen.left / width) - MARGIN);
  const drawn = {
    firstRow,
    lastRow: Math.min(rows, firstRow + VISIBLE_ROWS + 2 * MARGIN),
    firstColumn,
    lastColumn: Math.min(columns, firstColumn + Math.ceil(seen.width / width) + 2 * MARGIN),
    width,
  };
  return { drawn, topRow, onScroll: measure };
}

/** The one cell that Tab reaches; keys move it, and the focus goes along when it is in the grid. */
function useActiveCell(
  viewport: { readonly current: HTMLElement | null },
  rows: number,
  columns: number,
  drawn: Window,
): { active: number; setActive: (index: number) => void; onKeyDown: (event: KeyboardEvent) => void } {
  const [active, setActive] = useState(0);
  const isMoving = useRef(false);
  // Keys can come faster than renderings: each starts from where the last one led.
  const latest = useRef(active);
  latest.current = active;
  useEffect(() => {
    const cell = isMoving.current ? viewport.current?.querySelector<HTMLElement>('[tabindex="0"]') : undefined;
    if (!cell) return;
    isMoving.current = latest.current !== active;
    cell.focus({ preventScroll: true });
  }, [active, drawn.firstRow, drawn.firstColumn]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = gridTarget(event, latest.current, rows, columns, { start: true, end: true });
    if (next === undefined) return;
    event.preventDefault();
    isMoving.current = true;
    latest.current = next;
    setActive(next);
    reveal(viewport.current, Math.floor(next / columns), next % columns, drawn.width);
  };
  return { active, setActive, onKeyDown };
}

function valueText(dtype: string, value: Cells[number] | undefined, classes: readonly string[]): string {
  if (value === undefined) return "…";
  const name = classOf(dtype, value, classes);
  return name === undefined ? shortCell(dtype, value) : `${value} ${name}`;
}

function exactText(dtype: string, value: Cells[number] | undefined): string {
  return value === undefined ? "" : formatCell(dtype, value);
}

/** Values by index: what came with the reply, and pages of rows that are asked for when they are seen. */
function useValues(
  { output, reply, tag }: OutputProps,
  row: number,
  columns: number,
): { cellAt: (index: number) => Cells[number] | undefined; isGone: boolean } {
  const { peer } = usePage();
  const [pages, setPages] = useState<ReadonlyMap<number, Cells>>(new Map());
  const [isGone, setGone] = useState(false);
  const first = output.shape[0] ?? 1;
  const perStep = elementCount(output.shape.slice(1));
  const stepsPerPage = Math.max(1, Math.floor(PAGE_VALUES / Math.max(1, perStep)));
  const step = Math.floor((row * columns) / Math.max(1, perStep));
  const page = Math.floor((step + VISIBLE_ROWS) / stepsPerPage);
  useEffect(() => {
    const isKnown = !output.pageable || pages.has(page) || (page + 1) * stepsPerPage * perStep <= output.values.length;
    if (isKnown || isGone) return;
    const abort = new AbortController();
    const start = page * stepsPerPage;
    const count = Math.min(stepsPerPage, first - start);
    if (count <= 0) return;
    peer
      .request("test/rows", { tag, reply, output: output.name, start, count }, abort.signal)
      .then(({ values }) => setPages((old) => new Map(old).set(page, values)))
      .catch(() => {
        if (!abort.signal.aborted) setGone(true);
      });
    return () => abort.abort();
  }, [page, output]);
  const cellAt = (index: number): Cells[number] | undefined => {
    const known = output.values[index];
    if (known !== undefined) return known;
    const at = Math.floor(index / (stepsPerPage * perStep));
    return pages.get(at)?.[index - at * stepsPerPage * perStep];
  };
  return { cellAt, isGone };
}

function reveal(viewport: HTMLElement | null, row: number, column: number, width: number): void {
  if (!viewport) return;
  const top = row * ROW_HEIGHT;
  const left = column * width;
  const seenHeight = viewport.clientHeight - 2 * ROW_HEIGHT;
  const seenWidth = viewport.clientWidth - LABEL_WIDTH - width;
  if (top < viewport.scrollTop) viewport.scrollTop = top;
  else if (top > viewport.scrollTop + seenHeight) viewport.scrollTop = top - seenHeight;
  if (left < viewport.scrollLeft) viewport.scrollLeft = left;
  else if (left > viewport.scrollLeft + seenWidth) viewport.scrollLeft = left - seenWidth;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}
