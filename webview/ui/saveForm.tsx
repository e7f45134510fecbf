import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Row, SaveInput, SaveIssue, SaveSeed } from "../protocol/views";
import { type Batching, BatchRow } from "./batchRow";
import { usePage, useText } from "./context";
import { failureOf } from "./editState";
import { EntryRows, Field } from "./entryRows";
import { formatBytes, formatShape } from "./format";
import { Icon } from "./icons";
import { Button, Dropdown, TextField } from "./kit";

/** Quiet time after the last key before the form is checked, in milliseconds. */
const SETTLE_MS = 250;

interface Form {
  readonly input: SaveInput;
  readonly change: (patch: Partial<SaveInput>) => void;
  /** Takes another module: its methods replace those that are there. */
  readonly chooseModule: (module: string) => void;
  /** The module that is being taken. */
  readonly wanted: string | undefined;
  readonly issueOf: (field: string) => string;
}

/** One form for a new version: name, version, labels, metadata and methods. */
export function SaveForm(props: { readonly seed: SaveSeed }): VNode {
  const t = useText();
  const { seed, form, issues, submit, cancel, isSaving } = useSaveForm(props.seed);
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    submit();
  };
  return (
    <main class="page save-form">
      <h1>{t("save.title")}</h1>
      <p class="quiet">{t("save.intro")}</p>
      <form onSubmit={onSubmit} class="stack" data-testid="save-form">
        <div role="alert" data-testid="save-issues" class={issues.length === 0 ? "hidden" : "notice"}>
          {issues.length === 0 ? null : <IssueList issues={issues} />}
        </div>
        <Identity seed={seed} form={form} />
        <Pairs field="labels" title={t("save.labels")} noun={t("save.label")} add={t("save.addLabel")} form={form} />
        <Pairs
          field="metadata"
          title={t("save.metadata")}
          noun={t("save.entry")}
          add={t("save.addMetadata")}
          hint={t("save.metadataHint")}
          form={form}
        />
        <Methods seed={seed} form={form} />
        <div class="actions">
          <Button testId="save-submit" kind="primary" disabled={isSaving || form.wanted !== undefined} onClick={submit}>
            {isSaving ? t("save.saving") : t("save.submit")}
          </Button>
          <Button testId="save-cancel" onClick={cancel}>
            {t("save.cancel")}
          </Button>
        </div>
      </form>
    </main>
  );
}

