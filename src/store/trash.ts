import { basename, dirname, join } from "node:path";
import { ModelbenchError } from "../base/errors";
import { errno, storeFailure } from "./failure";
import { ensureFolder, removeTree, writeNewFile } from "./fileOperations";
import { isFolderTag, nameFolder, versionFolder } from "./layout";
import { essentialsOf, latestText, latestVersion, newestOf, versionsOf } from "./lookup";
import type { Tag, TrashEntry } from "./model";
import { entriesOf, identityOf, isLink, lstatOf, modelFilesIn, statOf } from "./modelFiles";
import { forgetOrigin } from "./origin";
import { setPinned } from "./pins";
import { assertVacant, flushPlace, moveIntoPlace, settleIntent, shouldBeLatest } from "./publish";
import { forgetFiles } from "./record";
import { discardStaged, newStagingFolder, putLatest, type StoreParts } from "./staging";
import { formatTag, parseTag } from "./tag";
import { keptMsOf } from "./trashKept";
import {
  ENTRY,
  entryOf,
  holdsModel,
  isEmptied,
  MODEL,
  recordOf,
  type TrashRecord,
  trashEntries,
  writtenRecord,
} from "./trashRecord";

/** How often a version that others move at the same time is looked for. */
const ATTEMPTS = 10;

/** Most characters of a name in an entry's id. */
const MAX_ID_PART = 63;

/**
 * Moves a version into the trash: first `latest` moves to the newest other version or goes, then the version's
 * folder is renamed, then a name folder that became empty goes. Broken and half-made versions can be deleted too.
 * @param replaced names the replacement that this deletion is a half of
 * @throws ModelbenchError `model.notFound`, `store.crossDevice`, `store.access`
 */
export async function moveToTrash(
  parts: StoreParts,
  tag: Tag,
  { replaced, attempts = ATTEMPTS }: { readonly replaced?: string | undefined; readonly attempts?: number } = {},
): Promise<TrashEntry> {
  const path = versionFolder(parts.layout, tag);
  if (!isFolderTag(tag) || !(statOf(path)?.isDirectory() || isLink(path))) throw notInStore(parts, tag);
  try {
    const entry = await intoTrash(parts, path, (staged) => ({ ...plan(parts, tag, staged), replaced }));
    // An empty name folder lists as nothing: one that stays, or that a peer fills again, is no failure.
    if (replaced === undefined) await parts.files.rmdir(nameFolder(parts.layout, tag.name)).catch(() => undefined);
    return entry;
  } catch (error) {
    // Others move it, too: it is gone, or another one has come in its place.
    if (errno(error) === "ENOENT" && attempts > 1)
      return await moveToTrash(parts, tag, { replaced, attempts: attempts - 1 });
    throw storeFailure(error, "delete", path);
  }
}

/**
 * Moves something whose name is no tag out of `models/` into the trash: `{name, version: ""}` for a name's folder.
 * @throws ModelbenchError `store.crossDevice`, `store.access`
 */
export async function moveStrayToTrash(parts: StoreParts, place: Tag): Promise<TrashEntry> {
  const path = versionFolder(parts.layout, place);
  try {
    return await intoTrash(parts, path, (staged) => strayRecord(parts, place, staged));
  } catch (error) {
    throw storeFailure(error, "move to the trash", path);
  }
}

/**
 * Puts a deleted version back: the folder first, `latest` last. Without other changes in between the name's folder
 * and its `latest` are what they were, byte for byte; else `latest` follows BentoML's rule for a new version.
 * @param idOrTag an entry's id, or a tag: of several entries the one deleted last
 * @throws ModelbenchError `trash.notFound`, `model.exists`, `store.crossDevice`, `store.access`
 */
