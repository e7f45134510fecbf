import type { ModelbenchError } from "../base/errors";
import type { Event } from "../base/events";
import type { Log } from "../base/log";
import type { Disposable } from "../base/scope";
import type { Tensor } from "../formats/tensor";
import type { InputIssue, LoadedObject, LoadResult, RunRequest, RunResult, SessionState } from "./protocol";
import type { FrameValue } from "./values";

/** What is known of a session's process and of its requests now. */
export interface SessionFacts {
  /** The runner's process id; `undefined` while there is no process. */
  readonly pid: number | undefined;
  /** The device in use; until the model is loaded the one that was asked for. */
  readonly device: string;
  /** Requests that got an answer, be it the model's own failure, since the session was opened. */
  readonly answered: number;
  /** Requests that are owed an answer, those under way included. */
  readonly waiting: number;
  /** Why the session failed; `undefined` unless it did. */
  readonly failure: ModelbenchError | undefined;
}

/** One loaded model in a process of its own. Used by the extension host and by the CLI alike. */
export interface RunnerSession extends Disposable {
  readonly label: string;
  readonly state: SessionState;
  /** A snapshot; it changes without an event while the state stays the same. */
  readonly facts: SessionFacts;
  readonly onDidChangeState: Event<SessionState>;
  /** Starts the process and loads the model; a second call answers with the first one's promise. */
  load(signal?: AbortSignal): Promise<LoadResult>;
  /** Starts what the model will be loaded in, Python with its framework, and loads nothing yet; other models do nothing. */
  warm(): Promise<void>;
  /** Checks inputs without running; needs no loaded model, only the signatures. */
  validate(method: string, inputs: RunRequest["inputs"]): Promise<readonly InputIssue[]>;
  /** Runs once. Unanswered requests are sent again when the runner had to be reloaded. Aborting answers within 100 ms. */
  run(request: RunRequest, signal?: AbortSignal): Promise<RunResult>;
  /** Reads rows `[start, start + count)` (first axis) of a kept output; of a table maybe fewer at once. */
  readResult(kept: string, start: number, count: number): Promise<Tensor | FrameValue>;
  /**
   * Loads what was saved with the model beside it, and lets it say what it is; [] for models that do not run in Python.
   * @throws ModelbenchError as `load`, and whatever the objects' own code raises
   */
  customObjects(signal?: AbortSignal): Promise<readonly LoadedObject[]>;
  /** Round trip to the runner's main thread, milliseconds: answers while a run is under way. */
  ping(): Promise<number>;
  /** Ends the process and everything it started; what is pending fails with `cancelled`. */
  stop(): Promise<void>;
}

/** Where `runner.cjs` lies and who hears from it. */
export interface RunnerOptions {
  /** Absolute path of the bundled runner entry. */
  readonly entry: string;
  readonly log: Log;
}
