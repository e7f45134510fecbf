import { type FileHandle, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { throwIfAborted } from "../base/errors";
import { errno } from "./failure";
import { type FileDigest, FileHasher } from "./fileDigest";
import type { FileLayer } from "./fileLayer";

/** Bytes copied at once: large enough for full disk speed, small enough to cancel within milliseconds. */
const COPY_CHUNK = 1 << 20;

/** Mode of new folders, less the umask. */
const FOLDER_MODE = 0o755;
/** Mode of new files, less the umask. */
const FILE_MODE = 0o644;

/**
 * Makes `path` and the missing folders above it, each of them flushed into the folder that holds it; one that another
 * process makes at the same time is fine.
 */
export async function ensureFolder(files: FileLayer, path: string): Promise<void> {
  try {
    await files.mkdir(path, FOLDER_MODE);
  } catch (error) {
    if (errno(error) === "EEXIST") return;
    if (errno(error) !== "ENOENT" || dirname(path) === path) throw error;
    await ensureFolder(files, dirname(path));
    // Once only: above may be a link that leads nowhere, which is there and in which nothing can be made.
    await files.mkdir(path, FOLDER_MODE).catch((failure) => {
      if (errno(failure) !== "EEXIST") throw failure;
    });
  }
  await files.sync(dirname(path));
}

/** Makes a file with this content, flushes it and gives it `mode`, less the umask. */
export async function writeNewFile(
  files: FileLayer,
  path: string,
  content: string | Uint8Array,
  mode = FILE_MODE,
): Promise<void> {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  await fillNewFile(files, path, mode, (file) => file.write(bytes));
}

/** How `copyNewFile` reports and stops. */
export interface CopyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes just written. */
  readonly onBytes?: ((count: number) => void) | undefined;
}

/** Copies an open file to a new one by chunks, keeps its executable bits, flushes it and answers with its digest. */
export async function copyNewFile(
  files: FileLayer,
  source: FileHandle,
  path: string,
  options: CopyOptions,
): Promise<FileDigest> {
  const stat = await source.stat();
  const executable = (stat.mode & 0o111) !== 0;
  const hasher = new FileHasher();
  const buffer = Buffer.allocUnsafe(Math.min(COPY_CHUNK, stat.size + 1));
  await fillNewFile(files, path, executable ? 0o755 : FILE_MODE, async (file) => {
    for (;;) {
      throwIfAborted(options.signal);
      const { bytesRead } = await source.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return;
      const chunk = buffer.subarray(0, bytesRead);
      // Written by a thread of the pool while this one computes the digest.
      const written = file.write(chunk);
      hasher.update(chunk);
      await written;
      options.onBytes?.(bytesRead);
    }
  });
  return hasher.end();
}

/** The digest of a file that is there. */
export async function digestFile(path: string, signal?: AbortSignal): Promise<FileDigest> {
  const handle = await open(path, "r");
  try {
    const hasher = new FileHasher();
    const buffer = Buffer.allocUnsafe(COPY_CHUNK);
    for (;;) {
      throwIfAborted(signal);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return hasher.end();
      hasher.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

/** Flushes all folders at and below `path`, the deepest first, and with `alsoFiles` every file in them before. */
export async function syncTree(files: FileLayer, path: string, alsoFiles: boolean): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await syncTree(files, child, alsoFiles);
    else if (alsoFiles && entry.isFile()) await files.sync(child);
  }
  await files.sync(path);
}

/** Removes a file, a link or a whole folder; what is not there any more is fine. Links are never followed. */
export async function removeTree(files: FileLayer, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch (error) {
    if (errno(error) === "ENOENT") return;
    // Linux answers EISDIR for a folder, POSIX allows EPERM.
    if (errno(error) !== "EISDIR" && errno(error) !== "EPERM") throw error;
    await removeFolder(files, path);
  }
}

async function removeFolder(files: FileLayer, path: string): Promise<void> {
  try {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const child = join(path, entry.name);
      await (entry.isDirectory() ? removeFolder(files, child) : removeTree(files, child));
    }
    await files.rmdir(path);
  } catch (error) {
    if (errno(error) !== "ENOENT") throw error;
  }
}

async function fillNewFile(
  files: FileLayer,
  path: string,
  mode: number,
  fill: (file: Awaited<ReturnType<FileLayer["create"]>>) => Promise<void>,
): Promise<void> {
  const file = await files.create(path, mode);
  try {
    await fill(file);
    await file.sync();
  } finally {
    await file.close();
  }
}
