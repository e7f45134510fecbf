import { ModelbenchError } from "../base/errors";
import {
  type BatchAnswer,
  type BatchPlan,
  type BatchRequest,
  countRows,
  type Entry,
  isStale,
  isWhole,
  nextPart,
  type Part,
  type PartAnswer,
  takeAnswer,
} from "./batchRequest";
import { areJoinable, joinAnswers, joinInputs, splitOutputs, wholeAnswer } from "./batchValues";
import { MAX_FRAME_BYTES } from "./frames";
import { LatencyLimit } from "./latencyLimit";
import { SpareBuffers } from "./spareBuffers";
import type { NamedOutputs, NamedValues } from "./values";

export type { BatchAnswer, BatchPlan, BatchRequest } from "./batchRequest";

/** What the batcher leans on. */
export interface BatcherOptions {
  /** At least 1. */
  readonly maxRows: number;
  /** Batches that run at once; left out = 1. */
  readonly concurrency?: number | undefined;
  /** Milliseconds that a request may wait for its batch to start; left out = any time. */
  readonly maxLatencyMs?: number | undefined;
  /** Bytes that the pieces of one request may bring; left out = what one frame can carry to whoever asked. */
  readonly maxAnswerBytes?: number | undefined;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /**
   * Runs one batch; at most `concurrency` of them are under way. It may take over bytes that fill their whole buffer.
   * `plan`: along which axes its rows lie; left out for a call of its own.
   * Answers with `spent`, the memory that it took over and needs no more.
   */
  readonly execute: (
    method: string,
    inputs: NamedValues,
    plan: BatchPlan | undefined,
  ) => Promise<{ outputs: NamedOutputs; runMs: number; spent?: readonly ArrayBuffer[] }>;
}

