import { toWireError, type Warning, type WireError } from "../base/errors";
import { visible } from "../base/visible";

/** One line for a terminal: nothing in it can move the cursor, hide text or turn its direction round. */
export function printable(line: string): string {
  return visible(line, Number.POSITIVE_INFINITY);
}

/** A message of several lines, such as an exception has: the others are indented, so that none begins like ours. */
function printableLines(message: string): string[] {
  const [first = "", ...rest] = message.trimEnd().split("\n");
  return [printable(first), ...rest.map((line) => printable(`  ${line}`))];
}

/** Exit codes of the contract. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/**
 * Where a verb puts its answer. With `-o json` stdout is one JSON document and stderr is empty or one JSON
 * document; otherwise both are for people.
 */
export class Output {
  readonly json: boolean;
  /** Keeps warnings to itself. */
  quiet = false;
  readonly #warnings: Warning[] = [];
  #failedParts: readonly unknown[] | undefined;
  #progressShown = false;

  constructor(json: boolean) {
    this.json = json;
  }

  /** Writes JSON text that the caller has rendered. */
  document(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** Writes lines for people, and lists of them, which may be longer than a call has arguments. */
  lines(...lines: readonly (string | readonly string[])[]): void {
    this.#clearProgress();
    process.stdout.write(
      lines
        .flat()
        .map((line) => `${printable(line)}\n`)
        .join(""),
    );
  }

  /** Says something beside the answer, to a person at a terminal only. */
  hint(line: string): void {
    this.#clearProgress();
    if (!this.json && !this.quiet && process.stderr.isTTY) process.stderr.write(`${printable(line)}\n`);
  }

  /** Writes text that ends its own lines and holds nothing unprintable, such as YAML. */
  text(text: string): void {
    process.stdout.write(text);
  }

  /** Notes something that fails nothing; shown when the verb is done. */
  warn(warning: Warning): void {
    this.#warnings.push(warning);
  }

  /** Notes which parts of a request failed, one by one; they are listed beside the failure itself. */
  failedParts(parts: readonly unknown[]): void {
    this.#failedParts = parts;
  }

  /** One line that is overwritten, on a terminal only. */
  progress(line: string): void {
    if (this.json || !process.stderr.isTTY) return;
    process.stderr.write(`\r\u001b[2K${printable(line).slice(0, (process.stderr.columns ?? 80) - 1)}`);
    this.#progressShown = true;
  }

  /** Ends the run: warnings and the failure go to stderr. */
  finish(failure?: unknown): void {
    this.#clearProgress();
    if (this.quiet) this.#warnings.length = 0;
    if (failure === undefined && this.#warnings.length === 0) return;
    const error = failure === undefined ? undefined : toWireError(failure);
    process.stderr.write(this.json ? this.#finishJson(error) : this.#finishText(error));
  }

  #finishJson(error: WireError | undefined): string {
    const failed = this.#failedParts === undefined ? {} : { failed: this.#failedParts };
    const body = error === undefined ? {} : { error: { ...error, ...failed } };
    return `${JSON.stringify({ ...body, warnings: this.#warnings })}\n`;
  }

  #finishText(error: WireError | undefined): string {
    const lines = this.#warnings.map((w) => `warning: ${w.message}${w.path === undefined ? "" : ` (${w.path})`}`);
    if (error !== undefined) {
      lines.push(`error: ${error.message}`);
      if (error.remedy !== undefined) lines.push(`  ${error.remedy}`);
    }
    return `${lines.flatMap(printableLines).join("\n")}\n`;
  }

  #clearProgress(): void {
    if (this.#progressShown) process.stderr.write("\r\u001b[2K");
    this.#progressShown = false;
  }
}
