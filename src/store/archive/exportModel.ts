import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, realpathSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { ModelbenchError, throwIfAborted } from "../../base/errors";
import type { JobOptions } from "../../base/ports";
import { writeStoredXz } from "../../formats/xz/xzWriter";
import { errno } from "../failure";
import { nodeFiles } from "../fileLayer";
import { lstatOf, statOf } from "../modelFiles";
import { ModelStore } from "../modelStore";
import { formatTag } from "../tag";
import type { ExportFormat, ExportRequest, ExportResult } from "./archiveJobs";
import { resolveDestination } from "./format";
import { assertRoom, freeBytes } from "./freeSpace";
import { gzip } from "./gzip";
import { Pace } from "./pace";
import { packTar, planTar } from "./packTar";

const WRAP: Readonly<Record<ExportFormat, (tar: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>>> = {
  bentomodel: writeStoredXz,
  tar: (tar) => tar,
  "tar.gz": gzip,
};

/** What file systems without hard links answer. */
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** The work behind `exportModelJob`. @throws ModelbenchError as `exportModel` */
export function runExportModel(request: ExportRequest & { readonly home: string }, options: JobOptions) {
  return exportModel(new ModelStore(request.home), request, options);
}

/**
 * Packs one model into an archive. It is written beside its destination, flushed and renamed, so that a file under
 * the destination's name is always whole; a failure or a cancel leaves nothing behind. Never overwrites.
 * @throws ModelbenchError errors of `ModelStore.get`, `archive.format`, `file.access`, `store.access` for a full
 *   disk, `model.broken` for links or files that change meanwhile, `cancelled`
 */
export async function exportModel(
  store: ModelStore,
  request: ExportRequest,
  options: JobOptions = {},
): Promise<ExportResult> {
  throwIfAborted(options.signal);
  const model = store.get(request.tag);
  const { destination, format } = request;
  const target = resolveDestination(model.tag, { destination, format, cwd: process.cwd() });
  assertFree(target.path);
  // The version itself may be a link to another disk; what is inside must not.
  const plan = planTar(realpathSync(model.path), formatTag(model.tag));
  assertRoom(plan.totalBytes, freeBytes(dirname(target.path)), dirname(target.path));
  const bytes = await writeBeside(target.path, WRAP[target.format](packTar(plan, options)), options.signal);
  return { tag: formatTag(model.tag), path: target.path, bytes };
}

function assertFree(path: string): void {
  const folder = dirname(path);
  if (!statOf(folder)?.isDirectory()) {
    throw new ModelbenchError("file.access", `There is no folder ${folder} to export to.`, { path: folder });
  }
  if (lstatOf(path)) {
    const remedy = "Name another file, or remove that one first.";
    throw new ModelbenchError("file.access", `${path} is there already and is not overwritten.`, { path, remedy });
  }
}

async function writeBeside(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const partial = join(dirname(path), `.modelbench-${randomUUID()}.part`);
  let handle: number | undefined;
  try {
    handle = openSync(partial, "wx", 0o644);
    const bytes = await writeAll(handle, chunks, signal);
    fsyncSync(handle);
    closeSync(handle);
    handle = undefined;
    throwIfAborted(signal);
    enter(partial, path);
    await nodeFiles.sync(dirname(path));
    return bytes;
  } catch (error) {
    throw writeFailure(error, path);
  } finally {
    if (handle !== undefined) closeSync(handle);
    rmSync(partial, { force: true });
  }
}

/** Gives the file its name, which somebody may have taken meanwhile: a link, unlike a rename, takes nothing from it. */
function enter(partial: string, path: string): void {
  try {
    linkSync(partial, path);
  } catch (error) {
    assertFree(path);
    if (!NO_LINKS.has(errno(error) ?? "")) throw error;
    renameSync(partial, path);
  }
}

async function writeAll(
  handle: number,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const pace = new Pace();
  let bytes = 0;
  for await (const chunk of chunks) {
    throwIfAborted(signal);
    for (let done = 0; done < chunk.length; ) done += writeSync(handle, chunk, done);
    bytes += chunk.length;
    await pace.rest();
  }
  return bytes;
}

function writeFailure(error: unknown, path: string): ModelbenchError {
  if (error instanceof ModelbenchError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ModelbenchError("file.access", `Cannot write ${path}: ${reason}.`, { path, cause: error });
}
