import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** What Python answered: a value, or the name and text of the exception it raised. */
export type Answer<T> =
  | { readonly value: T; readonly error?: never }
  | { readonly error: string; readonly value?: never };

const PYTHON = join(process.cwd(), ".tools/venv/bin/python");
const SCRIPT = join(process.cwd(), "test/peers/oracle.py");

/** The peers' own answer to a question takes milliseconds; only the first one also imports BentoML. */
const TIMEOUT_MS = 20_000;

/** Thrown by `ask` when Python did not answer in time; the next question starts a new process. */
class OracleTimeout extends Error {}

interface Waiting {
  readonly settle: (answer: Answer<unknown>) => void;
  readonly fail: (error: Error) => void;
}

/**
 * The real PyYAML and the real BentoML behind one long-lived Python process, which is ended and started again
 * when a question takes too long (PyYAML does not finish on some hostile texts).
 */
export class Oracle {
  #child: ChildProcess | undefined;
  #home: string | undefined;
  #next = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** Whether the peers are installed here. */
  static readonly available = existsSync(PYTHON);

  /** Asks one operation of oracle.py. @throws OracleTimeout; Error when the process dies */
  async ask<T>(op: string, args: Readonly<Record<string, unknown>>, timeoutMs = TIMEOUT_MS): Promise<Answer<T>> {
    const child = this.#start();
    this.#next += 1;
    const id = this.#next;
    let timer: NodeJS.Timeout | undefined;
    try {
      return (await new Promise<Answer<unknown>>((settle, reject) => {
        this.#waiting.set(id, { settle, fail: reject });
        timer = setTimeout(() => this.#stop(new OracleTimeout(`${op} took longer than ${timeoutMs} ms`)), timeoutMs);
        child.stdin?.write(`${JSON.stringify({ ...args, id, op })}\n`);
      })) as Answer<T>;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  /** Ends the process and removes its home. */
  dispose(): void {
    this.#stop(new Error("the oracle was disposed"));
    if (this.#home !== undefined) rmSync(this.#home, { recursive: true, force: true });
    this.#home = undefined;
  }

  #start(): ChildProcess {
    if (this.#child !== undefined) return this.#child;
    this.#home ??= mkdtempSync(join(tmpdir(), "modelbench-oracle-"));
    const env = { ...process.env, BENTOML_DO_NOT_TRACK: "True", BENTOML_HOME: this.#home, PYTHONIOENCODING: "utf-8" };
    const child = spawn(PYTHON, ["-u", SCRIPT], { env, stdio: ["pipe", "pipe", "ignore"] });
    createInterface({ input: child.stdout }).on("line", (line) => {
      const answer = JSON.parse(line) as Answer<unknown> & { readonly id: number };
      this.#waiting.get(answer.id)?.settle(answer);
    });
    child.on("exit", () => {
      if (this.#child === child) this.#stop(new Error("the oracle ended by itself"));
    });
    // A question written to a process that has just been ended must not end the tests.
    child.stdin.on("error", () => {});
    this.#child = child;
    return child;
  }

  #stop(reason: Error): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
    for (const { fail } of this.#waiting.values()) fail(reason);
    this.#waiting.clear();
  }
}