export async function moveFromTrash(parts: StoreParts, idOrTag: string): Promise<Tag> {
  const entry = findEntry(parts, idOrTag);
  const folder = join(parts.layout.trash, entry.id);
  const record = recordOf(folder);
  if (record === undefined) throw notInTrash(parts, idOrTag);
  const latestThen = latestText(parts.layout, record.tag.name);
  const own = identityOf(join(folder, MODEL));
  try {
    await (record.stray ? moveStrayBack : moveIntoPlace)(parts, join(folder, MODEL), record.tag);
  } catch (error) {
    if (!holdsModel(folder)) throw notInTrash(parts, idOrTag);
    throw error;
  }
  try {
    if (record.stray) await parts.files.sync(parts.layout.models);
    else await flushPlace(parts, record.tag.name);
    await returnLatest(parts, record);
  } catch (error) {
    const path = versionFolder(parts.layout, record.tag);
    const isThere = identityOf(path) === own;
    if (isThere) await withdraw(parts, record, latestThen, folder).catch(() => undefined);
    // Restored, and deleted by a peer since: nothing else can be missing.
    if (isThere || errno(error) !== "ENOENT") throw storeFailure(error, "restore", path);
  }
  await discardStaged(parts, folder);
  return record.tag;
}

/**
 * Removes for good what was deleted longer ago than this store keeps it, and answers with it.
 * @throws ModelbenchError `store.access`
 */
export async function purgeTrash(parts: StoreParts): Promise<TrashEntry[]> {
  const keptMs = keptMsOf(parts.layout);
  return removeEntries(parts, (entry) => parts.now() - entry.deletedMs > keptMs);
}

/** Removes these entries of the trash for good, or all of them; ids that are not there are fine.
 *  @throws ModelbenchError `store.access` */
export async function emptyTrash(parts: StoreParts, ids?: readonly string[]): Promise<TrashEntry[]> {
  return removeEntries(parts, (entry) => ids?.includes(entry.id) ?? true);
}

/** Ends what a process that is gone had begun: a deletion is finished, `latest` follows a version that was moved into
 *  place, everything else staged is removed. */
export async function settleLeftover(parts: StoreParts, staged: string): Promise<void> {
  const written = writtenRecord(staged);
  const record = written?.staged === basename(staged) ? written : undefined;
  if (record && holdsModel(staged)) {
    await ensureFolder(parts.files, parts.layout.trash);
    await fileAway(parts, staged, record);
    await parts.files.rmdir(nameFolder(parts.layout, record.tag.name)).catch(ignoreNotEmpty);
  } else {
    // Stopped after `latest` had moved and before the version did.
    if (record) await undoLatest(parts, record);
    await settleIntent(parts, staged);
    await removeTree(parts.files, staged);
  }
}

/** Ends restores whose process is gone: the version is in its place, only `latest` or the empty entry remained. */
export async function settleRestored(parts: StoreParts): Promise<void> {
  for (const id of entriesOf(parts.layout.trash)) {
    const folder = join(parts.layout.trash, id);
    if (!isEmptied(folder)) continue;
    const record = writtenRecord(folder);
    if (record && !record.stray && statOf(versionFolder(parts.layout, record.tag)) !== undefined)
      await returnLatest(parts, record);
    await removeTree(parts.files, folder);
  }
}

function plan({ layout, now }: StoreParts, tag: Tag, staged: string): TrashRecord {
  const latestBefore = latestText(layout, tag.name) ?? null;
  const wasLatest = latestBefore?.trim() === tag.version;
  const others = versionsOf(layout, tag.name).filter((version) => version !== tag.version);
  let latestAfter = latestBefore;
  if (wasLatest) latestAfter = newestOf(layout, tag.name, others) ?? null;
  if (others.length === 0) latestAfter = null;
  const bytes = bytesOf(versionFolder(layout, tag));
  return { tag, staged, deletedMs: now(), wasLatest, latestBefore, latestAfter, bytes };
}

/** What is taken away under a name that is no tag never was the latest version of anything. */
function strayRecord({ layout, now }: StoreParts, place: Tag, staged: string): TrashRecord {
  const bytes = bytesOf(versionFolder(layout, place));
  const latest = { wasLatest: false, latestBefore: null, latestAfter: null };
  return { tag: place, staged, deletedMs: now(), ...latest, bytes, stray: true };
}

/** A link frees nothing when it goes. */
function bytesOf(path: string): number | undefined {
  if (isLink(path)) return 0;
  try {
    return modelFilesIn(path).reduce((sum, { bytes }) => sum + bytes, 0);
  } catch {
    return undefined;
  }
}

