import { ModelbenchError, throwIfAborted } from "../base/errors";
import { Emitter } from "../base/events";
import type { Tensor } from "../formats/tensor";
import { busy, MAX_WAITING } from "./busy";
import type { RunnerOptions, RunnerSession, SessionFacts } from "./client";
import { deviceEnvironment } from "./devices";
import type { Frame } from "./frames";
import { inputSpecs, methodOf, nameFindings } from "./inputCheck";
import { tensorFromJson } from "./inputJson";
import { inputIssues } from "./inputs";
import type {
  InputIssue,
  InputValue,
  LoadedObject,
  LoadRequest,
  LoadResult,
  RunRequest,
  RunResult,
  SessionState,
} from "./protocol";
import { openFromJson } from "./pythonInputs";
import { RestartPolicy } from "./restarts";
import { RunnerProcess } from "./runnerProcess";
import { type FrameValue, isTensor } from "./values";
import { decodeReply, decodeRows, encodeRun, type ReadCall, type RunCall, type RunnerOp } from "./wire";

/** The runner ends itself 500 ms after a stop that does not work; when this is over it is asked whether it lives. */
const STOP_CHECK_MS = 1_000;

/** A runner whose main thread does not answer for so long is ended from here. */
const AWAKE_MS = 500;

/** Makes a session for one model. No process is started before `load` or the first run. */
export function openSession(request: LoadRequest, options: RunnerOptions): RunnerSession {
  return new Session(request, options);
}

/** A run that is owed an answer, kept whole so that it can be sent again to a reloaded runner. */
interface PendingRun {
  readonly data: RunCall;
  readonly bodies: readonly Tensor[];
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: unknown) => void;
  /** Set while a process works on it. */
  sent: { readonly process: RunnerProcess; readonly id: number } | undefined;
}

class Session implements RunnerSession {
  readonly label: string;
  readonly #request: LoadRequest;
  readonly #options: RunnerOptions;
  readonly #restarts = new RestartPolicy(() => performance.now());
  readonly #states = new Emitter<SessionState>();
  readonly onDidChangeState = this.#states.event;
  readonly #pending = new Set<PendingRun>();
  /** Calls that were cancelled and whose end the runner still owes, by process. */
  readonly #stopping = new Map<number, NodeJS.Timeout>();
  #state: SessionState = "starting";
  #process: RunnerProcess | undefined;
  /** Whether `#process` was started ahead and no model was loaded in it. */
  #isWarm = false;
  /** Set once the model is loaded in `#process`. */
  #loaded: LoadResult | undefined;
  #loading: Promise<LoadResult> | undefined;
  #loadWaiters = 0;
  #answered = 0;
  /** Ends the wait before a restart early. */
  #endPause: () => void = () => undefined;
  /** Why the session is over. */
  #end: ModelbenchError | undefined;

  constructor(request: LoadRequest, options: RunnerOptions) {
    this.label = request.label;
    this.#request = request;
    this.#options = options;
  }

  get state(): SessionState {
    return this.#state;
  }

  get facts(): SessionFacts {
    return {
      pid: this.#end === undefined ? this.#process?.pid : undefined,
      device: this.#loaded?.device ?? this.#request.device,
      answered: this.#answered,
      waiting: this.#pending.size,
      failure: this.#state === "failed" ? this.#end : undefined,
    };
  }

