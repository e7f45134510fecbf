import type { VNode } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { elementCount } from "../protocol/drafts";
import type { Cells } from "../protocol/views";
import { usePage, useText } from "./context";
import { formatCell, shortCell } from "./format";
import { classOf, gridSize, rowLabel } from "./interpret";
import type { OutputProps } from "./outputCard";
import { ValueGrid } from "./valueGrid";

/** Most rows seen at once. */
const VISIBLE_ROWS = 12;
/** Values asked for at once when rows are read. */
const PAGE_VALUES = 8_000;

/** Rows and columns of an output; rows beyond the first come when they are seen. */
export function MatrixGrid(props: OutputProps): VNode {
  const { output, classes } = props;
  const t = useText();
  const { rows, columns } = gridSize(output);
  const [topRow, setTopRow] = useState(0);
  const names = columns === 1 ? [output.name] : classes.length === columns ? classes : undefined;
  const characters = useMemo(() => longest(output, names ?? [], classes), [output, classes]);
  const { cellAt, isGone } = useValues(props, topRow, columns);
  return (
    <div class="stack-small">
      <ValueGrid
        label={t("result.grid", output.name, rows, columns)}
        testId={`matrix-${output.name}`}
        rows={rows}
        columns={columns}
        characters={characters}
        visibleRows={VISIBLE_ROWS}
        corner={t("result.row")}
        rowLabel={(row) => rowLabel(output.shape, row)}
        columnLabel={(column) => names?.[column] ?? String(column)}
        cellAt={(row, column) => {
          const value = cellAt(row * columns + column);
          if (value === undefined) return undefined;
          return { text: valueText(output.dtype, value, classes), title: formatCell(output.dtype, value) };
        }}
        onWindow={(drawn) => setTopRow(drawn.topRow)}
      />
      {isGone ? <p class="quiet">{t("result.gone")}</p> : null}
    </div>
  );
}

/** Characters of the longest text known, so that no number loses its end. */
function longest(output: OutputProps["output"], names: readonly string[], classes: readonly string[]): number {
  const texts = output.values.map((value) => valueText(output.dtype, value, classes).length);
  return [...names.map((name) => name.length), ...texts].reduce((a, b) => Math.max(a, b), 0);
}

function valueText(dtype: string, value: Cells[number], classes: readonly string[]): string {
  const name = classOf(dtype, value, classes);
  return name === undefined ? shortCell(dtype, value) : `${value} ${name}`;
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
