import { basename } from "node:path";
import { ModelbenchError, type Warning } from "../base/errors";
import { fileSize } from "../formats/fileReader";
import type { PickleFacts } from "../formats/pickle/facts";
import type { FileFormat } from "../formats/sniff";
import type { MethodSignature } from "../formats/tensor";
import { digestOf, type TensorData } from "../formats/tensorData";
import type { StoredModel } from "../store/model";
import type { ShownValue } from "../tensors/shownValues";
import { measure, type TensorStatistics } from "../tensors/statistics";
import type { ContentFacts, FileContent, OnnxFacts, StoredTensor } from "./content";
import { openContent } from "./contentFormats";
import { leafText } from "./leafText";
import { type InspectedFile, openModelContent } from "./modelContent";
import { adapterFor } from "./registry";
import { yamlAsData } from "./yamlAsData";

/** What `inspect` does beyond reading headers. */
export interface InspectOptions {
  /** Also read every tensor once and add its `sha256`. */
  readonly digest?: boolean | undefined;
  /** Also read every tensor of numbers and add its `stats`. */
  readonly stats?: boolean | undefined;
  /** List the tensors of this name only. */
  readonly tensor?: string | undefined;
  /** Also say in `leaf` what leaves that are no arrays hold. */
  readonly leaves?: boolean | undefined;
}

/** Statistics as strict JSON has them: integers of 64 bits are numbers in full. */
export interface InspectedStatistics extends Omit<TensorStatistics, "count" | "min" | "max"> {
  readonly min: number | bigint | boolean | null;
  readonly max: number | bigint | boolean | null;
}

