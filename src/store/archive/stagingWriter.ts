import { close, closeSync, constants, fdatasync, fsync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { storeFailure } from "../failure";
import { type FileDigest, FileHasher } from "../fileDigest";
import { assertRoom, LARGE_BYTES } from "./freeSpace";
import type { SafeMember, SafeSink } from "./gate";

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
/** A large file is flushed each time this much has been written, beside the writing. */
const EARLY_BYTES = 8 * 1024 ** 2;
/** Files whose flush may be under way at once, well below any limit on open files. */
const MAX_UNFLUSHED = 64;

interface OpenFile {
  readonly handle: number;
  readonly member: SafeMember;
  readonly hasher: FileHasher;
  /** Bytes since the last early flush was begun. */
  unflushed: number;
  /** Ends when no early flush is under way. */
  early: Promise<void> | undefined;
}

/**
 * Writes members below an empty staging folder and keeps their digests. Writing is synchronous, which is several
 * times faster than promises for many small files; flushing to the device runs beside it, because a file system
 * does many waiting flushes as one. `settle` keeps their number down.
 */
export class StagingWriter implements SafeSink {
  readonly #folder: string;
  readonly #freeBytes: () => number;
  readonly #made = new Set<string>();
  readonly #digests = new Map<string, FileDigest>();
  readonly #flushing = new Set<Promise<void>>();
  #failure: unknown;
  #file: OpenFile | undefined;

  /** @param freeBytes answers how much room the device of `folder` has */
  constructor(folder: string, freeBytes: () => number) {
    this.#folder = folder;
    this.#freeBytes = freeBytes;
  }

  /** @throws ModelbenchError `store.access` */
  open(member: SafeMember): void {
    const { kind, path, bytes, executable } = member;
    if (bytes >= LARGE_BYTES) assertRoom(bytes, this.#freeBytes(), this.#folder);
    this.#attempt(path, () => {
      this.#makeFolder(kind === "directory" ? path : dirname(path));
      if (kind === "directory") return;
      const handle = openSync(join(this.#folder, path), CREATE, executable ? 0o755 : 0o644);
      this.#file = { handle, member, hasher: new FileHasher(), unflushed: 0, early: undefined };
    });
  }

  /** @throws ModelbenchError `store.access` */
  write(chunk: Uint8Array): void {
    const file = this.#file;
    if (!file) return;
    file.hasher.update(chunk);
    this.#attempt(file.member.path, () => {
      for (let done = 0; done < chunk.length; ) done += writeSync(file.handle, chunk, done);
    });
    file.unflushed += chunk.length;
    if (file.unflushed >= EARLY_BYTES && !file.early) this.#flushEarly(file);
  }

  close(): void {
    const file = this.#file;
    if (!file) return;
    this.#file = undefined;
    this.#digests.set(file.member.path, file.hasher.end());
    const flushed = this.#flush(file).finally(() => this.#flushing.delete(flushed));
    this.#flushing.add(flushed);
  }

  /** Waits while too many files are unflushed. @throws ModelbenchError `store.access` when a flush has failed */
  async settle(most = MAX_UNFLUSHED): Promise<void> {
    while (this.#flushing.size > most) await Promise.race(this.#flushing);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** What was written, once all of it is on the device. @throws ModelbenchError `store.access` */
  async finish(): Promise<ReadonlyMap<string, FileDigest>> {
    await this.settle(0);
    return this.#digests;
  }

  /** Lets go of every file; what was written stays for the caller to remove. */
  async abandon(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.early;
    if (file) closeSync(file.handle);
    await Promise.all(this.#flushing);
  }

  #makeFolder(path: string): void {
    if (path === "." || this.#made.has(path)) return;
    this.#makeFolder(dirname(path));
    mkdirSync(join(this.#folder, path), 0o755);
    this.#made.add(path);
  }

  /** The device writes what is there while more is read, and the last flush has less to wait for. */
  #flushEarly(file: OpenFile): void {
    file.unflushed = 0;
    file.early = new Promise((resolve) => {
      fdatasync(file.handle, (error) => {
        // A failure to write is reported to one flush only.
        if (error) this.#failure ??= storeFailure(error, "write", join(this.#folder, file.member.path));
        file.early = undefined;
        resolve();
      });
    });
  }

  /** Never rejects: the first failure is kept for `settle`. */
  async #flush({ handle, member, early }: OpenFile): Promise<void> {
    await early;
    return await new Promise((resolve) => {
      fsync(handle, (unsynced) => {
        close(handle, (unclosed) => {
          const error = unsynced ?? unclosed;
          if (error) this.#failure ??= storeFailure(error, "write", join(this.#folder, member.path));
          resolve();
        });
      });
    });
  }

  #attempt(path: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      throw storeFailure(error, "write", join(this.#folder, path));
    }
  }
}
