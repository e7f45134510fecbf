import { basename, dirname, posix } from "node:path";
import { ModelbenchError, type Warning } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { openFileReader } from "../../formats/fileReader";
import { type ExternalData, ExternalFolder } from "../../formats/onnx/externalData";
import { OnnxGraphs } from "../../formats/onnx/graphTable";
import { type OnnxHeader, readOnnxHeader } from "../../formats/onnx/header";
import type { TensorHeader } from "../../formats/onnx/tensorHeader";
import type { MethodSignature } from "../../formats/tensor";
import type { TensorData } from "../../formats/tensorData";
import type { ModelSignature, StoredModel } from "../../store/model";
import type { FrameworkAdapter } from "../adapter";
import type { ContentFacts, FileContent, OnnxFacts, StoredTensor } from "../content";
import { entryFileOf } from "../entryFile";
import { readInitializer } from "./initializer";

/** File that BentoML keeps an ONNX model in. @see bentoml 1.4.39 _internal/frameworks/onnx.py */
const ONNX_MODEL_FILE = "saved_model.onnx";

/** What this version knows about models of `bentoml.onnx`. */
export const onnxAdapter: FrameworkAdapter = {
  module: "bentoml.onnx",
  label: "onnx",
  needs: "data",
  runnable: true,
  engine: "onnx",
  entryFile: (model) => entryFileOf(model, ONNX_MODEL_FILE),
  signatures(model, content) {
    const run = content?.signatures?.["run"];
    const rows = [...methodRows(model)].map(([method, row]): [string, MethodSignature] => {
      return [method, run ? { ...run, ...row } : { inputs: [], outputs: [], ...row, source: "model.yaml" }];
    });
    return Object.fromEntries(rows);
  },
};

/**
 * Opens an ONNX file by its header; the method is `run`. Weights are read only when they are asked for.
 * @throws ModelbenchError `file.access` | `format.corrupt` | `budget.exceeded`
 */
export function openOnnxFile(path: string, name: string = basename(path), open = openFileReader): FileContent {
  const reader = open(path);
  try {
    const header = readOnnxHeader(reader, path);
    const model: OpenModel = { reader, path, name, folder: new ExternalFolder(dirname(path)) };
    const warnings: Warning[] = [];
    const stored = storedTensors(header, model, warnings);
    let graphs: OnnxGraphs | undefined;
    return {
      signatures: { run: { ...graphValues(header), batchable: false, batchDim: [0, 0], source: "onnx" } },
      tensors: stored.map(({ facts }) => facts),
      metadata: metadataOf(header, warnings),
      onnx: factsOf(header),
      warnings,
      data: (index) => initializerData(stored[index], model),
      graphs: () => {
        graphs ??= new OnnxGraphs(reader, path);
        return graphs;
      },
      close: () => reader.close(),
    };
  } catch (error) {
    reader.close();
    throw error;
  }
}

/** What `openOnnxFile` finds without keeping the file open. @throws ModelbenchError as `openOnnxFile` */
export function describeOnnxFile(path: string): ContentFacts {
  const content = openOnnxFile(path);
  content.close();
  return content;
}

interface OpenModel {
  readonly reader: PositionalReader;
  readonly path: string;
  /** What the file is called in the facts. */
  readonly name: string;
  readonly folder: ExternalFolder;
}

/** A tensor as it is listed, with what its values are read by; `header` is left out where they cannot be. */
interface Initializer {
  readonly facts: StoredTensor;
  readonly header: TensorHeader | undefined;
  readonly external: ExternalData | undefined;
  /** Why the external data cannot be reached. */
  readonly problem: Warning | undefined;
}

function storedTensors(header: OnnxHeader, model: OpenModel, warnings: Warning[]): Initializer[] {
  const tensors = header.initializers.map((tensor) => initializer(tensor, model, warnings));
  for (const tensor of header.otherExternal) {
    const found = model.folder.resolve(tensor);
    if (!found.ok) warnings.push(found.problem);
  }
  for (const { values, shape } of header.sparse) {
    const { facts, problem } = initializer(values, model, warnings);
    tensors.push({ facts: { ...facts, shape, offset: null }, header: undefined, external: undefined, problem });
  }
  return tensors;
}

