import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { ModelbenchError, throwIfAborted } from "../base/errors";
import type { JobKey, JobOptions } from "../base/ports";
import { statOf } from "./modelFiles";
import type { NamedFile } from "./provenance";

/** A file of the same size that was touched since is read again up to this size; a page does not wait for longer. */
const MAX_COMPARED_BYTES = 1 << 28;

/** What a named file is now, beside what it was; `unclear` = touched since, and too large to be read for a look. */
export type NamedFileState = "same" | "changed" | "missing" | "unclear";

/** Digests files that the user named, by their absolute paths; reports bytes. */
export const digestFilesJob: JobKey<{ readonly paths: readonly string[] }, readonly NamedFile[]> = {
  name: "store.digestFiles",
};

/** The work behind `digestFilesJob`. @throws ModelbenchError `file.access` naming the file, `cancelled` */
export async function runDigestFiles({ paths }: { paths: readonly string[] }, options: JobOptions) {
  const named: NamedFile[] = [];
  let doneBytes = 0;
  // A data set may be larger than is read before silence is taken for a hang.
  const onBytes = (count: number): void => {
    doneBytes += count;
    options.onProgress?.({ doneBytes });
  };
  for (const path of paths) {
    throwIfAborted(options.signal);
    named.push(await digested(path, options.signal, onBytes));
  }
  return named;
}

/** Compares a file with what it was; reads it only where its size is the same and its time is not. */
export async function namedFileState({ path, bytes, mtimeMs, sha256 }: NamedFile): Promise<NamedFileState> {
  const now = statOf(path);
  if (!now?.isFile()) return "missing";
  if (now.size !== bytes) return "changed";
  if (now.mtimeMs === mtimeMs) return "same";
  if (bytes > MAX_COMPARED_BYTES) return "unclear";
  const found = await digested(path).catch(() => undefined);
  if (found === undefined) return "missing";
  return found.sha256 === sha256 ? "same" : "changed";
}

async function digested(path: string, signal?: AbortSignal, onBytes?: (count: number) => void): Promise<NamedFile> {
  try {
    // Taken before it is read: what is written meanwhile is not what was read.
    const before = await stat(path);
    if (!before.isFile()) throw new Error("it is not a plain file");
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) {
      hash.update(chunk as Buffer);
      onBytes?.((chunk as Buffer).length);
    }
    return { path, bytes: before.size, mtimeMs: before.mtimeMs, sha256: hash.digest("hex") };
  } catch (cause) {
    throwIfAborted(signal);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelbenchError("file.access", `Cannot read ${path}: ${reason}.`, { path, cause });
  }
}
