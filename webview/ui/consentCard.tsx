import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ConsentView } from "../protocol/views";
import { usePage, useText } from "./context";
import { CopyButton } from "./copyButton";
import { focusSoon, isFocusLost } from "./focusSoon";
import { Button } from "./kit";

/** Characters of a digest that tell two of them apart. */
const SHORT_DIGEST = 12;
/** Imports that are seen before the rest is unfolded. */
const FIRST_IMPORTS = 6;

/** What is to be decided before a model runs code, or a line that says what was. */
export function ConsentCard({ consent }: { readonly consent: ConsentView }): VNode {
  const { test } = usePage();
  const { state } = consent;
  const before = useRef(state);
  const box = useRef<HTMLDivElement>(null);
  const blocked = test.blockedRuns.value;
  // The button that was pressed goes with its card; what comes next takes the focus.
  useEffect(() => {
    if (before.current === state) return;
    if (isFocusLost() || box.current?.contains(document.activeElement)) focusSoon(state === "needed" ? "allow" : "run");
    before.current = state;
  }, [state]);
  useEffect(() => {
    if (blocked > test.blockedRunsSeen && state === "needed") focusSoon("allow");
    test.blockedRunsSeen = blocked;
  }, [blocked]);
  return <div ref={box}>{state === "needed" ? <Needed consent={consent} /> : <Given consent={consent} />}</div>;
}

function Needed({ consent }: { readonly consent: ConsentView }): VNode {
  const { test } = usePage();
  const t = useText();
  return (
    <section class="card consent" aria-labelledby="consent-title" data-testid="consent">
      <h2 id="consent-title">{t("consent.title")}</h2>
      <p>
        {t("consent.what")} {consent.isIsolated ? t("consent.isolated") : t("consent.exposed")}
      </p>
      <dl class="consent-facts">
        <Fact name={t("consent.origin")}>{consent.origin}</Fact>
        <Fact name={t("consent.digest")}>
          <Digest digest={consent.digest} />
        </Fact>
        <Fact name={t("consent.verdict")}>
          <span data-testid="consent-verdict">{consent.verdict}</span>
        </Fact>
        <Fact name={t("consent.imports")}>
          <Imports consent={consent} />
        </Fact>
        <Fact name={t("consent.paths")}>
          {consent.paths.length === 0 ? t("consent.noPaths") : <Names names={consent.paths} />}
        </Fact>
        <Fact name={t("consent.isolation")}>
          <span data-testid="consent-isolation">{consent.isolation}</span>
        </Fact>
      </dl>
      <div class="actions">
        <Button testId="allow" kind="primary" onClick={() => void test.allow()}>
          {t("consent.allow")}
        </Button>
      </div>
    </section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }): VNode {
  return (
    <div class="consent-fact">
      <dt class="quiet">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Digest({ digest }: { readonly digest: string }): VNode {
  const t = useText();
  return (
    <span class="digest">
      <code title={digest} data-testid="consent-digest">
        {digest.slice(0, SHORT_DIGEST)}
      </code>
      <CopyButton testId="copy-digest" text={digest} label={t("consent.copyDigest")} />
    </span>
  );
}

function Names({ names }: { readonly names: readonly string[] }): VNode {
  return (
    <ul class="plain code">
      {names.map((name) => (
        <li key={name}>{name}</li>
      ))}
    </ul>
  );
}

/** The first imports, and the others behind a fold. */
function Imports({ consent: { imports, moreImports } }: { readonly consent: ConsentView }): VNode {
  const t = useText();
  if (imports.length + moreImports === 0) return <>{t("consent.noImports")}</>;
  const first = imports.slice(0, FIRST_IMPORTS);
  const rest = imports.slice(FIRST_IMPORTS);
  const more = rest.length + moreImports;
  return (
    <div data-testid="consent-imports">
      <Names names={first} />
      {rest.length === 0 ? (
        more > 0 ? (
          <p>{t("consent.moreImports", more)}</p>
        ) : null
      ) : (
        <details class="folded">
          <summary data-testid="consent-more">{t("consent.moreImports", more)}</summary>
          <Names names={rest} />
          {moreImports > 0 ? <p class="quiet">{t("consent.notListed", moreImports)}</p> : null}
        </details>
      )}
    </div>
  );
}

function Given({ consent }: { readonly consent: ConsentView }): VNode {
  const { test } = usePage();
  const t = useText();
  return (
    <div class="fact-line" data-testid="consent-given" data-state={consent.state}>
      <p class="quiet">
        {consent.state === "byName" ? t("consent.byName") : t("consent.given")} ·{" "}
        <code title={consent.digest}>{consent.digest.slice(0, SHORT_DIGEST)}</code> · {consent.isolation}
      </p>
      <Button testId="revoke" onClick={() => void test.revoke()}>
        {t("consent.revoke")}
      </Button>
    </div>
  );
}
