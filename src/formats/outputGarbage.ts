import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of dead output that may lie around. */
const MOST_BYTES = 4 * 1024 * 1024;

type Collect = (options: { readonly type: "minor" }) => void;

let collect: Collect | undefined;

/**
 * Frees the buffers that a decoder or zlib hands out. Each is dead as soon as it is written, but the engine, which sees small
 * objects and not the memory behind them, would let some 40 MiB of them gather before it looks. A small collection
 * takes a fraction of a millisecond.
 */
export class OutputGarbage {
  #bytes = 0;

  /** Says that as much has been handed out and used. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < MOST_BYTES) return;
    this.#bytes = 0;
    collect ??= findCollect();
    collect({ type: "minor" });
  }
}

/** The engine's own function, where it lets us have it; else nothing is done. */
function findCollect(): Collect {
  try {
    setFlagsFromString("--expose-gc");
    const found: unknown = runInNewContext("gc");
    if (typeof found === "function") return found as Collect;
  } catch {
    // It is a matter of memory only.
  }
  return () => undefined;
}
