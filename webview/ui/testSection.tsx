import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ErrorView, MethodView, TestView } from "../protocol/views";
import { ArgumentCards } from "./argumentCards";
import { ConsentCard } from "./consentCard";
import { usePage, useText } from "./context";
import { EngineSettings } from "./engineSettings";
import { ErrorBox } from "./errorBox";
import { HistoryList } from "./historyList";
import { Icon } from "./icons";
import { InputCard } from "./inputCard";
import { IssueSummary } from "./issueSummary";
import { Button } from "./kit";
import { PythonLine } from "./pythonLine";
import { ResultPane } from "./resultPane";
import { RunBar } from "./runBar";

/** The test of a model: choose a method, fill in its inputs, run, read the answer. `heading` names the model. */
export function TestSection({ heading }: { readonly heading?: string }): VNode {
  const { test } = usePage();
  const t = useText();
  const view = test.view.value;
  if (!view) {
    const failure = test.failure.value;
    if (!failure) {
      return (
        <p class="quiet" role="status">
          {t("page.loading")}
        </p>
      );
    }
    return <ErrorBox error={failure} testId="test-error" />;
  }
  return <Test view={view} heading={heading ?? ""} />;
}

function Test({ view, heading }: { readonly view: TestView; readonly heading: string }): VNode {
  const { test } = usePage();
  const root = useRef<HTMLDivElement>(null);
  useRunKey(root);
  const method = test.method.value;
  const failure = test.failure.value;
  return (
    <div class="test" ref={root} data-testid="test" data-phase={view.phase}>
      <div class="test-top">
        {heading === "" ? null : (
          <h1 class="code test-heading" data-testid="tag">
            {heading}
          </h1>
        )}
        {method && !view.refusal ? <RunBar view={view} method={method} /> : null}
      </div>
      {view.refusal ? (
        <Refusal refusal={view.refusal} />
      ) : method ? (
        <>
          <div class="test-facts">
            {view.python ? <PythonLine python={view.python} /> : null}
            {view.consent ? <ConsentCard consent={view.consent} /> : null}
            <EngineSettings engine={view.engine} />
          </div>
          <IssueSummary />
          {failure ? <ErrorBox error={failure} testId="test-error" /> : null}
          <div class="columns">
            <Inputs method={method} />
            <ResultPane view={view} />
          </div>
          <HistoryList view={view} />
        </>
      ) : (
        <NoMethods />
      )}
      <Announcer view={view} />
    </div>
  );
}

function Inputs({ method }: { readonly method: MethodView }): VNode {
  const { test } = usePage();
  const t = useText();
  return (
    <section class="column" aria-label={t("test.inputs")}>
      <div class="column-head">
        <h2>{t("test.inputs")}</h2>
        <Button testId="use-example" onClick={() => void test.useExample()} disabled={test.isBusy.value}>
          {t("test.example")}
        </Button>
      </div>
      {method.isOpen ? (
        <ArgumentCards />
      ) : (
        <>
          {method.inputs.length === 0 ? <p class="quiet">{t("test.noInputs")}</p> : null}
          {method.inputs.map((spec) => (
            <InputCard spec={spec} key={`${method.name}/${spec.name}`} />
          ))}
        </>
      )}
    </section>
  );
}

/** Why there is nothing to press: a fact about the model, not something that went wrong. */
function Refusal({ refusal }: { readonly refusal: ErrorView }): VNode {
  const t = useText();
  return (
    <div class="notice" role="note" data-testid="refusal" data-code={refusal.code}>
      <Icon name="warning" />
      <div class="error-text">
        <p class="error-title">{t("test.refusedTitle")}</p>
        <p>{refusal.message}</p>
        {refusal.remedy === null ? null : <p>{refusal.remedy}</p>}
      </div>
    </div>
  );
}

function NoMethods(): VNode {
  const t = useText();
  return (
    <div class="empty" data-testid="no-methods">
      <p class="empty-title">{t("test.noMethods")}</p>
      <p>{t("test.noMethodsHint")}</p>
    </div>
  );
}

/** Ctrl+Enter (or Cmd+Enter) runs from anywhere in the test. */
function useRunKey(root: { readonly current: HTMLElement | null }): void {
  const { test } = usePage();
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !root.current) return;
      event.preventDefault();
      void test.run(1);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

/** Says once how a run ended. */
function Announcer({ view }: { readonly view: TestView }): VNode {
  const t = useText();
  const [last] = view.history;
  const words: Partial<Record<TestView["phase"], string>> = {
    done: t("test.doneAnnounce", last?.summary ?? ""),
    failed: t("test.failedAnnounce", view.error?.message ?? ""),
    crashed: t("test.failedAnnounce", view.error?.message ?? ""),
    cancelled: t("test.cancelledAnnounce"),
  };
  const isFresh = useRef(false);
  if (view.phase === "running" || view.phase === "loading") isFresh.current = true;
  return (
    <p class="hidden" aria-live="polite" data-testid="announcer">
      {isFresh.current ? (words[view.phase] ?? "") : ""}
    </p>
  );
}
