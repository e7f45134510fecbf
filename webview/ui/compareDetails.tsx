import type { VNode } from "preact";
import type { DifferenceRow } from "../protocol/compare";
import type { UlpCounts } from "./compareState";
import { differingText, nameOf } from "./compareTable";
import { usePage, useText } from "./context";
import { ErrorBox } from "./errorBox";
import { formatBytes, formatShape } from "./format";
import { Button } from "./kit";
import { type Pair, Pairs } from "./pairs";
import type { Translate } from "./texts";

/** Everything about the chosen tensor, and the histogram of units in the last place when it is asked for. */
export function CompareDetails({ row }: { readonly row: DifferenceRow | undefined }): VNode | null {
  const { locale } = usePage();
  const t = useText();
  if (!row) return null;
  return (
    <section class="compare-details" aria-label={t("compare.details")} data-testid="compare-details">
      <h3>{nameOf(row)}</h3>
      <Pairs rows={pairsOf(t, locale.value, row)} empty="" testId="compare-figures" />
      {row.reason === null ? null : <p>{row.reason}</p>}
      {row.near.length === 0 ? null : <p>{t("compare.near", row.near.join(", "))}</p>}
      {row.hasUlps ? <Ulps /> : null}
    </section>
  );
}

function pairsOf(t: Translate, locale: string, { a, b, values, leaf }: DifferenceRow): Pair[] {
  const form = (head: DifferenceRow["a"]): string =>
    head ? `${head.dtype} ${formatShape(head.shape)} · ${formatBytes(head.bytes)}` : t("compare.none");
  const pairs: Pair[] = [
    { key: "A", value: leaf?.a ?? form(a) },
    { key: "B", value: leaf?.b ?? form(b) },
  ];
  if (!values) return pairs;
  const figures = [
    { key: t("compare.column.differing"), value: differingText(t, locale, values) },
    { key: t("compare.column.maxAbs"), value: String(values.maxAbs ?? "") },
    { key: t("compare.column.maxRel"), value: String(values.maxRel ?? "") },
    { key: t("compare.column.norm"), value: String(values.norm ?? "") },
    { key: t("compare.nan"), value: values.nan === 0 ? "" : values.nan.toLocaleString(locale) },
  ].filter(({ value }) => value !== "");
  const { worst } = values;
  if (!worst) return [...pairs, ...figures];
  const at = worst.index.length === 0 ? "" : `[${worst.index.join(", ")}]  `;
  return [...pairs, ...figures, { key: t("compare.worst"), value: `${at}${String(worst.a)} → ${String(worst.b)}` }];
}

function Ulps(): VNode {
  const { compare } = usePage();
  const t = useText();
  const ulps = compare.ulps.value;
  if (ulps === undefined) {
    return (
      <Button testId="compare-ulps" onClick={() => void compare.count()}>
        {t("compare.showUlps")}
      </Button>
    );
  }
  if (ulps.state === "loading") return <p role="status">{t("compare.counting")}</p>;
  if (ulps.state === "failed") return <ErrorBox error={ulps.error} testId="compare-ulps-error" />;
  return <UlpTable {...ulps.value} />;
}

/** How many values are how many steps apart, as a table with bars. */
function UlpTable({ counts, nan }: UlpCounts): VNode {
  const { locale } = usePage();
  const t = useText();
  const largest = Math.max(1, ...counts, nan);
  const rows = [
    ...counts.map((count, k) => ({ key: stepsText(locale.value, k), count })),
    ...(nan > 0 ? [{ key: t("compare.nan"), count: nan }] : []),
  ].filter(({ count }) => count > 0);
  return (
    <table class="table compare-ulps" data-testid="compare-ulp-table">
      <caption>{t("compare.ulps")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("compare.steps")}</th>
          <th scope="col" class="number">
            {t("compare.valuesColumn")}
          </th>
          <td />
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, count }) => (
          <tr key={key}>
            <th scope="row">{key}</th>
            <td class="number">{count.toLocaleString(locale.value)}</td>
            <td class="compare-bar">
              <span style={{ width: `${(100 * count) / largest}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Steps that are written out: larger ones are powers of two. */
const MOST_WRITTEN_OUT = 16;
/** Counts at and above 2^50 steps are in one row. */
const MOST_TOLD_APART = 50;

function stepsText(locale: string, k: number): string {
  if (k < 2) return String(k);
  if (k > MOST_TOLD_APART) return `≥ 2^${k - 1}`;
  if (k > MOST_WRITTEN_OUT) return `2^${k - 1} – 2^${k}`;
  return `${(2 ** (k - 1)).toLocaleString(locale)} – ${(2 ** k - 1).toLocaleString(locale)}`;
}
