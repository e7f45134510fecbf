import { ModelbenchError } from "../base/errors";
import { BatchCost } from "./batchCost";
import { type Entry, nextPart, soloRows } from "./batchRequest";

/** The batch at the end of the queue: more may still ride in it. */
interface Tail {
  readonly first: Entry;
  rows: number;
  room: number;
}

/** What a wait is reckoned with. */
export interface LatencyOptions {
  /** Milliseconds that a request may wait for its batch to start. */
  readonly maxMs: number;
  /** Rows of a full batch. */
  readonly maxRows: number;
  /** Batches that run at once. */
  readonly concurrency: number;
}

/**
 * Refuses requests that would wait longer than the limit for their batch to start. The wait is reckoned from what is
 * ahead of a request and from what recent batches took; a method that has not run yet is taken to cost nothing, since
 * nothing is run to find out. Requests that may not be batched have no limit, but those behind them wait for them.
 */
export class LatencyLimit {
  readonly #options: LatencyOptions;
  readonly #costs = new Map<string, BatchCost>();
  readonly #running = new Map<number, { readonly method: string; readonly rows: number; readonly begun: number }>();
  /** How long the batches of the queue take that are before its last one, and the longest of them. */
  #before = 0;
  #longest = 0;
  #tail: Tail | undefined;
  /** Requests of the queue that the two figures above are made of; `undefined` = the queue is another one by now. */
  #counted: number | undefined;

  constructor(options: LatencyOptions) {
    this.#options = options;
  }

  /** A batch starts, at `now` milliseconds. */
  begin(batch: number, method: string, rows: number, now: number): void {
    this.#running.set(batch, { method, rows, begun: now });
    this.queueChanged();
  }

  /** A batch under way has answered. */
  succeed(batch: number, now: number): void {
    const run = this.#running.get(batch);
    if (run === undefined) return;
    const cost = this.#costs.get(run.method) ?? new BatchCost();
    this.#costs.set(run.method, cost);
    cost.add(run.rows, now - run.begun);
  }

  /** A batch under way is over, answered or not. */
  end(batch: number): void {
    this.#running.delete(batch);
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
    const waitMs = this.#waitOf(entry, now);
    if (isLimited(entry) && waitMs > this.#options.maxMs) return this.#refusal((this.#counted ?? 0) + 1, waitMs);
    this.#count(entry);
    return undefined;
  }

  /**
   * Those that came in time, but were overtaken by batches that took longer than expected: newest first, up to the
   * first that can still start in time. None is refused in favour of a newer one.
   * @param waiting oldest first
   */
  overdue(waiting: Iterable<Entry>, now: number): { readonly entry: Entry; readonly error: ModelbenchError }[] {
    this.#reset();
    const waits = Array.from(waiting, (entry) => {
      const waitMs = now - entry.submitted + this.#waitOf(entry, now);
      this.#count(entry);
      return { entry, waitMs };
    });
    const refused: { entry: Entry; error: ModelbenchError }[] = [];
    for (let left = waits.length; left > 0; left -= 1) {
      const { entry, waitMs } = waits[left - 1] as (typeof waits)[number];
      if (!isLimited(entry)) continue;
      if (waitMs <= this.#options.maxMs) break;
      refused.push({ entry, error: this.#refusal(left, waitMs) });
    }
    this.queueChanged();
    return refused;
  }

  #reset(): void {
    this.#before = 0;
    this.#longest = 0;
    this.#tail = undefined;
    this.#counted = 0;
  }

  /**
   * Milliseconds until the batch starts in which the request would ride at the end of the queue. Of several runs at once
   * all but one may go on beyond that, none longer than the longest: so it starts no earlier, and nothing is refused that
   * might have started in time.
   */
  #waitOf(entry: Entry, now: number): number {
    let ahead = this.#before;
    let longest = this.#longest;
    const tail = this.#tail;
    if (tail !== undefined && nextPart(entry, tail.first, tail.room, this.#options.maxRows) === undefined) {
      const last = this.#cost(tail.first.request.method, tail.rows);
      ahead += last;
      longest = Math.max(longest, last);
    }
    for (const { method, rows, begun } of this.#running.values()) {
      const left = Math.max(0, this.#cost(method, rows) - (now - begun));
      ahead += left;
      longest = Math.max(longest, left);
    }
    const { concurrency } = this.#options;
    return Math.max(0, ahead - (concurrency - 1) * longest) / concurrency;
  }

  /** Puts a request at the end of the queue's last batch, or into batches of its own behind that. */
  #count(entry: Entry): void {
    this.#counted = (this.#counted ?? 0) + 1;
    const tail = this.#tail;
    let left = entry.rows === undefined ? soloRows(entry) : entry.rows - entry.taken;
    const part = tail && nextPart(entry, tail.first, tail.room, this.#options.maxRows);
    if (tail !== undefined && part !== undefined) {
      tail.rows += part.count;
      tail.room -= part.count;
      left -= part.count;
      if (left === 0) return;
    }
    if (tail !== undefined) this.#close(tail.first, tail.rows, 1);
    const { maxRows } = this.#options;
    const full = entry.rows === undefined ? 0 : Math.ceil(left / maxRows) - 1;
    if (full > 0) this.#close(entry, maxRows, full);
    const rows = left - full * maxRows;
    this.#tail = { first: entry, rows, room: maxRows - rows };
  }

  /** Counts batches in which nothing more will ride. */
  #close({ request }: Entry, rows: number, batches: number): void {
    const cost = this.#cost(request.method, rows);
    this.#before += batches * cost;
    this.#longest = Math.max(this.#longest, cost);
  }

  #cost(method: string, rows: number): number {
    return this.#costs.get(method)?.of(rows) ?? 0;
  }

  #refusal(waiting: number, waitMs: number): ModelbenchError {
    const requests = waiting === 1 ? "1 request waits" : `${waiting} requests wait`;
    return new ModelbenchError(
      "run.busy",
      `${requests}, about ${Math.ceil(waitMs)} ms; the limit is ${this.#options.maxMs} ms.`,
      { remedy: "Send it again when answers have come, or allow a longer wait." },
    );
  }
}

function isLimited({ request, taken }: Entry): boolean {
  return request.plan !== undefined && taken === 0;
}