async function intoTrash(
  parts: StoreParts,
  path: string,
  planned: (staged: string) => TrashRecord,
): Promise<TrashEntry> {
  const staged = await newStagingFolder(parts);
  const record = planned(basename(staged));
  try {
    return entryOf(await stageAndFile(parts, staged, record, path), record);
  } catch (error) {
    await putBack(parts, staged, record, path).catch(() => undefined);
    throw error;
  }
}

async function stageAndFile(parts: StoreParts, staged: string, record: TrashRecord, path: string): Promise<string> {
  const { files, layout } = parts;
  const { tag, latestBefore, latestAfter } = record;
  await writeNewFile(files, join(staged, ENTRY), JSON.stringify(record));
  await files.sync(staged);
  // The model moves into this folder: after a power cut it has to be there.
  await files.sync(layout.staging);
  await ensureFolder(files, layout.trash);
  if (latestAfter !== latestBefore) await putLatest(parts, tag.name, latestAfter ?? undefined);
  await files.rename(path, join(staged, MODEL));
  await files.sync(staged);
  // A peer may have removed the name's folder, empty as it is now.
  await files.sync(dirname(path)).catch(ignoreMissing);
  const id = await fileAway(parts, staged, record);
  // The version is deleted by now; where this fails readers take the newest that is left.
  if (!record.stray) await unnameDeleted(parts, record).catch(() => undefined);
  return id;
}

/** Of two that delete versions of one name at once each may have made the other's the latest, not knowing of it. */
async function unnameDeleted(parts: StoreParts, { tag, latestBefore, latestAfter }: TrashRecord): Promise<void> {
  const { layout } = parts;
  const text = latestText(layout, tag.name);
  const isOurs = text?.trim() === tag.version || (text === latestAfter && latestAfter !== latestBefore);
  if (!isOurs || text === undefined || latestVersion(layout, tag.name) !== undefined) return;
  await putLatest(parts, tag.name, newestOf(layout, tag.name, versionsOf(layout, tag.name)));
}

/** Renames a staged entry into the trash, under an id that nobody has. */
async function fileAway({ files, layout }: StoreParts, staged: string, record: TrashRecord): Promise<string> {
  for (let stamp = record.deletedMs; ; stamp++) {
    const id = `${stamp}-${idPart(record.tag.name)}-${idPart(record.tag.version)}`;
    try {
      await files.rename(staged, join(layout.trash, id));
    } catch (error) {
      if (errno(error) !== "ENOTEMPTY" && errno(error) !== "EEXIST") throw error;
      continue;
    }
    // Should a power cut lose this rename, the entry is still in staging and the next sweep files it again.
    await files.sync(layout.trash).catch(() => undefined);
    return id;
  }
}

/** A name as a part of an entry's id; a tag's own parts stay as they are. */
function idPart(name: string): string {
  return name.replace(/[^-._a-zA-Z0-9]/g, "_").slice(0, MAX_ID_PART);
}

/** Undoes a deletion that failed on its way. What cannot be put back stays in staging, for the sweep to file. */
async function putBack(parts: StoreParts, staged: string, record: TrashRecord, path: string): Promise<void> {
  if (holdsModel(staged)) await parts.files.rename(join(staged, MODEL), path);
  await undoLatest(parts, record).catch(() => undefined);
  await discardStaged(parts, staged);
}

async function undoLatest(parts: StoreParts, { tag, latestBefore, latestAfter }: TrashRecord): Promise<void> {
  const current = latestText(parts.layout, tag.name) ?? null;
  // Another process may have deleted the version first: then it is not to be named again.
  if (lstatOf(versionFolder(parts.layout, tag)) === undefined) return;
  if (current === latestAfter && current !== latestBefore) await putLatest(parts, tag.name, latestBefore ?? undefined);
}

async function returnLatest(parts: StoreParts, record: TrashRecord): Promise<void> {
  const { tag, latestBefore, latestAfter, wasLatest, stray } = record;
  if (stray) return;
  const current = latestText(parts.layout, tag.name) ?? null;
  if (current === latestAfter) {
    if (latestBefore !== latestAfter) await putLatest(parts, tag.name, latestBefore ?? undefined);
    return;
  }
  const creation = essentialsOf(parts.layout, tag);
  const names = latestVersion(parts.layout, tag.name);
  if (names !== undefined && !wasLatest) return;
  if (creation !== undefined && shouldBeLatest(parts, tag, creation)) await putLatest(parts, tag.name, tag.version);
}

