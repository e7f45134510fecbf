import type { JobKey } from "../base/ports";
import type { MethodSignature } from "../formats/tensor";
import type { Origin } from "../store/origin";
import type { ModelVerdict } from "../store/pickleVerdicts";
import type { DigestedFile } from "./codeDigest";

/** What decides whether a model may run code, and what its load is given then; plain, cloneable data. */
export interface CodeFacts {
  /** `module:` of model.yaml as it is now. */
  readonly module: string;
  /** Absolute path of the version folder. */
  readonly path: string;
  /** See `codeDigest`. */
  readonly digest: string;
  /** Every file but `model.yaml`. */
  readonly files: readonly DigestedFile[];
  /** Options of model.yaml as `PythonLoad` takes them. */
  readonly options: string;
  readonly signatures: Readonly<Record<string, MethodSignature>>;
  readonly origin: Origin;
  /** The worst of what is in its pickles; `null` when there is none. */
  readonly verdict: ModelVerdict | null;
  /** `module.name` of what the pickles import, each once, the worst first, the first ones. */
  readonly imports: readonly string[];
  /** How many imports are left out of that list. */
  readonly moreImports: number;
}

/** What is known of the code of one model of the store at `home`; nothing of it is imported or run. */
export const codeFactsJob: JobKey<{ readonly home: string; readonly tag: string }, CodeFacts> = { name: "codeFacts" };
