// biome-ignore-all lint/a11y/useSemanticElements: a table cannot leave rows out, this grid draws only what is seen
// biome-ignore-all lint/a11y/useFocusableInteractive: the focus is on the cells, one of them at a time
import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ViewRange } from "../protocol/content";
import { gridTarget } from "./gridKeys";
import { drawnItems, useWindow, type Windowed } from "./windowed";

/** Height of a row in pixels; the style sheet has the same. */
const ROW_HEIGHT = 22;
/** A character of the grid is about this wide in pixels, and a cell has this much beside its text. */
const CHARACTER_WIDTH = 8;
const CELL_PADDING = 18;
/** Bounds of a column's width in pixels; the upper one fits any real number. */
const COLUMN_WIDTHS = { least: 72, most: 216 };
/** Least width of the column of row labels in pixels. */
const LABEL_WIDTH = 84;
/** What assistive technology can count to. */
const MOST_COUNTED = 2 ** 31 - 1;

/** What a cell shows. */
export interface GridCell {
  readonly text: string;
  /** The exact text, shown on hover. */
  readonly title: string;
}

/** What a grid of values is made of. */
export interface ValueGridProps {
  readonly label: string;
  readonly testId: string;
  readonly rows: number;
  readonly columns: number;
  /** Characters of the longest text. */
  readonly characters: number;
  /** Most rows seen at once. */
  readonly visibleRows: number;
  readonly corner: string;
  readonly rowLabel: (row: number) => string;
  readonly columnLabel: (column: number) => string;
  /** `undefined` while the value is not there yet. */
  readonly cellAt: (row: number, column: number) => GridCell | undefined;
  /** The part that is drawn changed. */
  readonly onWindow?: (drawn: Windowed) => void;
  /** A rectangle of cells was selected; left out = only one cell at a time is active. */
  readonly onSelect?: (range: ViewRange) => void;
  /** Copies what is selected. */
  readonly onCopy?: () => void;
  /** A cell to go to; another object = go again. */
  readonly target?: { readonly row: number; readonly column: number } | undefined;
}

/** Rows and columns of values; only what is seen is in the document, and one cell at a time can have the focus. */
export function ValueGrid(props: ValueGridProps): VNode {
  const { rows, columns, characters, visibleRows, onSelect } = props;
  const viewport = useRef<HTMLDivElement>(null);
  const width = Math.min(
    COLUMN_WIDTHS.most,
    Math.max(COLUMN_WIDTHS.least, characters * CHARACTER_WIDTH + CELL_PADDING),
  );
  const labels = Math.max(LABEL_WIDTH, props.rowLabel(rows - 1).length * CHARACTER_WIDTH + CELL_PADDING);
  const sizes = { rows, rowHeight: ROW_HEIGHT, head: ROW_HEIGHT, columns, columnWidth: width, labels };
  const drawn = useWindow(viewport, sizes);
  const cells = useActiveCell(viewport, drawn, props);
  useEffect(() => props.onWindow?.(drawn), [drawn.firstRow, drawn.lastRow, drawn.firstColumn, drawn.lastColumn]);
  const activeRow = Math.floor(cells.active / columns);
  // The active cell stays in the document when it is out of sight: the focus would be lost with it.
  const drawnRows = drawnItems(drawn.firstRow, drawn.lastRow, activeRow);
  const drawnColumns = drawnItems(drawn.firstColumn, drawn.lastColumn, cells.active % columns);
  const layout = { ...props, drawn, width, labels, drawnColumns };
  return (
    <div
      class="matrix"
      role="grid"
      ref={viewport}
      aria-label={props.label}
      aria-rowcount={Math.min(rows + 1, MOST_COUNTED)}
      aria-colcount={Math.min(columns + 1, MOST_COUNTED)}
      aria-multiselectable={onSelect ? true : undefined}
      data-testid={props.testId}
      style={{ maxHeight: `${(visibleRows + 1) * ROW_HEIGHT + 16}px` }}
      onScroll={drawn.onScroll}
      onKeyDown={cells.onKeyDown}
    >
      <div
        class="matrix-body"
        role="presentation"
        style={{ height: `${drawn.bodyHeight}px`, width: `${drawn.bodyWidth}px` }}
      >
        <HeadRow {...layout} />
        {drawnRows.map((row) => (
          <BodyRow key={row} row={row} cells={cells} {...layout} />
        ))}
      </div>
    </div>
  );
}

type Layout = ValueGridProps & {
  readonly drawn: Windowed;
  readonly width: number;
  readonly labels: number;
  readonly drawnColumns: readonly number[];
};

