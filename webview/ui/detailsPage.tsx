import type { VNode } from "preact";
import type { Section } from "../protocol/savedState";
import type { ModelView } from "../protocol/views";
import { useContentTabs } from "./contentTabs";
import { usePage, useText } from "./context";
import { ErrorBox } from "./errorBox";
import { Icon } from "./icons";
import { Button, type Tab, Tabs } from "./kit";
import { Overview } from "./overview";
import { PageHeader } from "./pageHeader";
import { SavedAnnouncer } from "./parts";
import { Signatures } from "./signatures";
import { TestSection } from "./testSection";

/** The details editor of one model: who it is, and the sections below. */
export function DetailsPage(): VNode {
  const page = usePage();
  const t = useText();
  const model = page.model.value;
  if (model.state === "loading") {
    return (
      <main class="page">
        <p class="quiet" role="status">
          {t("page.loading")}
        </p>
      </main>
    );
  }
  if (model.state === "failed" && model.error.code === "model.notFound") return <Gone />;
  if (model.state === "failed") {
    return (
      <main class="page">
        <ErrorBox error={model.error} testId="page-error">
          <Button testId="page-retry" onClick={() => void page.reload()}>
            {t("page.retry")}
          </Button>
        </ErrorBox>
      </main>
    );
  }
  return <Details model={model.value} />;
}

function Details({ model }: { readonly model: ModelView }): VNode {
  const page = usePage();
  const t = useText();
  const tabs: Tab<Section>[] = [
    { id: "overview", text: t("section.overview"), content: () => <Overview model={model} /> },
    { id: "signatures", text: t("section.signatures"), content: () => <Signatures model={model} /> },
    ...useContentTabs(),
    { id: "test", text: t("section.test"), content: () => <TestSection key={`${model.store}/${model.tag}`} /> },
  ];
  return (
    <main class="page">
      <PageHeader model={model} />
      {model.broken ? <Broken model={model} /> : null}
      <Warnings model={model} />
      <SavedAnnouncer />
      <Tabs
        name="section"
        label={t("sections.label")}
        active={tabs.some(({ id }) => id === page.section.value) ? page.section.value : "overview"}
        onChange={(section) => page.show(section)}
        tabs={tabs}
      />
    </main>
  );
}

/** The version was deleted or moved: nothing of it can be shown, but it may come back. */
function Gone(): VNode {
  const page = usePage();
  const t = useText();
  const subject = page.subject.value;
  const tag = subject && "tag" in subject ? subject.tag : "";
  return (
    <main class="page">
      <h1 data-testid="tag">{tag}</h1>
      <div class="empty" data-testid="gone" role="status">
        <p class="empty-title">{t("gone.title")}</p>
        <p>{t("gone.hint")}</p>
        <div class="actions">
          <Button testId="gone-undo" kind="primary" onClick={() => page.command("undoDelete")}>
            {t("gone.undo")}
          </Button>
          <Button testId="page-retry" onClick={() => void page.reload()}>
            {t("page.retry")}
          </Button>
        </div>
      </div>
    </main>
  );
}

/** Why the model cannot be read, where in model.yaml, and what can be done about it. */
function Broken({ model }: { readonly model: ModelView }): VNode | null {
  const page = usePage();
  const t = useText();
  const { broken, fault, tag } = model;
  if (!broken) return null;
  const at = fault && { line: fault.line, column: fault.column };
  const open = (): void => void page.peer.request("model/openYaml", { tag, at }).catch(() => undefined);
  return (
    <ErrorBox title={t("broken.title")} error={broken} testId="broken" extra={fault ? <Fault fault={fault} /> : null}>
      <Button testId="open-yaml" kind="primary" onClick={open}>
        {fault ? t("broken.openAt", fault.line) : t("broken.openYaml")}
      </Button>
      {/* A line that is wrong can only be mended by whoever knows what it should say. */}
      {fault ? null : (
        <Button testId="broken-repair" onClick={() => page.command("repairModel")}>
          {t("broken.repair")}
        </Button>
      )}
      {model.unread ? (
        <Button testId="broken-delete" onClick={() => page.command("deleteModel")}>
          {t("head.delete")}
        </Button>
      ) : null}
    </ErrorBox>
  );
}

function Fault({ fault }: { readonly fault: NonNullable<ModelView["fault"]> }): VNode {
  const t = useText();
  return (
    <figure class="fault" data-testid="fault">
      <figcaption class="quiet">{t("broken.place", fault.line, fault.column)}</figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre class="raw" tabIndex={0}>
        <span class="quiet" aria-hidden="true">
          {`${fault.line} │ `}
        </span>
        {fault.text.slice(0, fault.at)}
        <span class="fault-at">{fault.text.slice(fault.at, fault.at + 1) || " "}</span>
        {fault.text.slice(fault.at + 1)}
      </pre>
    </figure>
  );
}

function Warnings({ model }: { readonly model: ModelView }): VNode | null {
  const t = useText();
  if (model.warnings.length === 0) return null;
  return (
    <section class="notice" aria-label={t("warnings.title")} data-testid="warnings">
      <Icon name="warning" />
      <ul class="plain">
        {model.warnings.map(({ code, message }) => (
          <li key={code + message}>{message}</li>
        ))}
      </ul>
    </section>
  );
}