function initializerData(found: Initializer | undefined, { reader, path }: OpenModel): TensorData {
  if (found === undefined) throw new ModelbenchError("internal", `${path}: has no such tensor.`);
  const { name, nativeDtype } = found.facts;
  if (found.problem) throw new ModelbenchError("tensor.unreadable", found.problem.message, { path });
  if (found.header === undefined || found.header.dtype === null) {
    const what = found.header === undefined ? "is sparse" : `has the type ${nativeDtype}`;
    throw new ModelbenchError("tensor.unreadable", `${JSON.stringify(name)} ${what}; its values are not read.`, {
      path,
    });
  }
  // ONNX has no form for text outside of the file: how long each is would not be known.
  if (found.external !== undefined && found.header.dtype === "string") {
    throw new ModelbenchError("tensor.unreadable", `${JSON.stringify(name)} has its text in another file.`, { path });
  }
  return readInitializer(reader, found.header, found.header.dtype, found.external, path);
}

/** Inputs that a caller must give, and outputs. */
function graphValues(header: OnnxHeader): Pick<MethodSignature, "inputs" | "outputs"> {
  const stored = new Set(
    [...header.initializers, ...header.sparse.map(({ values }) => values)].map(({ name }) => name),
  );
  return {
    inputs: header.graphInputs.map(({ spec }) => spec).filter(({ name }) => !stored.has(name)),
    outputs: header.outputs.map(({ spec }) => spec),
  };
}

function initializer(tensor: TensorHeader, model: OpenModel, warnings: Warning[]): Initializer {
  const found = tensor.external && model.folder.resolve(tensor);
  const problem = found?.ok === false ? found.problem : undefined;
  if (problem) warnings.push(problem);
  const external = found?.ok ? found.data : undefined;
  const facts: StoredTensor = {
    file: tensor.external
      ? posix.join(posix.dirname(model.name), external?.location ?? tensor.external.location)
      : model.name,
    name: tensor.name,
    path: [tensor.name],
    kind: "ndarray",
    dtype: tensor.dtype,
    nativeDtype: tensor.nativeDtype,
    shape: tensor.shape,
    offset: external?.offset ?? tensor.plain?.start ?? null,
    bytes: tensor.bytes,
  };
  return { facts, header: tensor, external, problem };
}

function factsOf(header: OnnxHeader): OnnxFacts {
  const external = [...header.initializers, ...header.otherExternal, ...header.sparse.map(({ values }) => values)];
  return {
    irVersion: header.irVersion,
    opsets: Object.fromEntries(header.opsets),
    producer: [header.producerName, header.producerVersion].filter((part) => part !== "").join(" "),
    ops: Object.fromEntries(header.ops),
    externalData: external.flatMap(({ name, external: reference }) =>
      reference === undefined
        ? []
        : [
            {
              tensor: name,
              location: reference.location,
              offset: Number(reference.offset ?? 0),
              length: reference.length === undefined ? null : Number(reference.length),
            },
          ],
    ),
  };
}

/** As the runtime answers it: of equal keys the last one counts. */
function metadataOf(header: OnnxHeader, warnings: Warning[]): ReadonlyMap<string, string> {
  const seen = new Set<string>();
  for (const [key] of header.metadataProps) {
    if (seen.has(key)) {
      const message = `The metadata key ${JSON.stringify(key)} is there more than once; the last value is shown.`;
      warnings.push({ code: "onnx.metadata.duplicate", message });
    }
    seen.add(key);
  }
  return new Map(header.metadataProps);
}

/** A model without method rows still has the one method that the runtime offers. */
function methodRows(model: StoredModel): Iterable<readonly [string, ModelSignature]> {
  return model.info.signatures.size > 0
    ? model.info.signatures
    : [["run", { batchable: false, batchDim: [0, 0] }] as const];
}
