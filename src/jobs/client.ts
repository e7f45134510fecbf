import type { ChildProcess } from "node:child_process";
import { fromWireError, ModelbenchError, throwIfAborted } from "../base/errors";
import type { Log } from "../base/log";
import type { JobKey, JobOptions, Jobs } from "../base/ports";
import type { Disposable } from "../base/scope";
import type { FromJobs, ToJobs } from "./messages";
import { startNodeChild } from "./startNodeChild";

/** How long a cancelled job may take to answer before the caller is let go, and a deaf process is killed. */
const CANCEL_GRACE_MS = 500;
/** Silence after which a job without its own figure is taken for hung. */
const DEFAULT_SILENCE_MS = 120_000;

interface Pending {
  readonly name: string;
  readonly options: JobOptions;
  readonly silenceMs: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  silence: NodeJS.Timeout | undefined;
  grace: NodeJS.Timeout | undefined;
  cancelHeard: boolean;
}

/**
 * Runs jobs in a child process that starts with the first job and again after it died or was killed.
 * A cancelled job ends within 500 ms for its caller. When the process dies, every job under way fails with
 * `worker.died`, by name; nothing is run twice, because a job may have done its work already.
 */
export function childJobs(options: { readonly entry: string; readonly log: Log }): Jobs & Disposable {
  return new ChildJobs(options.entry, options.log);
}

class ChildJobs implements Jobs, Disposable {
  readonly #entry: string;
  readonly #log: Log;
  readonly #pending = new Map<number, Pending>();
  #child: ChildProcess | undefined;
  #nextId = 1;
  #ended = false;

  constructor(entry: string, log: Log) {
    this.#entry = entry;
    this.#log = log;
  }

  async run<Input, Result>(job: JobKey<Input, Result>, input: Input, options: JobOptions = {}): Promise<Result> {
    throwIfAborted(options.signal);
    if (this.#ended) throw new ModelbenchError("cancelled", `${job.name}: Modelbench is shutting down.`);
    const child = this.#child ?? this.#start();
    const id = this.#nextId++;
    const onAbort = () => this.#cancel(id);
    try {
      return await new Promise<Result>((resolve, reject) => {
        this.#pending.set(id, {
          name: job.name,
          options,
          silenceMs: job.silenceMs ?? DEFAULT_SILENCE_MS,
          resolve: (value) => resolve(value as Result),
          reject,
          silence: undefined,
          grace: undefined,
          cancelHeard: false,
        });
        this.#watchSilence(id);
        options.signal?.addEventListener("abort", onAbort, { once: true });
        this.#send(child, { kind: "run", id, name: job.name, input });
      });
    } finally {
      options.signal?.removeEventListener("abort", onAbort);
      // Settled already, unless the input could not be sent.
      this.#settle(id, () => undefined);
    }
  }

  /** Ends the process; what is under way fails with `cancelled`. */
  dispose(): void {
    this.#ended = true;
    for (const id of [...this.#pending.keys()]) {
      this.#settle(id, (p) => p.reject(new ModelbenchError("cancelled", `${p.name} was cancelled.`)));
    }
    this.#child?.kill("SIGKILL");
  }

  #start(): ChildProcess {
    const stdio = ["ignore", "pipe", "pipe", "ipc"] as const;
    // What streams through zlib is freed as it goes (`OutputGarbage`), for which the collector has to be at hand.
    const child = startNodeChild({ entry: this.#entry, nodeArgs: ["--expose-gc"], stdio: [...stdio] });
    this.#child = child;
    child.stdout?.on("data", (text: Buffer) => this.#log.debug(`jobs: ${text.toString().trimEnd()}`));
    child.stderr?.on("data", (text: Buffer) => this.#log.warn(`jobs: ${text.toString().trimEnd()}`));
    child.on("message", (message) => this.#hear(message as FromJobs));
    child.on("error", (error) => this.#lost(child, error.message));
    child.on("exit", (code, signal) => this.#lost(child, signal ?? `exit code ${code}`));
    return child;
  }

  #send(child: ChildProcess, message: ToJobs): void {
    child.send(message, (error) => {
      // The exit event follows and names the reason; a failed send of its own has only this place to be seen.
      if (error && message.kind === "run") this.#settle(message.id, (p) => p.reject(died(p.name, error.message)));
    });
  }

  #hear(message: FromJobs): void {
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (message.kind === "result") this.#settle(message.id, (p) => p.resolve(message.value));
    else if (message.kind === "error") this.#settle(message.id, (p) => p.reject(fromWireError(message.error)));
    else if (message.kind === "cancelling") pending.cancelHeard = true;
    else {
      this.#watchSilence(message.id);
      if (message.kind === "part") pending.options.onPart?.(message.part);
      else pending.options.onProgress?.(message.progress);
    }
  }

  #cancel(id: number): void {
    const pending = this.#pending.get(id);
    if (!pending || !this.#child) return;
    this.#send(this.#child, { kind: "cancel", id });
    const judge = (): void => {
      if (this.#pending.get(id) !== pending) return;
      const deaf = !pending.cancelHeard;
      this.#settle(id, (p) => p.reject(new ModelbenchError("cancelled", `${p.name} was cancelled.`)));
      if (deaf) this.#kill(`${pending.name} did not hear a cancel within ${CANCEL_GRACE_MS} ms`);
    };
    pending.grace = setTimeout(() => onceHeard(judge), CANCEL_GRACE_MS);
  }

  #watchSilence(id: number): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    clearTimeout(pending.silence);
    const judge = (): void => {
      if (this.#pending.get(id) !== pending || pending.silence !== silence) return;
      const message = `${pending.name} showed no progress for ${pending.silenceMs} ms and was stopped.`;
      this.#settle(id, (p) => p.reject(new ModelbenchError("worker.died", message)));
      this.#kill(message);
    };
    const silence = setTimeout(() => onceHeard(judge), pending.silenceMs);
    pending.silence = silence;
    pending.silence.unref();
  }

  #kill(reason: string): void {
    this.#log.warn(`The jobs process is stopped: ${reason}`);
    const child = this.#child;
    if (!child) return;
    child.kill("SIGKILL");
    this.#lost(child, reason);
  }

  #lost(child: ChildProcess, reason: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    for (const id of [...this.#pending.keys()]) this.#settle(id, (p) => p.reject(died(p.name, reason)));
  }

  #settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    clearTimeout(pending.silence);
    clearTimeout(pending.grace);
    how(pending);
  }
}

/** Does it when what came meanwhile was heard: where another extension held the thread up, the timers are served first. */
function onceHeard(what: () => void): void {
  setImmediate(what);
}

function died(job: string, reason: string): ModelbenchError {
  return new ModelbenchError("worker.died", `The process that ran ${job} ended (${reason}).`, {
    remedy: "Try again: it starts anew with the next request.",
  });
}
