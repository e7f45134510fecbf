import type { Handlers } from "../../../webview/protocol/hostPeer";
import type { SaveInput, SaveIssue, SaveSeed } from "../../../webview/protocol/views";
import type { Localize, SaveFormInitial, SaveFormValues } from "../services";
import { jsonIssues, keyIssues } from "./entryIssues";
import { methodView } from "./methodView";

/** What the save form starts from, as the page shows it. */
export function saveSeed(
  t: Localize,
  initial: SaveFormInitial,
  files: readonly { readonly path: string; readonly bytes: number }[],
): SaveSeed {
  const methods = Object.entries(initial.values.signatures).map(([name, { batchable, batchDim }]) => ({
    ...methodView(
      name,
      initial.described[name] ?? { inputs: [], outputs: [], batchable, batchDim, source: "model.yaml" },
    ),
    batchable,
    batchDim: [batchDim[0], batchDim[1]] satisfies [number, number],
  }));
  const { name, version = "", module, labels, metadata } = initial.values;
  const modules = initial.modules.map((one) => ({ module: one, text: one === "" ? t("Files as they are") : one }));
  const entries = { labels: rows(labels), metadata: rows(metadata) };
  return { name, version, module, modules, files: [...files], ...entries, methods };
}

function rows(record: Readonly<Record<string, string>>): { key: string; value: string }[] {
  return Object.entries(record).map(([key, value]) => ({ key, value }));
}

/** What is wrong with a filled-in form; empty when it can be saved. Rows with an empty key and value are ignored. */
function saveIssues(t: Localize, input: SaveInput, check: SaveFormInitial["check"]): SaveIssue[] {
  const reason = check(input.name.trim(), versionOf(input));
  return [
    ...(reason === undefined ? [] : [{ field: "name", message: reason }]),
    ...keyIssues(t, "labels", input.labels),
    ...keyIssues(t, "metadata", input.metadata),
    ...jsonIssues("metadata", input.metadata),
  ];
}

/** The form's content as the command wants it. */
function saveValues(input: SaveInput): SaveFormValues {
  const filled = (entries: SaveInput["labels"]): Record<string, string> =>
    Object.fromEntries(entries.filter(({ key }) => key !== "").map(({ key, value }) => [key, value]));
  return {
    module: input.module,
    name: input.name.trim(),
    version: versionOf(input),
    labels: filled(input.labels),
    metadata: filled(input.metadata),
    signatures: Object.fromEntries(
      input.methods.map(({ name, batchable, batchDim }) => [name, { batchable, batchDim }] as const),
    ),
  };
}

function versionOf(input: SaveInput): string | undefined {
  const version = input.version.trim();
  return version === "" ? undefined : version;
}

/**
 * Answers of the save form.
 * @param files what will be copied, for each draft of them
 * @param finish called once, with the values or with nothing
 */
export function saveHandlers(
  t: Localize,
  initial: Pick<SaveFormInitial, "check" | "redraft">,
  files: (initial: SaveFormInitial) => Promise<SaveSeed["files"]>,
  finish: (values: SaveFormValues | undefined) => void,
): Pick<Handlers, Extract<keyof Handlers, `save/${string}`>> {
  const { check } = initial;
  return {
    "save/module": async ({ module }) => {
      const next = await initial.redraft(module);
      return saveSeed(t, next, await files(next));
    },
    "save/validate": async (input) => ({ issues: saveIssues(t, input, check) }),
    "save/submit": async (input) => {
      const issues = saveIssues(t, input, check);
      if (issues.length === 0) finish(saveValues(input));
      return { issues };
    },
    "save/cancel": async () => {
      finish(undefined);
      return null;
    },
  };
}
