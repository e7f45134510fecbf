import { basename, dirname, join } from "node:path";
import { ModelbenchError, type Warning } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { openFileReader } from "../../formats/fileReader";
import { ExternalFolder } from "../../formats/onnx/externalData";
import { type OnnxHeader, readOnnxHeader } from "../../formats/onnx/header";
import type { TensorHeader } from "../../formats/onnx/tensorHeader";
import type { MethodSignature } from "../../formats/tensor";
import type { ModelSignature, StoredModel } from "../../store/model";
import { statOf } from "../../store/modelFiles";
import type { DescribeOptions, Description, FrameworkAdapter, OnnxFacts, StoredTensor } from "../adapter";
import { digestTensor } from "./digest";
import { draftOnnx } from "./draft";

/** File that BentoML keeps an ONNX model in. @see bentoml 1.4.39 _internal/frameworks/onnx.py */
const ONNX_MODEL_FILE = "saved_model.onnx";

/** What this version knows about models of `bentoml.onnx`. */
export const onnxAdapter: FrameworkAdapter = {
  module: "bentoml.onnx",
  label: "onnx",
  needs: "data",
  runnable: true,
  entryFile: onnxEntryFile,
  draft: draftOnnx,
  describe(model, options) {
    const found = describeOnnxFile(onnxEntryFile(model), options);
    const run = found.signatures["run"];
    if (!run) return found;
    const rows = [...methodRows(model)].map(([method, row]): [string, MethodSignature] => [method, { ...run, ...row }]);
    return { ...found, signatures: Object.fromEntries(rows) };
  },
};

/** The ONNX file of a saved model, absolute. @throws ModelbenchError `model.broken` when it is not there */
function onnxEntryFile(model: StoredModel): string {
  const path = join(model.path, ONNX_MODEL_FILE);
  if (!statOf(path)?.isFile()) {
    throw new ModelbenchError("model.broken", `${model.path}: has no file ${ONNX_MODEL_FILE}.`, { path });
  }
  return path;
}

/**
 * Describes an ONNX file by its header; the method is `run`. Weights are read only for digests.
 * @throws ModelbenchError `file.access` | `format.corrupt` | `budget.exceeded`
 */
export function describeOnnxFile(path: string, options: DescribeOptions = {}): Description {
  const reader = openFileReader(path);
  try {
    const header = readOnnxHeader(reader, path);
    const warnings: Warning[] = [];
    const folder = new ExternalFolder(dirname(path));
    return {
      signatures: { run: { ...graphValues(header), batchable: false, batchDim: [0, 0], source: "onnx" } },
      tensors: storedTensors(header, { reader, path, folder, digest: options.digest === true }, warnings),
      metadata: metadataOf(header, warnings),
      onnx: factsOf(header),
      warnings,
    };
  } finally {
    reader.close();
  }
}

interface OpenModel {
  readonly reader: PositionalReader;
  readonly path: string;
  readonly folder: ExternalFolder;
  readonly digest: boolean;
}

function storedTensors(header: OnnxHeader, model: OpenModel, warnings: Warning[]): StoredTensor[] {
  const tensors = header.initializers.map((tensor) => storedTensor(tensor, model, warnings));
  for (const tensor of header.otherExternal) {
    const found = model.folder.resolve(tensor);
    if (!found.ok) warnings.push(found.problem);
  }
  for (const { values, shape } of header.sparse) {
    tensors.push({ ...storedTensor(values, { ...model, digest: false }, warnings), shape, offset: null });
  }
  return tensors;
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

function storedTensor(tensor: TensorHeader, model: OpenModel, warnings: Warning[]): StoredTensor {
  const found = tensor.external && model.folder.resolve(tensor);
  if (found?.ok === false) warnings.push(found.problem);
  const data = found?.ok ? found.data : undefined;
  const stored: StoredTensor = {
    file: data?.location ?? tensor.external?.location ?? basename(model.path),
    name: tensor.name,
    path: [tensor.name],
    kind: "ndarray",
    dtype: tensor.dtype,
    nativeDtype: tensor.nativeDtype,
    shape: tensor.shape,
    offset: data?.offset ?? tensor.plain?.start ?? null,
    bytes: tensor.bytes,
  };
  const sha256 = model.digest ? digestTensor(tensor, data, model.reader, model.path) : undefined;
  return sha256 === undefined ? stored : { ...stored, sha256 };
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
function metadataOf(header: OnnxHeader, warnings: Warning[]): Readonly<Record<string, string>> {
  const seen = new Set<string>();
  for (const [key] of header.metadataProps) {
    if (seen.has(key)) {
      const message = `The metadata key ${JSON.stringify(key)} is there more than once; the last value is shown.`;
      warnings.push({ code: "onnx.metadata.duplicate", message });
    }
    seen.add(key);
  }
  return Object.fromEntries(header.metadataProps);
}

/** A model without method rows still has the one method that the runtime offers. */
function methodRows(model: StoredModel): Iterable<readonly [string, ModelSignature]> {
  return model.info.signatures.size > 0
    ? model.info.signatures
    : [["run", { batchable: false, batchDim: [0, 0] }] as const];
}
