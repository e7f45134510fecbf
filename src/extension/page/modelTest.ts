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
import type { InputIssue, InputValue, LoadedObject, LoadRequest, RunRequest, RunResult } from "../../runner/protocol";
import { isTensor } from "../../runner/values";
import type { Localize, RunRefusal } from "../services";
import type { Sessions } from "../sessions";
import { missingFiles, placedIssues, toInputs } from "./draftInputs";
import type { EngineChoice } from "./engineChoice";
import { failureView, refusalError, refusalView } from "./failureView";
import { summarize } from "./runSummary";
import { rowsOf, tableRows } from "./tensorView";
import { type Drafted, TestDrafts } from "./testDrafts";
import { type Loadable, TestEngine } from "./testEngine";
import { type Memory, recall, remember } from "./testMemory";
import { type Answer, sendCopies } from "./testRun";

/** Runs that the history keeps of one model. */
const MAX_HISTORY = 20;

/** What is known about a model before it runs. */
export interface Testable extends Drafted, Loadable {
  readonly classes: readonly string[];
  /** What is wrong with inputs; starts nothing. @throws ModelbenchError when the model's file is missing */
  issues(method: string, inputs: RunRequest["inputs"]): readonly InputIssue[];
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
  readonly #engine: TestEngine;
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
    this.#engine = new TestEngine(key, model, port.sessions, kept?.engine);
    this.#engine.onDidChange(() => this.#changed.fire());
    model.python?.onDidRevoke(() => void this.#unload());
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
      ...this.#engine.view(),
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

  /** Asks to allow the model's code, where it has any; whether it may run. @throws ModelbenchError for a refusal */
  async askToAllow(): Promise<boolean> {
    this.#refuse();
    return (await this.#model.python?.askToAllow()) ?? true;
  }

  /** Takes back what was allowed, and ends the model's process. */
  async revoke(): Promise<void> {
    await this.#model.python?.revoke();
    await this.#unload();
  }

  /** Lets the user choose another Python interpreter. */
  async chooseInterpreter(): Promise<void> {
    await this.#engine.python?.chooseInterpreter();
  }

  /** Chooses how the model is loaded; a loaded one is loaded anew by the next run. */
  async chooseEngine(choice: EngineChoice): Promise<void> {
    this.stop();
    await this.#engine.choose(choice);
    this.#keep();
  }

  /** Starts ahead of the first run what will run the model, where that is allowed. */
  async warm(): Promise<void> {
    if (!this.#port.refusal()) await this.#engine.warm();
  }

  /** Remembers a file that the user picked and answers with its handle. */
  addFile(path: string): Promise<NonNullable<Draft["file"]>> {
    return this.#drafts.addFile(path);
  }

  /** Checks inputs without running; a file that was not chosen yet is no finding until the run. */
  async validate(state: DraftState): Promise<Issue[]> {
    const method = this.#drafts.method(state.method);
    if (this.#port.refusal()) return [];
    const { reading } = this.#drafts;
    const missing = missingFiles(method, state.drafts, reading.pathOf, this.#port.t).map(({ input }) => input);
    const inputs = toInputs(method, state.drafts, reading, missing);
    const issues = this.#model
      .issues(method.name, inputs)
      .map(({ input, error }) => ({ input, error: failureView(fromWireError(error)) }));
    return placedIssues(issues, method, inputs, missing);
  }

  /**
   * Starts `copies` concurrent requests unless something is wrong with the inputs; what becomes of them shows in
   * the state. A run under way is not disturbed.
   * @throws ModelbenchError `trust.required`, `run.unsupported`, `python.missing`, `method.notFound`, `input.notFound`
   */
  async start(state: DraftState, copies: number): Promise<Issue[]> {
    this.#refuse();
    if (this.#run) return [];
    const run = new AbortController();
    this.#run = run;
    try {
      const method = this.#drafts.method(state.method);
      const { reading } = this.#drafts;
      const missing = missingFiles(method, state.drafts, reading.pathOf, this.#port.t);
      const issues = [...missing, ...(await this.validate(state))];
      const inputs = missing.length > 0 ? {} : toInputs(method, state.drafts, reading);
      const request = issues.length > 0 ? undefined : await this.#request(run);
      if (request === undefined || run.signal.aborted) this.#end(run);
      else void this.#execute(run, request, state, inputs, copies);
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
    this.#refuse();
    if (anew) await this.#unload();
    else if (this.#run) return;
    const run = new AbortController();
    const stop = () => run.abort();
    signal?.addEventListener("abort", stop, { once: true });
    this.#run = run;
    const isDone = !anew && this.#phase === "done";
    this.#show("loading");
    try {
      await this.#engine.prepare(await this.#engine.request(run.signal), run.signal);
      await this.#engine.use((session) => this.#engine.load(session, run.signal));
      if (this.#run === run) this.#show(isDone ? "done" : "idle");
    } catch (error) {
      const failure = await this.#engine.explain(error);
      if (this.#run === run) this.#fail(failure);
      throw failure;
    } finally {
      signal?.removeEventListener("abort", stop);
      this.#end(run);
    }
  }

  /** Loads what was saved beside the model; `null` when its code is not allowed. @throws ModelbenchError as `load` */
  async customObjects(signal: AbortSignal): Promise<readonly LoadedObject[] | null> {
    if (!(await this.askToAllow())) return null;
    await this.load({ anew: false, signal });
    return this.#engine.customObjects(signal);
  }

  /**
   * Rows `[start, start + count)` of an output of the last run.
   * @throws ModelbenchError `worker.died` when the runner that kept them is gone
   */
  async rows(reply: number, output: string, start: number, count: number): Promise<OutputView> {
    const found = this.#results.get(reply)?.outputs.find(({ name }) => name === output);
    if (found?.tensor) return rowsOf(found.name, found.tensor, start, count);
    const handle = found?.kept;
    if (handle === undefined || !this.#engine.isLoaded) {
      const { t } = this.#port;
      throw new ModelbenchError("worker.died", t("This result is gone."), { remedy: t("Run again.") });
    }
    const rows = await this.#engine.use((session) => session.readResult(handle, start, count));
    return isTensor(rows) ? rowsOf(output, rows, 0, count) : tableRows(output, rows, found?.start);
  }

  /** Ends what is under way. */
  dispose(): void {
    this.stop();
    this.#engine.dispose();
    this.#changed.dispose();
    this.#draftsChanged.dispose();
  }

  /** What is to be loaded for a run; before it is known the run has not started. */
  async #request(run: AbortController): Promise<LoadRequest | undefined> {
    const [phase, error] = [this.#phase, this.#error];
    if (this.#model.python) this.#show("loading");
    try {
      return await this.#engine.request(run.signal);
    } catch (failure) {
      if (this.#run === run) this.#show(phase, error);
      if (run.signal.aborted) return undefined;
      throw failure;
    }
  }

  #refuse(): void {
    const refusal = this.#port.refusal();
    if (refusal) throw refusalError(refusal, this.#model.tag);
  }

  async #unload(): Promise<void> {
    this.stop();
    await this.#engine.unload();
    this.#results.clear();
  }

  async #execute(
    run: AbortController,
    request: LoadRequest,
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
      const isWarm = await this.#engine.prepare(request, run.signal);
      await this.#engine.use(async (session) => {
        await this.#engine.load(session, run.signal);
        if (this.#run === run) this.#show("running");
        await sendCopies(session, { method, inputs }, copies, run.signal, (at, { reply, result }) => {
          // Loading belongs to the run that waited for it.
          this.#take(run, at, { reply: isWarm ? { ...reply, loadMs: 0 } : reply, result });
        });
      });
      if (this.#run === run) this.#finish();
    } catch (error) {
      const failure = await this.#engine.explain(error);
      if (this.#run === run) this.#fail(failure);
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
    // What is asked for says the state itself.
    else if (code === "trust.required") this.#show("idle");
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
    void remember(memory, this.#key, { ...kept, engine: this.#engine.choice });
  }
}
