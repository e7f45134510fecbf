import type { Warning } from "../base/errors";
import type { PositionalReader } from "../base/ports";
import type { DType, MethodSignature } from "../formats/tensor";
import type { ModelDraft, SourceFile, StoredModel } from "../store/model";

/** What kind of trust a model needs before it runs. */
export type RunNeeds = "nothing" | "data" | "code";

/** A tensor that a file stores, found by its header. Field meanings are the JSON contract's. */
export interface StoredTensor {
  readonly file: string;
  readonly name: string;
  readonly path: readonly (string | number)[];
  readonly kind: "ndarray";
  readonly dtype: DType | null;
  /** The format's own name, for instance `FLOAT`. */
  readonly nativeDtype: string;
  readonly shape: readonly number[];
  /** Absolute offset of the first data byte in `file`; `null` when the data is not one plain run of bytes. */
  readonly offset: number | null;
  readonly bytes: number;
  readonly sha256?: string;
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

/** What an adapter or a format reader knows after looking at headers only. */
export interface Description {
  readonly signatures: Readonly<Record<string, MethodSignature>>;
  readonly tensors: readonly StoredTensor[];
  /** Key-value pairs that the file itself carries (ONNX metadata_props), in file order. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly onnx?: OnnxFacts;
  readonly warnings: readonly Warning[];
}

/** What source files become: the framework's part of a draft, and where each file goes. */
export interface FrameworkDraft {
  readonly draft: Omit<ModelDraft, "name" | "version" | "labels" | "metadata">;
  readonly files: readonly SourceFile[];
}

/** What `describe` may do beyond reading headers. */
export interface DescribeOptions {
  /** Also read every tensor once and add its `sha256`. */
  readonly digest?: boolean | undefined;
}

/** Everything we know about one framework without running it: one folder, one line in registry.ts. */
export interface FrameworkAdapter {
  /** Public value of `module:` in model.yaml, for instance `bentoml.onnx`. */
  readonly module: string;
  /** Short name for badges, for instance `onnx`. */
  readonly label: string;
  /** What running needs; `nothing` = this version cannot run it, and `describe` still works. */
  readonly needs: RunNeeds;
  /** Whether this version can run such a model at all. */
  readonly runnable: boolean;
  /** Reads headers only, unless `options` ask for more. @throws ModelbenchError `format.corrupt` naming file and offset */
  describe(model: StoredModel, options?: DescribeOptions): Description;
  /** The file the runner opens, absolute. @throws ModelbenchError `model.broken` */
  entryFile?(model: StoredModel): string;
  /** Turns source files into a draft: fills module, options, signatures, framework fields; checks the files. */
  draft?(files: readonly string[], open: (path: string) => PositionalReader): FrameworkDraft;
}
