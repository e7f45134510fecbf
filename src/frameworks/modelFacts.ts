import { toWireError, type Warning, type WireError } from "../base/errors";
import type { JobKey } from "../base/ports";
import { stringifyExact } from "../formats/jsonExact";
import type { YamlMap, YamlValue } from "../formats/pyYaml";
import type { MethodSignature } from "../formats/tensor";
import { layoutOf } from "../store/layout";
import type { ModelInfo, StoredModel } from "../store/model";
import { modelFilesIn } from "../store/modelFiles";
import { ModelStore } from "../store/modelStore";
import type { OnnxFacts } from "./content";
import { exampleInputs } from "./example";
import { type ModelContent, openModelContent } from "./modelContent";
import { type ProvenanceFacts, provenanceFacts } from "./provenanceFacts";
import { adapterFor } from "./registry";
import { type StoredFacts, storedFacts } from "./storedFacts";
import { yamlAsData } from "./yamlAsData";

/** A key with its value as text; values that were no text in the file are exact JSON. */
export type TextPair = readonly [string, string];

/** Everything a page needs to know of one model before it runs, from headers only; plain, cloneable data. */
export interface ModelFacts {
  /** Absolute path of the version folder. */
  readonly path: string;
  readonly module: string;
  /** Short name of the adapter; empty when the framework is unknown. */
  readonly framework: string;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
  readonly labels: readonly TextPair[];
  readonly metadata: readonly TextPair[];
  readonly context: readonly TextPair[];
  readonly options: readonly TextPair[];
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly signatures: Readonly<Record<string, MethodSignature>>;
  /** Class names from the metadata key `classes`; empty when it is not a list of texts. */
  readonly classes: readonly string[];
  /** JSON text of an example by method and input. */
  readonly examples: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What the runner opens; absent when the framework has no such file or it is missing. */
  readonly entryFile?: string;
  readonly onnx?: {
    readonly irVersion: number;
    readonly producer: string;
    readonly opsets: readonly TextPair[];
    readonly ops: readonly { readonly op: string; readonly count: number }[];
    /** Tensors whose data lie in other files. */
    readonly externalFiles: number;
  };
  readonly warnings: readonly Warning[];
  readonly stored: StoredFacts;
  /** What made it, where that was noted, and what became of it. */
  readonly provenance?: ProvenanceFacts;
  /** The versions that it was made with, Python's own as `python`. */
  readonly madeWith: readonly TextPair[];
  /** Why the model's file could not be read; everything from model.yaml is there all the same. */
  readonly broken?: WireError;
}

/** Describes one model of the store at `home`. */
export const describeModelJob: JobKey<{ readonly home: string; readonly tag: string }, ModelFacts> = {
  name: "describeModel",
};

/**
 * Reads model.yaml whole and the model file's header.
 * @throws ModelbenchError when model.yaml cannot be read; a damaged model file is reported in `broken`
 */
export async function runDescribeModel({ home, tag }: { home: string; tag: string }): Promise<ModelFacts> {
  const model = new ModelStore(home).get(tag);
  const { info } = model;
  const adapter = adapterFor(info.module);
  const { content, entryFile, broken } = look(model);
  const signatures = content?.signatures ?? {};
  const stored = storedFacts(layoutOf(home), model);
  const { provenance } = stored.origin;
  return {
    path: model.path,
    module: info.module,
    framework: adapter?.label ?? "",
    createdMs: info.creationTime.epochMs,
    labels: [...info.labels],
    metadata: textPairs(info.metadata),
    context: contextPairs(info),
    options: textPairs(info.options),
    files: modelFilesIn(model.path),
    signatures,
    classes: classNames(info.metadata.get("classes")),
    examples: exampleTexts(signatures, info.metadata),
    ...(entryFile === undefined ? {} : { entryFile }),
    ...(content?.onnx ? { onnx: onnxFacts(content.onnx) } : {}),
    warnings: [...model.warnings, ...(content?.warnings ?? [])],
    stored,
    ...(provenance ? { provenance: await provenanceFacts(provenance) } : {}),
    madeWith: savedVersions(info),
    ...(broken ? { broken } : {}),
  };
}

function look(model: StoredModel): { content?: ModelContent; entryFile?: string; broken?: WireError } {
  try {
    const content = openModelContent(model);
    content.close();
    const entryFile = adapterFor(model.info.module)?.entryFile?.(model);
    return { content, ...(entryFile === undefined ? {} : { entryFile }) };
  } catch (error) {
    return { broken: toWireError(error) };
  }
}

/** A YAML map as keys and texts; what was no text is exact JSON. */
export function textPairs(map: YamlMap): TextPair[] {
  return [...map].map(([key, value]) => [typeof key === "string" ? key : jsonText(key), valueText(value)]);
}

function valueText(value: YamlValue): string {
  return typeof value === "string" ? value : jsonText(value);
}

function jsonText(value: YamlValue): string {
  return stringifyExact(yamlAsData(value));
}

function contextPairs({ context }: ModelInfo): TextPair[] {
  const { frameworkName, frameworkVersions, bentomlVersion, pythonVersion } = context;
  const pairs: TextPair[] = [
    ["framework", frameworkName],
    ...frameworkVersions,
    ["bentoml", bentomlVersion],
    ["python", pythonVersion],
  ];
  return pairs.filter(([, value]) => value !== "");
}

/** Of a model that no Python made nothing is known of its Python. */
function savedVersions({ context }: ModelInfo): [string, string][] {
  const saved: [string, string][] = [["python", context.pythonVersion], ...context.frameworkVersions];
  return saved.filter(([, version]) => version !== "");
}

function classNames(value: YamlValue | undefined): string[] {
  if (!Array.isArray(value)) return [];
  const names = value.filter((name) => typeof name === "string");
  return names.length === value.length ? names : [];
}

function exampleTexts(
  signatures: Readonly<Record<string, MethodSignature>>,
  metadata: YamlMap,
): Record<string, Record<string, string>> {
  const entries = Object.entries(exampleInputs(signatures, metadata)).map(([method, inputs]) => {
    const texts = Object.entries(inputs).map(([name, value]) => [name, stringifyExact(value)] as const);
    return [method, Object.fromEntries(texts)] as const;
  });
  return Object.fromEntries(entries);
}

function onnxFacts({ irVersion, producer, opsets, ops, externalData }: OnnxFacts): NonNullable<ModelFacts["onnx"]> {
  const counts = Object.entries(ops).map(([op, count]) => ({ op, count }));
  return {
    irVersion,
    producer,
    opsets: Object.entries(opsets).map(([domain, version]) => [domain === "" ? "ai.onnx" : domain, String(version)]),
    ops: counts.sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1)),
    externalFiles: externalData.length,
  };
}
