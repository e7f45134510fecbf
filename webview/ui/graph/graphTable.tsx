// biome-ignore-all lint/a11y/useSemanticElements: a table cannot leave rows out, this grid draws only what is seen
// biome-ignore-all lint/a11y/useFocusableInteractive: the focus is on the rows, one of them at a time
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { usePage, useText } from "../context";
import { gridTarget } from "../gridKeys";
import { drawnItems, useWindow, type Windowed } from "../windowed";
import { COLUMNS, type Column } from "./graphColumns";
import type { GraphTable as TableName, TableRow } from "./graphState";

/** Height of a row in pixels; the style sheet has the same. */
const ROW_HEIGHT = 24;

/** The rows of the table that is shown; only what is seen is in the document, and one row can have the focus. */
export function GraphTable(props: {
  readonly table: TableName;
  readonly total: number;
  /** Says which rows of which graph they are. */
  readonly label: string;
}): VNode {
  const { table, total, label } = props;
  const { graph } = usePage();
  const t = useText();
  const viewport = useRef<HTMLDivElement>(null);
  const drawn = useWindow(viewport, { rows: total, rowHeight: ROW_HEIGHT, head: ROW_HEIGHT });
  const { active, move, enter, onKeyDown } = useActiveRow(viewport, drawn, total);
  useEffect(() => graph.need(drawn.firstRow, drawn.lastRow), [drawn.firstRow, drawn.lastRow, graph.rows.value]);
  const columns = COLUMNS[table];
  const widths = columns.map(({ width }) => width).join(" ");
  return (
    <div
      class={`graph-table graph-${table}`}
      role="grid"
      ref={viewport}
      aria-label={label}
      aria-rowcount={total + 1}
      aria-colcount={columns.length}
      data-testid="graph-table"
      onScroll={drawn.onScroll}
      onKeyDown={onKeyDown}
    >
      <div class="graph-body" role="presentation" style={{ height: `${drawn.bodyHeight}px`, "--columns": widths }}>
        <div class="graph-row graph-head" role="row" aria-rowindex={1}>
          {columns.map(({ title }) => (
            <span role="columnheader" key={title}>
              {t(title)}
            </span>
          ))}
        </div>
        {drawnItems(drawn.firstRow, drawn.lastRow, active).map((index) => (
          <Row
            key={index}
            index={index}
            row={graph.rowAt(index)}
            isActive={index === active}
            columns={columns}
            style={{ top: `${drawn.rowPlace(index)}px` }}
            onChoose={() => move(index)}
            onEnter={() => enter(index)}
          />
        ))}
      </div>
    </div>
  );
}

function Row(props: {
  readonly index: number;
  /** `undefined` while it is read. */
  readonly row: TableRow | undefined;
  readonly isActive: boolean;
  readonly columns: readonly Column[];
  readonly style: { readonly top: string };
  readonly onChoose: () => void;
  readonly onEnter: () => void;
}): VNode {
  const t = useText();
  const { index, row, isActive, columns, style, onChoose, onEnter } = props;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid hears the keys for all rows
    <div
      class="graph-row"
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isActive}
      tabIndex={isActive ? 0 : -1}
      data-testid="graph-row"
      data-row={index}
      style={style}
      onClick={onChoose}
      onDblClick={onEnter}
    >
      {columns.map(({ title, keepsEnd, cell }) => {
        const text = row ? cell(row, t) : "…";
        return (
          <span role="gridcell" key={title} title={text} class={keepsEnd ? "keeps-end" : ""}>
            <bdi>{text}</bdi>
          </span>
        );
      })}
    </div>
  );
}

interface ActiveRow {
  readonly active: number;
  move(to: number): void;
  enter(row: number): void;
  onKeyDown(event: KeyboardEvent): void;
}

/** Keys and pointer move the active row, and the focus goes along. */
function useActiveRow(viewport: { readonly current: HTMLElement | null }, drawn: Windowed, total: number): ActiveRow {
  const { graph } = usePage();
  const active = Math.min(graph.active.value, total - 1);
  const goes = graph.goes.value;
  const isMoving = useRef(false);
  const gone = useRef(graph.goesSeen);
  useEffect(() => {
    if (gone.current !== goes) isMoving.current = true;
    gone.current = goes;
    graph.goesSeen = goes;
    drawn.reveal(active);
  }, [goes, total]);
  useEffect(() => {
    const row = isMoving.current ? viewport.current?.querySelector<HTMLElement>('[tabindex="0"]') : undefined;
    if (!row || Number(row.dataset["row"]) !== active) return;
    isMoving.current = false;
    row.focus({ preventScroll: true });
  }, [active, drawn.firstRow, drawn.lastRow, goes, total]);
  const move = (to: number): void => {
    // Where it is already the focus came with the key or the pointer, and is not to be called back later.
    isMoving.current = to !== graph.active.value;
    graph.choose(to);
    drawn.reveal(to);
  };
  const enter = (index: number): void => {
    const row = graph.rowAt(index);
    const inner = innerGraph(row);
    if (inner !== null) graph.enter(inner);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const { key, metaKey, altKey } = event;
    // Rows are the only stops: Home and End lead to the first and the last of them.
    const next = gridTarget({ key, metaKey, altKey, ctrlKey: true }, active, total, 1, { start: false, end: false });
    if (next !== undefined) move(next);
    else if (key === "Enter") enter(active);
    else if (key === "Backspace") graph.leave();
    else return;
    event.preventDefault();
  };
  return { active, move, enter, onKeyDown };
}

/** The first subgraph of a node, the function it calls, or the graph that is listed. */
function innerGraph(row: TableRow | undefined): number | null {
  if (!row || "spec" in row) return null;
  return "graph" in row ? row.graph : (row.subgraphs[0]?.graph ?? row.function);
}
