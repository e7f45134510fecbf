import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { PYTHON } from "./realStore";

const SCRIPT = join(process.cwd(), "test/peers/storePeer.py");
const TIMEOUT_MS = 60_000;

/** A version as the real BentoML sees it; `files` are SHA-256 digests by path. */
export interface PeerModel {
  readonly tag: string;
  readonly module: string;
  readonly path: string;
  readonly bytes: number;
  readonly creation: string;
  readonly files: Readonly<Record<string, string>>;
}

/** The real BentoML on any store, in one long-lived process that opens the store anew for every question. */
export class StorePeer {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  constructor() {
    const env = { ...process.env, BENTOML_DO_NOT_TRACK: "True" };
    this.#child = spawn(PYTHON, ["-u", SCRIPT], { env, stdio: ["pipe", "pipe", "ignore"] });
    if (this.#child.stdout === null) throw new Error("no output of the peer");
    this.#lines = createInterface({ input: this.#child.stdout });
  }

  list(home: string, tag?: string): Promise<PeerModel[]> {
    return this.#ask<PeerModel[]>({ op: "list", home, ...(tag === undefined ? {} : { tag }) });
  }

  get(home: string, tag: string): Promise<PeerModel> {
    return this.#ask<PeerModel>({ op: "get", home, tag });
  }

  save(home: string, tag: string, files: Readonly<Record<string, string>>): Promise<string> {
    return this.#ask<string>({ op: "save", home, tag, files });
  }

  async delete(home: string, tag: string): Promise<void> {
    await this.#ask({ op: "delete", home, tag });
  }

  /** Imports an archive and answers with its tag. */
  import(home: string, path: string): Promise<string> {
    return this.#ask<string>({ op: "import", home, path });
  }

  /** What a Tag object says after a lookup with it. */
  resolve(home: string, tag: string): Promise<string> {
    return this.#ask<string>({ op: "resolve", home, tag });
  }

  dispose(): void {
    this.#lines.close();
    this.#child.kill("SIGKILL");
  }

  async #ask<T>(request: Readonly<Record<string, unknown>>): Promise<T> {
    const line = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => end(() => reject(new Error(`${request["op"]}: no answer in time`))), TIMEOUT_MS);
      const died = (): void => end(() => reject(new Error(`${request["op"]}: the peer ended`)));
      const answered = (text: string): void => end(() => resolve(text));
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#child.off("exit", died);
        this.#lines.off("line", answered);
        settle();
      };
      this.#lines.once("line", answered);
      this.#child.once("exit", died);
      this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    });
    const answer = JSON.parse(line) as { readonly value?: T; readonly error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value as T;
  }
}
