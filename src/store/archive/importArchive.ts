import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { type ErrorCode, ModelbenchError, throwIfAborted } from "../../base/errors";
import type { JobOptions } from "../../base/ports";
import { editPyYaml } from "../../formats/pyYaml";
import type { FileDigest } from "../fileDigest";
import { nodeFiles } from "../fileLayer";
import { writeNewFile } from "../fileOperations";
import { MODEL_YAML } from "../layout";
import type { ModelInfo, Tag } from "../model";
import { lstatOf } from "../modelFiles";
import { ModelStore } from "../modelStore";
import { newVersion } from "../newVersion";
import { formatTag, makeTag } from "../tag";
import type { ConflictChoice, ImportAction, ImportRequest, ImportResult } from "./archiveJobs";
import { assertRoom, freeBytes } from "./freeSpace";
import { assertClaim } from "./gate";
import { type ArchiveLimits, limitsWith } from "./limits";
import type { OpenedArchive } from "./openArchive";
import { archiveFailure, archivePath, type Found, openSource, readMembers } from "./readMembers";
import { StagingWriter } from "./stagingWriter";

/** How often a tag that others take and leave is judged anew. */
const ATTEMPTS = 10;

/** What an archive left in staging. */
interface Staged extends Found {
  readonly digests: ReadonlyMap<string, FileDigest>;
  /** The archive. */
  readonly from: string;
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
  const from = archivePath(request.source);
  try {
    return await importFrom(store, from, request, options);
  } catch (error) {
    throw archiveFailure(error, from);
  }
}

async function importFrom(
  store: ModelStore,
  from: string,
  request: ImportRequest,
  options: JobOptions,
): Promise<ImportResult> {
  throwIfAborted(options.signal);
  const limits = limitsWith(request.limits);
  const { archive, close } = openSource(from, limits);
  try {
    assertClaim(archive, limits);
    const decide = (info: ModelInfo) => assertWanted(store, info.tag, request.onConflict);
    if (request.dryRun) {
      const found = await readMembers(archive, limits, undefined, decide, options);
      return resultOf(found, { tag: found.info.tag, action: wouldDo(store, found, request) }, from);
    }
    return await stage(store, archive, limits, request, decide, from, options);
  } catch (error) {
    if (!(error instanceof AlreadyThere)) throw error;
    return { tag: formatTag(error.tag), action: request.dryRun ? "would-skip" : "skipped", from, bytes: 0 };
  } finally {
    close();
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
    const digests = await writer.finish();
    return resultOf(found, await enter(store, staged, { ...found, digests, from }, onConflict, options), from);
  } finally {
    await writer.abandon();
    await store.discard(staged);
  }
}

function resultOf(
  { bytes, warnings }: Found,
  { tag, action }: { tag: Tag; action: ImportAction },
  from: string,
): ImportResult {
  return { tag: formatTag(tag), action, from, bytes, ...(warnings.length === 0 ? {} : { warnings }) };
}

/** Lets a complete staged folder into the store; judges anew when another process takes the tag meanwhile. */
async function enter(
  store: ModelStore,
  staged: string,
  found: Staged,
  onConflict: ConflictChoice,
  { signal }: JobOptions,
): Promise<{ tag: Tag; action: ImportAction }> {
  const options = { signal, flushed: found.digests, origin: { kind: "imported", from: found.from } } as const;
  const adopt = () => store.adopt(staged, { ...options, replace: onConflict === "replace" });
  for (let attempt = 1; ; attempt++) {
    assertWanted(store, found.info.tag, onConflict);
    const taken = isTaken(store, found.info.tag);
    try {
      if (taken && onConflict === "new-version") return await enterAnew(staged, found, adopt);
      await adopt();
      return { tag: found.info.tag, action: taken ? "replaced" : "imported" };
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
  await writeNewFile(nodeFiles, path, editPyYaml(yaml, [{ path: ["version"], value: tag.version }]));
  await adopt();
  return { tag, action: "new-version" };
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
