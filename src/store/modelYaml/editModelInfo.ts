import { ModelbenchError } from "../../base/errors";
import { visible } from "../../base/visible";
import {
  editPyYaml,
  isYamlMap,
  pythonStr,
  timestampText,
  type YamlChange,
  type YamlKey,
  type YamlMap,
  type YamlValue,
} from "../../formats/pyYaml";
import { yamlFromJson } from "../../formats/yamlFromJson";
import type { ModelInfo, ModelSignature, Tag } from "../model";
import { type Instant, utcTimestamp } from "./isoTime";
import { metadataField } from "./modelFields";
import { parseModelInfo } from "./modelInfo";

/** What changes in a model.yaml; everything else stays as it is, byte for byte. As plain data, to travel to a job. */
export interface ModelEdit {
  readonly labels?: { readonly set: Readonly<Record<string, string>>; readonly remove: readonly string[] };
  /** Values are JSON texts: `1` is an integer, `1.0` a float. */
  readonly metadata?: { readonly set: Readonly<Record<string, string>>; readonly remove: readonly string[] };
  readonly signatures?: { readonly set: Readonly<Record<string, ModelSignature>>; readonly remove: readonly string[] };
  /** Arguments that every call of a method is given, as JSON objects by method: `partial_kwargs` of the options. */
  readonly partialKwargs?: { readonly set: Readonly<Record<string, string>>; readonly remove: readonly string[] };
}

/**
 * The text of a model.yaml with labels, metadata, signatures and partial arguments changed in place: only the lines concerned change.
 * What is taken away need not be there. An edit that changes nothing answers the same text.
 * @throws ModelbenchError `usage` for metadata that is not JSON and arguments that are no JSON object, `yaml.invalid` for a file that BentoML would not
 *   read or metadata that it would not take
 */
export function editModelInfo(text: string, edit: ModelEdit, path?: string): string {
  let result = text;
  for (const step of stepsOf(edit)) result = editPyYaml(result, step(parseModelInfo(result, path)));
  parseModelInfo(result, path);
  return result;
}

/** The text of a model.yaml under another tag, made at another time; the rest stays byte for byte. */
export function retagModelInfo(text: string, tag: Tag, creation: Instant, path?: string): string {
  parseModelInfo(text, path);
  const result = editPyYaml(text, [
    { path: ["name"], value: tag.name },
    { path: ["version"], value: tag.version },
    { path: ["creation_time"], value: timestampText(utcTimestamp(creation), "T") },
  ]);
  parseModelInfo(result, path);
  return result;
}

/** What a step finds decides how a key is written, so each reads the text that the one before has left. */
type Step = (info: ModelInfo) => YamlChange[];

function stepsOf({ labels, metadata, signatures, partialKwargs }: ModelEdit): Step[] {
  return [
    ...removals("labels", labels),
    ...Object.entries(labels?.set ?? {}).map(([key, value]) => setting("labels", key, value)),
    ...removals("metadata", metadata),
    ...Object.entries(metadata?.set ?? {}).map(([key, json]) => setting("metadata", key, metadataValue(key, json))),
    ...removals("signatures", signatures),
    ...Object.entries(signatures?.set ?? {}).map(([method, row]) => signatureStep(method, row)),
    ...(partialKwargs?.remove ?? [])
      .filter((method) => !Object.hasOwn(partialKwargs?.set ?? {}, method))
      .map((method) => partialStep(method)),
    ...Object.entries(partialKwargs?.set ?? {}).map(([method, json]) =>
      partialStep(method, partialValue(method, json)),
    ),
  ];
}

type Section = "labels" | "metadata" | "signatures";

/** What is set as well need not go first. */
function removals(section: Section, change: ModelEdit[Section]): Step[] {
  const names = change?.remove.filter((name) => !Object.hasOwn(change.set, name)) ?? [];
  return names.map((name) => ({ document }) => {
    const keys = keysNamed(sectionOf(document, section), name);
    return inSection(
      document,
      section,
      keys.map((key) => [key, undefined]),
    );
  });
}

function setting(section: Section, name: string, value: YamlValue): Step {
  return ({ document }) => {
    const key = keysNamed(sectionOf(document, section), name).at(-1) ?? name;
    return inSection(document, section, [[key, value]]);
  };
}

