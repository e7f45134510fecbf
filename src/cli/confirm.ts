import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";

/** Where a question goes and where its answer comes from. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

/**
 * Asks a person; anything but `y` or `yes`, an ended input included, is a no. The line is left to the terminal's own
 * editing, so that Ctrl+C is a signal here as everywhere else.
 * @throws AbortError when `signal` fires
 */
export async function isConfirmed(
  question: string,
  { input, output }: Terminal,
  signal: AbortSignal,
): Promise<boolean> {
  const prompt = createInterface({ input, output, terminal: false });
  const ended = new Promise<string>((resolve) => prompt.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([prompt.question(`${question} [y/N] `, { signal }), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    prompt.close();
  }
}
