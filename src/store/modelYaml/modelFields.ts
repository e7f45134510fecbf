import { ModelbenchError } from "../../base/errors";
import { visible } from "../../base/visible";
import {
  isYamlMap,
  pythonInt,
  pythonRepr,
  pythonStr,
  pythonTruth,
  timestampText,
  YamlFloat,
  type YamlKey,
  type YamlMap,
  YamlSet,
  YamlTimestamp,
  type YamlValue,
} from "../../formats/pyYaml";
import type { ModelSignature } from "../model";

/** The failure for a field that BentoML's reader refuses. */
export function fieldError(field: string, expected: string, found: YamlValue | undefined): ModelbenchError {
  const shown = found === undefined ? "nothing" : visible(pythonRepr(found), 60);
  return new ModelbenchError("yaml.invalid", `model.yaml: ${field} must be ${expected}, found ${shown}.`);
}

/** A required field; null counts as present. @throws ModelbenchError `yaml.invalid` */
export function required(map: YamlMap, key: string, field = key): YamlValue {
  const value = map.get(key);
  if (value === undefined) throw fieldError(field, "there", undefined);
  return value;
}

/** A mapping. @throws ModelbenchError `yaml.invalid` */
export function mapField(value: YamlValue, field: string): YamlMap {
  if (!isYamlMap(value)) throw fieldError(field, "a mapping", value);
  return value;
}

/** A mapping whose keys and values become text as Python's `str` makes it. @throws ModelbenchError `yaml.invalid` */
export function textMap(value: YamlValue, field: string): ReadonlyMap<string, string> {
  return new Map([...mapField(value, field)].map(([key, item]) => [pythonStr(key), pythonStr(item)]));
}

/** A mapping whose keys become text. @throws ModelbenchError `yaml.invalid` */
export function optionsField(value: YamlValue): YamlMap {
  return new Map([...mapField(value, "options")].map(([key, item]) => [pythonStr(key), item]));
}

/**
 * Metadata as BentoML accepts it: a mapping, or what Python's `dict()` makes one of; no null, no set anywhere.
 * @throws ModelbenchError `yaml.invalid`
 * @see bentoml 1.4.39 _internal/utils/__init__.py, validate_metadata
 */
export function metadataField(value: YamlValue): YamlMap {
  const map = isYamlMap(value) ? value : new Map(itemsOf(value, "metadata").map(pairOf));
  checkMetadata(map, "metadata");
  return map;
}

function pairOf(value: YamlValue): readonly [YamlKey, YamlValue] {
  const [key, item, ...more] = itemsOf(value, "metadata");
  if (key === undefined || item === undefined || more.length > 0 || isCollection(key)) {
    throw fieldError("metadata", "a mapping", value);
  }
  return [key, item];
}

function isCollection(value: YamlValue): value is YamlValue[] | YamlMap | YamlSet {
  return Array.isArray(value) || isYamlMap(value) || value instanceof YamlSet;
}

function checkMetadata(value: YamlValue, field: string): void {
  if (isYamlMap(value)) {
    for (const [key, item] of value) {
      if (!isMetadataKey(key)) throw fieldError(`a key of ${field}`, "text or a number", key);
      checkMetadata(item, `${field}.${pythonStr(key)}`);
    }
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) checkMetadata(item, `${field}[${index}]`);
  } else if (value === null || value instanceof YamlSet) {
    throw fieldError(visible(field, 80), "text, a number, a boolean, bytes, a date, a list or a mapping", value);
  }
}

function isMetadataKey(key: YamlKey): boolean {
  if (key instanceof YamlFloat) return true;
  return key !== null && typeof key !== "object";
}

/**
 * One method row. BentoML takes anything that Python can look a key up in, and fills in what is missing.
 * @throws ModelbenchError `yaml.invalid`
 */
export function signatureField(value: YamlValue, method: string): ModelSignature {
  const field = `signatures.${visible(method, 60)}`;
  if (!isYamlMap(value)) {
    const lookup = Array.isArray(value) || typeof value === "string" || value instanceof YamlSet;
    const items: readonly YamlValue[] = Array.isArray(value) ? value : value instanceof YamlSet ? value.items : [];
    const named = SIGNATURE_KEYS.some(
      (key) => items.includes(key) || (typeof value === "string" && value.includes(key)),
    );
    if (!lookup || named) throw fieldError(field, "a mapping", value);
    return { batchable: false, batchDim: [0, 0] };
  }
  const dims = value.get("batch_dim");
  return {
    batchable: pythonTruth(value.get("batchable") ?? false),
    batchDim: dims === undefined ? [0, 0] : batchDimOf(dims, `${field}.batch_dim`),
  };
}

const SIGNATURE_KEYS = ["batchable", "batch_dim", "input_spec", "output_spec"];

function batchDimOf(value: YamlValue, field: string): readonly [number, number] {
  const [first, second, ...more] = itemsOf(value, field).map((item) => intOf(item, field));
  if (first === undefined || second === undefined || more.length > 0) throw fieldError(field, "two integers", value);
  return [first, second];
}

/** What Python iterates over. */
function itemsOf(value: YamlValue, field: string): readonly YamlValue[] {
  if (Array.isArray(value)) return value;
  if (isYamlMap(value)) return [...value.keys()];
  if (value instanceof YamlSet) return value.items;
  if (typeof value === "string" || value instanceof Uint8Array) return [...value];
  throw fieldError(field, "a list", value);
}

/** What Python's `int(value)` answers, as far as a safe integer holds it. */
function intOf(value: YamlValue, field: string): number {
  const text = value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value;
  const number =
    typeof text === "string"
      ? Number(pythonInt(text, 10) ?? Number.NaN)
      : value instanceof YamlFloat
        ? Math.trunc(value.value)
        : typeof value === "number" || typeof value === "boolean"
          ? Number(value)
          : Number.NaN;
  if (!Number.isSafeInteger(number)) throw fieldError(field, "two integers", value);
  return number + 0;
}

/**
 * A value as BentoML hands it on: collections are copied, so aliases are gone, and timestamps become ISO text.
 * @see cattrs 23.1.2 as configured in bentoml 1.4.39 _internal/utils/cattr.py
 */
export function unstructured(value: YamlValue): YamlValue {
  if (value instanceof YamlTimestamp) return timestampText(value, "T");
  if (Array.isArray(value)) return value.map(unstructured);
  if (!isYamlMap(value)) return value;
  return new Map([...value].map(([key, item]) => [unstructuredKey(key), unstructured(item)]));
}

function unstructuredKey(key: YamlKey): YamlKey {
  return key instanceof YamlTimestamp ? timestampText(key, "T") : key;
}
