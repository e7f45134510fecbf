import { randomUUID } from "node:crypto";
import type {
  Draft,
  DraftState,
  Drafts,
  ErrorView,
  HistoryItem,
  Issue,
  OutputView,
  Phase,
  Reply,
  TestView,
} from "../../../webview/protocol/views";
import { fromWireError, ModelbenchError, throwIfAborted, toWireError } from "../../base/errors";
import { Emitter } from "../../base/events";
import type { RunnerSession } from "../../runner/client";
import type { InputValue, LoadRequest, RunResult } from "../../runner/protocol";
import type { Localize, RunRefusal } from "../services";
import type { Sessions } from "../sessions";
import { missingFiles, toInputs } from "./draftInputs";
import { failureView, refusalView } from "./failureView";
import { summarize } from "./runSummary";
import { rowsOf } from "./tensorView";
import { type Drafted, TestDrafts } from "./testDrafts";
import { type Memory, recall, remember } from "./testMemory";
import { type Answer, sendCopies } from "./testRun";

/** Runs that the history keeps of one model. */
const MAX_HISTORY = 20;

/** What is known about a model before it runs. */
export interface Testable extends Drafted {
  readonly classes: readonly string[];
  /** What the runner is asked to load. @throws ModelbenchError when the model's file is missing */
  loadRequest(): LoadRequest;
  /** @throws ModelbenchError `model.changed` when a file is not what was saved, `cancelled` */
  verify(signal: AbortSignal): Promise<void>;
}

/** How a model is to be loaded. */
export interface EngineChoice {
  readonly device: string;
  /** Load settings by their words; left out or empty = the default. */
  readonly settings: Readonly<Record<string, string>>;
}

/** What a test needs from its surroundings. */
export interface TestPort {
  readonly sessions: Sessions;
  readonly memory: Memory;
  refusal(): RunRefusal | undefined;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly t: Localize;
}

/**
 * The test of one model: drafts, the run under way, its replies and the history. There is one for each model
 * and every page of the model shows it, so a run goes on while its page is hidden.
 */
export class ModelTest {
  readonly #key: string;
  readonly #model: Testable;
  readonly #port: TestPort;
  readonly #drafts: TestDrafts;
  readonly #changed = new Emitter<void>();
  readonly #draftsChanged = new Emitter<{ state: DraftState; by: unknown }>();
  #history: { item: HistoryItem; drafts: Drafts }[];
  #phase: Phase = "idle";
  #error: ErrorView | null = null;
  #replies: (Reply | null)[];
  #repliesMethod: string;
  #results = new Map<number, RunResult>();
  #run: AbortController | undefined;

  /** Fires when anything but the drafts changed. */
  readonly onDidChange = this.#changed.event;
  /** Fires when a page changed the drafts; `by` is what it handed over. */
  readonly onDidChangeDrafts = this.#draftsChanged.event;

