import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { ModelbenchError, throwIfAborted } from "../../base/errors";
import type { JobOptions } from "../../base/ports";
import { writeBz2 } from "../../formats/bz2/bz2Writer";
import { writeGzip } from "../../formats/gzipWriter";
import { writeSmallXz, writeStoredXz } from "../../formats/xz/xzWriter";
import { ModelStore } from "../modelStore";
import { formatTag } from "../tag";
import type { Compression, ExportFormat, ExportRequest, ExportResult } from "./archiveJobs";
import { asRecorded } from "./asRecorded";
import { assertFree, clearPartials, makeFileBeside, makeFolderBeside } from "./beside";
import { exportFolder } from "./exportFolder";
import { type ExportPlan, type OnDigest, planExport, samplePlan } from "./exportPlan";
import { resolveDestination } from "./format";
import { assertRoom, freeBytes } from "./freeSpace";
import { packTar, tarBytes } from "./packTar";
import { packZip } from "./packZip";
import { chooseProperties, deflates, SAMPLE_BYTES } from "./shrinking";

/** Samples that stand for a whole model. */
const SAMPLES = 16;

/** The work behind `exportModelJob`. @throws ModelbenchError as `exportModel` */
export function runExportModel(request: ExportRequest & { readonly home: string }, options: JobOptions) {
  return exportModel(new ModelStore(request.home), request, options);
}

/**
 * Packs one model into an archive or copies it into a folder. It is made beside its destination, flushed and renamed,
 * so that what stands under the destination's name is always whole; a failure or a cancel leaves nothing behind.
 * Never overwrites.
 * @throws ModelbenchError errors of `ModelStore.get`, `archive.format`, `file.access`, `store.access` for a full
 *   disk, `model.broken` for links or files that change meanwhile, `model.changed` for bytes that are not those saved,
 *   `cancelled`
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
  assertCompression(target.format, request.compression);
  await clearPartials(dirname(target.path));
  assertFree(target.path);
  // The version itself may be a link to another disk; what is inside must not.
  const plan = planExport(realpathSync(model.path), formatTag(model.tag));
  assertRoom(tarBytes(plan), freeBytes(dirname(target.path)), dirname(target.path));
  const bytes = await write(plan, target, request.compression, options, asRecorded(store.home, model));
  return { tag: formatTag(model.tag), path: target.path, bytes };
}

async function write(
  plan: ExportPlan,
  { path, format }: { readonly path: string; readonly format: ExportFormat },
  compression: Compression | undefined,
  options: JobOptions,
  onDigest: OnDigest | undefined,
): Promise<number> {
  if (format === "folder") {
    await makeFolderBeside(path, (folder) => exportFolder(plan, folder, options, onDigest), options.signal);
    return plan.bytes;
  }
  if (format === "zip") {
    const packing = compression ?? "measured";
    return makeFileBeside(path, (file) => packZip(plan, file, packing, options, onDigest), options.signal);
  }
  const wrap = wrapper(format, compression, plan);
  return makeFileBeside(
    path,
    async (file) => {
      for await (const chunk of wrap(packTar(plan, options, onDigest))) await file.append(chunk);
    },
    options.signal,
  );
}

/** What is put around the tar. */
function wrapper(
  format: Exclude<ExportFormat, "folder" | "zip">,
  compression: Compression | undefined,
  plan: ExportPlan,
): (tar: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array> {
  const samples = () => samplePlan(plan, SAMPLES, SAMPLE_BYTES);
  switch (format) {
    case "tar":
      return (tar) => tar;
    case "tar.bz2":
      return writeBz2;
    case "tar.gz": {
      const level = compression === "small" ? 9 : compression === undefined && deflates(samples()) ? 6 : 0;
      return (tar) => writeGzip(tar, level);
    }
    default: {
      if (compression !== "small") return writeStoredXz;
      const properties = chooseProperties(samples());
      return (tar) => writeSmallXz(tar, properties);
    }
  }
}

/** @throws ModelbenchError `archive.format` for what a format cannot do */
function assertCompression(format: ExportFormat, compression: Compression | undefined): void {
  const why =
    compression === "small" && (format === "tar" || format === "folder")
      ? "is never compressed"
      : compression === "stored" && format === "tar.bz2"
        ? "is always compressed"
        : undefined;
  if (why === undefined) return;
  throw new ModelbenchError("archive.format", `${format} ${why}.`, {
    remedy: "Leave the compression out, or choose another format.",
  });
}
