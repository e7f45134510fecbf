import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errno } from "../../store/failure";

/**
 * Tells this machine from every other one. VS Code's own state may be that of a client which connects to several
 * machines, so the mark is a small file where the code would run; a copy of that file is another file, and does not count.
 */
export class MachineMark {
  readonly #folder: string;

  /** @param folder the extension's own folder on this machine; made when the mark is */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The mark; `undefined` where nobody has made one. */
  read(): string | undefined {
    try {
      const text = readFileSync(this.#path, "utf8").slice(0, 100).trim();
      const { ino, birthtimeMs } = statSync(this.#path);
      return text === "" ? undefined : `${text} ${ino} ${Math.trunc(birthtimeMs)}`;
    } catch {
      return undefined;
    }
  }

  /** The mark, made when there is none. @throws an I/O error where the folder cannot be written */
  make(): string {
    mkdirSync(this.#folder, { recursive: true });
    try {
      writeFileSync(this.#path, `${randomUUID()}\n`, { flag: "wx", mode: 0o600 });
    } catch (error) {
      if (errno(error) !== "EEXIST") throw error;
    }
    const mark = this.read();
    if (mark === undefined) throw new Error(`${this.#path} cannot be read`);
    return mark;
  }

  get #path(): string {
    return join(this.#folder, "machine");
  }
}
