import { ModelbenchError } from "../base/errors";
import type { Tensor } from "../formats/tensor";
import { concatTensors, mergeable, sliceTensor, splitTensor } from "./merge";

/** Tensors by input or output name. */
export type NamedTensors = Readonly<Record<string, Tensor>>;

/** How requests of one method may share a run; `undefined` in its place = every request runs alone. */
export interface BatchPlan {
  /** Axis along which all inputs are joined. */
  readonly inAxis: number;
  /** Axis along which all outputs are split. */
  readonly outAxis: number;
}

/** One inference that waits for its turn. */
export interface BatchRequest {
  /** Names the request for `cancel`; unique among those unanswered. */
  readonly id: number;
  readonly method: string;
  readonly inputs: NamedTensors;
  readonly plan: BatchPlan | undefined;
}

/** The answer to one request, milliseconds throughout. */
export interface BatchAnswer {
  readonly outputs: NamedTensors;
  /** From `submit` to the start of the batch. */
  readonly queueMs: number;
  /** Joining, handing over and splitting: the batch's time less the run's. */
  readonly batchMs: number;
  readonly runMs: number;
  /** Number of the (last) batch it rode in, from 1. */
  readonly batchId: number;
  /** Rows in that batch, in the largest one when it was cut; 1 where there is no batch axis. */
  readonly batchSize: number;
  /** Requests that shared that batch. */
  readonly batchRequests: number;
  /** Batches the request was cut into; 1 = it rode whole. */
  readonly batches: number;
}

/** What the batcher leans on. */
export interface BatcherOptions {
  /** At least 1. */
  readonly maxRows: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Runs one batch; called again only after it has settled. It may take over bytes that fill their whole buffer. */
  readonly execute: (method: string, inputs: NamedTensors) => Promise<{ outputs: NamedTensors; runMs: number }>;
}

interface Entry {
  readonly request: BatchRequest;
  /** Along the batch axis; `undefined` = runs alone, uncut. */
  rows: number | undefined;
  readonly submitted: number;
  readonly resolve: (answer: BatchAnswer) => void;
  readonly reject: (error: unknown) => void;
  /** Rows handed to a batch so far. */
  taken: number;
  started: number | undefined;
  settled: boolean;
  /** Stopped while it runs: it is rejected when the run ends. */
  cancelled: boolean;
  readonly answers: PartAnswer[];
}

type PartAnswer = Omit<BatchAnswer, "queueMs" | "batches">;

