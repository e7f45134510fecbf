import { basename, dirname, resolve } from "node:path";
import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { ExternalFolder, unreachable } from "../../formats/onnx/externalData";
import { type OnnxHeader, readOnnxHeader } from "../../formats/onnx/header";
import type { OnnxValue } from "../../formats/onnx/valueInfo";
import type { YamlMap, YamlValue } from "../../formats/pyYaml";
import { looksLike } from "../../formats/sniff";
import type { SourceFile } from "../../store/model";
import type { FrameworkDraft } from "../adapter";

/**
 * The packages that BentoML would name as the ones a model was saved with; we write its layout without having
 * them, so these are the releases the layout was checked against.
 */
const FRAMEWORK_VERSIONS = { onnx: "1.23.2", onnxruntime: "1.31.1" } as const;

/** Names inside a saved model that external data must not take. */
const RESERVED = new Set(["model.yaml", "saved_model.onnx", "custom_objects.pkl"]);

/**
 * The draft of a `bentoml.onnx` model from one `.onnx` file; its external data files come along under their own
 * names. Further files given must be among those.
 * @throws ModelbenchError `format.mismatch` when it is not ONNX, `onnx.external` when data cannot be reached
 * @see bentoml 1.4.39 _internal/frameworks/onnx.py save_model
 */
export function draftOnnx(files: readonly string[], open: (path: string) => PositionalReader): FrameworkDraft {
  const [model, ...extra] = [...files].sort((a, b) => Number(isOnnx(b)) - Number(isOnnx(a)));
  if (model === undefined || !isOnnx(model) || extra.some(isOnnx)) {
    throw new ModelbenchError("usage", "An ONNX model is saved from exactly one .onnx file.");
  }
  const header = readModel(model, open);
  const sources = [{ from: resolve(model), to: "saved_model.onnx" }, ...externalFiles(model, header)];
  for (const file of extra) {
    if (!sources.some(({ from }) => from === resolve(file))) {
      throw new ModelbenchError("usage", `${file}: is not external data of ${basename(model)}.`, { path: file });
    }
  }
  return {
    draft: {
      module: "bentoml.onnx",
      apiVersion: "v2",
      frameworkName: "onnx",
      frameworkVersions: FRAMEWORK_VERSIONS,
      signatures: { run: { batchable: false, batchDim: [0, 0] } },
      options: optionsOf(header),
    },
    files: sources,
  };
}

function isOnnx(path: string): boolean {
  return path.toLowerCase().endsWith(".onnx");
}

function readModel(path: string, open: (path: string) => PositionalReader): OnnxHeader {
  const reader = open(path);
  try {
    return readOnnxHeader(reader, path);
  } catch (cause) {
    if (!(cause instanceof ModelbenchError) || cause.code !== "format.corrupt") throw cause;
    throw new ModelbenchError("format.mismatch", `${path}: is not an ONNX model but ${looksLike(reader, "onnx")}.`, {
      path,
      offset: cause.offset,
      cause,
    });
  } finally {
    if ("close" in reader && typeof reader.close === "function") reader.close();
  }
}

/** Copies keep their place beside the model, because the model names them by relative path. */
function externalFiles(model: string, header: OnnxHeader): readonly SourceFile[] {
  const folder = new ExternalFolder(dirname(resolve(model)));
  const files = new Map<string, SourceFile>();
  const tensors = [...header.initializers, ...header.otherExternal, ...header.sparse.map(({ values }) => values)];
  for (const tensor of tensors) {
    if (!tensor.external) continue;
    const found = folder.resolve(tensor);
    if (!found.ok) throw unreachable(found.problem);
    const { location, path } = found.data;
    if (RESERVED.has(location)) {
      throw new ModelbenchError("onnx.external", `${location}: this name is taken inside a saved model.`, { path });
    }
    files.set(location, { from: path, to: location });
  }
  return [...files.values()];
}

function optionsOf(header: OnnxHeader): YamlMap {
  return new Map<string, YamlValue>([
    ["input_specs", new Map([["run", documents(header.graphInputs)]])],
    ["output_specs", new Map([["run", documents(header.outputs)]])],
    ["providers", null],
    ["session_options", null],
  ]);
}

function documents(values: readonly OnnxValue[]): YamlValue[] {
  return values.map(({ document }) => document);
}
