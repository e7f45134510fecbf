import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import type { ComparisonView } from "../protocol/compare";
import { CompareDetails } from "./compareDetails";
import { CompareFacts } from "./compareFacts";
import { CompareTable } from "./compareTable";
import { usePage, useText } from "./context";
import { ErrorBox } from "./errorBox";
import { formatBytes } from "./format";
import { formatWords } from "./formatWords";
import { Icon } from "./icons";
import { Button } from "./kit";
import { useNextFocus } from "./nextFocus";
import { countWords, type Translate } from "./texts";

/** Two versions or files beside each other: what they say of themselves, and every tensor that differs. */
export function ComparePage(): VNode {
  const { compare } = usePage();
  const t = useText();
  const work = compare.work.value;
  const box = useRef<HTMLElement>(null);
  useNextFocus(box, work.state, FOCUSED);
  return (
    <main class="page" ref={box}>
      <h1 data-testid="compare-title">{t("compare.title")}</h1>
      {work.state === "running" ? <Running /> : null}
      {work.state === "cancelled" ? <Cancelled /> : null}
      {work.state === "failed" ? (
        <ErrorBox error={work.error} testId="compare-error">
          <Again />
        </ErrorBox>
      ) : null}
      {work.state === "ready" ? <Found found={work.value} /> : null}
    </main>
  );
}

/** What takes the focus in each state. */
const FOCUSED = {
  running: ["compare-stop"],
  cancelled: ["compare-again"],
  failed: ["compare-again"],
  ready: ["compare-row-0", "compare-again"],
} as const;

function Again(): VNode {
  const { compare } = usePage();
  const t = useText();
  return (
    <Button testId="compare-again" onClick={() => void compare.run(true)}>
      {t("compare.again")}
    </Button>
  );
}

/** The names are known before anything was read. */
function Names(): VNode | null {
  const subject = usePage().subject.value;
  if (subject?.kind !== "compare") return null;
  return (
    <p>
      {subject.a} ↔ {subject.b}
    </p>
  );
}

function Running(): VNode {
  const { compare } = usePage();
  const t = useText();
  const progress = compare.progress.value;
  const total = progress?.totalBytes ?? undefined;
  return (
    <section class="compare-state" data-testid="compare-running">
      <Names />
      <div class="row">
        <progress
          aria-label={t("compare.running")}
          max={total}
          value={total === undefined ? undefined : progress?.doneBytes}
        />
        <span class="quiet">
          {progress === undefined || total === undefined
            ? t("compare.running")
            : t("compare.progress", formatBytes(progress.doneBytes), formatBytes(total))}
        </span>
        <Button testId="compare-stop" onClick={() => compare.stop()}>
          {t("compare.stop")}
        </Button>
      </div>
    </section>
  );
}

function Cancelled(): VNode {
  const t = useText();
  return (
    <section class="compare-state" data-testid="compare-cancelled">
      <Names />
      <p role="status">{t("compare.cancelled")}</p>
      <Again />
    </section>
  );
}

function Found({ found }: { readonly found: ComparisonView }): VNode {
  const { compare, locale } = usePage();
  const t = useText();
  const { a, b, facts, moreFacts, same, rows, warnings } = found;
  const shared = a.tensors > 0 && b.tensors > 0;
  const hasNothing = shared && found.counts.added === b.tensors && found.counts.removed === a.tensors;
  return (
    <>
      <Sides found={found} />
      <p role="status" class="compare-verdict" data-testid="compare-verdict">
        {same ? t("compare.same") : hasNothing ? t("compare.nothing") : verdictText(t, locale.value, found)}
      </p>
      {warnings.length === 0 ? null : <Warnings warnings={warnings} />}
      {facts.length === 0 ? null : <CompareFacts facts={facts} more={moreFacts} />}
      {rows === 0 ? null : (
        <section aria-labelledby="compare-tensors">
          <h2 id="compare-tensors">{t("compare.tensors")}</h2>
          <p class="quiet">{t("compare.sorted")}</p>
          <div class="compare-split">
            <CompareTable key={`${rows}`} rows={rows} />
            <CompareDetails row={compare.rows.value.get(compare.chosen.value)} />
          </div>
          {found.moreRows === 0 ? null : (
            <p class="quiet">{countWords(t, locale.value, "compare.moreRows", found.moreRows)}</p>
          )}
        </section>
      )}
      <div class="actions">
        <Again />
      </div>
    </>
  );
}

/** Tensors first, then what else is said of them. */
function verdictText(t: Translate, locale: string, { facts, moreFacts, counts }: ComparisonView): string {
  const { values } = counts;
  const said = COUNTS.flatMap((count) =>
    counts[count] > 0 ? [t(`compare.count.${count}`, counts[count].toLocaleString(locale))] : [],
  );
  const parts = [
    ...(values > 0 ? [countWords(t, locale, "compare.count.values", values)] : []),
    ...said,
    ...(facts.length > 0 ? [countWords(t, locale, "compare.count.facts", facts.length + moreFacts)] : []),
  ];
  return parts.join(" · ");
}

const COUNTS = ["reshaped", "recast", "kind", "removed", "added", "moved", "unreadable", "equal"] as const;

function Sides({ found }: { readonly found: ComparisonView }): VNode {
  const { locale } = usePage();
  const t = useText();
  return (
    <div class="compare-sides">
      {[found.a, found.b].map((side, index) => (
        <section
          class="compare-side"
          key={index}
          data-testid={`compare-side-${index}`}
          aria-label={index === 0 ? "A" : "B"}
        >
          <span class="badge">{index === 0 ? "A" : "B"}</span>
          <strong>{side.name}</strong>
          <span class="quiet">
            {[
              ...formatOf(t, side),
              formatBytes(side.bytes),
              countWords(t, locale.value, "compare.tensorCount", side.tensors),
            ].join(" · ")}
          </span>
        </section>
      ))}
    </div>
  );
}

/** A version of no framework has files, and no format of its own. */
function formatOf(t: Translate, { kind, format }: ComparisonView["a"]): string[] {
  return kind === "model" && format === "unknown" ? [] : [formatWords(t, format)];
}

function Warnings({ warnings }: { readonly warnings: readonly string[] }): VNode {
  const t = useText();
  return (
    <section class="notice" aria-label={t("warnings.title")}>
      <Icon name="warning" />
      <ul class="plain">
        {warnings.map((message) => (
          <li key={message}>{message}</li>
        ))}
      </ul>
    </section>
  );
}