  async warm(): Promise<void> {
    if (this.#end !== undefined) throw this.#end;
    if (this.#process !== undefined || this.#loading !== undefined) return;
    const runner = this.#startProcess();
    this.#isWarm = true;
    void runner.ended.then(() => {
      if (this.#process === runner && this.#isWarm) this.#process = undefined;
    });
    await runner.call("warm", this.#request);
  }

  async load(signal?: AbortSignal): Promise<LoadResult> {
    throwIfAborted(signal);
    if (this.#end !== undefined) throw this.#end;
    this.#loading ??= this.#startFirst();
    this.#loadWaiters += 1;
    try {
      return await abortable(this.#loading, signal, () => {
        // Nobody else waits for it: the process is ended, since a load cannot be interrupted.
        const isAwaited = this.#loadWaiters > 1 || this.#pending.size > 0;
        if (!isAwaited && this.#loaded === undefined) void this.stop();
      });
    } finally {
      this.#loadWaiters -= 1;
    }
  }

  async validate(method: string, inputs: RunRequest["inputs"]): Promise<readonly InputIssue[]> {
    return inputIssues(methodOf(this.#request.signatures, method), inputs);
  }

  async run(request: RunRequest, signal?: AbortSignal): Promise<RunResult> {
    throwIfAborted(signal);
    if (this.#end !== undefined) throw this.#end;
    // Here, so that who sends hears it at once, also while the model is not loaded yet.
    if (this.#pending.size >= MAX_WAITING) throw busy(this.label);
    const { data, bodies } = encodeRun(request, this.#plainInputs(request));
    // Its failure ends the session, and with it this run.
    if (this.#loading === undefined) this.load().catch(() => undefined);
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) return reject(this.#end);
      const pending: PendingRun = { data, bodies, sent: undefined, reject: done(reject), resolve: done(resolve) };
      const stop = () => this.#abort(pending);
      function done<T>(settle: (value: T) => void): (value: T) => void {
        return (value) => {
          signal?.removeEventListener("abort", stop);
          settle(value);
        };
      }
      signal?.addEventListener("abort", stop, { once: true });
      this.#pending.add(pending);
      this.#setState();
      if (this.#loaded !== undefined) this.#send(pending);
    });
  }

  async readResult(kept: string, start: number, count: number): Promise<Tensor | FrameValue> {
    const call: ReadCall = { kept, start, count };
    return decodeRows(await this.#ask("read", call));
  }

  async customObjects(signal?: AbortSignal): Promise<readonly LoadedObject[]> {
    await this.load(signal);
    // What they do to say what they are may take for ever, or wait for a run that does.
    const { data } = await abortable(this.#ask("customObjects"), signal, () => undefined);
    return data as readonly LoadedObject[];
  }

  async ping(): Promise<number> {
    const started = performance.now();
    await this.#ask("ping");
    return performance.now() - started;
  }

  async stop(): Promise<void> {
    this.#finish(new ModelbenchError("cancelled", `${this.label}: the model was unloaded.`), "stopped");
    await this.#process?.ended;
  }

  dispose(): Promise<void> {
    return this.stop();
  }

  /** JSON becomes values here, so that a wrong value costs no round trip and -0 or a bigint no precision. */
  #plainInputs({ method, inputs }: RunRequest): (readonly [string, Exclude<InputValue, { kind: "json" }>])[] {
    const signature = methodOf(this.#request.signatures, method);
    const wrongName = nameFindings(signature, Object.keys(inputs))[0];
    if (wrongName !== undefined) throw wrongName.error;
    return inputSpecs(signature, Object.keys(inputs)).map((spec) => {
      const value = inputs[spec.name] as InputValue;
      if (value.kind !== "json") return [spec.name, value];
      const read = signature.isOpen === true ? openFromJson(spec.name, value.value) : tensorFromJson(spec, value.value);
      return [spec.name, isTensor(read) ? { kind: "tensor", tensor: read } : { kind: "value", value: read }];
    });
  }

  /** A call that is not sent again: it fails with the process, or with the session. */
  async #ask(op: RunnerOp, data?: unknown): Promise<Frame> {
    if (this.#end !== undefined) throw this.#end;
    if (this.#process === undefined) throw notLoaded(this.label);
    try {
      return await this.#process.call(op, data);
    } catch (error) {
      throw this.#end ?? error;
    }
  }

  /** A model that does not load the first time is not tried again. */
  async #startFirst(): Promise<LoadResult> {
    try {
      return await this.#start();
    } catch (error) {
      throw this.#finish(asFailure(error), "failed");
    }
  }

  /** Starts a process, loads the model and sends what is owed an answer. */
  async #start(): Promise<LoadResult> {
    const runner = (this.#isWarm && this.#process) || this.#startProcess();
    this.#isWarm = false;
    this.#setState();
    const { data } = await runner.call("load", this.#request);
    this.#loaded = data as LoadResult;
    this.#setState();
    for (const pending of this.#pending) this.#send(pending);
    return this.#loaded;
  }

  #startProcess(): RunnerProcess {
    const env = deviceEnvironment(this.#request.device, process.env);
    const runner = new RunnerProcess(this.#options.entry, this.label, this.#options.log, env);
    this.#process = runner;
    void runner.ended.then((cause) => this.#onEnded(runner, cause));
    return runner;
  }

  #send(pending: PendingRun): void {
    const runner = this.#process;
    if (runner === undefined) return;
    runner
      .call("run", pending.data, pending.bodies, (id) => {
        pending.sent = { process: runner, id };
      })
      .then(decodeReply)
      .then(
        (result) => this.#settle(pending, runner, () => pending.resolve(result)),
        (error) => {
          // A run whose process died stays owed: the next process gets it.
          if (error instanceof ModelbenchError && error.code === "worker.died") return;
          this.#settle(pending, runner, () => pending.reject(error));
        },
      );
  }

  #settle(pending: PendingRun, runner: RunnerProcess, settle: () => void): void {
    if (pending.sent?.process === runner) this.#stopped(pending.sent.id);
    if (!this.#pending.delete(pending)) return;
    this.#answered += 1;
    this.#restarts.answered();
    settle();
    this.#setState();
  }

  /** The caller is answered at once; the runner ends the run, or itself. */
  #abort(pending: PendingRun): void {
    if (!this.#pending.delete(pending)) return;
    pending.reject(new ModelbenchError("cancelled", "Cancelled."));
    const { sent } = pending;
    if (sent !== undefined && sent.process === this.#process) {
      const check = setTimeout(() => void this.#killUnlessAwake(sent.process), STOP_CHECK_MS).unref();
      this.#stopping.set(sent.id, check);
      sent.process.cancel(sent.id);
    }
    this.#setState();
  }

  /** A runner that still answers knows best: the stopped request may share its run with others. */
  async #killUnlessAwake(runner: RunnerProcess): Promise<void> {
    let isAwake = false;
    // Where the window was held up the timers are served before what the runner said is read.
    const judge = () => setImmediate(() => isAwake || runner.kill());
    const timer = setTimeout(judge, AWAKE_MS).unref();
    await runner.call("ping").catch(() => undefined);
    isAwake = true;
    clearTimeout(timer);
  }

  #stopped(id: number): void {
    clearTimeout(this.#stopping.get(id));
    this.#stopping.delete(id);
  }

  /** A process that ended to stop a run is replaced at once; one that died only so often and after a pause. */
  #onEnded(runner: RunnerProcess, cause: ModelbenchError): void {
    if (this.#process !== runner || this.#end !== undefined) return;
    const wasStopped = this.#stopping.size > 0;
    for (const id of [...this.#stopping.keys()]) this.#stopped(id);
    if (this.#loaded === undefined) return;
    this.#loaded = undefined;
    this.#process = undefined;
    for (const pending of this.#pending) pending.sent = undefined;
    const delay = wasStopped ? 0 : this.#restarts.afterDeath();
    if (delay === undefined) {
      this.#finish(cause, "failed");
      return;
    }
    if (!wasStopped) this.#options.log.warn(`${cause.message} It is started again.`);
    this.#loading = this.#reload(delay);
    this.#loading.catch(() => undefined);
    this.#setState();
  }

  async #reload(firstDelayMs: number): Promise<LoadResult> {
    for (let delayMs = firstDelayMs; ; ) {
      await this.#pause(delayMs);
      if (this.#end !== undefined) throw this.#end;
      try {
        return await this.#start();
      } catch (error) {
        const failure = asFailure(error);
        // Where only the model's own process died its runner is still there.
        this.#process?.kill();
        const next = failure.code === "worker.died" ? this.#restarts.afterDeath() : undefined;
        if (next === undefined) throw this.#finish(failure, "failed");
        delayMs = next;
      }
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends the session for good; answers with the reason it ended for first. */
  #finish(end: ModelbenchError, state: "stopped" | "failed"): ModelbenchError {
    if (this.#end !== undefined) return this.#end;
    this.#end = end;
    this.#endPause();
    for (const id of [...this.#stopping.keys()]) this.#stopped(id);
    this.#process?.kill();
    const owed = [...this.#pending];
    this.#pending.clear();
    for (const pending of owed) pending.reject(end);
    this.#setState(state);
    return end;
  }

  #setState(over?: "stopped" | "failed"): void {
    if (over === undefined && this.#end !== undefined) return;
    const state = over ?? (this.#loaded === undefined ? "starting" : this.#pending.size > 0 ? "busy" : "ready");
    if (state === this.#state) return;
    this.#state = state;
    try {
      this.#states.fire(state);
    } catch (error) {
      // A listener's fault must not cost a caller its answer.
      this.#options.log.error(`${this.label}: a listener of its state failed.`, error);
    }
  }
}

/** The promise, or `cancelled` as soon as the signal fires. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined, onAbort: () => void): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => {
      onAbort();
      reject(new ModelbenchError("cancelled", "Cancelled."));
    };
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function asFailure(error: unknown): ModelbenchError {
  return error instanceof ModelbenchError ? error : new ModelbenchError("internal", String(error), { cause: error });
}

function notLoaded(label: string): ModelbenchError {
  return new ModelbenchError("worker.died", `${label}: the model is not loaded.`, { remedy: "Load it first." });
}
