import { basename, join } from "node:path";
import { ModelbenchError, type Warning } from "../base/errors";
import { fileSize, openFileReader } from "../formats/fileReader";
import { claimedFormat, type FileFormat, looksLike, sniffFormat } from "../formats/sniff";
import type { MethodSignature } from "../formats/tensor";
import type { StoredModel } from "../store/model";
import { modelFilesIn } from "../store/modelFiles";
import type { DescribeOptions, Description, OnnxFacts, StoredTensor } from "./adapter";
import { describeNpyFile } from "./npyFile";
import { describeOnnxFile } from "./onnx/describe";
import { adapterFor } from "./registry";
import { yamlAsData } from "./yamlAsData";

/** A file of a model, or the inspected file itself. */
export interface InspectedFile {
  /** Relative to the model's folder, with `/`; for a bare file its name. */
  readonly path: string;
  readonly bytes: number;
  readonly format: FileFormat;
}

/** What `inspect` answers, in the CLI as JSON and in the editors. Written by `stringifyExact` it is strict JSON. */
export interface InspectDocument {
  readonly kind: "model" | "file";
  readonly format: FileFormat;
  /** Absolute: the model's folder or the file. */
  readonly path: string;
  readonly bytes: number;
  /** `model.yaml` as plain data (Maps in file order); absent for a bare file. */
  readonly model?: unknown;
  readonly files: readonly InspectedFile[];
  readonly signatures: Readonly<Record<string, MethodSignature>>;
  readonly tensors: readonly StoredTensor[];
  /** What the file itself carries, for instance ONNX metadata_props. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly onnx?: OnnxFacts;
  readonly warnings: readonly Warning[];
}

const NOTHING: Description = { signatures: {}, tensors: [], metadata: {}, warnings: [] };

/**
 * Inspects one file by its header. An extension that we know claims the format; otherwise the content decides.
 * @throws ModelbenchError `format.mismatch` when the content is not what the extension claims, `file.access`,
 *   `budget.exceeded`
 */
export function inspectFile(path: string, options: DescribeOptions = {}): InspectDocument {
  const { size, format } = look(path);
  const { onnx, ...description } = describeFile(path, format, options);
  return {
    kind: "file",
    format,
    path,
    bytes: size,
    files: [{ path: basename(path), bytes: size, format }],
    signatures: description.signatures,
    tensors: description.tensors,
    metadata: description.metadata,
    ...(onnx && { onnx }),
    warnings: description.warnings,
  };
}

/**
 * Inspects an opened model by headers, with its `model.yaml`.
 * @throws ModelbenchError `model.broken`, `format.corrupt`, `store.access`
 */
export function inspectModel(model: StoredModel, options: DescribeOptions = {}): InspectDocument {
  const files = modelFilesIn(model.path).map(({ path, bytes }) => ({ path, bytes, format: formatInside(model, path) }));
  const { onnx, ...description } = describeModel(model, options);
  return {
    kind: "model",
    format: FORMATS[adapterFor(model.info.module)?.label ?? ""] ?? "unknown",
    path: model.path,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    model: yamlAsData(model.info.document),
    files,
    signatures: description.signatures,
    tensors: description.tensors,
    metadata: description.metadata,
    ...(onnx && { onnx }),
    warnings: [...model.warnings, ...description.warnings],
  };
}

/** A model's format by its adapter's label. */
const FORMATS: Readonly<Record<string, FileFormat>> = {
  onnx: "onnx",
  flax: "flax-msgpack",
  picklable: "pickle",
  sklearn: "pickle",
};

function describeModel(model: StoredModel, options: DescribeOptions): Description {
  const adapter = adapterFor(model.info.module);
  if (adapter) return adapter.describe(model, options);
  const message = `The module ${JSON.stringify(model.info.module)} is not known to this version; only its files are listed.`;
  return { ...NOTHING, warnings: [{ code: "model.module", message }] };
}

function describeFile(path: string, format: FileFormat, options: DescribeOptions): Description {
  if (format === "onnx") return claimed(path, format, () => describeOnnxFile(path, options));
  if (format === "npy") return claimed(path, format, () => describeNpyFile(path, options));
  if (format === "unknown") return NOTHING;
  const message = `${basename(path)}: the inside of this format is not read in this version.`;
  return { ...NOTHING, warnings: [{ code: "format.notRead", message, path }] };
}

/** Content that does not parse as what the file claims to be is a mismatch, whatever the parser says. */
function claimed(path: string, format: FileFormat, describe: () => Description): Description {
  try {
    return describe();
  } catch (cause) {
    if (!(cause instanceof ModelbenchError) || cause.code !== "format.corrupt") throw cause;
    const reader = openFileReader(path);
    const words = looksLike(reader, format);
    reader.close();
    const reason = cause.message.replace(`${path}: `, "");
    throw new ModelbenchError("format.mismatch", `${path}: is not a readable ${format} file but ${words}: ${reason}`, {
      path,
      offset: cause.offset,
      cause,
    });
  }
}

function look(path: string): { size: number; format: FileFormat } {
  const format = claimedFormat(path);
  if (format !== undefined) return { size: fileSize(path), format };
  const reader = openFileReader(path);
  try {
    return { size: reader.size, format: sniffFormat(reader) };
  } finally {
    reader.close();
  }
}

/** A file of a model that cannot be opened is listed all the same. */
function formatInside(model: StoredModel, path: string): FileFormat {
  try {
    return look(join(model.path, path)).format;
  } catch {
    return "unknown";
  }
}
