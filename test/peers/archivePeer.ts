import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";

const SCRIPT = join(process.cwd(), "test/peers/archivePeer.py");
/** Exporting many models through xz is the longest thing asked for. */
const TIMEOUT_MS = 240_000;

/** A real BentoML of one version with a store of its own, in one process: starting it takes longer than its work. */
export class ArchivePeer {
  readonly #python: ChildProcess;
  readonly #input: Interface;
  readonly #lines: AsyncIterator<string>;

  /** @param venv folder below `.tools` @param home its BENTOML_HOME */
  constructor(venv: string, home: string) {
    this.#python = spawn(join(process.cwd(), ".tools", venv, "bin/python"), ["-W", "ignore", SCRIPT], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { ...process.env, BENTOML_DO_NOT_TRACK: "True", BENTOML_HOME: home, TMPDIR: join(home, "..") },
    });
    if (!this.#python.stdout) throw new Error("no output of the peer");
    this.#input = createInterface({ input: this.#python.stdout });
    this.#lines = this.#input[Symbol.asyncIterator]();
  }

  /** The answer to one request. @throws Error what the real one raised */
  async ask(request: Readonly<Record<string, unknown>>): Promise<unknown> {
    this.#python.stdin?.write(`${JSON.stringify(request)}\n`);
    const timer = setTimeout(() => this.#python.kill("SIGKILL"), TIMEOUT_MS);
    try {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`Python ended or was stopped at ${JSON.stringify(request)}`);
      const answer = JSON.parse(value) as { readonly value?: unknown; readonly error?: string };
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer.value;
    } finally {
      clearTimeout(timer);
    }
  }

  dispose(): void {
    this.#python.kill("SIGKILL");
    this.#input.close();
  }
}
