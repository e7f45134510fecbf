import type { VNode } from "preact";
import type { OutputView, PlainValue } from "../protocol/views";
import { usePage, useText } from "./context";
import { CopyButton } from "./copyButton";
import { shortCell } from "./format";
import { ValueGrid } from "./valueGrid";

/** Rows seen at once. */
const VISIBLE_ROWS = 12;
/** Longest text, in characters, that the clipboard takes over. */
const MOST_COPIED = 100_000;

type Table = Extract<PlainValue, { kind: "table" }>;

/** An output that is no array: a value as JSON, or a table. */
export function PlainOutput({ output, plain }: { readonly output: OutputView; readonly plain: PlainValue }): VNode {
  const { locale } = usePage();
  const t = useText();
  const words =
    plain.kind === "json"
      ? t("plain.json")
      : t("plain.table", plain.count.toLocaleString(locale.value), plain.columns.length);
  return (
    <section class="card" aria-label={output.name} data-testid={`output-${output.name}`}>
      <header class="card-head">
        <h3 class="code">{output.name}</h3>
        <span class="quiet" data-testid={`plain-head-${output.name}`}>
          {words}
        </span>
      </header>
      <div class="stack-small plain-body">
        {plain.kind === "json" ? (
          <Json name={output.name} text={plain.text} isWhole={plain.isWhole} />
        ) : (
          <TableGrid name={output.name} table={plain} />
        )}
      </div>
    </section>
  );
}

function Json(props: { readonly name: string; readonly text: string; readonly isWhole: boolean }): VNode {
  const { name, text, isWhole } = props;
  const t = useText();
  return (
    <>
      <div class="plain-json">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <pre class="raw" tabIndex={0} data-testid={`plain-${name}`}>
          {text}
        </pre>
        {text.length > MOST_COPIED ? null : (
          <CopyButton testId={`copy-${name}`} text={text} label={`${t("plain.copy")}: ${name}`} />
        )}
      </div>
      {isWhole ? null : (
        <p class="quiet" data-testid={`cut-${name}`}>
          {t("plain.cut")}
        </p>
      )}
    </>
  );
}

function TableGrid({ name, table }: { readonly name: string; readonly table: Table }): VNode {
  const { locale } = usePage();
  const t = useText();
  const { columns, rows, count } = table;
  if (rows.length === 0 || columns.length === 0) return <p class="quiet">{t("plain.noRows", columns.join(", "))}</p>;
  const texts = rows.map((row) => row.map((value) => ({ text: shortCell("float64", value), title: String(value) })));
  const lengths = [...columns.map(({ length }) => length), ...texts.flat().map(({ text }) => text.length)];
  return (
    <>
      <ValueGrid
        label={t("result.grid", name, rows.length, columns.length)}
        testId={`table-${name}`}
        rows={rows.length}
        columns={columns.length}
        characters={lengths.reduce((a, b) => Math.max(a, b), 0)}
        visibleRows={VISIBLE_ROWS}
        corner={t("result.row")}
        rowLabel={String}
        columnLabel={(column) => columns[column] ?? ""}
        cellAt={(row, column) => texts[row]?.[column] ?? { text: "", title: "" }}
      />
      {rows.length < count ? (
        <p class="quiet" data-testid={`cut-${name}`}>
          {t("plain.prefix", rows.length.toLocaleString(locale.value), count.toLocaleString(locale.value))}
        </p>
      ) : null}
    </>
  );
}
