import { bentoSize } from "../../base/humanSize";
import { localTime } from "../../base/localTime";
import {
  dumpPyYaml,
  pythonFloatRepr,
  pythonStr,
  YamlFloat,
  type YamlKey,
  type YamlMap,
  type YamlValue,
} from "../../formats/pyYaml";
import type { ModelInfo, ModelSummary } from "../model";
import { formatTag } from "../tag";
import { modelDocument } from "./renderModelInfo";

/** What `bentoml models get -o json` prints for a model, without colours. */
export function modelJson(info: ModelInfo): string {
  return pythonJson(modelDocument(info));
}

/** What `bentoml models get -o yaml` prints for a model, without colours and padding. */
export function modelYaml(info: ModelInfo): string {
  return dumpPyYaml(modelDocument(info));
}

/** What `bentoml models list -o json` prints: newest first, times in the local zone, sizes in binary units. */
export function listJson(models: readonly ModelSummary[]): string {
  const rows = inOrder(models).map(
    (model) => `  {
    "tag": "${formatTag(model.tag)}",
    "module": ${jsonText(model.module)},
    "size": "${bentoSize(model.sizeBytes)}",
    "creation_time": "${localTime(model.creationMs)}"
  }`,
  );
  return rows.length === 0 ? "[]" : `[\n${rows.join(",\n")}\n]`;
}

/** What `bentoml models list -o yaml` prints, keys sorted as PyYAML sorts them. */
export function listYaml(models: readonly ModelSummary[]): string {
  return dumpPyYaml(
    listRows(models).map((row) => new Map([...row].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)))),
  );
}

function inOrder(models: readonly ModelSummary[]): ModelSummary[] {
  return [...models].sort((a, b) => b.creationMs - a.creationMs || b.creationMicros - a.creationMicros);
}

function listRows(models: readonly ModelSummary[]): YamlMap[] {
  return inOrder(models).map(
    (model) =>
      new Map([
        ["tag", formatTag(model.tag)],
        ["module", model.module],
        ["size", bentoSize(model.sizeBytes)],
        ["creation_time", localTime(model.creationMs)],
      ]),
  );
}

/**
 * A value as Python prints it: `json.dumps(value, indent=2, default=str)` read back and printed again with
 * every letter as it is. NaN and Infinity stay bare words, bytes become Python's `repr` of them.
 */
export function pythonJson(value: YamlValue): string {
  return json(value, "");
}

function json(value: YamlValue, margin: string): string {
  if (value === null) return "null";
  if (typeof value === "boolean" || typeof value === "number" || typeof value === "bigint") return value.toString();
  if (value instanceof YamlFloat) return jsonFloat(value.value);
  const inner = `${margin}  `;
  if (Array.isArray(value))
    return block(
      "[]",
      value.map((item) => inner + json(item, inner)),
      margin,
    );
  if (!(value instanceof Map)) return jsonText(pythonStr(value));
  // Keys that print alike (1 and "1") are one key once the text is read back: the first place, the last value.
  const entries = new Map([...value].map(([key, item]) => [jsonKey(key), item]));
  return block(
    "{}",
    [...entries].map(([key, item]) => `${inner}${jsonText(key)}: ${json(item, inner)}`),
    margin,
  );
}

function block(brackets: "[]" | "{}", lines: readonly string[], margin: string): string {
  if (lines.length === 0) return brackets;
  return `${brackets.charAt(0)}\n${lines.join(",\n")}\n${margin}${brackets.charAt(1)}`;
}

function jsonFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  return pythonFloatRepr(value);
}

function jsonKey(key: YamlKey): string {
  if (key === null) return "null";
  if (key instanceof YamlFloat) return jsonFloat(key.value);
  return typeof key === "boolean" ? key.toString() : pythonStr(key);
}

/** JSON.stringify escapes as Python does but for lone surrogates, which no YAML text holds. */
function jsonText(text: string): string {
  return JSON.stringify(text);
}
