import type { TestView } from "../../../webview/protocol/views";
import { ModelbenchError, throwIfAborted } from "../../base/errors";
import { Emitter } from "../../base/events";
import type { Disposable } from "../../base/scope";
import type { RunnerSession } from "../../runner/client";
import type { LoadedObject, LoadRequest, LoadResult } from "../../runner/protocol";
import type { OwnPythonTest } from "../python/ownPython";
import type { PythonTest } from "../python/pythonTest";
import type { Sessions } from "../sessions";
import type { EngineChoice, LoadedEngine } from "./engineChoice";

/** What the user has chosen nothing about. */
const DEFAULT_ENGINE: EngineChoice = { device: "", settings: {} };

/** What is known of how a model is loaded. */
export interface Loadable {
  /** What the runner is asked to load, made anew each time. @throws ModelbenchError what keeps it from being loaded */
  loadRequest(choice: EngineChoice, signal: AbortSignal | undefined): Promise<LoadRequest>;
  /** @throws ModelbenchError `model.changed` when a file is not what was saved, `cancelled` */
  verify(signal: AbortSignal): Promise<void>;
  /** How it may be loaded, and how it is. */
  engineView(choice: EngineChoice, loaded: LoadedEngine | undefined): TestView["engine"];
  /** What decides whether it runs in Python; left out for models that need none. */
  readonly python?: PythonTest;
  /** The user's Python, for models that run in it only where that is chosen. */
  readonly own?: OwnPythonTest;
  /** Whether it is to be opened there. */
  isInOwnPython(choice: EngineChoice): boolean;
}

/** How the model of a test is loaded: from its request, made anew before each run, to the session that has it. */
export class TestEngine implements Disposable {
  readonly #key: string;
  readonly #model: Loadable;
  readonly #sessions: Sessions;
  readonly #changed = new Emitter<void>();
  readonly #subscriptions: readonly (Disposable | undefined)[];
  /** What the session was opened with. */
  #opened: LoadRequest | undefined;
  #loaded: LoadResult | undefined;
  #choice: EngineChoice;
  #isOver = false;

  /** Fires when what `view` answers changed without a run. */
  readonly onDidChange = this.#changed.event;

  constructor(key: string, model: Loadable, sessions: Sessions, choice: EngineChoice = DEFAULT_ENGINE) {
    this.#key = key;
    this.#model = model;
    this.#sessions = sessions;
    this.#choice = choice;
    const tell = () => this.#changed.fire();
    this.#subscriptions = [model.python?.onDidChange(tell), model.own?.onDidChange(tell)];
  }

  /** What the user chose. */
  get choice(): EngineChoice {
    return this.#choice;
  }

  /** The Python that would run it as chosen; `undefined` for what needs none. */
  get python(): PythonTest | OwnPythonTest | undefined {
    return this.#model.python ?? this.#own;
  }

  /** The part of a test that says what would run it, or does. */
  view(): Pick<TestView, "python" | "consent" | "engine"> {
    const { python } = this.#model;
    const interpreter = this.#opened?.python?.interpreter;
    const loaded = this.#loaded && this.isLoaded ? { result: this.#loaded, interpreter } : undefined;
    const engine = this.#model.engineView(this.#choice, loaded);
    return { python: this.python?.python ?? null, consent: python?.consent ?? null, engine };
  }

  /** Whether the model is loaded: a process that would only be started now has kept no result. */
  get isLoaded(): boolean {
    const state = this.#opened && this.#sessions.stateOf(this.#key);
    return state === "ready" || state === "busy";
  }

  /** What the runner is to load now. @throws ModelbenchError what keeps it from being loaded */
  request(signal: AbortSignal): Promise<LoadRequest> {
    return this.#model.loadRequest(this.#choice, signal);
  }

  /**
   * Opens the session of a request; one that was opened for another is ended. Whether the model is loaded already: one
   * that is not is held against what was saved first.
   */
  async prepare(request: LoadRequest, signal: AbortSignal): Promise<boolean> {
    // Where none was opened here, one may be left of a test of this model that is over: of other files, or methods.
    if (this.#opened === undefined || !isSame(this.#opened, request)) await this.unload();
    throwIfAborted(signal);
    this.#opened = request;
    const isLoaded = this.isLoaded;
    if (!isLoaded) await this.#model.verify(signal);
    throwIfAborted(signal);
    return isLoaded;
  }

  /** Loads the model in a session that was prepared. */
  async load(session: RunnerSession, signal: AbortSignal): Promise<void> {
    this.#loaded = await session.load(signal);
  }

  /** Runs work with the session. @throws ModelbenchError `worker.died` before anything was prepared */
  use<T>(work: (session: RunnerSession) => Promise<T>): Promise<T> {
    return this.#sessions.use(this.#key, () => this.#asked(), work);
  }

  /** What was saved beside a model that was prepared. @throws ModelbenchError as `explain` words it */
  async customObjects(signal: AbortSignal): Promise<readonly LoadedObject[]> {
    try {
      return await this.use((session) => session.customObjects(signal));
    } catch (error) {
      throw await this.explain(error);
    }
  }

  /** What to say of a load that failed. */
  async explain(error: unknown): Promise<unknown> {
    return this.#model.python ? this.#model.python.explain(error) : error;
  }

  /** Starts what will run the model and imports its framework, where its code is allowed; nothing of it is loaded. */
  async warm(): Promise<void> {
    const { python } = this.#model;
    // The page asks when it is shown: what was known of the model's files may be old.
    await this.python?.look();
    if (!python?.isReady || this.#sessions.stateOf(this.#key) !== undefined) return;
    const [choice, opened] = [this.#choice, this.#opened];
    const request = await this.#model.loadRequest(choice, undefined);
    // Meanwhile the test may be over, a run have begun, or another engine been chosen.
    if (this.#isOver || this.#choice !== choice || this.#opened !== opened) return;
    if (this.#sessions.stateOf(this.#key) !== undefined || !this.#sessions.hasRoom) return;
    this.#opened = request;
    await this.#sessions.warm(this.#key, () => request);
  }

  /** Chooses how the model is loaded from now on; a loaded one is loaded anew by the next run. */
  async choose(choice: EngineChoice): Promise<void> {
    this.#choice = choice;
    const ending = this.unload();
    // Ending a process takes a while, and the next choice is made beside what is shown.
    this.#changed.fire();
    await ending;
    this.#changed.fire();
    // What is missing is told before anybody runs it; what keeps it from being found out the run says, too.
    await this.#own?.look().catch(() => undefined);
  }

  /** Ends the model's process. */
  async unload(): Promise<void> {
    this.#opened = undefined;
    this.#loaded = undefined;
    await this.#sessions.unload(this.#key);
  }

  dispose(): void {
    this.#isOver = true;
    for (const one of this.#subscriptions) void one?.dispose();
    void this.#model.python?.dispose();
    void this.#model.own?.dispose();
    this.#changed.dispose();
  }

  get #own(): OwnPythonTest | undefined {
    return this.#model.isInOwnPython(this.#choice) ? this.#model.own : undefined;
  }

  #asked(): LoadRequest {
    if (this.#opened) return this.#opened;
    throw new ModelbenchError("worker.died", "The model is not loaded.", { remedy: "Run again." });
  }
}

/** Whether a model that was loaded for one request serves the other: the limit of a batch counts from the next load. */
function isSame(a: LoadRequest, b: LoadRequest): boolean {
  const what = ({ batching: _, label: __, ...rest }: LoadRequest): string => JSON.stringify(rest);
  return what(a) === what(b);
}