function useSaveForm(first: SaveSeed): {
  seed: SaveSeed;
  form: Form;
  issues: readonly SaveIssue[];
  submit: () => void;
  cancel: () => void;
  isSaving: boolean;
} {
  const { peer } = usePage();
  const [seed, setSeed] = useState(first);
  const [input, setInput] = useState<SaveInput>(() => ({
    name: seed.name,
    version: seed.version,
    module: seed.module,
    labels: seed.labels,
    metadata: seed.metadata,
    methods: methodsOf(seed),
  }));
  const [issues, setIssues] = useState<readonly SaveIssue[]>([]);
  /** A request that failed; findings that come later do not hide it, another input does. */
  const [failure, setFailure] = useState<SaveIssue>();
  const [isSaving, setSaving] = useState(false);
  const latest = useRef(input);
  latest.current = input;
  useEffect(() => {
    setFailure(undefined);
    const abort = new AbortController();
    const timer = setTimeout(() => {
      peer.request("save/validate", input, abort.signal).then(
        (answer) => setIssues(answer.issues),
        () => undefined,
      );
    }, SETTLE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [input]);
  const fail = (error: unknown): void => setFailure({ field: "form", message: failureOf(error).message });
  const take = (next: SaveSeed): void => {
    setSeed(next);
    setInput((old) => ({ ...old, module: next.module, methods: methodsOf(next) }));
  };
  const { wanted, choose } = useModule(input.module, take, fail);
  const submit = (): void => {
    if (wanted !== undefined) return;
    setSaving(true);
    setFailure(undefined);
    peer
      .request("save/submit", latest.current)
      .then((answer) => setIssues(answer.issues), fail)
      .finally(() => setSaving(false));
  };
  return {
    seed,
    form: {
      input,
      chooseModule: choose,
      wanted,
      change: (patch) => setInput((old) => ({ ...old, ...patch })),
      issueOf: (field) => issues.find((issue) => issue.field === field)?.message ?? "",
    },
    issues: failure ? [...issues, failure] : issues,
    submit,
    cancel: () => void peer.request("save/cancel", {}).catch(() => undefined),
    isSaving,
  };
}

/** Asks for the methods of another module; of several that are chosen in a row the last one counts. */
function useModule(
  shown: string,
  take: (seed: SaveSeed) => void,
  fail: (error: unknown) => void,
): { wanted: string | undefined; choose: (module: string) => void } {
  const { peer } = usePage();
  const [wanted, setWanted] = useState<string>();
  const asking = useRef<AbortController | undefined>(undefined);
  const choose = (module: string): void => {
    if (module === (wanted ?? shown)) return;
    asking.current?.abort();
    if (module === shown) {
      // Asked for anew it would come without what was chosen for its methods.
      asking.current = undefined;
      setWanted(undefined);
      return;
    }
    const now = new AbortController();
    asking.current = now;
    setWanted(module);
    peer
      .request("save/module", { module }, now.signal)
      .then(take, (error) => {
        if (!now.signal.aborted) fail(error);
      })
      .finally(() => {
        if (asking.current === now) setWanted(undefined);
      });
  };
  return { wanted, choose };
}

function methodsOf(seed: SaveSeed): SaveInput["methods"] {
  return seed.methods.map(({ name, batchable, batchDim }) => ({ name, batchable, batchDim }));
}

function IssueList({ issues }: { readonly issues: readonly SaveIssue[] }): VNode {
  const t = useText();
  return (
    <>
      <Icon name="warning" />
      <div>
        <p class="error-title">{t("save.issues")}</p>
        <ul class="plain">
          {issues.map(({ field, message }) => (
            <li key={field + message}>{message}</li>
          ))}
        </ul>
      </div>
    </>
  );
}

function Identity({ seed, form }: { readonly seed: SaveSeed; readonly form: Form }): VNode {
  const t = useText();
  const { input, change, issueOf } = form;
  const nameIssue = issueOf("name");
  return (
    <>
      <div class="row row-top">
        <Field issue={nameIssue} testId="save-name-error">
          <TextField
            testId="save-name"
            label={t("save.name")}
            value={input.name}
            invalid={nameIssue !== ""}
            onInput={(name) => change({ name })}
          />
        </Field>
        <Field issue="" testId="save-version-error">
          <TextField
            testId="save-version"
            label={t("save.version")}
            placeholder={t("save.versionHint")}
            value={input.version}
            onInput={(version) => change({ version })}
          />
        </Field>
      </div>
      <dl class="pairs">
        <div class="pair">
          <dt>{t("save.framework")}</dt>
          <dd>
            <Modules seed={seed} form={form} />
          </dd>
        </div>
        <div class="pair">
          <dt>{t("save.files")}</dt>
          <dd>
            <ul class="plain">
              {seed.files.map(({ path, bytes }) => (
                <li key={path}>
                  <code>{path}</code> <span class="quiet">{formatBytes(bytes)}</span>
                </li>
              ))}
            </ul>
          </dd>
        </div>
      </dl>
    </>
  );
}

/** What the files are saved as; a list where more than one module fits them. */
function Modules({ seed, form }: { readonly seed: SaveSeed; readonly form: Form }): VNode {
  const t = useText();
  const { module, modules } = seed;
  if (modules.length < 2) return <span data-testid="save-module-only">{modules[0]?.text ?? module}</span>;
  return (
    <>
      <Dropdown
        testId="save-module"
        label={t("save.framework")}
        options={modules.map((one) => ({ value: `m:${one.module}`, text: one.text }))}
        value={`m:${form.wanted ?? form.input.module}`}
        onChange={(value) => form.chooseModule(value.slice(2))}
      />
      <p class="quiet">{t("save.moduleHint")}</p>
    </>
  );
}

function Pairs(props: {
  readonly field: "labels" | "metadata";
  readonly title: string;
  readonly noun: string;
  readonly add: string;
  readonly hint?: string;
  readonly form: Form;
}): VNode {
  const { field, title, noun, add, hint, form } = props;
  const set = (next: readonly Row[]): void =>
    form.change(field === "labels" ? { labels: [...next] } : { metadata: [...next] });
  return (
    <fieldset class="block">
      <legend>{title}</legend>
      {hint === undefined ? null : <p class="quiet">{hint}</p>}
      <EntryRows
        field={field}
        noun={noun}
        add={add}
        entries={form.input[field]}
        onChange={set}
        issueOf={form.issueOf}
      />
    </fieldset>
  );
}

function Methods({ seed, form }: { readonly seed: SaveSeed; readonly form: Form }): VNode {
  const t = useText();
  const { methods } = form.input;
  const edit = (at: number, patch: Batching): void =>
    form.change({ methods: methods.map((method, index) => (index === at ? { ...method, ...patch } : method)) });
  return (
    <fieldset class="block">
      <legend>{t("save.methods")}</legend>
      {methods.map(({ name, batchable, batchDim }, index) => (
        <div class="card" key={name} data-testid={`save-method-${name}`}>
          <div class="card-head">
            <h2 class="code">{name}</h2>
            <span class="quiet code">
              {(seed.methods[index]?.inputs ?? [])
                .map((spec) => `${spec.name} ${spec.dtype ?? spec.type} ${spec.shape ? formatShape(spec.shape) : ""}`)
                .join(", ")}
            </span>
          </div>
          <BatchRow
            prefix="save"
            name={name}
            value={{ batchable, batchDim }}
            onChange={(value) => edit(index, value)}
          />
        </div>
      ))}
    </fieldset>
  );
}
