import type { VNode } from "preact";
import type { ModelView } from "../protocol/views";
import { usePage, useText } from "./context";
import { ErrorBox } from "./errorBox";
import { Icon } from "./icons";
import { Button, Tabs } from "./kit";
import { Overview } from "./overview";
import { PageHeader } from "./pageHeader";
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
  return (
    <main class="page">
      <PageHeader model={model} />
      {model.broken ? <Broken model={model} /> : null}
      <Warnings model={model} />
      <Tabs
        name="section"
        label={t("sections.label")}
        active={page.section.value}
        onChange={(section) => page.show(section)}
        tabs={[
          { id: "overview", text: t("section.overview"), content: () => <Overview model={model} /> },
          { id: "signatures", text: t("section.signatures"), content: () => <Signatures model={model} /> },
          { id: "test", text: t("section.test"), content: () => <TestSection key={`${model.store}/${model.tag}`} /> },
        ]}
      />
    </main>
  );
}

function Broken({ model }: { readonly model: ModelView }): VNode | null {
  const page = usePage();
  const t = useText();
  if (!model.broken) return null;
  const open = (): void => void page.peer.request("model/openYaml", { tag: model.tag }).catch(() => undefined);
  return (
    <ErrorBox title={t("broken.title")} error={model.broken} testId="broken">
      <Button testId="open-yaml" onClick={open}>
        {t("broken.openYaml")}
      </Button>
    </ErrorBox>
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
