import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { ModelbenchError } from "../base/errors";
import type { PositionalReader } from "../base/ports";

/** First bytes fetched after a jump: one page, because headers lie scattered between weights. */
const MIN_WINDOW = 4096;
/** Largest read-ahead while a file is read in order. */
const MAX_WINDOW = 65_536;
/** Reads up to this size share one buffer: who goes through weights piece by piece makes no garbage. */
const MAX_PIECE = 1 << 20;

/** A reader that holds an open file until `close`. */
export interface FileReader extends PositionalReader {
  close(): void;
}

/**
 * Opens a regular file for positional reads. Small reads are served from one window that starts at 4 KiB after
 * a jump and doubles up to 64 KiB while the file is read in order, so scattered headers cost few bytes; larger ones
 * share a buffer up to 1 MiB.
 * @throws ModelbenchError `file.access` when there is no such readable regular file
 */
export function openFileReader(path: string): FileReader {
  return new WindowedFile(path);
}

/** The window of the reader closed last, for the next one. */
let spareWindow: Buffer | undefined;
const NO_WINDOW = Buffer.alloc(0);

/** Size of a regular file, without opening it. @throws ModelbenchError `file.access` */
export function fileSize(path: string): number {
  try {
    const stat = statSync(path);
    if (stat.isFile()) return stat.size;
  } catch (cause) {
    throw accessError(path, cause);
  }
  throw notRegular(path);
}

class WindowedFile implements FileReader {
  readonly size: number;
  readonly #path: string;
  readonly #handle: number;
  #window: Buffer;
  #piece = NO_WINDOW;
  #start = 0;
  #end = 0;
  #open = true;

  constructor(path: string) {
    this.#path = path;
    const { handle, size } = openRegular(path);
    this.#handle = handle;
    this.size = size;
    this.#window = spareWindow ?? Buffer.allocUnsafeSlow(MIN_WINDOW);
    spareWindow = undefined;
  }

  read(offset: number, length: number): Uint8Array {
    if (!this.#open) throw new ModelbenchError("internal", `${this.#path}: read after it was closed.`);
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) {
      throw new ModelbenchError(
        "format.corrupt",
        `${this.#path}: bytes ${offset} to ${offset + length} were expected, but the file has ${this.size}.`,
        { path: this.#path, offset },
      );
    }
    if (offset >= this.#start && offset + length <= this.#end) {
      return this.#window.subarray(offset - this.#start, offset - this.#start + length);
    }
    if (length > MAX_WINDOW) {
      const bytes = this.#bufferOf(length);
      this.#fill(bytes, offset, length);
      return bytes;
    }
    this.#load(offset, length);
    return this.#window.subarray(0, length);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#handle);
    // Views of it are dead by contract. A window a file would cost more than reading the file's header does.
    if (this.#window.length === MIN_WINDOW) spareWindow = this.#window;
    this.#window = NO_WINDOW;
    this.#piece = NO_WINDOW;
    this.#end = 0;
  }

  #bufferOf(length: number): Buffer {
    if (length > MAX_PIECE) return Buffer.allocUnsafe(length);
    if (length > this.#piece.length) this.#piece = Buffer.allocUnsafeSlow(length);
    return this.#piece.subarray(0, length);
  }

  #load(offset: number, length: number): void {
    const inOrder = this.#end > 0 && offset >= this.#start && offset <= this.#end;
    const wanted = Math.max(length, inOrder ? Math.min(this.#window.length * 2, MAX_WINDOW) : MIN_WINDOW);
    // A view handed out earlier may be overwritten here: the contract says it lives until the next call.
    if (wanted > this.#window.length || !inOrder) this.#window = resized(this.#window, wanted);
    const count = Math.min(this.#window.length, this.size - offset);
    this.#end = 0;
    this.#fill(this.#window, offset, count);
    this.#start = offset;
    this.#end = offset + count;
  }

  #fill(target: Buffer, offset: number, count: number): void {
    let done = 0;
    while (done < count) {
      const got = readOnce(this.#handle, target, done, count - done, offset + done, this.#path);
      if (got === 0) {
        throw new ModelbenchError("format.corrupt", `${this.#path}: became shorter while it was read.`, {
          path: this.#path,
          offset: offset + done,
        });
      }
      done += got;
    }
  }
}

function resized(window: Buffer, size: number): Buffer {
  return window.length === size ? window : Buffer.allocUnsafeSlow(size);
}

function openRegular(path: string): { handle: number; size: number } {
  let handle: number | undefined;
  try {
    // O_NONBLOCK: opening a named pipe must not hang.
    handle = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = fstatSync(handle);
    if (stat.isFile()) return { handle, size: stat.size };
  } catch (cause) {
    if (handle !== undefined) closeSync(handle);
    throw accessError(path, cause);
  }
  closeSync(handle);
  throw notRegular(path);
}

function notRegular(path: string): ModelbenchError {
  return new ModelbenchError("file.access", `${path}: a file was expected, this is something else.`, { path });
}

function readOnce(handle: number, target: Buffer, at: number, length: number, position: number, path: string): number {
  try {
    return readSync(handle, target, at, length, position);
  } catch (cause) {
    throw accessError(path, cause);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "this is a folder",
  ENOTDIR: "a part of the path is not a folder",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the path is too long",
};

function accessError(path: string, cause: unknown): ModelbenchError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  return new ModelbenchError("file.access", `${path}: cannot be read: ${REASONS[code] ?? code}.`, { path, cause });
}