/** Metadata that is not written as a mapping is written anew as one. */
function inSection(
  document: YamlMap,
  section: Section,
  entries: readonly (readonly [YamlKey, YamlValue | undefined])[],
): YamlChange[] {
  if (isYamlMap(document.get(section)) || !document.has(section)) {
    return entries.map(([key, value]) => ({ path: [section, key], value }));
  }
  const whole = new Map(sectionOf(document, section));
  for (const [key, value] of entries) {
    if (value === undefined) whole.delete(key);
    else whole.set(key, value);
  }
  return [{ path: [section], value: whole }];
}

/** Only what differs is written, so that specs and unknown keys of the method stay, and so do aliases. */
function signatureStep(method: string, { batchable, batchDim }: ModelSignature): Step {
  return ({ document, signatures }) => {
    const rows = sectionOf(document, "signatures");
    const known = signatures.get(method);
    const key = keysNamed(rows, method).at(-1) ?? method;
    const row = rows.get(key);
    const says = batchable || batchDim.some((dim) => dim !== 0);
    if (known === undefined || !isYamlMap(row)) {
      const fields: [YamlKey, YamlValue][] = [["batchable", batchable]];
      if (says) fields.push(["batch_dim", [...batchDim]]);
      return [{ path: ["signatures", key], value: new Map(fields) }];
    }
    const changes: YamlChange[] = [];
    if (known.batchable !== batchable || !row.has("batchable")) {
      changes.push({ path: ["signatures", key, "batchable"], value: batchable });
    }
    const isSame = known.batchDim.every((dim, index) => dim === batchDim[index]);
    if (!says) changes.push({ path: ["signatures", key, "batch_dim"], value: undefined });
    else if (!isSame || !row.has("batch_dim")) {
      changes.push({ path: ["signatures", key, "batch_dim"], value: [...batchDim] });
    }
    return changes;
  };
}

/** @param value `undefined` takes the method's arguments away */
function partialStep(method: string, value?: YamlValue): Step {
  return ({ document }) => {
    const options = document.get("options");
    const partial = isYamlMap(options) ? options.get("partial_kwargs") : undefined;
    if (isYamlMap(partial)) {
      const keys = keysNamed(partial, method);
      if (value === undefined) return keys.map((key) => ({ path: ["options", "partial_kwargs", key], value }));
      return [{ path: ["options", "partial_kwargs", keys.at(-1) ?? method], value }];
    }
    if (value === undefined) return [];
    const whole: YamlMap = new Map([[method, value]]);
    if (isYamlMap(options)) return [{ path: ["options", "partial_kwargs"], value: whole }];
    return [{ path: ["options"], value: new Map([["partial_kwargs", whole]]) }];
  };
}

function partialValue(method: string, json: string): YamlValue {
  const value = jsonValue(`arguments of ${visible(method, 60)}`, json);
  if (isYamlMap(value)) return value;
  throw new ModelbenchError("usage", `The arguments of ${visible(method, 60)} must be a JSON object.`, {
    remedy: 'Arguments are given by name: {"top": 3}.',
  });
}

function sectionOf(document: YamlMap, section: Section): YamlMap {
  const value = document.get(section);
  if (isYamlMap(value)) return value;
  // BentoML takes a list of pairs for metadata, too.
  return section === "metadata" && value !== undefined ? metadataField(value) : new Map();
}

/** The keys that are shown under a name: that text, else what BentoML turns into it, such as the number 1 into "1". */
function keysNamed(map: YamlMap, name: string): YamlKey[] {
  return map.has(name) ? [name] : [...map.keys()].filter((key) => pythonStr(key) === name);
}

function metadataValue(key: string, json: string): YamlValue {
  const value = jsonValue(`metadata ${visible(key, 60)}`, json);
  metadataField(new Map([[key, value]]));
  return value;
}

function jsonValue(what: string, json: string): YamlValue {
  try {
    return yamlFromJson(json);
  } catch (cause) {
    const said = cause instanceof Error ? ` ${cause.message}` : "";
    const message = `The ${what} must be JSON; got ${JSON.stringify(visible(json, 60))}.${said}`;
    throw new ModelbenchError("usage", message, { cause, remedy: 'Text needs quotes of its own: "text".' });
  }
}
