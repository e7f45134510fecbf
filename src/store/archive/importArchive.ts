import { unlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { type ErrorCode, ModelbenchError, throwIfAborted, toWireError } from "../../base/errors";
import type { JobOptions } from "../../base/ports";
import { visible } from "../../base/visible";
import { openFileReader } from "../../formats/fileReader";
import { TarReader } from "../../formats/tar/tarReader";
import { nodeFiles } from "../fileLayer";
import { writeNewFile } from "../fileOperations";
import { MODEL_YAML } from "../layout";
import type { ModelInfo, Tag } from "../model";
import { lstatOf, statOf } from "../modelFiles";
import { ModelStore } from "../modelStore";
import type { FileRecord } from "../record";
import { formatTag, makeTag, newVersion } from "../tag";
import type { ConflictChoice, ImportAction, ImportRequest, ImportResult } from "./archiveJobs";
import { laterFormat } from "./format";
import { assertRoom, freeBytes } from "./freeSpace";
import { ArchiveGate, assertClaim, ExpansionGuard } from "./gate";
import { type ArchiveLimits, limitsWith } from "./limits";
import { ModelYamlSink } from "./modelYamlSink";
import { type OpenedArchive, openArchive } from "./openArchive";
import { Pace } from "./pace";
import { StagingWriter } from "./stagingWriter";
import { withVersion } from "./versionLine";

/** Bytes parsed between two looks at the clock. */
const SLICE_BYTES = 65_536;
/** How often a tag that others take and leave is judged anew. */
const ATTEMPTS = 10;
/** A failure's message may quote the archive; this keeps it short, also when every character had to be written out. */
const MAX_MESSAGE = 900;

/** What was found in an archive. */
interface Found {
  readonly info: ModelInfo;
  readonly yaml: string;
  /** Sum of all files. */
  readonly bytes: number;
}

/** Ends the reading of an archive whose tag is taken and is to be skipped. */
class AlreadyThere extends Error {
  readonly tag: Tag;

  constructor(tag: Tag) {
    super();
    this.tag = tag;
  }
}

/** The work behind `importArchiveJob`. @throws ModelbenchError as `importArchive` */
export function runImportArchive(request: ImportRequest & { readonly home: string }, options: JobOptions) {
  return importArchive(new ModelStore(request.home), request, options);
}

/**
 * Reads an archive through the gate into staging and hands the staged folder to the store; every failure and a
 * cancel leave the store as it was and staging empty. With `replace` the old version goes to the trash.
 * @throws ModelbenchError `archive.unsafe`, `archive.corrupt`, `archive.format`, `file.access`, `yaml.invalid`,
 *   `tag.invalid`, `model.exists`, `store.access`, `store.crossDevice`, `cancelled`
 */
export async function importArchive(
  store: ModelStore,
  request: ImportRequest,
  options: JobOptions = {},
): Promise<ImportResult> {
  if (request.source.includes("://")) throw laterFormat(`Importing from ${visible(request.source)}`);
  const from = resolve(request.source);
  try {
    return await importFile(store, from, request, options);
  } catch (error) {
    throw describe(error, from);
  }
}

async function importFile(
  store: ModelStore,
  from: string,
  request: ImportRequest,
  options: JobOptions,
): Promise<ImportResult> {
  throwIfAborted(options.signal);
  if (statOf(from)?.isDirectory()) throw laterFormat("Importing a folder");
  const reader = openFileReader(from);
  try {
    const archive = openArchive(reader);
    const limits = limitsWith(request.limits);
    assertClaim(archive, limits);
    const decide = (info: ModelInfo) => assertWanted(store, info.tag, request.onConflict);
    if (request.dryRun) {
      const found = await readMembers(archive, limits, undefined, decide, options);
      return { tag: formatTag(found.info.tag), action: wouldDo(store, found, request), from, bytes: found.bytes };
    }
    return await stage(store, archive, limits, request, decide, from, options);
  } catch (error) {
    if (!(error instanceof AlreadyThere)) throw error;
    return { tag: formatTag(error.tag), action: request.dryRun ? "would-skip" : "skipped", from, bytes: 0 };
  } finally {
    reader.close();
  }
}

async function stage(
  store: ModelStore,
  archive: OpenedArchive,
  limits: ArchiveLimits,
  { onConflict }: ImportRequest,
  decide: (info: ModelInfo) => void,
  from: string,
  options: JobOptions,
): Promise<ImportResult> {
  const staged = await store.stagingFolder();
  const free = () => freeBytes(staged);
  const writer = new StagingWriter(staged, free);
  try {
    assertRoom(archive.contentBytes ?? archive.packedBytes, free(), staged);
    const found = await readMembers(archive, limits, writer, decide, options);
    const { tag, action } = await enter(store, staged, found, await writer.finish(), onConflict, options);
    return { tag: formatTag(tag), action, from, bytes: found.bytes };
  } finally {
    await writer.abandon();
    await store.discard(staged);
  }
}

async function readMembers(
  archive: OpenedArchive,
  limits: ArchiveLimits,
  writer: StagingWriter | undefined,
  decide: (info: ModelInfo) => void,
  { signal, onProgress }: JobOptions,
): Promise<Found> {
  let model: { info: ModelInfo; yaml: string } | undefined;
  let current = "";
  const sink = new ModelYamlSink(writer, (info, yaml) => {
    decide(info);
    model = { info, yaml };
  });
  const gate = new ArchiveGate(limits, archive, {
    open(member) {
      current = member.path;
      sink.open(member);
    },
    write: (chunk) => sink.write(chunk),
    close: () => sink.close(),
  });
  const guard = new ExpansionGuard(limits);
  const tar = new TarReader(gate);
  const pace = new Pace();
  for await (const chunk of archive.chunks(guard)) {
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
      throwIfAborted(signal);
      tar.push(chunk.subarray(at, at + SLICE_BYTES));
      onProgress?.({ doneBytes: guard.consumedBytes, totalBytes: archive.packedBytes, current });
      await writer?.settle();
      await pace.rest();
    }
  }
  throwIfAborted(signal);
  tar.finish();
  gate.finish();
  if (!model) throw new ModelbenchError("internal", "The gate let an archive without model.yaml pass.");
  return { ...model, bytes: gate.bytes };
}

