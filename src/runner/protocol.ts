import type { WireError } from "../base/errors";
import type { DType, MethodSignature, Tensor } from "../formats/tensor";
import type { OnnxSettings } from "../frameworks/onnx/sessionOptions";
import type { ValueStart } from "./valueStart";
import type { RunValue } from "./values";

/** What the runner is asked to load: one model a process. Plain data, so that it fits a frame header. */
export interface LoadRequest {
  /** Display name in messages: a tag or a path. */
  readonly label: string;
  /** Short adapter name from the fixed registry, never from the model: `onnx`. */
  readonly adapter: string;
  /** Absolute path of the file to open. */
  readonly file: string;
  /**
   * For ONNX: `cpu`, `webgpu`, `cuda`, `cuda:1`, `dml` or `coreml`, which fail where they are not there, or `auto`; with
   * `python` in the user's own runtime.
   */
  readonly device: string;
  readonly signatures: Readonly<Record<string, MethodSignature>>;
  readonly batching: {
    readonly enabled: boolean;
    readonly maxBatchSize: number;
    /** Deadline of a request in milliseconds; left out = none. */
    readonly maxLatencyMs?: number;
  };
  /** How an ONNX model is opened; left out = the defaults. Other adapters do not look at it. */
  readonly onnx?: OnnxSettings;
  /** What a model needs that runs in the user's Python; left out for the others. */
  readonly python?: PythonLoad;
}

/** How a model is run in the user's own Python. The caller has checked that this digest may run code. */
export interface PythonLoad {
  /** Absolute path of the interpreter. */
  readonly interpreter: string;
  /** Absolute path of the folder with the worker's `__main__.py`. */
  readonly worker: string;
  /** Absolute path of the model's folder. */
  readonly folder: string;
  /** Its files below the folder with their digests, as they were consented to: what differs is not loaded. */
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
  /** The digest that was consented to, see `codeDigest`: left out, what model.yaml says is not held to it. */
  readonly digest?: string;
  /** Options of model.yaml, for instance `partial_kwargs`, as the text of a JSON object with Python's NaN and infinities. */
  readonly options: string;
  /** Folders from which modules of the project may be imported, after everything else. Absolute. */
  readonly paths: readonly string[];
  /** Modules imported before the model is loaded. */
  readonly preload: readonly string[];
  /** flax: whether the module is bound to its state. */
  readonly init?: boolean;
  /** Whether it is to run apart from the network, the home folder and the store; where it cannot, it runs as it is. */
  readonly isolate?: boolean;
  /** Whether it was allowed to run apart only: where it cannot, it does not run. */
  readonly onlyIsolated?: boolean;
}

/** What a loaded model answers. */
export interface LoadResult {
  readonly loadMs: number;
  /** The device in use, for instance `cpu`. */
  readonly device: string;
  /** What was asked for and is not used, a device above all: one sentence each, with the reason. */
  readonly fallbacks?: readonly string[];
  /** Versions of what runs it by package, Python's own first; left out for the bundled runtime. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Whether it runs apart, see `PythonLoad.isolate`; left out where that was not asked for. */
  readonly isIsolated?: boolean;
  /** Per method: outputs the runtime cannot fetch (sequence, map), with the reason and the cure. */
  readonly unfetchable: Readonly<Record<string, readonly { readonly name: string; readonly reason: string }[]>>;
}

/** A custom object of a loaded model, in its own words. */
export interface LoadedObject {
  readonly name: string;
  /** Its class, with its module. */
  readonly type: string;
  /** What Python's `repr` says of it, cut where it is long. */
  readonly repr: string;
}

/** What the JSON of an input becomes where nothing is declared. */
export interface InputForm {
  /** Left out = lists of numbers become arrays, everything else stays what it is. */
  readonly as?: "ndarray" | "list" | "dataframe";
  /** What numbers in arrays and columns become; left out = `numbers`, and in columns int64 where all are integers. */
  readonly dtype?: DType;
  /** The framework's own choice. */
  readonly numbers: DType;
}

/** One input of one request, by value or by a path that the runner reads itself. */
export type InputValue =
  /** A tensor that is already encoded; its bytes travel as a body. */
  | { readonly kind: "tensor"; readonly tensor: Tensor }
  /** A value of a Python method that is no array. */
  | { readonly kind: "value"; readonly value: Exclude<RunValue, Tensor> }
  /** Nested JSON (numbers, booleans, strings, `"NaN"`, `"Infinity"`, integers beyond 2^53 as bigint) to be checked against the signature. */
  | { readonly kind: "json"; readonly value: unknown }
  /** JSON text, parsed with exact integers by the runner. */
  | { readonly kind: "text"; readonly text: string; readonly form?: InputForm }
  /** A `.json`, `.npy` or `.pb` file. */
  | { readonly kind: "file"; readonly path: string; readonly form?: InputForm }
  /** Values made by the runner: shown seed, dims for the dynamic axes. */
  | {
      readonly kind: "generate";
      readonly pattern: "zeros" | "ones" | "range" | "uniform" | "normal";
      readonly seed: number;
      readonly dims: readonly number[];
      readonly form?: InputForm;
    };

/** One inference. */
export interface RunRequest {
  readonly method: string;
  readonly inputs: Readonly<Record<string, InputValue>>;
  /** `false` sends it alone, past the batcher. */
  readonly batch: boolean;
  /**
   * Outputs above this many bytes stay in the runner and are read by slices, and of what is no array only the beginning
   * is sent, see `RunOutput.start`; `undefined` = send everything.
   */
  readonly keepAboveBytes?: number | undefined;
}

/** One output of one inference. */
export interface RunOutput {
  readonly name: string;
  readonly dtype: Tensor["dtype"];
  readonly shape: readonly number[];
  /** The values; absent when the result was kept in the runner. */
  readonly tensor?: Tensor;
  /** Handle for `readResult` when kept. */
  readonly kept?: string;
  /** What is no array; then `dtype` is `string` and `shape` is `[]`. */
  readonly value?: Exclude<RunValue, Tensor>;
  /** In place of `value` its beginning, where `keepAboveBytes` is set; rows behind it are read by `kept`. */
  readonly start?: ValueStart;
}

/** The answer to one inference; milliseconds throughout. */
export interface RunResult {
  readonly outputs: readonly RunOutput[];
  readonly timing: {
    readonly loadMs: number;
    readonly queueMs: number;
    readonly batchMs: number;
    readonly runMs: number;
  };
  /** Rows (along the batch dimension) in the batch this request rode in; in the largest one when it was cut. */
  readonly batchSize: number;
  /** Number of the batch since the model was loaded, and how many requests shared it. */
  readonly batchId: number;
  readonly batchRequests: number;
  /** Batches the request was cut into because it has more rows than one takes; 1 = it rode whole. */
  readonly batches: number;
  readonly device: string;
  readonly unfetchable: readonly { readonly name: string; readonly reason: string }[];
}

/** A finding about one input, before any run. */
export interface InputIssue {
  readonly input: string;
  readonly error: WireError;
}

/** What a loaded model is doing. */
export type SessionState = "starting" | "ready" | "busy" | "stopped" | "failed";
