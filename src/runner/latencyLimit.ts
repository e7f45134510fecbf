import { ModelbenchError } from "../base/errors";
import { BatchCost } from "./batchCost";
import { type Entry, nextPart, soloRows } from "./batchRequest";

/** The batch at the end of the queue: more may still ride in it. */
interface Tail {
  readonly first: Entry;
  rows: number;
  room: number;
}

/**
 * Refuses requests that would wait longer than the limit for their batch to start. The wait is reckoned from what is
 * ahead of a request and from what recent batches took; a method that has not run yet is taken to cost nothing, since
 * nothing is run to find out. Requests that may not be batched have no limit, but those behind them wait for them.
 */
export class LatencyLimit {
  readonly #maxMs: number;
  readonly #maxRows: number;
  readonly #costs = new Map<string, BatchCost>();
  #running: { readonly method: string; readonly rows: number; readonly begun: number } | undefined;
  /** How long the batches of the queue take that are before its last one. */
  #before = 0;
  #tail: Tail | undefined;
  /** Requests of the queue that the two figures above are made of; `undefined` = the queue is another one by now. */
  #counted: number | undefined;

  /** @param maxMs milliseconds that a request may wait; @param maxRows rows of a full batch */
  constructor(maxMs: number, maxRows: number) {
    this.#maxMs = maxMs;
    this.#maxRows = maxRows;
  }

  /** A batch starts, at `now` milliseconds. */
  begin(method: string, rows: number, now: number): void {
    this.#running = { method, rows, begun: now };
    this.queueChanged();
  }

  /** The batch under way has answered. */
  succeed(now: number): void {
    if (this.#running === undefined) return;
    const { method, rows, begun } = this.#running;
    const cost = this.#costs.get(method) ?? new BatchCost();
    this.#costs.set(method, cost);
    cost.add(rows, now - begun);
  }

  /** The batch under way is over, answered or not. */
  end(): void {
    this.#running = undefined;
  }

  /** Something left the queue. */
  queueChanged(): void {
    this.#counted = undefined;
  }

  /**
   * Why a request cannot be queued behind those that wait; `undefined` = it can, and counts as queued from here on. What
   * finds nothing ahead of it always can.
   * @param waiting oldest first; read only when the queue has changed
   */
  refuse(entry: Entry, waiting: Iterable<Entry>, now: number): ModelbenchError | undefined {
    if (this.#counted === undefined) {
      this.#reset();
      for (const other of waiting) this.#count(other);
    }
    const waitMs = this.#waitBehind(entry) + this.#runningFor(now);
    if (isLimited(entry) && waitMs > this.#maxMs) return this.#refusal((this.#counted ?? 0) + 1, waitMs);
    this.#count(entry);
    return undefined;
  }

  /**
   * Those that came in time, but were overtaken by batches that took longer than expected: newest first, up to the
   * first that can still start in time. None is refused in favour of a newer one.
   * @param waiting oldest first, while nothing runs
   */
  overdue(waiting: Iterable<Entry>, now: number): { readonly entry: Entry; readonly error: ModelbenchError }[] {
    this.#reset();
    const waits = Array.from(waiting, (entry) => {
      const waitMs = now - entry.submitted + this.#waitBehind(entry);
      this.#count(entry);
      return { entry, waitMs };
    });
    const refused: { entry: Entry; error: ModelbenchError }[] = [];
    for (let left = waits.length; left > 0; left -= 1) {
      const { entry, waitMs } = waits[left - 1] as (typeof waits)[number];
      if (!isLimited(entry)) continue;
      if (waitMs <= this.#maxMs) break;
      refused.push({ entry, error: this.#refusal(left, waitMs) });
    }
    this.queueChanged();
    return refused;
  }

  #reset(): void {
    this.#before = 0;
    this.#tail = undefined;
    this.#counted = 0;
  }

  /** Milliseconds from the start of the queue's first batch to the start of the one in which the request would ride. */
  #waitBehind(entry: Entry): number {
    const tail = this.#tail;
    if (tail === undefined) return 0;
    const rides = nextPart(entry, tail.first, tail.room, this.#maxRows) !== undefined;
    return rides ? this.#before : this.#before + this.#cost(tail.first.request.method, tail.rows);
  }

  /** Puts a request at the end of the queue's last batch, or into batches of its own behind that. */
  #count(entry: Entry): void {
    this.#counted = (this.#counted ?? 0) + 1;
    const tail = this.#tail;
    let left = entry.rows === undefined ? soloRows(entry) : entry.rows - entry.taken;
    const part = tail && nextPart(entry, tail.first, tail.room, this.#maxRows);
    if (tail !== undefined && part !== undefined) {
      tail.rows += part.count;
      tail.room -= part.count;
      left -= part.count;
      if (left === 0) return;
    }
    const { method } = entry.request;
    if (tail !== undefined) this.#before += this.#cost(tail.first.request.method, tail.rows);
    const full = entry.rows === undefined ? 0 : Math.ceil(left / this.#maxRows) - 1;
    if (full > 0) this.#before += full * this.#cost(method, this.#maxRows);
    const rows = left - full * this.#maxRows;
    this.#tail = { first: entry, rows, room: this.#maxRows - rows };
  }

  #runningFor(now: number): number {
    if (this.#running === undefined) return 0;
    const { method, rows, begun } = this.#running;
    return Math.max(0, this.#cost(method, rows) - (now - begun));
  }

  #cost(method: string, rows: number): number {
    return this.#costs.get(method)?.of(rows) ?? 0;
  }

  #refusal(waiting: number, waitMs: number): ModelbenchError {
    const requests = waiting === 1 ? "1 request waits" : `${waiting} requests wait`;
    return new ModelbenchError(
      "run.busy",
      `${requests}, about ${Math.ceil(waitMs)} ms; the limit is ${this.#maxMs} ms.`,
      { remedy: "Send it again when answers have come, or allow a longer wait." },
    );
  }
}

function isLimited({ request, taken }: Entry): boolean {
  return request.plan !== undefined && taken === 0;
}
