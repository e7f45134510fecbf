/** Bytes of dead output that may lie around. */
const MOST_BYTES = 4 * 1024 * 1024;
/** One collection in so many looks at everything: what was in use during two small ones is not seen by a third. */
const MAJOR_EVERY = 12;

type Collect = (options: { readonly type: "minor" | "major" }) => void;

/**
 * Frees the buffers that a decoder or zlib hands out. Each is dead as soon as it is written, but the engine, which
 * sees small objects and not the memory behind them, would let some 40 MiB of them gather before it looks. A small
 * collection takes a fraction of a millisecond, a whole one a few. Does nothing in a process that was not started with `--expose-gc`.
 */
export class OutputGarbage {
  #bytes = 0;
  #collections = 0;

  /** Says that as much has been handed out and used. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < MOST_BYTES) return;
    this.#bytes = 0;
    this.#collections += 1;
    const type = this.#collections % MAJOR_EVERY === 0 ? "major" : "minor";
    (globalThis.gc as Collect | undefined)?.({ type });
  }
}
