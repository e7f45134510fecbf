import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { usePage, useText } from "./context";
import { formatCell, formatPercent, roundCell, shortCell } from "./format";
import { asNumbers, classOf, looksLikeProbabilities, softmax, topIndices } from "./interpret";
import { Checkbox } from "./kit";
import { MatrixGrid } from "./matrixGrid";
import type { OutputProps } from "./outputCard";

/** Rows of the list of largest values. */
const TOP = 5;

/** One row of values: the largest first, with class names and bars; softmax when it is asked for. */
export function VectorView(props: OutputProps): VNode {
  const { output, classes } = props;
  const t = useText();
  const [isSoftmax, setSoftmax] = useState(false);
  const numbers = output.pageable ? undefined : asNumbers(output.dtype, output.values);
  const isLabels =
    classes.length > 0 && output.values.every((value) => classOf(output.dtype, value, classes) !== undefined);
  if (!numbers || isLabels) return <MatrixGrid {...props} />;
  const isProbability = looksLikeProbabilities(numbers);
  const shown = isSoftmax ? softmax(numbers) : numbers;
  const names = classes.length === numbers.length ? classes : undefined;
  return (
    <div class="stack-small">
      <TopList {...props} numbers={shown} names={names} isShare={isProbability || isSoftmax} />
      {isProbability ? null : (
        <Checkbox
          testId={`softmax-${output.name}`}
          label={t("result.softmax")}
          checked={isSoftmax}
          onChange={setSoftmax}
        />
      )}
      {numbers.length > TOP ? <MatrixGrid {...props} /> : null}
    </div>
  );
}

function TopList(
  props: OutputProps & {
    readonly numbers: readonly number[];
    readonly names: readonly string[] | undefined;
    /** Whether the numbers are shares of a whole. */
    readonly isShare: boolean;
  },
): VNode {
  const { output, numbers, names, isShare } = props;
  const { locale } = usePage();
  const t = useText();
  const top = topIndices(numbers, TOP);
  // What softmax made is rounded more: nobody computed those digits.
  const isOwn = (index: number): boolean => numbers[index] === output.values[index] || !isShare;
  const shown = (index: number): string =>
    isOwn(index) ? shortCell(output.dtype, output.values[index] ?? "") : roundCell(numbers[index] ?? Number.NaN);
  const exact = (index: number): string =>
    isOwn(index) ? formatCell(output.dtype, output.values[index] ?? "") : String(numbers[index]);
  return (
    <table class={names ? "table top top-named" : "table top"} data-testid={`top-${output.name}`}>
      <caption>{t("result.top")}</caption>
      <thead>
        <tr>
          <th scope="col" class="number">
            {t("result.index")}
          </th>
          {names ? <th scope="col">{t("result.className")}</th> : null}
          <th scope="col">{t("result.value")}</th>
        </tr>
      </thead>
      <tbody>
        {top.map((index, place) => (
          <tr key={index} class={place === 0 ? "best" : ""} data-testid={`top-${output.name}-${place}`}>
            <td class="number">{index}</td>
            {names ? <td>{names[index]}</td> : null}
            <td>
              <Bar share={barShare(numbers, index, isShare)} />
              <span class="code" title={exact(index)}>
                {shown(index)}
              </span>
              {isShare ? " " : null}
              {isShare ? <span class="quiet">{formatPercent(locale.value, numbers[index] ?? 0)}</span> : null}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The number beside says it all: the bar is for the eye only. */
function Bar({ share }: { readonly share: number }): VNode {
  return (
    <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="bar-track" width="100" height="8" />
      <rect class="bar-fill" width={Math.max(0, Math.min(1, share)) * 100} height="8" />
    </svg>
  );
}

function barShare(numbers: readonly number[], index: number, isShare: boolean): number {
  const value = numbers[index] ?? 0;
  if (isShare) return value;
  const finite = numbers.filter(Number.isFinite);
  const low = Math.min(0, ...finite);
  const high = Math.max(0, ...finite);
  return Number.isFinite(value) ? (value - low) / (high - low || 1) : Number(value > 0);
}
