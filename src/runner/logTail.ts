import type { Readable } from "node:stream";

/** The last lines of its log tell why a process died; a stack may follow the line that matters. */
const TAIL_LINES = 60;

/** A line is cut here: a process may print without ever ending one. */
const LINE_CHARS = 10_000;

const FAREWELL = "The runner ends itself: ";

/** The one line with which the runner says why it ends itself; `LogTail.farewell` reads it. */
export function farewell(reason: string): string {
  return `${FAREWELL}${reason.replace(/\s+/g, " ").replace(/\.$/, "")}.\n`;
}

/** Follows what a process prints, and tells in words why it ended. */
export class LogTail {
  readonly #lines: string[] = [];

  /** Hands over every line of a stream, and keeps the last ones. */
  read(stream: Readable | null, onLine: (line: string) => void): void {
    let rest = "";
    const take = (line: string) => {
      onLine(line);
      this.#lines.push(line);
    };
    stream
      ?.setEncoding("utf8")
      .on("data", (text: string) => {
        const lines = (rest + text).split("\n");
        rest = (lines.pop() ?? "").slice(-LINE_CHARS);
        for (const line of lines) take(line);
        this.#lines.splice(0, this.#lines.length - TAIL_LINES);
      })
      .on("end", () => {
        if (rest !== "") take(rest);
      })
      .on("error", () => undefined);
  }

  /** Why a runner said that it ends itself, a whole sentence; `undefined` when it said nothing. */
  get farewell(): string | undefined {
    return this.#lines
      .filter((line) => line.startsWith(FAREWELL))
      .at(-1)
      ?.slice(FAREWELL.length);
  }

  /** How the process ended, as the end of a sentence: `ended with code 1; its last words: …`. */
  describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
    const said = this.#lastWords();
    const last = said === "" ? "" : `; its last words: ${said}`;
    if (this.#lines.some((line) => /out of memory|bad_alloc|ENOMEM|allocation failed|MemoryError/i.test(line)))
      return `ran out of memory${last}`;
    if (signal === "SIGKILL" && said === "")
      return "was killed from outside, for instance because the machine ran out of memory";
    return signal === null ? `ended with code ${code}${last}` : `was ended by ${signal}${last}`;
  }

  /** The last line that tells of a failure, else the last one at all. */
  #lastWords(): string {
    const lines = this.#lines.map((line) => line.trim()).filter((line) => line !== "");
    return (lines.filter((line) => /Error:|FATAL|terminate|what\(\)/.test(line)).at(-1) ?? lines.at(-1) ?? "").slice(
      0,
      400,
    );
  }
}
