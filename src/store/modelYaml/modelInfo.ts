import { ModelbenchError } from "../../base/errors";
import {
  parsePyYaml,
  pythonStr,
  timestampText,
  type YamlMap,
  YamlTimestamp,
  type YamlValue,
} from "../../formats/pyYaml";
import type { ModelInfo, ModelSignature } from "../model";
import { makeTag } from "../tag";
import { instantOf, parseIsoTime } from "./isoTime";
import { fieldError, mapField, metadataField, optionsField, required, signatureField, textMap } from "./modelFields";
import { BENTOML_VERSION } from "./renderModelInfo";

export { renderModelInfo } from "./renderModelInfo";

/**
 * Reads a model.yaml as BentoML's reader does: what that accepts is accepted with the same values, what it
 * refuses is refused. Stricter in three places: a version must be there (BentoML takes null), a tag may not
 * end in a line break, and a batch_dim must be a safe integer.
 * @param text the file as text, or its bytes, which must be UTF-8
 * @param path of the file, for the error
 * @throws ModelbenchError `yaml.invalid`, `tag.invalid`, `budget.exceeded`
 * @see bentoml 1.4.39 _internal/models/model.py, ModelInfo.from_yaml_file
 */
export function parseModelInfo(text: string | Uint8Array, path?: string): ModelInfo {
  try {
    // BentoML opens the file in text mode, which turns every line break into "\n" before PyYAML sees it.
    const root = parsePyYaml(decodeModelYaml(text).replace(/\r\n?/g, "\n"));
    if (!(root instanceof Map)) throw fieldError("the file", "a mapping", root);
    return modelInfo(root);
  } catch (error) {
    if (path === undefined || !(error instanceof ModelbenchError)) throw error;
    const { code, message, remedy, offset } = error;
    throw new ModelbenchError(code, message, { remedy, offset, path, cause: error });
  }
}

/** The text of a model.yaml, a byte order mark included. @throws ModelbenchError `yaml.invalid` when it is not UTF-8 */
export function decodeModelYaml(text: string | Uint8Array): string {
  if (typeof text === "string") return text;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
  } catch (cause) {
    throw new ModelbenchError("yaml.invalid", "model.yaml is not UTF-8 text.", { cause });
  }
}

function modelInfo(root: YamlMap): ModelInfo {
  return {
    tag: makeTag(tagPart(root, "name"), tagPart(root, "version")),
    module: pythonStr(required(root, "module")),
    labels: textMap(required(root, "labels"), "labels"),
    options: optionsField(required(root, "options")),
    metadata: metadataField(required(root, "metadata")),
    context: contextField(mapField(required(root, "context"), "context")),
    signatures: signaturesField(root.get("signatures") ?? (root.has("signatures") ? null : new Map())),
    apiVersion: pythonStr(required(root, "api_version")),
    creationTime: creationTime(required(root, "creation_time")),
    document: root,
  };
}

/** Only text will do: PyYAML reads an unquoted `1.10` as a number, which BentoML cannot make a tag of. */
function tagPart(root: YamlMap, key: "name" | "version"): string {
  const value = required(root, key);
  if (typeof value !== "string") throw fieldError(key, "text (in quotes where it looks like a number)", value);
  return value;
}

function contextField(context: YamlMap): ModelInfo["context"] {
  const legacy = context.has("pip_dependencies");
  const versions = legacy ? new Map() : required(context, "framework_versions", "context.framework_versions");
  return {
    frameworkName: pythonStr(required(context, "framework_name", "context.framework_name")),
    frameworkVersions: textMap(versions, "context.framework_versions"),
    bentomlVersion: textOr(context.get("bentoml_version"), BENTOML_VERSION),
    pythonVersion: textOr(context.get("python_version"), ""),
  };
}

function textOr(value: YamlValue | undefined, absent: string): string {
  return value === undefined ? absent : pythonStr(value);
}

function signaturesField(value: YamlValue): ReadonlyMap<string, ModelSignature> {
  const rows = mapField(value, "signatures");
  return new Map(
    [...rows].map(([key, row]) => {
      const method = pythonStr(key);
      return [method, signatureField(row, method)];
    }),
  );
}

function creationTime(value: YamlValue): ModelInfo["creationTime"] {
  const time = typeof value === "string" ? parseIsoTime(value) : value;
  if (!(time instanceof YamlTimestamp)) throw fieldError("creation_time", "a date and time", value);
  return { text: timestampText(time, "T"), ...instantOf(time) };
}
