import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import { ModelbenchError } from "../base/errors";

/** Where a question goes and where its answer comes from. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * Asks a person until the answer is `y`, `yes`, `n`, `no` or nothing, which is a no, as the real command line asks. The
 * line is left to the terminal's own editing, so that Ctrl+C is a signal here as everywhere else.
 * @throws ModelbenchError `cancelled` when the input ends; AbortError when `signal` fires
 */
export async function isConfirmed(
  question: string,
  { input, output }: Terminal,
  signal: AbortSignal,
): Promise<boolean> {
  const prompt = createInterface({ input, output, terminal: false, signal });
  const lines = prompt[Symbol.asyncIterator]();
  try {
    for (;;) {
      output.write(`${question} [y/N]: `);
      const { value, done } = await lines.next();
      signal.throwIfAborted();
      if (done) throw new ModelbenchError("cancelled", "Aborted!");
      const word = String(value).trim().toLowerCase();
      if (["", "n", "no"].includes(word)) return false;
      if (["y", "yes"].includes(word)) return true;
      output.write("Error: invalid input\n");
    }
  } finally {
    prompt.close();
  }
}
