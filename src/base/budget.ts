import { ModelbenchError } from "./errors";

/** Upper bounds for one decoding; a bound left out does not apply. */
export interface BudgetLimits {
  /** Bytes that may be allocated or produced. */
  readonly bytes?: number;
  /** Values, members or messages that may be built. */
  readonly nodes?: number;
  /** Nesting that may be entered. */
  readonly depth?: number;
  /** Wall-clock milliseconds from construction. */
  readonly timeMs?: number;
}

/**
 * Counts what a decoder takes and stops it at a limit. V8's own limits do not see Buffers or WASM memory,
 * so every decoder of outside bytes is handed one of these and spends before it allocates.
 */
export class Budget {
  readonly #what: string;
  readonly #limits: BudgetLimits;
  readonly #deadline: number;
  #bytes = 0;
  #nodes = 0;
  #depth = 0;

  /** @param what names the thing being decoded in messages, for instance a path. */
  constructor(what: string, limits: BudgetLimits) {
    this.#what = what;
    this.#limits = limits;
    this.#deadline = limits.timeMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + limits.timeMs;
  }

  /** Accounts for `count` bytes about to be allocated. @throws ModelbenchError `budget.exceeded` */
  bytes(count: number): void {
    this.#bytes += count;
    this.#hold("bytes", this.#bytes, this.#limits.bytes);
  }

  /** Accounts for `count` values about to be built. @throws ModelbenchError `budget.exceeded` */
  nodes(count = 1): void {
    this.#nodes += count;
    this.#hold("nodes", this.#nodes, this.#limits.nodes);
    if ((this.#nodes & 0x3ff) < count) this.time();
  }

  /** Enters one level of nesting; pair with `leave`. @throws ModelbenchError `budget.exceeded` */
  enter(): void {
    this.#depth += 1;
    this.#hold("levels of nesting", this.#depth, this.#limits.depth);
  }

  /** Leaves the level entered last. */
  leave(): void {
    this.#depth -= 1;
  }

  /** Checks the clock; `nodes` does so by itself now and then. @throws ModelbenchError `budget.exceeded` */
  time(): void {
    if (performance.now() > this.#deadline) {
      throw new ModelbenchError("budget.exceeded", `${this.#what}: took longer than ${this.#limits.timeMs} ms.`);
    }
  }

  #hold(unit: string, used: number, limit: number | undefined): void {
    if (limit !== undefined && used > limit) {
      throw new ModelbenchError("budget.exceeded", `${this.#what}: needs more than ${limit} ${unit}.`);
    }
  }
}
