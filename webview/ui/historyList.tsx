import type { VNode } from "preact";
import type { HistoryItem, TestView } from "../protocol/views";
import { usePage, useText } from "./context";
import { formatClock, formatMs } from "./format";
import { Icon } from "./icons";
import { Button } from "./kit";

/** The last runs of the model; the inputs of each can be brought back. */
export function HistoryList({ view }: { readonly view: TestView }): VNode {
  const { test } = usePage();
  const t = useText();
  return (
    <section class="history" aria-label={t("test.history")} data-testid="history">
      <div class="column-head">
        <h2>{t("test.history")}</h2>
        {view.history.length === 0 ? null : (
          <Button testId="clear-history" onClick={() => void test.clearHistory()}>
            {t("history.clear")}
          </Button>
        )}
      </div>
      {view.history.length === 0 ? <p class="quiet">{t("history.empty")}</p> : null}
      <ul class="plain">
        {view.history.map((item) => (
          <Item item={item} key={item.id} />
        ))}
      </ul>
    </section>
  );
}

function Item({ item }: { readonly item: HistoryItem }): VNode {
  const page = usePage();
  const t = useText();
  const clock = formatClock(page.locale.value, item.atMs);
  return (
    <li class="history-item" data-testid="history-item" data-outcome={item.outcome}>
      <span class="with-icon">
        <Icon name={item.outcome === "ok" ? "check" : item.outcome === "failed" ? "error" : "stop"} />
        <span class="history-outcome">{t(`history.${item.outcome}`)}</span>
      </span>
      <time class="code" dateTime={new Date(item.atMs).toISOString()}>
        {clock}
      </time>
      <span class="quiet">{formatMs(item.tookMs)} ms</span>
      <span class="history-summary">
        <code>{item.method}</code> {item.summary}
      </span>
      <Button
        testId="reuse"
        label={t("history.reuseLabel", clock)}
        disabled={page.test.isBusy.value}
        onClick={() => void page.test.reuse(item.id)}
      >
        {t("history.reuse")}
      </Button>
    </li>
  );
}
