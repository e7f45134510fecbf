import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import type { ContentView } from "../protocol/content";
import type { FileCommand, FileView } from "../protocol/file";
import { ArchiveSection } from "./archiveSection";
import { useContentTabs } from "./contentTabs";
import { usePage, useText } from "./context";
import { ErrorBox } from "./errorBox";
import { FileOverview } from "./fileOverview";
import { isNoticed } from "./firstSection";
import { formatBytes } from "./format";
import { formatWords, pickleWords } from "./formatWords";
import { Icon } from "./icons";
import { Button, Tabs } from "./kit";

/** A model file in an editor of its own: what it is, and what its headers say. */
export function FilePage(): VNode {
  const page = usePage();
  const { content, file } = page;
  const info = file.file.value;
  const known = info.state === "ready" ? info.value : undefined;
  const summary = content.summary.value;
  const isRead = summary.state === "ready" && summary.value.broken === null;
  return (
    <main class="page">
      <FileHeader file={known} content={isRead ? summary.value : undefined} />
      {known?.isGone ? <Gone /> : null}
      {info.state === "failed" ? <ErrorBox error={info.error} testId="file-error" /> : null}
      {known?.refusal ? (
        <ErrorBox error={known.refusal} testId="file-refused">
          <Again />
        </ErrorBox>
      ) : (
        <Content isGone={known?.isGone} />
      )}
    </main>
  );
}

/** Formats that a save takes. */
const SAVED = new Set(["onnx", "safetensors", "flax-msgpack", "msgpack", "pickle", "npy", "npz"]);

function FileHeader(props: { readonly file: FileView | undefined; readonly content: ContentView | undefined }): VNode {
  const { file, content } = props;
  const { subject, peer } = usePage();
  const t = useText();
  const name = file?.name ?? (subject.value?.kind === "file" ? subject.value.name : "");
  const format = content?.format ?? "";
  const run = (command: FileCommand): void => {
    // What it asks and how it fails meets the user outside the page.
    peer.request("file/command", { command }).catch(() => undefined);
  };
  return (
    <header class="head">
      <div class="head-tag">
        <h1 data-testid="file-name">{name}</h1>
      </div>
      <ul class="badges plain">
        {format === "" ? null : (
          <li class="badge" data-testid="file-format">
            {formatWords(t, format)}
          </li>
        )}
        {file?.isCopy ? <li class="badge">{t("file.copy")}</li> : null}
        {file?.bytes == null ? null : (
          <li class="quiet" data-testid="size">
            {formatBytes(file.bytes)}
          </li>
        )}
        {file === undefined ? null : (
          <li class="quiet path" data-testid="file-folder">
            {file.folder}
          </li>
        )}
      </ul>
      <div class="head-actions">
        {SAVED.has(format) && file?.isGone === false ? (
          <Button
            testId="file-save"
            kind={content?.pickle?.verdict === "dangerous" ? "secondary" : "primary"}
            onClick={() => run("saveModel")}
          >
            <span class="with-icon">
              <Icon name="add" />
              {t("file.save")}
            </span>
          </Button>
        ) : null}
        {format === "archive" && file?.isGone === false ? (
          <Button testId="file-import" kind="primary" onClick={() => run("importModel")}>
            <span class="with-icon">
              <Icon name="add" />
              {t("file.import")}
            </span>
          </Button>
        ) : null}
      </div>
    </header>
  );
}

/** The file is not where it was; what was read of it stays on the screen. */
function Gone(): VNode {
  const t = useText();
  return (
    <section class="notice" data-testid="file-gone" role="status">
      <Icon name="warning" />
      <div>
        <p class="error-title">{t("file.gone")}</p>
        <p>{t("file.goneHint")}</p>
        <div class="actions">
          <Again />
        </div>
      </div>
    </section>
  );
}

function Again(): VNode {
  const { content, file } = usePage();
  const t = useText();
  const again = async (): Promise<void> => {
    await file.reload();
    await content.load();
  };
  return (
    <Button testId="file-retry" onClick={() => void again()}>
      {t("page.retry")}
    </Button>
  );
}

function Content({ isGone }: { readonly isGone: boolean | undefined }): VNode | null {
  const { content, file } = usePage();
  const t = useText();
  const summary = content.summary.value;
  const isArchive = summary.state === "ready" && summary.value.format === "archive";
  useEffect(() => {
    if (isArchive) void file.follow();
  }, [isArchive]);
  if (summary.state === "loading") {
    return (
      <p class="quiet" role="status" data-testid="file-loading">
        {t("file.loading")}
      </p>
    );
  }
  const error = summary.state === "failed" ? summary.error : summary.value.broken;
  if (error) {
    // Why a file that is gone cannot be read is said already.
    if (isGone) return null;
    return (
      <ErrorBox error={error} title={t("file.broken")} testId="file-broken">
        <Button testId="content-retry" onClick={() => void content.load()}>
          {t("page.retry")}
        </Button>
      </ErrorBox>
    );
  }
  if (summary.state !== "ready") return null;
  return isArchive ? <ArchiveSection /> : <Sections content={summary.value} />;
}

function Sections({ content }: { readonly content: ContentView }): VNode {
  const page = usePage();
  const t = useText();
  const tabs = useContentTabs();
  const overview = {
    id: "overview" as const,
    text: t("section.overview"),
    content: () => <FileOverview content={content} />,
  };
  const all = [overview, ...tabs];
  const active = all.some(({ id }) => id === page.section.value) ? page.section.value : "overview";
  return (
    <>
      <PickleNotice content={content} />
      <FileWarnings warnings={content.warnings} />
      <Tabs
        name="section"
        label={t("sections.label")}
        active={active}
        onChange={(section) => page.show(section)}
        tabs={all}
      />
    </>
  );
}

function PickleNotice({ content: { pickle } }: { readonly content: ContentView }): VNode | null {
  const page = usePage();
  const t = useText();
  if (!pickle || !isNoticed(pickle) || page.section.value === "pickle") return null;
  return (
    <section class="notice" aria-label={t("pickle.verdict")} data-testid="pickle-notice">
      <Icon name="warning" />
      <div>
        <p class="error-title">{pickleWords(t, pickle)}</p>
        <p>{t(`pickle.about.${pickle.verdict}`)}</p>
        <div class="actions">
          <Button testId="pickle-show" onClick={() => page.show("pickle")}>
            {t("pickle.show")}
          </Button>
        </div>
      </div>
    </section>
  );
}

function FileWarnings({ warnings }: { readonly warnings: ContentView["warnings"] }): VNode | null {
  const t = useText();
  if (warnings.length === 0) return null;
  return (
    <section class="notice" aria-label={t("warnings.title")} data-testid="warnings">
      <Icon name="warning" />
      <ul class="plain">
        {warnings.map(({ code, message }) => (
          <li key={code + message}>{message}</li>
        ))}
      </ul>
    </section>
  );
}