/**
 * First come, first served: whenever the runner is free, everything queued is taken at once, up to `maxRows`
 * rows. No timer, nothing overtakes. A request that fits whole is never cut; a bigger one fills each batch
 * exactly and is joined again. When a shared batch fails, its requests run once more one by one, so that only
 * the bad one fails.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  /** Methods whose outputs turned out not to follow the batch axis. */
  readonly #unsplittable = new Set<string>();
  readonly #unanswered = new Map<number, Entry>();
  /** What each run under way answers. */
  readonly #inFlight = new Set<readonly Entry[]>();
  readonly #limit: LatencyLimit | undefined;
  readonly #spares = new SpareBuffers();
  #queue: Entry[] = [];
  #head = 0;
  #batches = 0;
  /** Loops that are awake, each with one batch at a time. */
  #loops = 0;

  constructor(options: BatcherOptions) {
    this.#options = options;
    if (options.maxLatencyMs === undefined) return;
    const { maxLatencyMs: maxMs, maxRows, concurrency = 1 } = options;
    this.#limit = new LatencyLimit({ maxMs, maxRows, concurrency });
  }

  /** Requests that wait, the running ones not counted. */
  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  /** Queues a request. Rejects with what the run threw, with `cancelled`, or with `run.busy` past the limit of its wait. */
  submit(request: BatchRequest): Promise<BatchAnswer> {
    return new Promise((resolve, reject) => {
      const rows = this.#unsplittable.has(request.method) ? undefined : countRows(request);
      const submitted = this.#options.now();
      const entry: Entry = {
        request,
        rows,
        submitted,
        resolve,
        reject,
        taken: 0,
        answered: 0,
        answeredBytes: 0,
        isUncut: false,
        started: undefined,
        settled: false,
        cancelled: false,
        answers: [],
      };
      const refusal = this.#limit?.refuse(entry, this.#live(), submitted);
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      this.#queue.push(entry);
      this.#unanswered.set(request.id, entry);
      this.#wake();
    });
  }

  /**
   * Ends a request with `cancelled`: at once while it waits, else when the run that carries it has ended.
   * `shared`: others still wait for that run. `alone`: nobody does any more. `unknown`: it was answered.
   */
  cancel(id: number): "waiting" | "shared" | "alone" | "unknown" {
    const entry = this.#unanswered.get(id);
    if (entry === undefined) return "unknown";
    entry.cancelled = true;
    const runs = [...this.#inFlight].filter((run) => run.includes(entry));
    if (runs.length > 0) return runs.some(isAbandoned) ? "alone" : "shared";
    this.#fail(entry, cancellation());
    this.#limit?.queueChanged();
    return "waiting";
  }

  /** Whether a run is under way that nobody waits for any more. */
  get hasAbandonedRun(): boolean {
    return [...this.#inFlight].some(isAbandoned);
  }

  /** Starts a loop in a microtask, so that what arrives in one piece also rides in one batch. */
  #wake(): void {
    if (this.#loops >= (this.#options.concurrency ?? 1)) return;
    this.#loops += 1;
    queueMicrotask(() => void this.#loop());
  }

  async #loop(): Promise<void> {
    for (let parts = this.#take(); parts.length > 0; parts = this.#take()) {
      if (this.waiting > 0) this.#wake();
      await this.#runParts(parts);
      this.#refuseOverdue();
    }
    this.#loops -= 1;
  }

  #refuseOverdue(): void {
    if (this.#limit === undefined) return;
    const overdue = this.#limit.overdue(this.#live(), this.#options.now());
    for (const { entry, error } of overdue) this.#fail(entry, error);
  }

  /** Those that wait, oldest first. */
  *#live(): Generator<Entry> {
    for (let i = this.#head; i < this.#queue.length; i += 1) {
      const entry = this.#queue[i] as Entry;
      if (isWaiting(entry)) yield entry;
    }
  }

  /** The next batch: the oldest request and all behind it that fit, up to the first that does not. */
  #take(): Part[] {
    const parts: Part[] = [];
    let room = this.#options.maxRows;
    for (let entry = this.#queue[this.#head]; entry !== undefined; entry = this.#queue[this.#head]) {
      if (isWaiting(entry)) {
        const part = nextPart(entry, parts[0]?.entry, room, this.#options.maxRows);
        if (part === undefined) break;
        parts.push(part);
        room -= part.count;
        entry.taken += part.count;
        if (entry.rows !== undefined && entry.taken < entry.rows) break;
      }
      this.#head += 1;
    }
    this.#compact();
    return parts;
  }

  /** Forgets what was taken now and then: `shift` on a long array costs its length each time. */
  #compact(): void {
    if (this.#head < 64 && this.#head < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }

  async #runParts(parts: readonly Part[]): Promise<void> {
    try {
      const answers = await this.#execute(parts);
      const torn = answers === undefined ? parts : this.#deliver(parts, answers);
      for (const part of torn) if (!isStale(part)) await this.#runUncut(part.entry);
    } catch (error) {
      const [only, another] = parts as readonly [Part, Part?];
      if (another !== undefined) await this.#runEach(parts);
      else if (!isStale(only)) this.#fail(only.entry, error);
    }
  }

  async #runEach(parts: readonly Part[]): Promise<void> {
    for (const part of parts) {
      if (part.entry.cancelled) this.#fail(part.entry, cancellation());
      if (!isStale(part)) await this.#runParts([part]);
    }
  }

  /** From here on the requests of a method run alone and uncut, save one that is cut already. */
  #runWhole(method: string): void {
    this.#unsplittable.add(method);
    for (const entry of this.#live()) {
      if (entry.request.method === method && entry.taken === 0) entry.rows = undefined;
    }
  }

  /** A request's share of the outputs is not known, or its pieces cannot be joined again: it runs alone and in one. */
  async #runUncut(entry: Entry): Promise<void> {
    const count = entry.rows ?? 1;
    entry.rows = undefined;
    entry.isUncut = true;
    await this.#runEach([{ entry, start: 0, count, isUncut: true }]);
  }

  /** `undefined`: the outputs do not follow the batch axis, so nobody has an answer. */
  async #execute(parts: readonly Part[]): Promise<PartAnswer[] | undefined> {
    const { now, execute } = this.#options;
    this.#batches += 1;
    const batchId = this.#batches;
    const begun = now();
    const carried = parts.map(({ entry }) => entry);
    this.#inFlight.add(carried);
    for (const entry of carried) entry.started ??= begun;
    const { request, rows } = (parts[0] as Part).entry;
    const { method } = request;
    const plan = rows === undefined ? undefined : request.plan;
    const batchSize = parts.reduce((sum, { count }) => sum + count, 0);
    this.#limit?.begin(batchId, method, batchSize, begun);
    try {
      const inputs = joinInputs(parts, (size) => this.#spares.take(size));
      const { outputs, runMs, spent = [] } = await execute(method, inputs, plan);
      this.#spares.keep(spent);
      const pieces = splitOutputs(parts, outputs);
      if (pieces === undefined) this.#runWhole(method);
      const ended = now();
      this.#limit?.succeed(batchId, ended);
      const batchMs = Math.max(0, ended - begun - runMs);
      const batch = { batchMs, runMs, batchId, batchSize, batchRequests: parts.length };
      return pieces?.map((piece) => ({ outputs: piece, batch }));
    } finally {
      this.#limit?.end(batchId);
      this.#inFlight.delete(carried);
    }
  }

  /** Answers the requests that are complete; those whose pieces do not fit together are handed back. */
  #deliver(parts: readonly Part[], answers: readonly PartAnswer[]): Part[] {
    const torn: Part[] = [];
    for (const [i, part] of parts.entries()) {
      const { entry } = part;
      const answer = answers[i] as PartAnswer;
      if (entry.cancelled) this.#fail(entry, cancellation());
      if (isStale(part)) continue;
      if (isWhole(part)) {
        this.#succeed(entry, wholeAnswer(entry, answer));
        continue;
      }
      const isComplete = takeAnswer(part, answer);
      if (entry.answeredBytes > (this.#options.maxAnswerBytes ?? MAX_FRAME_BYTES)) {
        this.#fail(entry, tooLarge(entry));
        entry.answers.length = 0;
      }
      if (entry.settled || !isComplete) continue;
      if (areJoinable(entry)) {
        this.#succeed(entry, joinAnswers(entry));
        continue;
      }
      this.#runWhole(entry.request.method);
      torn.push(part);
    }
    return torn;
  }

  #succeed(entry: Entry, answer: BatchAnswer): void {
    this.#settle(entry);
    entry.resolve(answer);
  }

  #fail(entry: Entry, error: unknown): void {
    if (entry.settled) return;
    this.#settle(entry);
    entry.reject(entry.cancelled ? cancellation() : error);
  }

  #settle(entry: Entry): void {
    entry.settled = true;
    this.#unanswered.delete(entry.request.id);
  }
}

/** Whether some of a request is yet to be taken, and somebody waits for it. */
function isWaiting({ settled, cancelled, isUncut }: Entry): boolean {
  return !settled && !cancelled && !isUncut;
}

function isAbandoned(run: readonly Entry[]): boolean {
  return run.every(({ cancelled }) => cancelled);
}

/** Said as soon as it is sure: the other pieces would only take memory. */
function tooLarge({ answered, answeredBytes, rows }: Entry): ModelbenchError {
  return new ModelbenchError(
    "run.failed",
    `The answer is too large to send: ${answeredBytes} bytes for ${answered} of ${rows} rows.`,
    { remedy: "Send fewer rows at once, or let the method return less." },
  );
}

function cancellation(): ModelbenchError {
  return new ModelbenchError("cancelled", "Cancelled.");
}
