import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ErrorView, ModelView, VerifiedView } from "../protocol/views";
import { usePage, useText } from "./context";
import { failureOf } from "./editState";
import { ErrorBox } from "./errorBox";
import { formatBytes } from "./format";
import { Icon } from "./icons";
import { Button } from "./kit";
import { useNextFocus } from "./nextFocus";

/** The files with their sizes, and whether they are what was saved. */
export function FilesBlock({ model }: { readonly model: ModelView }): VNode {
  const t = useText();
  const { files, moreFiles } = model;
  return (
    <section class="block">
      <h2>{t("overview.files")}</h2>
      {files.length === 0 ? (
        <p class="quiet">{t("overview.noFiles")}</p>
      ) : (
        <table class="table" data-testid="files">
          <thead>
            <tr>
              <th scope="col">{t("table.file")}</th>
              <th scope="col" class="number">
                {t("table.bytes")}
              </th>
            </tr>
          </thead>
          <tbody>
            {files.map(({ path, bytes }) => (
              <tr key={path}>
                <td class="code">{path}</td>
                <td class="number">{formatBytes(bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {moreFiles === 0 ? null : <p class="quiet">{t("overview.moreFiles", moreFiles)}</p>}
      {model.unread ? null : <Verify model={model} />}
    </section>
  );
}

type Checking =
  | { readonly state: "idle" }
  | { readonly state: "running" }
  | { readonly state: "done"; readonly result: VerifiedView }
  | { readonly state: "failed"; readonly error: ErrorView };

/** What takes the focus in each state. */
const FOCUSED = { running: ["verify-cancel"], idle: ["verify"], done: ["verify"], failed: ["verify"] } as const;

/** Reads every byte when asked to; what was found counts until the model changes. */
function Verify({ model }: { readonly model: ModelView }): VNode {
  const { peer } = usePage();
  const t = useText();
  const [checking, setChecking] = useState<Checking>({ state: "idle" });
  const running = useRef<AbortController | undefined>(undefined);
  const files = JSON.stringify([model.tag, model.path, model.files, model.sizeBytes]);
  useEffect(() => () => running.current?.abort(), [files]);
  // The model is read again for much, as when another version of its name is saved: that ends no check of its files.
  useEffect(() => setChecking((now) => (now.state === "running" ? now : { state: "idle" })), [model]);
  const verify = async (): Promise<void> => {
    const abort = new AbortController();
    running.current = abort;
    setChecking({ state: "running" });
    const next = await peer.request("model/verify", { tag: model.tag }, abort.signal).then(
      (result): Checking => ({ state: "done", result }),
      (error): Checking => {
        const failure = failureOf(error);
        return failure.code === "cancelled" ? { state: "idle" } : { state: "failed", error: failure };
      },
    );
    if (running.current === abort) setChecking(next);
  };
  const isRunning = checking.state === "running";
  const box = useRef<HTMLDivElement>(null);
  useNextFocus(box, checking.state, FOCUSED);
  return (
    <div class="verify" ref={box}>
      <div class="row">
        <Button testId="verify" disabled={isRunning} onClick={() => void verify()}>
          {isRunning ? t("verify.running") : t("verify.start")}
        </Button>
        {isRunning ? (
          <Button testId="verify-cancel" onClick={() => running.current?.abort()}>
            {t("test.cancel")}
          </Button>
        ) : null}
      </div>
      <div aria-live="polite">{checking.state === "done" ? <Verified result={checking.result} /> : null}</div>
      {checking.state === "failed" ? <ErrorBox error={checking.error} testId="verify-failure" /> : null}
    </div>
  );
}

function Verified({ result: { checked, problems } }: { readonly result: VerifiedView }): VNode {
  const page = usePage();
  const t = useText();
  if (problems.length === 0) {
    return (
      <p class="with-icon-text" data-testid="verified">
        <Icon name={checked ? "check" : "warning"} />
        {checked ? t("verify.good") : t("verify.unknown")}
      </p>
    );
  }
  return (
    <div class="notice" data-testid="changed">
      <Icon name="warning" />
      <div class="stack-small">
        <p class="error-title">{t("verify.changed")}</p>
        <ul class="plain">
          {problems.map(({ kind, path, detail }) => (
            <li key={kind + path}>{detail}</li>
          ))}
        </ul>
        <div class="actions">
          <Button testId="verify-repair" onClick={() => page.command("repairModel")}>
            {t("broken.repair")}
          </Button>
        </div>
      </div>
    </div>
  );
}
