import {
  closeSync,
  fchmodSync,
  fdatasync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { ModelbenchError, throwIfAborted } from "../../base/errors";
import { errno } from "../failure";
import { nodeFiles } from "../fileLayer";
import { removeTree } from "../fileOperations";
import { entriesOf, lstatOf, statOf } from "../modelFiles";
import { isLeftover, newStagingName } from "../owner";
import { Pace } from "../pace";

/** What file systems without hard links answer. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);
/** The file is flushed each time this much has been written, beside the writing. */
const EARLY_BYTES = 8 * 1024 ** 2;
const PARTIAL = /^\.modelbench-(.+)\.part$/;

/** A file that is being written under a name of its own. */
export class BesideFile {
  readonly #handle: number;
  readonly #pace = new Pace();
  readonly #signal: AbortSignal | undefined;
  #unflushed = 0;
  #early: Promise<void> | undefined;
  #failure: Error | undefined;
  /** Where it is now; it has its own name only when it is whole. */
  readonly path: string;
  /** Bytes so far. */
  bytes = 0;

  constructor(path: string, handle: number, signal: AbortSignal | undefined) {
    this.path = path;
    this.#handle = handle;
    this.#signal = signal;
  }

  /** Writes at the end and lets others have their turn. @throws ModelbenchError `cancelled` */
  async append(chunk: Uint8Array): Promise<void> {
    throwIfAborted(this.#signal);
    for (let done = 0; done < chunk.length; ) {
      done += writeSync(this.#handle, chunk, done, chunk.length - done, this.bytes + done);
    }
    this.bytes += chunk.length;
    this.#unflushed += chunk.length;
    if (this.#unflushed >= EARLY_BYTES && !this.#early) this.#flushEarly();
    await this.#pace.rest();
  }

  /** Ends the flushes that run beside the writing; nothing may be written afterwards. Throws what one has met. */
  async settle(): Promise<void> {
    await this.#early;
    if (this.#failure) throw this.#failure;
  }

  /** The device writes what is there while more is packed, and the last flush has less to wait for. */
  #flushEarly(): void {
    this.#unflushed = 0;
    this.#early = new Promise((resolve) => {
      fdatasync(this.#handle, (error) => {
        // A failure to write is reported to one flush only.
        this.#failure ??= error ?? undefined;
        this.#early = undefined;
        resolve();
      });
    });
  }

  /** Writes over bytes that are there. */
  patch(at: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#handle, bytes, done, bytes.length - done, at + done);
    }
  }
}

/**
 * Makes a file so that its name belongs to a whole file or to none: written beside its place, flushed, then given the
 * name, which is never taken from another file. Answers with its size.
 * @throws ModelbenchError `file.access`, `cancelled`, what `fill` throws
 */
export async function makeFileBeside(
  path: string,
  fill: (file: BesideFile) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const partial = partialPath(path);
  return fileBeside(path, partial, () => writePartial(partial, fill, signal), enterFile, signal);
}

/**
 * The same, but a file that has the name already is replaced and its permissions are kept: until the last moment it
 * stays what it was.
 * @throws ModelbenchError `file.access`, also for a folder of that name or none to write into, `cancelled`, what `fill`
 *   throws
 */
export async function replaceFileBeside(
  path: string,
  fill: (file: BesideFile) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (lstatOf(path)?.isDirectory()) {
    throw new ModelbenchError("file.access", `${path} is a folder; a file is written there.`, { path });
  }
  if (!lstatOf(path)) assertFree(path);
  const partial = partialPath(path);
  const write = () => writePartial(partial, fill, signal, statOf(path)?.mode);
  return fileBeside(path, partial, write, renameSync, signal);
}

/** Writes a file beside its place and gives it the name by `enter`; whatever fails, nothing of it stays there. */
async function fileBeside(
  path: string,
  partial: string,
  write: () => Promise<number>,
  enter: (partial: string, path: string) => void,
  signal: AbortSignal | undefined,
): Promise<number> {
  try {
    const bytes = await write();
    throwIfAborted(signal);
    enter(partial, path);
    await nodeFiles.sync(dirname(path));
    return bytes;
  } catch (error) {
    throw writeFailure(error, path);
  } finally {
    removePartial(partial);
  }
}

/**
 * The same for a folder: `fill` makes and flushes it under a name of its own.
 * @throws ModelbenchError `file.access`, `cancelled`, what `fill` throws
 */
export async function makeFolderBeside(
  path: string,
  fill: (folder: string) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const partial = partialPath(path);
  try {
    await fill(partial);
    throwIfAborted(signal);
    assertFree(path);
    renameSync(partial, path);
    await nodeFiles.sync(dirname(path));
  } catch (error) {
    throw writeFailure(error, path);
  } finally {
    await removeTree(nodeFiles, partial).catch(() => undefined);
  }
}

/** What cannot be removed now is cleared away by the next export into this folder. */
function removePartial(partial: string): void {
  try {
    rmSync(partial, { force: true });
  } catch {
    // The outcome of the export is what counts.
  }
}

/** @throws ModelbenchError `file.access` when the folder is missing or the name is taken */
export function assertFree(path: string, remedy = "Name another file, or remove that one first."): void {
  const folder = dirname(path);
  if (!statOf(folder)?.isDirectory()) {
    throw new ModelbenchError("file.access", `There is no folder ${folder} to export to.`, { path: folder });
  }
  if (lstatOf(path)) {
    throw new ModelbenchError("file.access", `${path} is there already and is not overwritten.`, { path, remedy });
  }
}

async function writePartial(
  partial: string,
  fill: (file: BesideFile) => Promise<void>,
  signal: AbortSignal | undefined,
  mode?: number,
): Promise<number> {
  const handle = openSync(partial, "wx", 0o644);
  const file = new BesideFile(partial, handle, signal);
  try {
    if (mode !== undefined) fchmodSync(handle, mode & 0o777);
    await fill(file);
    await file.settle();
    fsyncSync(handle);
    return file.bytes;
  } finally {
    await file.settle().catch(() => undefined);
    closeSync(handle);
  }
}

/** Removes what exports that were killed have left in a folder; best called before anything else is tried there. */
export async function clearPartials(folder: string): Promise<void> {
  for (const name of entriesOf(folder)) {
    const owner = PARTIAL.exec(name)?.[1];
    const path = join(folder, name);
    if (owner === undefined || !isLeftover(owner, () => lstatOf(path)?.mtimeMs, Date.now())) continue;
    await removeTree(nodeFiles, path).catch(() => undefined);
  }
}

/** A name for this process's own use. */
function partialPath(path: string): string {
  return join(dirname(path), `.modelbench-${newStagingName()}.part`);
}

/** Gives the file its name, which somebody may have taken meanwhile: a link, unlike a rename, takes nothing from it. */
function enterFile(partial: string, path: string): void {
  try {
    linkSync(partial, path);
  } catch (error) {
    assertFree(path);
    if (!NO_LINKS.has(errno(error) ?? "")) throw error;
    renameSync(partial, path);
  }
}

function writeFailure(error: unknown, path: string): ModelbenchError {
  if (error instanceof ModelbenchError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ModelbenchError("file.access", `Cannot write ${path}: ${reason}.`, { path, cause: error });
}
