import type { ModelRef } from "./services";
import type { LoadedState } from "./sessions";

/** A model that has a process of its own now, or whose process failed. */
export interface RunningModel {
  readonly ref: ModelRef;
  readonly state: LoadedState;
  /** Whether somebody waits for it: to be loaded, or for a run. */
  readonly busy: boolean;
  /** Id of its process; `undefined` where it has none at the moment. */
  readonly pid: number | undefined;
  readonly device: string;
  /** Requests answered since it was loaded. */
  readonly answered: number;
  /** Requests without an answer yet, those under way included. */
  readonly waiting: number;
  /** When it is unloaded unless it is used, milliseconds since the epoch; `undefined` = in use, or never. */
  readonly unloadsAtMs: number | undefined;
  /** Why it failed. */
  readonly failure: { readonly message: string; readonly remedy: string | undefined } | undefined;
}

/** The view of the loaded models, as far as commands move it. */
export interface LoadedView {
  /** The models whose rows are selected. */
  readonly selection: readonly ModelRef[];
  /** Brings the view into sight with the row of a model selected; quietly nothing when the model is not loaded. */
  reveal(ref: ModelRef): Promise<void>;
}
