import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** The interpreter with the libraries that benches compare with. */
export const PYTHON = resolve(".tools/venv/bin/python");

/** What a bench compares with, warm in a Python process: a line in, a line of JSON out. */
export class PythonPeer {
  readonly #child: ChildProcess & { readonly stdin: Writable; readonly stdout: Readable };
  readonly #answers: AsyncIterator<string>;

  /** Starts a script of this folder; what it writes to stderr is shown only with MODELBENCH_BENCH_LOG. */
  constructor(script: string, ...args: readonly string[]) {
    const log = process.env["MODELBENCH_BENCH_LOG"] === undefined ? "ignore" : "inherit";
    this.#child = spawn(PYTHON, [resolve("test/bench", script), ...args], { stdio: ["pipe", "pipe", log] });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** The answer to one line. */
  async ask(line: string): Promise<Readonly<Record<string, unknown>>> {
    this.#child.stdin.write(`${line}\n`);
    const { done, value } = await this.#answers.next();
    if (done === true) throw new Error(`${line} ended Python`);
    return JSON.parse(value);
  }

  /** Lets it end. */
  end(): void {
    this.#child.stdin.end();
  }
}

/** @throws Error where the peers are not installed: a bench without them would compare with nothing */
export function requirePeers(): void {
  if (!existsSync(PYTHON)) throw new Error("The peers are not installed: node scripts/prepare.mjs python");
}