async function withdraw(
  parts: StoreParts,
  record: TrashRecord,
  latest: string | undefined,
  folder: string,
): Promise<void> {
  const { name } = record.tag;
  if (latestText(parts.layout, name) !== latest) await putLatest(parts, name, latest);
  await parts.files.rename(versionFolder(parts.layout, record.tag), join(folder, MODEL));
  await parts.files.rmdir(nameFolder(parts.layout, name)).catch(ignoreNotEmpty);
}

/** Only what has a name of its own may be in its place: it is renamed, never merged with what is there. */
async function moveStrayBack(parts: StoreParts, folder: string, place: Tag): Promise<void> {
  assertVacant(parts, place);
  const target = versionFolder(parts.layout, place);
  try {
    await ensureFolder(parts.files, dirname(target));
    await parts.files.rename(folder, target);
  } catch (error) {
    throw storeFailure(error, "move back to", target);
  }
}

async function removeEntries(parts: StoreParts, isChosen: (entry: TrashEntry) => boolean): Promise<TrashEntry[]> {
  const chosen = trashEntries(parts).filter(isChosen);
  const gone = new Map<string, Tag>();
  try {
    for (const entry of chosen) {
      await removeEntry(parts, entry);
      if (!entry.stray) gone.set(formatTag(entry.tag), entry.tag);
    }
  } finally {
    await forgetVersions(parts, gone);
  }
  return chosen;
}

/** Forgets what was noted of these versions, unless there is another one of the tag, here or in the trash. All at
 *  once: to find that out the whole trash is read. */
async function forgetVersions(parts: StoreParts, gone: Map<string, Tag>): Promise<void> {
  for (const { tag } of gone.size > 0 ? trashEntries(parts) : []) gone.delete(formatTag(tag));
  for (const tag of gone.values()) {
    if (lstatOf(versionFolder(parts.layout, tag)) !== undefined) continue;
    try {
      await forgetFiles(parts, tag);
      await forgetOrigin(parts, tag);
      await setPinned(parts, tag, false);
    } catch (error) {
      throw storeFailure(error, "forget a version in", parts.layout.own);
    }
  }
}

async function removeEntry(parts: StoreParts, { id }: TrashEntry): Promise<void> {
  const folder = join(parts.layout.trash, id);
  try {
    const staged = await newStagingFolder(parts);
    // Out of the trash by one rename first, so that a stopped removal never leaves half a model to restore.
    await parts.files.rename(folder, join(staged, "removed"));
    await parts.files.sync(staged);
    await removeTree(parts.files, staged);
  } catch (error) {
    throw storeFailure(error, "remove from the trash", folder);
  }
}

function findEntry(parts: StoreParts, idOrTag: string): TrashEntry {
  const entries = trashEntries(parts);
  const byId = entries.find((entry) => entry.id === idOrTag);
  if (byId) return byId;
  const { name, version } = parseTag(idOrTag);
  const found = entries.find(
    ({ tag, stray }) => !stray && tag.name === name && (version === undefined || tag.version === version),
  );
  if (!found) throw notInTrash(parts, idOrTag);
  return found;
}

function notInTrash({ layout }: StoreParts, idOrTag: string): ModelbenchError {
  return new ModelbenchError("trash.notFound", `Nothing in the trash of ${layout.home} under '${idOrTag}'.`, {
    path: layout.trash,
    remedy: "List the trash to see what can be restored.",
  });
}

function notInStore({ layout }: StoreParts, tag: Tag): ModelbenchError {
  return new ModelbenchError("model.notFound", `Model '${formatTag(tag)}' is not found in the store ${layout.models}.`);
}

function ignoreMissing(error: unknown): void {
  if (errno(error) !== "ENOENT") throw error;
}

function ignoreNotEmpty(error: unknown): void {
  const code = errno(error);
  if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOENT") throw error;
}
