import type { Warning } from "../base/errors";
import type { FileReader } from "../formats/fileReader";
import type { OnnxGraphs } from "../formats/onnx/graphTable";
import type { PickleFacts } from "../formats/pickle/facts";
import type { DType, MethodSignature } from "../formats/tensor";
import type { TensorData } from "../formats/tensorData";

/** What a leaf of a stored tree is; only `ndarray` and `npscalar` have a dtype. */
export type LeafKind =
  | "ndarray"
  | "npscalar"
  | "int"
  | "float"
  | "str"
  | "bytes"
  | "bool"
  | "null"
  | "complex"
  | "empty_map"
  | "empty_list"
  | "ext";

/** A tensor or another leaf that a file stores, found by its header. Field meanings are the JSON contract's. */
export interface StoredTensor {
  /** Relative to the model's folder, with `/`; for a bare file its name. */
  readonly file: string;
  /** The stored name; of a nested leaf its path, joined by `/` with JSON-pointer escapes. */
  readonly name: string;
  readonly path: readonly (string | number)[];
  readonly kind: LeafKind;
  readonly dtype: DType | null;
  /** The format's own name, for instance `FLOAT`. */
  readonly nativeDtype: string;
  readonly shape: readonly number[];
  /** Only there when a dimension of an empty tensor is beyond 2^53: `shape` in full. */
  readonly exactShape?: readonly bigint[];
  /** Absolute offset of the first data byte in `file`; `null` when the data is not one plain run of bytes. */
  readonly offset: number | null;
  readonly bytes: number;
}

/** The ONNX block of `inspect`. */
export interface OnnxFacts {
  readonly irVersion: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string;
  /** Node counts by operator, subgraphs and functions included, as `Op` or `domain.Op`. */
  readonly ops: Readonly<Record<string, number>>;
  readonly externalData: readonly {
    readonly tensor: string;
    readonly location: string;
    readonly offset: number;
    readonly length: number | null;
  }[];
}

/** One of several files that hold the tensors of one model. */
export interface ShardFile {
  /** As `StoredTensor.file` has it. */
  readonly path: string;
  readonly bytes: number;
}

/** What headers say of a file, whatever its format. */
export interface ContentFacts {
  /** Methods that the file itself declares: those of an ONNX graph. */
  readonly signatures?: Readonly<Record<string, MethodSignature>>;
  readonly tensors: readonly StoredTensor[];
  /** Key-value pairs that the file itself carries, in file order. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly onnx?: OnnxFacts;
  readonly pickle?: PickleFacts;
  /** The files beside this one that hold its tensors: this one is their index. */
  readonly shards?: readonly ShardFile[];
  readonly warnings: readonly Warning[];
}

/** What a leaf that is no array says. Python's int is a bigint and its float a number; `bytes` stay bytes. */
export type LeafValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | { readonly re: number; readonly im: number };

/** Metadata of which several shards have different values: that of the first one is read. */
export interface MetadataConflict {
  readonly key: string;
  /** The shard whose value is read. */
  readonly kept: string;
  /** Those that have another one. */
  readonly others: readonly string[];
}

/** A file that was read by its headers and stays open, so that values can be read. */
export interface FileContent extends ContentFacts {
  /** Left out where there are none. */
  readonly metadataConflicts?: readonly MetadataConflict[];
  /**
   * The values of `tensors[index]`.
   * @throws ModelbenchError `tensor.unreadable` in words when they cannot be read, `format.corrupt`, `file.access`
   */
  data(index: number): TensorData;
  /**
   * The value of `tensors[index]` where that is no array; `undefined` for an array, for what is empty and for an
   * extension. Formats without such leaves leave it out.
   * @throws ModelbenchError `format.corrupt`, `file.access`, `budget.exceeded`
   */
  leaf?(index: number): LeafValue | undefined;
  /**
   * Which segments of the path of `tensors[index]` are places in lists, by their number; the other integers are keys of
   * maps. Formats without lists leave it out.
   */
  listLevels?(index: number): readonly number[];
  /**
   * The graphs of an ONNX file, which are looked through when this is called first.
   * @throws ModelbenchError `format.corrupt`, `file.access`, `budget.exceeded`
   */
  graphs?(): OnnxGraphs;
  close(): void;
}

/**
 * Opens a file of one format.
 * @param path of the file
 * @param name what `tensors[].file` calls it
 * @param open opens `path`; left out, a file of the disk. A member of an archive is not one
 * @throws ModelbenchError `format.corrupt` naming file and offset, `format.mismatch`, `file.access`, `budget.exceeded`
 */
export type ContentReader = (path: string, name: string, open?: (path: string) => FileReader) => FileContent;