function HeadRow({ drawn, width, labels, drawnColumns, corner, columnLabel }: Layout): VNode {
  return (
    <div class="matrix-row matrix-head" role="row" aria-rowindex={1}>
      <span class="matrix-cell matrix-corner" role="columnheader" aria-colindex={1} style={{ width: `${labels}px` }}>
        {corner}
      </span>
      {drawnColumns.map((column) => (
        <span
          class="matrix-cell"
          role="columnheader"
          aria-colindex={column + 2}
          key={column}
          style={{ left: `${drawn.columnPlace(column)}px`, width: `${width}px` }}
        >
          {columnLabel(column)}
        </span>
      ))}
    </div>
  );
}

function BodyRow(props: Layout & { readonly row: number; readonly cells: ActiveCells }): VNode {
  const { row, cells, drawn, width, labels, drawnColumns, columns, rowLabel, cellAt, onSelect } = props;
  return (
    <div class="matrix-row" role="row" aria-rowindex={row + 2} style={{ top: `${drawn.rowPlace(row)}px` }}>
      <span class="matrix-cell matrix-corner" role="rowheader" aria-colindex={1} style={{ width: `${labels}px` }}>
        {rowLabel(row)}
      </span>
      {drawnColumns.map((column) => {
        const index = row * columns + column;
        const cell = cellAt(row, column);
        const isSelected = onSelect ? isWithin(cells.selection, row, column) : undefined;
        return (
          <span
            class="matrix-cell"
            role="gridcell"
            aria-colindex={column + 2}
            aria-selected={isSelected}
            tabIndex={index === cells.active ? 0 : -1}
            key={column}
            style={{ left: `${drawn.columnPlace(column)}px`, width: `${width}px` }}
            title={cell?.title ?? ""}
            onMouseDown={(event) => cells.press(index, event)}
            onMouseEnter={(event) => cells.drag(index, event)}
          >
            {cell?.text ?? "…"}
          </span>
        );
      })}
    </div>
  );
}

interface ActiveCells {
  /** Row times columns plus column of the one cell that Tab reaches. */
  readonly active: number;
  readonly selection: ViewRange;
  press(index: number, event: MouseEvent): void;
  drag(index: number, event: MouseEvent): void;
  onKeyDown(event: KeyboardEvent): void;
}

/** Keys and pointer move the active cell, and the focus goes along when it is in the grid. */
function useActiveCell(
  viewport: { readonly current: HTMLElement | null },
  drawn: Windowed,
  { rows, columns, target, onSelect, onCopy }: ValueGridProps,
): ActiveCells {
  const [cells, setCells] = useState({ active: 0, anchor: 0 });
  const { active, anchor } = cells;
  const isMoving = useRef(false);
  // Keys can come faster than renderings: each starts from where the last one led.
  const latest = useRef({ active, anchor });
  const move = (to: number, extend: boolean, focus: boolean): void => {
    latest.current = { active: to, anchor: extend && onSelect ? latest.current.anchor : to };
    isMoving.current = focus;
    setCells(latest.current);
    onSelect?.(rangeOf(latest.current, columns));
    drawn.reveal(Math.floor(to / columns), to % columns);
  };
  // Before anything else can take the focus: a later one is the user's.
  useLayoutEffect(() => {
    const cell = isMoving.current ? viewport.current?.querySelector<HTMLElement>('[tabindex="0"]') : undefined;
    if (!cell) return;
    isMoving.current = latest.current.active !== active;
    cell.focus({ preventScroll: true });
  }, [cells, drawn.firstRow, drawn.firstColumn]);
  useEffect(() => {
    if (target) move(Math.min(target.row, rows - 1) * columns + Math.min(target.column, columns - 1), false, true);
  }, [target]);
  const isInside = Math.floor(active / columns) < rows;
  const now = isInside ? { active, anchor } : { active: 0, anchor: 0 };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (onCopy && event.key.toLowerCase() === "c" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onCopy();
      return;
    }
    const next = gridTarget(event, latest.current.active, rows, columns, { start: true, end: true });
    if (next === undefined) return;
    event.preventDefault();
    move(next, event.shiftKey, true);
  };
  return {
    active: now.active,
    selection: rangeOf(now, columns),
    press: (index, event) => {
      if (event.button === 0) move(index, event.shiftKey, true);
    },
    drag: (index, event) => {
      if (onSelect && (event.buttons & 1) === 1) move(index, true, true);
    },
    onKeyDown,
  };
}

function rangeOf({ active, anchor }: { readonly active: number; readonly anchor: number }, columns: number): ViewRange {
  const [top, bottom] = ordered(Math.floor(active / columns), Math.floor(anchor / columns));
  const [left, right] = ordered(active % columns, anchor % columns);
  return { rowStart: top, rowCount: bottom - top + 1, columnStart: left, columnCount: right - left + 1 };
}

function ordered(a: number, b: number): readonly [number, number] {
  return a < b ? [a, b] : [b, a];
}

function isWithin({ rowStart, rowCount, columnStart, columnCount }: ViewRange, row: number, column: number): boolean {
  return row >= rowStart && row < rowStart + rowCount && column >= columnStart && column < columnStart + columnCount;
}
