import type { VNode } from "preact";
import type { ComparisonView, FactDifferenceView } from "../protocol/compare";
import { CompareDetails } from "./compareDetails";
import { CompareTable } from "./compareTable";
import { usePage, useText } from "./context";
import { ErrorBox } from "./errorBox";
import { formatBytes } from "./format";
import { formatWords } from "./formatWords";
import { Icon } from "./icons";
import { Button } from "./kit";

/** Two versions or files beside each other: what they say of themselves, and every tensor that differs. */
export function ComparePage(): VNode {
  const { compare } = usePage();
  const t = useText();
  const work = compare.work.value;
  return (
    <main class="page">
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
  const { compare } = usePage();
  const t = useText();
  const { a, b, facts, moreFacts, same, rows, warnings } = found;
  const shared = a.tensors > 0 && b.tensors > 0;
  const hasNothing = shared && found.counts.added === b.tensors && found.counts.removed === a.tensors;
  return (
    <>
      <Sides found={found} />
      <p role="status" class="compare-verdict" data-testid="compare-verdict">
        {same ? t("compare.same") : hasNothing ? t("compare.nothing") : verdictText(t, found)}
      </p>
      {warnings.length === 0 ? null : <Warnings warnings={warnings} />}
      {facts.length === 0 ? null : <Facts facts={facts} more={moreFacts} />}
      {rows === 0 ? null : (
        <section aria-labelledby="compare-tensors">
          <h2 id="compare-tensors">{t("compare.tensors")}</h2>
          <p class="quiet">{t("compare.sorted")}</p>
          <div class="compare-split">
            <CompareTable key={`${rows}`} rows={rows} />
            <CompareDetails row={compare.rows.value.get(compare.chosen.value)} />
          </div>
          {found.moreRows === 0 ? null : <p class="quiet">{t("compare.moreRows", found.moreRows)}</p>}
        </section>
      )}
      <div class="actions">
        <Again />
      </div>
    </>
  );
}

function verdictText(t: ReturnType<typeof useText>, { facts, moreFacts, counts }: ComparisonView): string {
  const { equal, unreadable, ...changes } = counts;
  const said = CHANGES.flatMap((change) =>
    changes[change] > 0 ? [t(`compare.count.${change}`, changes[change])] : [],
  );
  const parts = [
    ...(facts.length > 0 ? [t("compare.count.facts", facts.length + moreFacts)] : []),
    ...said,
    ...(unreadable > 0 ? [t("compare.count.unreadable", unreadable)] : []),
    ...(equal > 0 ? [t("compare.count.equal", equal)] : []),
  ];
  return parts.join(" · ");
}

const CHANGES = ["values", "reshaped", "recast", "kind", "removed", "added", "moved"] as const;

function Sides({ found }: { readonly found: ComparisonView }): VNode {
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
            {[...formatOf(t, side), formatBytes(side.bytes), t("compare.tensorCount", side.tensors)].join(" · ")}
          </span>
        </section>
      ))}
    </div>
  );
}

/** A version of no framework has files, and no format of its own. */
function formatOf(t: ReturnType<typeof useText>, { kind, format }: ComparisonView["a"]): string[] {
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

function Facts({ facts, more }: { readonly facts: readonly FactDifferenceView[]; readonly more: number }): VNode {
  const t = useText();
  return (
    <div>
      <h2>{t("compare.facts")}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section class="table-scroll" tabIndex={0} aria-label={t("compare.facts")}>
        <table class="table compare-facts" data-testid="compare-facts">
          <thead>
            <tr>
              <th scope="col">{t("compare.fact")}</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
            </tr>
          </thead>
          <tbody>
            {facts.map(({ name, change, a, b }) => (
              <tr key={name} data-change={change}>
                <th scope="row">{name}</th>
                <td>{a ?? <span class="quiet">{t("compare.none")}</span>}</td>
                <td>{b ?? <span class="quiet">{t("compare.none")}</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {more === 0 ? null : <p class="quiet">{t("compare.moreFacts", more)}</p>}
    </div>
  );
}
