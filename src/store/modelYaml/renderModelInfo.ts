import { dumpPyYaml, timestampText, type YamlMap, type YamlValue } from "../../formats/pyYaml";
import type { ModelDraft, ModelInfo, ModelSignature } from "../model";
import { makeTag } from "../tag";
import { utcTimestamp } from "./isoTime";
import { metadataField, unstructured } from "./modelFields";

/** The BentoML whose layout is written here; readers fill it in where a file names none. */
export const BENTOML_VERSION = "1.4.39";

/**
 * The text of a new model.yaml, byte for byte as BentoML writes one with these values.
 * `python_version` is empty where no Python took part.
 * @param creationMs milliseconds since the epoch; a fraction counts as microseconds
 * @throws ModelbenchError `tag.invalid`, and `yaml.invalid` for metadata that BentoML would refuse
 */
export function renderModelInfo(draft: ModelDraft & { readonly version: string }, creationMs: number): string {
  const epochMs = Math.floor(creationMs);
  const micros = Math.min(999, Math.round((creationMs - epochMs) * 1000));
  return dumpPyYaml(
    fields({
      tag: makeTag(draft.name, draft.version),
      module: draft.module,
      labels: new Map(Object.entries(draft.labels)),
      options: draft.options,
      metadata: metadataField(draft.metadata),
      context: {
        frameworkName: draft.frameworkName,
        frameworkVersions: new Map(Object.entries(draft.frameworkVersions)),
        bentomlVersion: BENTOML_VERSION,
        pythonVersion: draft.pythonVersion ?? "",
      },
      signatures: new Map(Object.entries(draft.signatures)),
      apiVersion: draft.apiVersion,
      creationTime: { text: timestampText(utcTimestamp({ epochMs, micros }), "T") },
      document: new Map(),
    }),
  );
}

/**
 * The document that BentoML makes of a model it has read: its own fields in its own order, unknown ones gone,
 * timestamps in metadata as ISO text.
 * @see bentoml 1.4.39 _internal/models/model.py, ModelInfo.to_dict
 */
export function modelDocument(info: ModelInfo): YamlMap {
  return fields(info);
}

type Fields = Omit<ModelInfo, "creationTime"> & { readonly creationTime: { readonly text: string } };

function fields(info: Fields): YamlMap {
  const { context } = info;
  return new Map<string, YamlValue>([
    ["name", info.tag.name],
    ["version", info.tag.version],
    ["module", info.module],
    ["labels", new Map(info.labels)],
    // Only metadata is converted all the way down; options keep what stands below their first level.
    ["options", new Map(info.options)],
    ["metadata", unstructured(info.metadata)],
    [
      "context",
      new Map<string, YamlValue>([
        ["framework_name", context.frameworkName],
        ["framework_versions", new Map(context.frameworkVersions)],
        ["bentoml_version", context.bentomlVersion],
        ["python_version", context.pythonVersion],
      ]),
    ],
    ["signatures", signatureRows(info)],
    ["api_version", info.apiVersion],
    ["creation_time", info.creationTime.text],
  ]);
}

function signatureRows({ signatures, document }: Fields): YamlMap {
  const written = document.get("signatures");
  return new Map(
    [...signatures].map(([method, signature]) => {
      const row = written instanceof Map ? written.get(method) : undefined;
      return [method, signatureRow(signature, row instanceof Map ? row : new Map())];
    }),
  );
}

/** batch_dim says nothing where calls are never batched, and specs are kept as they were written. */
function signatureRow({ batchable, batchDim }: ModelSignature, written: YamlMap): YamlMap {
  const row: YamlMap = new Map([["batchable", batchable]]);
  if (batchable) row.set("batch_dim", [...batchDim]);
  for (const key of ["input_spec", "output_spec"]) {
    const spec = written.get(key);
    if (spec !== undefined && spec !== null) row.set(key, spec);
  }
  return row;
}