interface Part {
  readonly entry: Entry;
  readonly start: number;
  readonly count: number;
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
  /** What the run under way answers. */
  #inFlight: readonly Entry[] = [];
  #queue: Entry[] = [];
  #head = 0;
  #batches = 0;
  #running = false;

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** Requests that wait, the running ones not counted. */
  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  /** Queues a request. Rejects with what the run threw, or with `cancelled`. */
  submit(request: BatchRequest): Promise<BatchAnswer> {
    return new Promise((resolve, reject) => {
      const rows = countRows(request);
      const submitted = this.#options.now();
      const entry: Entry = {
        request,
        rows,
        submitted,
        resolve,
        reject,
        taken: 0,
        started: undefined,
        settled: false,
        cancelled: false,
        answers: [],
      };
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
    if (!this.#inFlight.includes(entry)) {
      this.#fail(entry, cancellation());
      return "waiting";
    }
    return this.#inFlight.every(({ cancelled }) => cancelled) ? "alone" : "shared";
  }

  /** Starts the loop in a microtask, so that what arrives in one piece also rides in one batch. */
  #wake(): void {
    if (this.#running) return;
    this.#running = true;
    queueMicrotask(() => void this.#loop());
  }

  async #loop(): Promise<void> {
    for (let parts = this.#take(); parts.length > 0; parts = this.#take()) {
      await this.#runParts(parts);
    }
    this.#running = false;
  }

  /** The next batch: the oldest request and all behind it that fit, up to the first that does not. */
  #take(): Part[] {
    const parts: Part[] = [];
    let room = this.#options.maxRows;
    for (let entry = this.#queue[this.#head]; entry !== undefined; entry = this.#queue[this.#head]) {
      if (!entry.settled) {
        if (entry.taken === 0 && this.#unsplittable.has(entry.request.method)) entry.rows = undefined;
        const part = nextPart(entry, parts, room, this.#options.maxRows);
        if (part === undefined) break;
        parts.push(part);
        room -= part.count;
        entry.taken += part.count;
        if (entry.rows !== undefined && entry.taken < entry.rows) break;
      }
      this.#head += 1;
      if (entry.rows === undefined && !entry.settled) break;
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
      for (const entry of this.#deliver(parts, await this.#execute(parts))) await this.#runUncut(entry);
    } catch (error) {
      const only = parts.length === 1 ? parts[0] : undefined;
      if (only === undefined) await this.#runEach(parts);
      else if (!isWhole(only) && this.#unsplittable.has(only.entry.request.method)) await this.#runUncut(only.entry);
      else this.#fail(only.entry, error);
    }
  }

  async #runEach(parts: readonly Part[]): Promise<void> {
    for (const part of parts) {
      if (part.entry.cancelled) this.#fail(part.entry, cancellation());
      if (!part.entry.settled) await this.#runParts([part]);
    }
  }

  /** The outputs of a piece cannot be joined again, so the request runs in one. */
  async #runUncut(entry: Entry): Promise<void> {
    const count = entry.rows ?? 1;
    entry.rows = undefined;
    entry.answers.length = 0;
    await this.#runParts([{ entry, start: 0, count }]);
  }

  async #execute(parts: readonly Part[]): Promise<PartAnswer[]> {
    const { now, execute } = this.#options;
    this.#batches += 1;
    const batchId = this.#batches;
    const begun = now();
    this.#inFlight = parts.map(({ entry }) => entry);
    for (const entry of this.#inFlight) entry.started ??= begun;
    try {
      const { method, plan } = (parts[0] as Part).entry.request;
      const { outputs, runMs } = await execute(method, joinInputs(parts, plan));
      const pieces = this.#splitOutputs(parts, outputs);
      const batchMs = Math.max(0, now() - begun - runMs);
      const batchSize = parts.reduce((sum, { count }) => sum + count, 0);
      return pieces.map((piece) => ({
        outputs: piece,
        batchMs,
        runMs,
        batchId,
        batchSize,
        batchRequests: parts.length,
      }));
    } finally {
      this.#inFlight = [];
    }
  }

  #splitOutputs(parts: readonly Part[], outputs: NamedTensors): NamedTensors[] {
    const only = parts.length === 1 ? (parts[0] as Part) : undefined;
    if (only !== undefined && isWhole(only)) return [outputs];
    const { plan, method } = (parts[0] as Part).entry.request;
    const axis = (plan as BatchPlan).outAxis;
    const counts = parts.map(({ count }) => count);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const columns = Object.entries(outputs).map(([name, tensor]) => {
      if (tensor.shape[axis] === total) return { name, pieces: splitTensor(tensor, axis, counts) };
      this.#unsplittable.add(method);
      throw wrongLength(name, tensor, axis, total);
    });
    return parts.map((_, i) => Object.fromEntries(columns.map(({ name, pieces }) => [name, pieces[i] as Tensor])));
  }

  /** Answers the requests that are complete; those whose pieces do not fit together are handed back. */
  #deliver(parts: readonly Part[], answers: readonly PartAnswer[]): Entry[] {
    const torn: Entry[] = [];
    for (const [i, { entry }] of parts.entries()) {
      if (entry.cancelled) this.#fail(entry, cancellation());
      if (entry.settled) continue;
      entry.answers.push(answers[i] as PartAnswer);
      if (entry.rows !== undefined && entry.taken < entry.rows) continue;
      if (!areJoinable(entry)) {
        this.#unsplittable.add(entry.request.method);
        torn.push(entry);
        continue;
      }
      const answer = joinAnswers(entry);
      this.#settle(entry);
      entry.resolve(answer);
    }
    return torn;
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

/** Rows of a request, or `undefined` when it has no batch axis that all its inputs share. */
function countRows({ inputs, plan }: BatchRequest): number | undefined {
  if (plan === undefined) return undefined;
  const lengths = Object.values(inputs).map(({ shape }) => shape[plan.inAxis]);
  const rows = lengths[0];
  return rows === 0 || lengths.some((length) => length !== rows) ? undefined : rows;
}

function nextPart(entry: Entry, parts: readonly Part[], room: number, maxRows: number): Part | undefined {
  const first = parts[0]?.entry;
  if (entry.rows === undefined) return first === undefined ? { entry, start: 0, count: soloRows(entry) } : undefined;
  if (room <= 0 || (first !== undefined && !fitTogether(first, entry))) return undefined;
  const left = entry.rows - entry.taken;
  if (left > room && entry.rows <= maxRows) return undefined;
  return { entry, start: entry.taken, count: Math.min(left, room) };
}

/** What the answer names as batch size when a request runs alone: its rows where it has some. */
function soloRows({ request }: Entry): number {
  const axis = request.plan?.inAxis ?? 0;
  return Object.values(request.inputs)[0]?.shape[axis] ?? 1;
}

function fitTogether(a: Entry, b: Entry): boolean {
  const [one, other] = [a.request, b.request];
  if (one.method !== other.method || one.plan?.inAxis !== other.plan?.inAxis) return false;
  const names = Object.keys(one.inputs);
  if (names.length !== Object.keys(other.inputs).length) return false;
  return names.every((name) => {
    const [left, right] = [one.inputs[name], other.inputs[name]];
    return left !== undefined && right !== undefined && mergeable(left, right, one.plan?.inAxis ?? 0);
  });
}

function isWhole({ entry, count, start }: Part): boolean {
  return entry.rows === undefined || (start === 0 && count === entry.rows);
}

function joinInputs(parts: readonly Part[], plan: BatchPlan | undefined): NamedTensors {
  const first = (parts[0] as Part).entry.request;
  if (parts.length === 1 && isWhole(parts[0] as Part)) return first.inputs;
  const axis = (plan as BatchPlan).inAxis;
  const columns = Object.keys(first.inputs).map((name) => {
    const pieces = parts.map(({ entry, start, count }) =>
      sliceTensor(entry.request.inputs[name] as Tensor, axis, start, count),
    );
    return [name, concatTensors(pieces, axis)] as const;
  });
  return Object.fromEntries(columns);
}

/** Whether the outputs of all pieces differ in nothing but their length along the batch axis. */
function areJoinable({ request, answers }: Entry): boolean {
  const [first, ...others] = answers;
  const axis = request.plan?.outAxis ?? 0;
  return others.every(({ outputs }) =>
    Object.entries(outputs).every(([name, tensor]) => {
      const start = first?.outputs[name];
      return start !== undefined && mergeable(start, tensor, axis);
    }),
  );
}

function joinAnswers({ request, answers, submitted, started }: Entry): BatchAnswer {
  const last = answers[answers.length - 1] as PartAnswer;
  const queueMs = (started ?? submitted) - submitted;
  const batches = answers.length;
  if (batches === 1) return { ...last, queueMs, batches };
  const axis = (request.plan as BatchPlan).outAxis;
  const joined = Object.keys(last.outputs).map((name) => {
    const pieces = answers.map((answer) => answer.outputs[name] as Tensor);
    return [name, concatTensors(pieces, axis)] as const;
  });
  const outputs = Object.fromEntries(joined);
  const sum = (of: (answer: PartAnswer) => number) => answers.reduce((total, answer) => total + of(answer), 0);
  const batchSize = Math.max(...answers.map((answer) => answer.batchSize));
  return { ...last, outputs, queueMs, batches, batchSize, batchMs: sum((a) => a.batchMs), runMs: sum((a) => a.runMs) };
}

function cancellation(): ModelbenchError {
  return new ModelbenchError("cancelled", "Cancelled.");
}

function wrongLength(name: string, tensor: Tensor, axis: number, rows: number): ModelbenchError {
  return new ModelbenchError(
    "run.failed",
    `Output \`${name}\` has shape [${tensor.shape.join(", ")}]; a batch of ${rows} rows needs ${rows} along axis ${axis}.`,
    { remedy: "Send it without batching, or mark the method as not batchable." },
  );
}
