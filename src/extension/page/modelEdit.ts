import type { EditInput, SaveIssue } from "../../../webview/protocol/views";
import type { ModelSignature } from "../../store/model";
import type { ModelEdit } from "../../store/modelYaml/editModelInfo";
import type { Localize } from "../services";
import { jsonIssues, keyIssues } from "./entryIssues";

/** Keys of the form for release notes: a label and a metadata text. */
const RELEASE = "release";
const NOTES = "notes";

/** Methods that a runner could be asked for: names as Python writes them. */
const METHOD = /^[A-Za-z_][A-Za-z0-9_]*$/;

const MAX_AXIS = 31;

/** What is wrong with a form; empty when it can be written. Rows with an empty key and value are ignored. */
export function editIssues(t: Localize, { part, entries }: EditInput): SaveIssue[] {
  if (part === "notes") return [];
  const keys = keyIssues(t, part, entries);
  if (part === "metadata") return [...keys, ...jsonIssues(part, entries)];
  if (part === "partialKwargs") return [...keys, ...partialIssues(t, entries)];
  return part === "signatures" ? [...keys, ...methodIssues(t, entries)] : keys;
}

/** What a form changes: what was left as it was is not touched, whatever others made of it meanwhile. */
export function modelEdit({ part, base, entries }: EditInput): ModelEdit {
  const was = new Map(base.map(({ key, value }) => [key, value]));
  const filled = entries.filter(({ key }) => key !== "");
  const changed = filled.filter(({ key, value }) => was.get(key) !== value);
  const keys = new Set(filled.map(({ key }) => key));
  const remove = [...was.keys()].filter((key) => !keys.has(key));
  if (part === "notes") return notesEdit(changed);
  const set = Object.fromEntries(changed.map(({ key, value }) => [key, value]));
  if (part === "labels") return { labels: { set, remove } };
  if (part === "metadata") return { metadata: { set, remove } };
  if (part === "partialKwargs") return { partialKwargs: { set, remove } };
  const signatures = changed.flatMap(({ key, value }) => {
    const signature = signatureOf(value);
    return signature ? [[key, signature] as const] : [];
  });
  return { signatures: { set: Object.fromEntries(signatures), remove } };
}

function notesEdit(changed: EditInput["entries"]): ModelEdit {
  const textOf = (wanted: string): string | undefined => changed.find(({ key }) => key === wanted)?.value;
  const release = textOf(RELEASE);
  const notes = textOf(NOTES);
  return {
    ...(release === undefined ? {} : { labels: oneKey(RELEASE, release, release) }),
    ...(notes === undefined ? {} : { metadata: oneKey(NOTES, notes, JSON.stringify(notes)) }),
  };
}

/** A text that was emptied takes its key along. */
function oneKey(key: string, text: string, value: string): { set: Record<string, string>; remove: string[] } {
  return text === "" ? { set: {}, remove: [key] } : { set: { [key]: value }, remove: [] };
}

function methodIssues(t: Localize, entries: EditInput["entries"]): SaveIssue[] {
  return entries.flatMap(({ key, value }, index) => {
    const field = `signatures.${index}`;
    if (key === "") return [{ field, message: t("The method has no name.") }];
    if (!METHOD.test(key)) return [{ field, message: t("{0} is not the name of a Python method.", key) }];
    if (signatureOf(value)) return [];
    return [{ field, message: t("{0}: axes from 0 to {1} are expected.", key, MAX_AXIS) }];
  });
}

function partialIssues(t: Localize, entries: EditInput["entries"]): SaveIssue[] {
  return entries.flatMap(({ key, value }, index) => {
    const field = `partialKwargs.${index}`;
    if (key === "" && value === "") return [];
    if (!METHOD.test(key)) return [{ field, message: t("{0} is not the name of a Python method.", key) }];
    if (isJsonObject(value)) return [];
    return [{ field, message: t("{0}: a JSON object is expected, for instance {1}.", key, '{"top": 3}') }];
  });
}

function isJsonObject(json: string): boolean {
  const value = parsed(json);
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function signatureOf(json: string): ModelSignature | undefined {
  const value = parsed(json);
  if (typeof value !== "object" || value === null || !("batchable" in value && "batchDim" in value)) return undefined;
  const { batchable, batchDim } = value;
  if (typeof batchable !== "boolean" || !Array.isArray(batchDim) || batchDim.length !== 2) return undefined;
  const [before, after]: unknown[] = batchDim;
  return isAxis(before) && isAxis(after) ? { batchable, batchDim: [before, after] } : undefined;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isAxis(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_AXIS;
}
