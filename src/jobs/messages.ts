import type { WireError } from "../base/errors";
import type { JobProgress } from "../base/ports";

/** What the client sends to the jobs process. */
export type ToJobs =
  | { readonly kind: "run"; readonly id: number; readonly name: string; readonly input: unknown }
  | { readonly kind: "cancel"; readonly id: number };

/** What the jobs process answers; every `run` gets exactly one `result` or `error`. */
export type FromJobs =
  | { readonly kind: "result"; readonly id: number; readonly value: unknown }
  | { readonly kind: "error"; readonly id: number; readonly error: WireError }
  | { readonly kind: "progress"; readonly id: number; readonly progress: JobProgress }
  /** Something that the job found on its way. */
  | { readonly kind: "part"; readonly id: number; readonly part: unknown }
  /** The cancel has been heard; the job is cleaning up. */
  | { readonly kind: "cancelling"; readonly id: number };