/** A tensor with what was asked for beyond its header. */
export interface InspectedTensor extends Omit<StoredTensor, "shape" | "exactShape"> {
  readonly shape: readonly (number | bigint)[];
  readonly sha256?: string;
  readonly stats?: InspectedStatistics;
  /** Of a leaf that is no array and of text: its value in words, long ones by their digest. */
  readonly leaf?: string;
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
  readonly tensors: readonly InspectedTensor[];
  /** What the file itself carries, for instance ONNX metadata_props. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly onnx?: OnnxFacts;
  readonly pickle?: PickleFacts;
  readonly warnings: readonly Warning[];
}

/**
 * Inspects one file by its header. An extension that we know claims the format; otherwise the content decides.
 * @throws ModelbenchError `format.mismatch` when the content is not what the extension claims, `file.access`,
 *   `budget.exceeded`
 */
export function inspectFile(path: string, options: InspectOptions = {}): InspectDocument {
  const { format, content } = openContent(path);
  try {
    const { files, bytes } = filesOf(path, format, content);
    return { kind: "file", format, path, bytes, files, ...insideOf(content, options) };
  } finally {
    content.close();
  }
}

/** The file itself and the shards that it lists, and what they have together. @throws ModelbenchError `file.access` */
export function filesOf(
  path: string,
  format: FileFormat,
  { pickle, shards = [] }: ContentFacts,
): Pick<InspectDocument, "files" | "bytes"> {
  const own = { path: basename(path), bytes: fileSize(path), format, ...(pickle && { pickle }) };
  const files = [own, ...shards.map((shard) => ({ ...shard, format }))];
  return { files, bytes: files.reduce((sum, file) => sum + file.bytes, 0) };
}

/**
 * Inspects an opened model by headers, with its `model.yaml`.
 * @throws ModelbenchError `model.broken`, `format.corrupt`, `format.mismatch`, `store.access`
 */
export function inspectModel(model: StoredModel, options: InspectOptions = {}): InspectDocument {
  const content = openModelContent(model);
  try {
    const { warnings, ...found } = insideOf(content, options);
    return {
      kind: "model",
      format: modelFormat(model),
      path: model.path,
      bytes: content.files.reduce((sum, file) => sum + file.bytes, 0),
      model: yamlAsData(model.info.document),
      files: content.files,
      ...found,
      warnings: [...model.warnings, ...warnings],
    };
  } finally {
    content.close();
  }
}

/** The format of the file that a model's framework runs. */
export function modelFormat({ info }: StoredModel): FileFormat {
  return FORMATS[adapterFor(info.module)?.label ?? ""] ?? "unknown";
}

/** A model's format by its adapter's label. */
const FORMATS: Readonly<Record<string, FileFormat>> = {
  onnx: "onnx",
  flax: "flax-msgpack",
  picklable: "pickle",
  sklearn: "pickle",
};

/** The part of a document that a file's own content gives. */
export type Inside = Omit<InspectDocument, "kind" | "format" | "path" | "bytes" | "model" | "files">;

/** What a file's content says in an inspect document. @throws ModelbenchError as `FileContent.data` */
export function insideOf(content: FileContent, options: InspectOptions): Inside {
  return {
    signatures: plainSignatures(content.signatures ?? {}),
    tensors: inspectedTensors(content, options),
    metadata: content.metadata,
    ...(content.onnx && { onnx: content.onnx }),
    ...(content.pickle && { pickle: content.pickle }),
    warnings: content.warnings,
  };
}

/** Methods as a document has them: that nobody has declared the inputs of one is ours to know. */
export function plainSignatures(signatures: InspectDocument["signatures"]): InspectDocument["signatures"] {
  const methods = Object.entries(signatures).map(
    ([method, { isOpen: _, ...signature }]) => [method, signature] as const,
  );
  return Object.fromEntries(methods);
}

function inspectedTensors(content: FileContent, options: InspectOptions): InspectedTensor[] {
  const found: InspectedTensor[] = [];
  for (const [index, tensor] of content.tensors.entries()) {
    const isWanted = options.tensor === undefined || options.tensor === tensor.name;
    if (isWanted) found.push(inspected(content, index, tensor, options));
  }
  return found;
}

/** A copy of a listed tensor is made only where it says something else: it takes as long as reading its header. */
function inspected(
  content: FileContent,
  index: number,
  tensor: StoredTensor,
  options: InspectOptions,
): InspectedTensor {
  const shaped = tensor.exactShape === undefined ? tensor : shapedExactly(tensor);
  return options.digest || options.stats ? { ...shaped, ...measured(content, index, options) } : shaped;
}

function shapedExactly({ exactShape, ...tensor }: StoredTensor): InspectedTensor {
  return exactShape === undefined ? tensor : { ...tensor, shape: exactShape };
}

function measured(
  content: FileContent,
  index: number,
  { digest, stats, leaves }: InspectOptions,
): Pick<InspectedTensor, "sha256" | "stats" | "leaf"> {
  if (!digest && !stats) return {};
  const data = readable(content, index);
  if (data === undefined) return leaves ? leafOf(content, index) : {};
  if (data.dtype === "string") return leaves ? { leaf: `sha256 ${digestOf(data)}` } : {};
  return { ...(digest && { sha256: digestOf(data) }), ...(stats && { stats: statisticsOf(data) }) };
}

function leafOf(content: FileContent, index: number): Pick<InspectedTensor, "leaf"> {
  const value = content.leaf?.(index);
  return value === undefined ? {} : { leaf: leafText(value) };
}

function statisticsOf(data: TensorData): InspectedStatistics {
  const work = measure(data);
  for (let step = work.next(); ; step = work.next()) {
    if (!step.done) continue;
    const { count, min, max, ...rest } = step.value;
    return { min: exact(min), max: exact(max), ...rest };
  }
}

/** Statistics have 64-bit integers, and nothing else, as text. */
function exact(value: ShownValue | null): number | bigint | boolean | null {
  return typeof value === "string" ? BigInt(value) : value;
}

function readable(content: FileContent, index: number): TensorData | undefined {
  try {
    return content.data(index);
  } catch (error) {
    if (error instanceof ModelbenchError && error.code === "tensor.unreadable") return undefined;
    throw error;
  }
}
