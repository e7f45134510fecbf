import type { VNode } from "preact";
import type { PageCommand } from "../protocol/pageCommand";
import type { ModelView } from "../protocol/views";
import { usePage, useText } from "./context";
import { CopyButton } from "./copyButton";
import { formatAge, formatBytes } from "./format";
import { Icon, type IconName } from "./icons";
import { Button } from "./kit";
import { Labels } from "./parts";

/** Tag with copy, badges, size and age of a model. */
export function PageHeader({ model }: { readonly model: ModelView }): VNode {
  const { locale } = usePage();
  const t = useText();
  const [name = "", version = ""] = model.tag.split(":");
  return (
    <header class="head">
      <div class="head-tag">
        <h1 data-testid="tag">
          <span class="head-name">{name}</span>
          <span class="head-version">:{version}</span>
        </h1>
        <CopyButton testId="copy-tag" text={model.tag} label={t("tag.copy")} />
      </div>
      <ul class="badges plain">
        {model.framework === "" ? null : (
          <li class="badge" data-testid="framework" title={t("badge.framework", model.module)}>
            {model.framework}
          </li>
        )}
        {model.pinned ? (
          <li class="badge badge-strong" data-testid="pinned">
            {t("badge.pinned")}
          </li>
        ) : null}
        {model.isLatest ? <li class="badge badge-strong">{t("badge.latest")}</li> : null}
        {model.store === "sample" ? <li class="badge">{t("badge.sample")}</li> : null}
        {model.sizeBytes === 0 && model.unread ? null : (
          <li class="quiet" data-testid="size">
            {formatBytes(model.sizeBytes)}
          </li>
        )}
        {model.createdMs === null ? null : (
          <li class="quiet" title={new Date(model.createdMs).toISOString()}>
            {t("created.at", formatAge(locale.value, model.createdMs, Date.now()))}
          </li>
        )}
      </ul>
      <HeaderActions model={model} />
      {model.unread ? null : <Labels model={model} />}
    </header>
  );
}

function HeaderActions({ model }: { readonly model: ModelView }): VNode {
  const page = usePage();
  const t = useText();
  const action = (name: PageCommand, icon: IconName, label: string): VNode => (
    <>
      <Button testId={`do-${name}`} kind="icon" label={label} onClick={() => page.command(name)}>
        <Icon name={icon} />
      </Button>
    </>
  );
  return (
    <div class="head-actions">
      {model.unread ? null : (
        <>
          {model.pinned ? action("unpin", "pin", t("head.unpin")) : action("pin", "pin", t("head.pin"))}
          {action("exportModel", "export", t("head.export"))}
          {action("copyModel", "duplicate", t("head.copy"))}
        </>
      )}
      {action("deleteModel", "trash", t("head.delete"))}
      <RunExample />
    </div>
  );
}

/** Runs the model from wherever the page is, and shows the answer; on the Test section its own Run is there. */
function RunExample(): VNode | null {
  const page = usePage();
  const t = useText();
  const { test } = page;
  const view = test.view.value;
  if (page.section.value === "test" || !view || view.refusal || view.methods.length === 0) return null;
  const run = (): void => {
    page.show("test");
    void test.run(1);
  };
  return (
    <Button testId="head-run" kind="primary" label={t("head.runHint")} disabled={test.isBusy.value} onClick={run}>
      <span class="with-icon">
        <Icon name="run" />
        {t("test.run")}
      </span>
    </Button>
  );
}