  constructor(key: string, model: Testable, port: TestPort) {
    const kept = recall(port.memory, key);
    this.#key = key;
    this.#model = model;
    this.#port = port;
    this.#drafts = new TestDrafts(model, kept);
    this.#history = kept?.history ?? [];
    this.#replies = kept?.replies.filter((reply) => reply !== null) ?? [];
    this.#repliesMethod = kept?.repliesMethod ?? "";
    if (this.#replies.length > 0) this.#phase = "done";
  }

  /** The state as pages show it. */
  view(): TestView {
    const refusal = this.#port.refusal();
    return {
      tag: this.#model.tag,
      phase: this.#phase,
      error: this.#error,
      refusal: refusal ? refusalView(refusal, this.#model.tag) : null,
      python: null,
      consent: null,
      engine: { device: "cpu", devices: [], settings: [], fallbacks: [], loaded: [] },
      methods: [...this.#model.methods],
      classes: [...this.#model.classes],
      copies: this.#replies.length,
      replies: [...this.#replies],
      repliesMethod: this.#repliesMethod,
      history: this.#history.map(({ item }) => item),
    };
  }

  /** The chosen method with its drafts. */
  draftState(): DraftState {
    return this.#drafts.state();
  }

  /** Keeps what a page typed. @throws ModelbenchError `method.notFound` */
  setDrafts({ method, drafts }: DraftState, by: unknown): DraftState {
    return this.#edit(by, () => this.#drafts.put(method, drafts));
  }

  /** Chooses a method. @throws ModelbenchError `method.notFound` */
  choose(method: string, by: unknown): DraftState {
    return this.#edit(by, () => this.#drafts.choose(method));
  }

  /** Goes back to the example of a method. @throws ModelbenchError `method.notFound` */
  useExample(method: string, by: unknown): DraftState {
    return this.#edit(by, () => this.#drafts.put(method, undefined));
  }

  /** Brings the inputs of a past run back. @throws ModelbenchError `input.notFound` when it is forgotten */
  reuse(id: string, by: unknown): DraftState {
    const past = this.#history.find(({ item }) => item.id === id);
    if (!past) throw new ModelbenchError("input.notFound", this.#port.t("This run is no longer in the history."));
    return this.#edit(by, () => this.#drafts.put(past.item.method, past.drafts));
  }

  /** Forgets the past runs; the shown result stays. */
  clearHistory(): void {
    this.#history = [];
    this.#changed.fire();
    this.#keep();
  }

  /** Asks the user to allow the model's code. */
  async askToAllow(): Promise<void> {}

  /** Takes back what was allowed, and ends the model's process. */
  async revoke(): Promise<void> {}

  /** Lets the user choose another Python interpreter. */
  async chooseInterpreter(): Promise<void> {}

  /** Chooses how the model is loaded; a loaded one is loaded anew by the next run. */
  async chooseEngine(_choice: EngineChoice): Promise<void> {}

  /** Remembers a file that the user picked and answers with its handle. */
  addFile(path: string): Promise<NonNullable<Draft["file"]>> {
    return this.#drafts.addFile(path);
  }

  /** Checks inputs without running; a file that was not chosen yet is no finding until the run. */
  async validate(state: DraftState): Promise<Issue[]> {
    const method = this.#drafts.method(state.method);
    if (this.#port.refusal()) return [];
    const pathOf = (id: string) => this.#drafts.pathOf(id);
    const missing = missingFiles(method, state.drafts, pathOf, this.#port.t).map(({ input }) => input);
    const given = { ...method, inputs: method.inputs.filter(({ name }) => !missing.includes(name)) };
    const inputs = toInputs(given, state.drafts, pathOf);
    const session = this.#port.sessions.session(this.#key, () => this.#model.loadRequest());
    const issues = await session.validate(method.name, inputs);
    return issues
      .filter(({ input }) => Object.hasOwn(inputs, input))
      .map(({ input, error }) => ({ input, error: failureView(fromWireError(error)) }));
  }

  /**
   * Starts `copies` concurrent requests unless something is wrong with the inputs; what becomes of them shows in
   * the state. A run under way is not disturbed.
   * @throws ModelbenchError `trust.required`, `run.unsupported`, `method.notFound`, `input.notFound`
   */
  async start(state: DraftState, copies: number): Promise<Issue[]> {
    const refusal = this.#port.refusal();
    if (refusal) throw new ModelbenchError(refusal.code, refusal.reason, { remedy: refusal.remedy });
    if (this.#run) return [];
    const run = new AbortController();
    this.#run = run;
    try {
      const method = this.#drafts.method(state.method);
      const missing = missingFiles(method, state.drafts, (id) => this.#drafts.pathOf(id), this.#port.t);
      const issues = [...missing, ...(await this.validate(state))];
      const inputs = missing.length > 0 ? {} : toInputs(method, state.drafts, (id) => this.#drafts.pathOf(id));
      if (issues.length > 0 || run.signal.aborted) this.#end(run);
      else void this.#execute(run, state, inputs, copies);
      return issues;
    } catch (error) {
      this.#end(run);
      throw error;
    }
  }

  /** Stops what the user waits for. */
  stop(): void {
    this.#run?.abort();
  }

  /** Ends the model's process and loads it anew; what keeps it from loading shows in the state. */
  async restart(): Promise<void> {
    await this.load({ anew: true }).catch(() => undefined);
  }

  /**
   * Loads the model unless it is loaded or a run is under way. With `anew` whatever is under way is stopped, and the
   * process ends first. What keeps it from loading shows in the state, too.
   * @throws ModelbenchError `trust.required`, `run.unsupported`, `cancelled`, what the runner says
   */
  async load({ anew, signal }: { readonly anew: boolean; readonly signal?: AbortSignal | undefined }): Promise<void> {
    throwIfAborted(signal);
    const refusal = this.#port.refusal();
    if (refusal) throw refusalError(refusal, this.#model.tag);
    if (anew) {
      this.stop();
      await this.#port.sessions.unload(this.#key);
      this.#results.clear();
    } else if (this.#run) return;
    const run = new AbortController();
    const stop = () => run.abort();
    signal?.addEventListener("abort", stop, { once: true });
    this.#run = run;
    const isDone = !anew && this.#phase === "done";
    this.#show("loading");
    try {
      await this.#isWarm(run);
      await this.#use((session) => session.load(run.signal));
      if (this.#run === run) this.#show(isDone ? "done" : "idle");
    } catch (error) {
      if (this.#run === run) this.#fail(error);
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
      this.#end(run);
    }
  }

  /**
   * Rows `[start, start + count)` of an output of the last run.
   * @throws ModelbenchError `worker.died` when the runner that kept them is gone
   */
  async rows(reply: number, output: string, start: number, count: number): Promise<OutputView> {
    const found = this.#results.get(reply)?.outputs.find(({ name }) => name === output);
    if (found?.tensor) return rowsOf(found.name, found.tensor, start, count);
    const handle = found?.kept;
    if (handle === undefined) {
      const { t } = this.#port;
      throw new ModelbenchError("worker.died", t("This result is gone."), { remedy: t("Run again.") });
    }
    const tensor = await this.#use((session) => session.readResult(handle, start, count));
    return rowsOf(output, tensor, 0, count);
  }

  /** Ends what is under way. */
  dispose(): void {
    this.stop();
    this.#changed.dispose();
    this.#draftsChanged.dispose();
  }

  /** Whether the model is loaded; one that is not is held against what was saved first. */
  async #isWarm(run: AbortController): Promise<boolean> {
    const { state } = this.#port.sessions.session(this.#key, () => this.#model.loadRequest());
    const isWarm = state === "ready" || state === "busy";
    if (!isWarm) await this.#model.verify(run.signal);
    throwIfAborted(run.signal);
    return isWarm;
  }

  async #execute(
    run: AbortController,
    { method, drafts }: DraftState,
    inputs: Record<string, InputValue>,
    copies: number,
  ): Promise<void> {
    const startedMs = this.#port.now();
    this.#results.clear();
    this.#replies = new Array<Reply | null>(copies).fill(null);
    this.#repliesMethod = method;
    this.#show("loading");
    try {
      const isWarm = await this.#isWarm(run);
      await this.#use(async (session) => {
        await session.load(run.signal);
        if (this.#run === run) this.#show("running");
        await sendCopies(session, { method, inputs }, copies, run.signal, (at, { reply, result }) => {
          // Loading belongs to the run that waited for it.
          this.#take(run, at, { reply: isWarm ? { ...reply, loadMs: 0 } : reply, result });
        });
      });
      if (this.#run === run) this.#finish();
    } catch (error) {
      if (this.#run === run) this.#fail(error);
    }
    // A restart that came meanwhile has taken over what the pages show.
    if (this.#run !== run) return;
    this.#end(run);
    this.#record(method, drafts, startedMs);
  }

  #take(run: AbortController, index: number, { reply, result }: Answer): void {
    if (this.#run !== run) return;
    this.#replies[index] = reply;
    if (result) this.#results.set(index, result);
    this.#changed.fire();
  }

  /** One failed request out of one is a failed run; among several the page marks the reply. */
  #finish(): void {
    const [first] = this.#replies;
    if (this.#replies.length === 1 && first?.error) this.#show("failed", first.error);
    else this.#show("done");
  }

  #fail(error: unknown): void {
    const { code } = toWireError(error);
    if (code === "cancelled") this.#show("cancelled");
    else this.#show(code === "worker.died" ? "crashed" : "failed", failureView(error));
  }

  #record(method: string, drafts: Drafts, startedMs: number): void {
    const answered = this.#replies.find((reply) => reply !== null);
    const outcome = this.#phase === "done" ? "ok" : this.#phase === "cancelled" ? "cancelled" : "failed";
    const summary = this.#error?.message ?? (answered ? summarize(answered, this.#model.classes) : "");
    const atMs = this.#port.now();
    const item = { id: randomUUID(), atMs, method, outcome, tookMs: atMs - startedMs, summary } as const;
    this.#history = [{ item, drafts }, ...this.#history].slice(0, MAX_HISTORY);
    this.#changed.fire();
    this.#keep();
  }

  #use<T>(work: (session: RunnerSession) => Promise<T>): Promise<T> {
    return this.#port.sessions.use(this.#key, () => this.#model.loadRequest(), work);
  }

  #show(phase: Phase, error: ErrorView | null = null): void {
    this.#phase = phase;
    this.#error = error;
    this.#changed.fire();
  }

  #end(run: AbortController): void {
    if (this.#run === run) this.#run = undefined;
  }

  #edit(by: unknown, change: () => void): DraftState {
    change();
    const state = this.#drafts.state();
    this.#draftsChanged.fire({ state, by });
    this.#keep();
    return state;
  }

  #keep(): void {
    const { memory } = this.#port;
    const history = this.#history;
    const kept = { ...this.#drafts.kept(), history, replies: this.#replies, repliesMethod: this.#repliesMethod };
    void remember(memory, this.#key, kept);
  }
}

/** Outside the page nothing else says which model is refused. */
function refusalError(refusal: RunRefusal, tag: string): ModelbenchError {
  const { code, message, remedy } = refusalView(refusal, tag);
  const words = code === "run.unsupported" ? message : `${tag}: ${message}`;
  return new ModelbenchError(refusal.code, words, { remedy: remedy ?? undefined });
}