/** Lets a complete staged folder into the store; judges anew when another process takes the tag meanwhile. */
async function enter(
  store: ModelStore,
  staged: string,
  found: Found,
  written: FileRecord,
  onConflict: ConflictChoice,
  { signal }: JobOptions,
): Promise<{ tag: Tag; action: ImportAction }> {
  const flushed: FileRecord = new Map([...written].filter(([path]) => path !== MODEL_YAML));
  const adopt = () => store.adopt(staged, { signal, flushed });
  for (let attempt = 1; ; attempt++) {
    assertWanted(store, found.info.tag, onConflict);
    const taken = isTaken(store, found.info.tag);
    try {
      if (taken && onConflict === "new-version") return await enterAnew(staged, found, adopt);
      if (taken) return await enterInstead(store, found.info.tag, adopt);
      await adopt();
      return { tag: found.info.tag, action: "imported" };
    } catch (error) {
      if (!failedWith(error, "model.exists", "model.notFound") || attempt === ATTEMPTS) throw error;
    }
  }
}

async function enterAnew(
  staged: string,
  { info, yaml }: Found,
  adopt: () => Promise<unknown>,
): Promise<{ tag: Tag; action: ImportAction }> {
  const tag = makeTag(info.tag.name, newVersion());
  const path = join(staged, MODEL_YAML);
  unlinkSync(path);
  await writeNewFile(nodeFiles, path, withVersion(yaml, info, tag.version));
  await adopt();
  return { tag, action: "new-version" };
}

async function enterInstead(
  store: ModelStore,
  tag: Tag,
  adopt: () => Promise<unknown>,
): Promise<{ tag: Tag; action: ImportAction }> {
  const old = await store.delete(tag);
  try {
    await adopt();
  } catch (error) {
    await store.restore(old.id).catch((failure) => {
      // Somebody else's is in its place, or it is back already.
      if (!failedWith(failure, "model.exists", "trash.notFound")) throw failure;
    });
    throw error;
  }
  return { tag, action: "replaced" };
}

function failedWith(error: unknown, ...codes: readonly ErrorCode[]): boolean {
  return error instanceof ModelbenchError && codes.includes(error.code);
}

function assertWanted(store: ModelStore, tag: Tag, onConflict: ConflictChoice): void {
  if (!isTaken(store, tag)) return;
  if (onConflict === "skip") throw new AlreadyThere(tag);
  if (onConflict === "fail") {
    throw new ModelbenchError("model.exists", `${formatTag(tag)} already exists in the store ${store.home}.`, {
      remedy: "Skip it, replace it (the old one goes to the trash), or import it under a new version.",
    });
  }
}

function wouldDo(store: ModelStore, { info }: Found, { onConflict }: ImportRequest): ImportAction {
  if (!isTaken(store, info.tag)) return "would-import";
  return onConflict === "replace" ? "would-replace" : "would-new-version";
}

function isTaken(store: ModelStore, tag: Tag): boolean {
  return lstatOf(store.pathOf(tag)) !== undefined;
}

/** The failure with the archive's name in front, and nothing in it that a terminal would obey. */
function describe(error: unknown, from: string): ModelbenchError {
  const wire = toWireError(error);
  if (wire.code === "cancelled" || wire.code === "internal") return asFailure(error, wire.message);
  // A positional read beyond the end is how the formats notice a file that is cut short.
  const code = wire.code === "format.corrupt" ? "archive.corrupt" : wire.code;
  const message = wire.path === from ? wire.message : `${from}: ${wire.message}`;
  return new ModelbenchError(code, visible(message, MAX_MESSAGE), {
    remedy: wire.remedy && visible(wire.remedy, MAX_MESSAGE),
    path: wire.path ?? from,
    offset: wire.offset,
    cause: error,
  });
}

function asFailure(error: unknown, message: string): ModelbenchError {
  if (error instanceof ModelbenchError) return error;
  return new ModelbenchError("internal", visible(message, MAX_MESSAGE), { cause: error });
}
