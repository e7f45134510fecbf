import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { PlainValue } from "../protocol/views";
import { usePage, useText } from "./context";
import { shortCell } from "./format";
import type { OutputProps } from "./outputCard";
import { ValueGrid } from "./valueGrid";

/** Rows seen at once. */
const VISIBLE_ROWS = 12;
/** Rows asked for at once when more are seen than came with the reply. */
const PAGE_ROWS = 200;

type Table = Extract<PlainValue, { kind: "table" }>;
type Row = Table["rows"][number];

/** A table with the names of its columns; rows beyond the first come when they are seen. */
export function PlainTable(props: OutputProps & { readonly table: Table }): VNode {
  const { output, table } = props;
  const { columns, rows, count } = table;
  const { locale } = usePage();
  const t = useText();
  const [topRow, setTopRow] = useState(0);
  const { rowAt, isGone } = useRows(props, topRow);
  if (rows.length === 0 || columns.length === 0) return <p class="quiet">{t("plain.noRows", columns.join(", "))}</p>;
  const shown = output.pageable && !isGone ? count : rows.length;
  const texts = rows.flat().map((value) => textOf(value).length);
  return (
    <>
      <ValueGrid
        label={t("result.grid", output.name, shown, columns.length)}
        testId={`table-${output.name}`}
        rows={shown}
        columns={columns.length}
        characters={[...columns.map(({ length }) => length), ...texts].reduce((a, b) => Math.max(a, b), 0)}
        visibleRows={VISIBLE_ROWS}
        corner={t("result.row")}
        rowLabel={String}
        columnLabel={(column) => columns[column] ?? ""}
        cellAt={(row, column) => {
          const value = rowAt(row)?.[column];
          return value === undefined
            ? undefined
            : { text: textOf(value), title: value === null ? t("plain.missing") : String(value) };
        }}
        onWindow={(drawn) => setTopRow(drawn.topRow)}
      />
      {isGone ? <p class="quiet">{t("result.gone")}</p> : null}
      {shown < count ? (
        <p class="quiet" data-testid={`cut-${output.name}`}>
          {t("plain.prefix", shown.toLocaleString(locale.value), count.toLocaleString(locale.value))}
        </p>
      ) : null}
    </>
  );
}

function textOf(value: Row[number]): string {
  return value === null ? "null" : shortCell("float64", value);
}

/** Rows by number: those that came with the reply, and what is asked for when it is seen; an answer may be shorter. */
function useRows(
  { output, reply, tag, table }: OutputProps & { readonly table: Table },
  topRow: number,
): { rowAt: (row: number) => Row | undefined; isGone: boolean } {
  const { peer } = usePage();
  const [read, setRead] = useState<{ readonly of: Table; readonly rows: ReadonlyMap<number, Row> }>();
  const [gone, setGone] = useState<Table>();
  const more = read?.of === table ? read.rows : undefined;
  const rowAt = (row: number): Row | undefined => table.rows[row] ?? more?.get(row);
  const seen = Array.from({ length: VISIBLE_ROWS + 1 }, (_, at) => topRow + at);
  const missing = seen.find((row) => row < table.count && rowAt(row) === undefined);
  const isGone = gone === table;
  useEffect(() => {
    if (missing === undefined || !output.pageable || isGone) return;
    const abort = new AbortController();
    const count = Math.min(PAGE_ROWS, table.count - missing);
    peer
      .request("test/rows", { tag, reply, output: output.name, start: missing, count }, abort.signal)
      .then(({ plain }) => {
        const rows = plain?.kind === "table" ? plain.rows : [];
        if (rows.length === 0) setGone(table);
        else
          setRead({
            of: table,
            rows: new Map([...(more ?? []), ...rows.map((row, at) => [missing + at, row] as const)]),
          });
      })
      .catch(() => {
        if (!abort.signal.aborted) setGone(table);
      });
    return () => abort.abort();
  }, [missing, table, isGone]);
  return { rowAt, isGone };
}
