import type { PositionalReader } from "../base/ports";
import type { DType, MethodSignature } from "../formats/tensor";
import type { ModelDraft, SourceFile, StoredModel } from "../store/model";
import type { ContentFacts } from "./content";

/** What kind of trust a model needs before it runs. */
export type RunNeeds = "nothing" | "data" | "code";

/** What runs a model: the bundled ONNX Runtime, or the user's own Python. */
export type Engine = "onnx" | "python";

/** What the Python worker has to know of a framework, and what the framework needs there. */
export interface PythonFacts {
  /** The worker's half of the adapter; `bentoml` loads through the user's own BentoML. */
  readonly worker: "picklable" | "sklearn" | "flax" | "bentoml";
  /** Distributions that have to be installed, each by all names that will do; the first is the one to install. */
  readonly needs: readonly (readonly [string, ...string[]])[];
  /** What a list of numbers becomes where nobody names a dtype. */
  readonly dtype: DType;
  /** Whether it runs on the CPU only. */
  readonly isCpuOnly: boolean;
}

/** What source files become: the framework's part of a draft, and where each file goes. */
export interface FrameworkDraft {
  readonly draft: Omit<ModelDraft, "name" | "version" | "labels" | "metadata">;
  readonly files: readonly SourceFile[];
}

/** Turns source files into a draft: fills module, options, signatures, framework fields; checks the files. */
export type DraftFiles = (files: readonly string[], open: (path: string) => PositionalReader) => FrameworkDraft;

/** Everything we know about one framework without running it: one folder, one line in registry.ts. */
export interface FrameworkAdapter {
  /** Public value of `module:` in model.yaml, for instance `bentoml.onnx`. */
  readonly module: string;
  /** Short name for badges, for instance `onnx`. */
  readonly label: string;
  /** What running needs; `nothing` = there is nothing to run. */
  readonly needs: RunNeeds;
  /** Whether this version can run such a model. */
  readonly runnable: boolean;
  /** What runs it; `undefined` = nothing does. */
  readonly engine: Engine | undefined;
  /** Set exactly where the engine is Python. */
  readonly python?: PythonFacts;
  /**
   * The methods that can be called.
   * @param content what the headers of `entryFile` say; left out when there is no such file or it is broken
   */
  signatures(model: StoredModel, content: ContentFacts | undefined): Readonly<Record<string, MethodSignature>>;
  /** The file the runner opens, absolute; its signatures count for the model. @throws ModelbenchError `model.broken` */
  entryFile?(model: StoredModel): string;
}
