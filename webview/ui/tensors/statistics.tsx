import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { StatisticsView, TensorRow } from "../../protocol/content";
import type { Cells } from "../../protocol/views";
import { usePage, useText } from "../context";
import { ErrorBox } from "../errorBox";
import { formatBytes, formatCell } from "../format";
import { Icon } from "../icons";
import { Button } from "../kit";
import { useNextFocus } from "../nextFocus";
import { Histogram } from "./histogram";

/** A tensor of at most this size is read without asking. */
const AT_ONCE_BYTES = 4 * 2 ** 20;

/** What takes the focus in each state; the figures have no control of their own. */
const FOCUSED = {
  unread: ["stats-read"],
  reading: ["stats-cancel"],
  failed: ["stats-retry"],
  ready: ["statistics"],
} as const;

/** Figures over all values of a tensor. */
export function Statistics({ tensor, row }: { readonly tensor: number; readonly row: TensorRow }): VNode {
  const { tensors } = usePage();
  const t = useText();
  const state = tensors.statistics.value.get(tensor);
  const box = useRef<HTMLElement>(null);
  useNextFocus(box, state?.state ?? "unread", FOCUSED);
  useEffect(() => {
    if (row.bytes <= AT_ONCE_BYTES) void tensors.readStatistics(tensor);
  }, [tensor]);
  const read = (): void => void tensors.readStatistics(tensor);
  return (
    <section ref={box} tabIndex={-1} class="stack-small" aria-label={t("stats.title")} data-testid="statistics">
      {state === undefined ? (
        <div class="row">
          <Button testId="stats-read" onClick={read}>
            {t("stats.read")}
          </Button>
          <span class="quiet">{t("stats.hint", formatBytes(row.bytes))}</span>
        </div>
      ) : null}
      {state?.state === "reading" ? <Reading tensor={tensor} onCancel={() => state.abort.abort()} /> : null}
      {state?.state === "failed" ? (
        <ErrorBox error={state.error} testId="stats-error">
          <Button testId="stats-retry" onClick={read}>
            {t("page.retry")}
          </Button>
        </ErrorBox>
      ) : null}
      {state?.state === "ready" ? <Figures value={state.value} dtype={row.dtype ?? ""} /> : null}
    </section>
  );
}

function Reading({ tensor, onCancel }: { readonly tensor: number; readonly onCancel: () => void }): VNode {
  const { content } = usePage();
  const t = useText();
  const progress = content.progress.value;
  const isOurs = progress?.tensor === tensor && progress.work === "statistics";
  const { doneBytes = 0, totalBytes = null } = isOurs ? progress : {};
  return (
    <div class="row" data-testid="stats-reading">
      <span class="spinner" aria-hidden="true" />
      <span role="status">{t("stats.reading")}</span>
      {totalBytes === null || totalBytes === 0 ? null : (
        <>
          <progress max={totalBytes} value={doneBytes} aria-label={t("stats.reading")} />
          <span class="quiet number">{t("stats.progress", formatBytes(doneBytes), formatBytes(totalBytes))}</span>
        </>
      )}
      <Button testId="stats-cancel" onClick={onCancel}>
        {t("test.cancel")}
      </Button>
    </div>
  );
}

function Figures({ value, dtype }: { readonly value: StatisticsView; readonly dtype: string }): VNode {
  const { locale } = usePage();
  const t = useText();
  const count = new Intl.NumberFormat(locale.value);
  const shown = (figure: Cells[number] | null): string => (figure === null ? "–" : formatCell(dtype, figure));
  const mean = (figure: number | null): string => (figure === null ? "–" : String(Number(figure.toPrecision(6))));
  const share = (of: number): string => count.format(of);
  return (
    <>
      <dl class="facts figures" data-testid="stats-figures">
        <Figure name={t("stats.min")} value={shown(value.min)} />
        <Figure name={t("stats.max")} value={shown(value.max)} />
        <Figure name={t("stats.mean")} value={mean(value.mean)} exact={value.mean} />
        <Figure name={t("stats.std")} value={mean(value.std)} exact={value.std} />
        <Figure name="NaN" value={share(value.nan)} isFlagged={value.nan > 0} />
        <Figure name="±Inf" value={share(value.inf)} isFlagged={value.inf > 0} />
        <Figure
          name={t("stats.zeros")}
          value={share(value.zeros)}
          isFlagged={value.zeros === value.count && value.count > 1}
        />
      </dl>
      {value.histogram ? <Histogram {...value.histogram} /> : null}
    </>
  );
}

function Figure(props: {
  readonly name: string;
  readonly value: string;
  readonly exact?: number | null;
  readonly isFlagged?: boolean;
}): VNode {
  const { name, value, exact = null, isFlagged = false } = props;
  return (
    <div class={isFlagged ? "flagged" : ""}>
      <dt>{name}</dt>
      <dd class="code" title={exact === null ? value : String(exact)}>
        {isFlagged ? <Icon name="warning" /> : null}
        {value}
      </dd>
    </div>
  );
}
