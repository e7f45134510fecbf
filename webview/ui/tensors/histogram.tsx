import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { usePage, useText } from "../context";
import { roundCell } from "../format";
import { Button } from "../kit";

/** Height of the picture in its own units; one unit of width is a bin. */
const HEIGHT = 24;
/** Least height of a bin that holds anything, so that a single value is seen. */
const LEAST = 0.6;

/** How the values spread over their range: as a picture with its summary, and as a table. */
export function Histogram(props: {
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}): VNode {
  const { low, high, counts } = props;
  const { locale } = usePage();
  const t = useText();
  const [isTable, setTable] = useState(false);
  const number = new Intl.NumberFormat(locale.value);
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  const edge = (bin: number): string => roundCell(low + ((high - low) * bin) / counts.length);
  const top = counts.indexOf(most);
  const fullest = [edge(top), edge(top + 1), number.format(most)] as const;
  const summary = t("hist.summary", counts.length, edge(0), edge(counts.length), ...fullest);
  const heightOf = (count: number): number => (count === 0 ? 0 : Math.max(LEAST, (count / most) * HEIGHT));
  return (
    <figure class="histogram">
      <svg
        viewBox={`0 0 ${counts.length} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={summary}
        data-testid="histogram"
      >
        {counts.map((count, bin) => (
          <rect key={bin} x={bin + 0.08} y={HEIGHT - heightOf(count)} width={0.84} height={heightOf(count)}>
            <title>{t("hist.bin", edge(bin), edge(bin + 1), number.format(count))}</title>
          </rect>
        ))}
      </svg>
      <div class="histogram-ends code quiet" aria-hidden="true">
        <span>{edge(0)}</span>
        <span>{edge(counts.length)}</span>
      </div>
      <figcaption class="row">
        <span class="quiet">{summary}</span>
        <Button testId="histogram-table" onClick={() => setTable(!isTable)}>
          {isTable ? t("hist.hideTable") : t("hist.showTable")}
        </Button>
      </figcaption>
      {isTable ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <div class="table-scroll table-short" tabIndex={0}>
          <table class="table">
            <thead>
              <tr>
                <th scope="col">{t("hist.from")}</th>
                <th scope="col">{t("hist.to")}</th>
                <th scope="col" class="number">
                  {t("hist.count")}
                </th>
              </tr>
            </thead>
            <tbody>
              {counts.map((count, bin) => (
                <tr key={bin}>
                  <td>{edge(bin)}</td>
                  <td>{edge(bin + 1)}</td>
                  <td class="number">{number.format(count)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </figure>
  );
}
