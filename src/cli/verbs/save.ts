import { resolve } from "node:path";
import { ModelbenchError } from "../../base/errors";
import type { YamlValue } from "../../formats/pyYaml";
import { yamlFromJson } from "../../formats/yamlFromJson";
import { draftFromFiles } from "../../frameworks/registry";
import type { ModelSignature } from "../../store/model";
import { formatTag, parseTag } from "../../store/tag";
import { splitAssignment } from "../args";
import { openForAdding } from "../openForWriting";
import { jobOptions } from "../progress";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Copies model files into the store as a new version that a real BentoML reads. */
export const save: Verb = {
  syntax: {
    usage:
      "save NAME[:VERSION] FILE... [--module M] [--label k=v] [--metadata k=json] [--signature method=json] [-o json]",
    example: "save iris_clf:v2 model.onnx --label owner=vision",
    operands: [2, Number.POSITIVE_INFINITY],
    options: { module: "value", label: "values", metadata: "values", signature: "values", output: JSON_OR_TEXT },
  },
  async run(context, args) {
    const [target = "", ...sources] = args.operands;
    const { name, version } = parseTag(target);
    const { draft, files } = draftFromFiles(
      sources.map((source) => resolve(source)),
      args.value("module"),
    );
    const signatures = args.values("signature").map((text) => signatureOf(text));
    const described = {
      ...draft,
      name,
      version,
      labels: Object.fromEntries(args.values("label").map((text) => splitAssignment("label", text))),
      metadata: new Map(args.values("metadata").map((text) => metadataOf(text))),
      signatures: { ...draft.signatures, ...Object.fromEntries(signatures) },
    };
    const store = await openForAdding(context.home);
    const saved = await store.save(described, files, jobOptions(context, `Saving ${name}`));
    const tag = formatTag(saved.tag);
    if (context.output.json) context.output.document(JSON.stringify({ tag, path: saved.path }, null, 2));
    else context.output.lines(`${tag} saved in ${saved.path}.`);
  },
};

function metadataOf(text: string): [string, YamlValue] {
  const [key, json] = splitAssignment("metadata", text);
  return [key, jsonOption("metadata", json)];
}

/** `method={"batchable": true, "batch_dim": 0}`; the dimension is one number or `[in, out]`, as in BentoML. */
function signatureOf(text: string): [string, ModelSignature] {
  const [method, json] = splitAssignment("signature", text);
  const value = jsonOption("signature", json);
  const unknown =
    value instanceof Map ? [...value.keys()].filter((key) => key !== "batchable" && key !== "batch_dim") : [];
  const batchable = value instanceof Map ? (value.get("batchable") ?? false) : undefined;
  const batchDim = value instanceof Map ? batchDimOf(value.get("batch_dim")) : undefined;
  if (typeof batchable !== "boolean" || batchDim === undefined || unknown.length > 0) {
    throw new ModelbenchError(
      "usage",
      `--signature ${method} takes {"batchable": true|false, "batch_dim": 0 or [0, 0]}; got ${json}.`,
    );
  }
  return [method, { batchable, batchDim }];
}

function batchDimOf(value: YamlValue | undefined): readonly [number, number] | undefined {
  if (value === undefined) return [0, 0];
  const [first, second] = Array.isArray(value) && value.length === 2 ? value : [value, value];
  return typeof first === "number" && typeof second === "number" ? [first, second] : undefined;
}

function jsonOption(option: string, json: string): YamlValue {
  try {
    return yamlFromJson(json);
  } catch (cause) {
    const said = cause instanceof Error ? ` ${cause.message}` : "";
    throw new ModelbenchError("usage", `--${option} takes JSON; got ${JSON.stringify(json)}.${said}`, {
      cause,
      remedy: `Text needs quotes of its own: --${option} 'key="text"'.`,
    });
  }
}
