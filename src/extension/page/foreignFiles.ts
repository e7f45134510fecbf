import { randomBytes } from "node:crypto";
import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { humanSize } from "../../base/humanSize";
import type { Disposable } from "../../base/scope";
import type { Localize } from "../services";

/** Largest file of another file system that is looked into: it is read whole. */
export const FOREIGN_BYTES = 64 * 2 ** 20;

/** A file of another file system, as VS Code reads it. */
export interface ForeignFile {
  /** The last part of its path. */
  readonly name: string;
  /** How the user knows it, for instance `git:/models/a.onnx`. */
  readonly label: string;
  /** Its size in bytes, as far as its provider says. */
  size(): Promise<number>;
  read(): Promise<Uint8Array>;
}

/** A private copy. */
export interface ForeignCopy extends Disposable {
  /** Absolute; nobody but the user may read it. */
  readonly path: string;
  /** Removes the copy. */
  dispose(): Promise<void>;
}

/** Private copies of files that are not on this disk; each lives as long as whoever asked for it. */
export class ForeignFiles {
  readonly #folder: string;
  readonly #t: Localize;

  /** @param folder ours alone; made when it is needed */
  constructor(folder: string, t: Localize) {
    this.#folder = folder;
    this.#t = t;
  }

  /**
   * Copies a file whole.
   * @throws ModelbenchError `budget.exceeded` when it is larger than 64 MiB, `file.access` when it cannot be read, or the
   *   copy not be written
   */
  async copy(file: ForeignFile): Promise<ForeignCopy> {
    const bytes = await this.#read(file);
    const folder = join(this.#folder, `${process.pid}-${randomBytes(6).toString("hex")}`);
    const path = join(folder, safeName(file.name));
    const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true });
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // A folder that was there already keeps its mode.
      await chmod(this.#folder, 0o700);
      await writeFile(path, bytes, { mode: 0o600 });
      return { path, dispose };
    } catch (error) {
      await dispose().catch(() => undefined);
      const message = this.#t("{0}: cannot be copied to {1}: {2}", file.label, this.#folder, reasonOf(error));
      const remedy = this.#t("Make room there, or copy the file to a folder of this machine yourself.");
      throw new ModelbenchError("file.access", message, { remedy, cause: error });
    }
  }

  /** Removes what windows left behind that ended without a word. */
  async sweep(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names) {
      const pid = Number(/^(\d+)-/.exec(name)?.[1] ?? Number.NaN);
      if (!isRunning(pid)) await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  async #read(file: ForeignFile): Promise<Uint8Array> {
    try {
      this.#assertSize(file, await file.size());
      const bytes = await file.read();
      this.#assertSize(file, bytes.length);
      return bytes;
    } catch (error) {
      if (error instanceof ModelbenchError) throw error;
      const message = this.#t("{0}: cannot be read: {1}", file.label, reasonOf(error));
      throw new ModelbenchError("file.access", message, { cause: error });
    }
  }

  #assertSize({ label }: ForeignFile, bytes: number): void {
    if (bytes <= FOREIGN_BYTES) return;
    const [size, most] = [humanSize(bytes), humanSize(FOREIGN_BYTES)];
    const message = this.#t("{0} has {1}. Files that are not on this disk are read up to {2}.", label, size, most);
    throw new ModelbenchError("budget.exceeded", message, { remedy: this.#t("Copy it to a folder of this machine.") });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The name decides what a file claims to be, so it is kept as far as the disk takes it. */
function safeName(name: string): string {
  const safe = name.replaceAll("/", "_").replaceAll("\0", "_");
  return safe === "" || safe === "." || safe === ".." ? "file" : Buffer.from(safe).subarray(-200).toString();
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
