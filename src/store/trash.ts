import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ModelbenchError } from "../base/errors";
import { errno, storeFailure } from "./failure";
import { ensureFolder, removeTree, writeNewFile } from "./fileOperations";
import { isFolderTag, nameFolder, versionFolder } from "./layout";
import { essentialsOf, latestText, latestVersion, newestOf, readModelFolder, versionsOf } from "./lookup";
import type { Tag, TrashEntry } from "./model";
import { entriesOf, identityOf, lstatOf, statOf } from "./modelFiles";
import { flushPlace, moveIntoPlace, settleIntent, shouldBeLatest } from "./publish";
import { forgetFiles } from "./record";
import { discardStaged, newStagingFolder, putLatest, type StoreParts } from "./staging";
import { formatTag, parseTag } from "./tag";

/** How long a deleted version can be restored. */
export const TRASH_KEPT_MS = 7 * 24 * 3600 * 1000;

/** How often a version that others move at the same time is looked for. */
const ATTEMPTS = 10;

/** The version folder inside an entry. */
const MODEL = "model";
const ENTRY = "entry.json";

/** What `entry.json` holds: the entry, and the texts of `latest` before and after, so that undo can be exact. */
interface TrashRecord {
  readonly tag: Tag;
  /** Name of the folder it was staged in: nobody knows it before, so no file out of an archive can pose as a record. */
  readonly staged: string;
  readonly deletedMs: number;
  readonly wasLatest: boolean;
  readonly latestBefore: string | null;
  readonly latestAfter: string | null;
}

/**
 * Moves a version into the trash: first `latest` moves to the newest other version or goes, then the version's
 * folder is renamed, then a name folder that became empty goes. Broken and half-made versions can be deleted too.
 * @throws ModelbenchError `model.notFound`, `store.crossDevice`, `store.access`
 */
export async function moveToTrash(parts: StoreParts, tag: Tag, attempts = ATTEMPTS): Promise<TrashEntry> {
  const path = versionFolder(parts.layout, tag);
  if (!isFolderTag(tag) || !statOf(path)?.isDirectory()) throw notInStore(parts, tag);
  const staged = await newStagingFolder(parts);
  const record = plan(parts, tag, basename(staged));
  try {
    const id = await stageAndFile(parts, staged, record, path);
    // An empty name folder lists as nothing: one that stays, or that a peer fills again, is no failure.
    await parts.files.rmdir(nameFolder(parts.layout, tag.name)).catch(() => undefined);
    return { id, tag, deletedMs: record.deletedMs, wasLatest: record.wasLatest };
  } catch (error) {
    await putBack(parts, staged, record, path).catch(() => undefined);
    // Others move it, too: it is gone, or another one has come in its place.
    if (errno(error) === "ENOENT" && attempts > 1) return await moveToTrash(parts, tag, attempts - 1);
    throw storeFailure(error, "delete", path);
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
  const record = readRecord(folder) ?? salvagedRecord(folder);
  if (record === undefined) throw notInTrash(parts, idOrTag);
  const latestThen = latestText(parts.layout, record.tag.name);
  const own = identityOf(join(folder, MODEL));
  try {
    await moveIntoPlace(parts, join(folder, MODEL), record.tag);
  } catch (error) {
    if (!holdsModel(folder)) throw notInTrash(parts, idOrTag);
    throw error;
  }
  try {
    await flushPlace(parts, record.tag.name);
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

/** What can be restored, the one deleted last first. */
export function trashEntries({ layout }: Pick<StoreParts, "layout">): TrashEntry[] {
  return entriesOf(layout.trash)
    .flatMap((id) => {
      const folder = join(layout.trash, id);
      const record = readRecord(folder) ?? salvagedRecord(folder);
      if (record === undefined || !holdsModel(folder)) return [];
      return [{ id, tag: record.tag, deletedMs: record.deletedMs, wasLatest: record.wasLatest }];
    })
    .sort((a, b) => b.deletedMs - a.deletedMs || (a.id < b.id ? 1 : -1));
}

/** Removes for good what was deleted more than `TRASH_KEPT_MS` ago. @throws ModelbenchError `store.access` */
export async function purgeTrash(parts: StoreParts): Promise<TrashEntry[]> {
  const old = trashEntries(parts).filter((entry) => parts.now() - entry.deletedMs > TRASH_KEPT_MS);
  for (const { id, tag } of old) {
    await removeEntry(parts, id);
    if (statOf(versionFolder(parts.layout, tag)) === undefined) await forgetFiles(parts, tag);
  }
  return old;
}

/** Ends what a process that is gone had begun: a deletion is finished, `latest` follows a version that was moved into
 *  place, everything else staged is removed. */
export async function settleLeftover(parts: StoreParts, staged: string): Promise<void> {
  const record = readRecord(staged);
  if (record?.staged === basename(staged) && holdsModel(staged)) {
    await ensureFolder(parts.files, parts.layout.trash);
    await fileAway(parts, staged, record);
    await parts.files.rmdir(nameFolder(parts.layout, record.tag.name)).catch(ignoreNotEmpty);
  } else {
    await settleIntent(parts, staged);
    await removeTree(parts.files, staged);
  }
}

/** Ends restores whose process is gone: the version is in its place, only `latest` or the empty entry remained. */
export async function settleRestored(parts: StoreParts): Promise<void> {
  for (const id of entriesOf(parts.layout.trash)) {
    const folder = join(parts.layout.trash, id);
    if (holdsModel(folder)) continue;
    const record = readRecord(folder);
    if (record && statOf(versionFolder(parts.layout, record.tag)) !== undefined) await returnLatest(parts, record);
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
  return { tag, staged, deletedMs: now(), wasLatest, latestBefore, latestAfter };
}

async function stageAndFile(parts: StoreParts, staged: string, record: TrashRecord, path: string): Promise<string> {
  const { files, layout } = parts;
  const { tag, latestBefore, latestAfter } = record;
  await writeNewFile(files, join(staged, ENTRY), JSON.stringify(record));
  await files.sync(staged);
  await ensureFolder(files, layout.trash);
  if (latestAfter !== latestBefore) await putLatest(parts, tag.name, latestAfter ?? undefined);
  await files.rename(path, join(staged, MODEL));
  // A peer may have removed the name's folder, empty as it is now.
  await files.sync(nameFolder(layout, tag.name)).catch(ignoreMissing);
  return await fileAway(parts, staged, record);
}

/** Renames a staged entry into the trash, under an id that nobody has. */
async function fileAway({ files, layout }: StoreParts, staged: string, record: TrashRecord): Promise<string> {
  for (let stamp = record.deletedMs; ; stamp++) {
    const id = `${stamp}-${record.tag.name}-${record.tag.version}`;
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
  const { tag, latestBefore, latestAfter, wasLatest } = record;
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

async function removeEntry(parts: StoreParts, id: string): Promise<void> {
  const folder = join(parts.layout.trash, id);
  try {
    const staged = await newStagingFolder(parts);
    // Out of the trash by one rename first, so that a stopped removal never leaves half a model to restore.
    await parts.files.rename(folder, join(staged, "removed"));
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
  const found = entries.find(({ tag }) => tag.name === name && (version === undefined || tag.version === version));
  if (!found) throw notInTrash(parts, idOrTag);
  return found;
}

function notInTrash({ layout }: StoreParts, idOrTag: string): ModelbenchError {
  return new ModelbenchError("trash.notFound", `Nothing in the trash of ${layout.home} under '${idOrTag}'.`, {
    path: layout.trash,
    remedy: "Deleted versions are kept for 7 days.",
  });
}

function notInStore({ layout }: StoreParts, tag: Tag): ModelbenchError {
  return new ModelbenchError("model.notFound", `Model '${formatTag(tag)}' is not found in the store ${layout.models}.`);
}

/** Whether an entry holds its version; that may be a link, whose target is nobody's business here. */
function holdsModel(entry: string): boolean {
  return lstatOf(join(entry, MODEL)) !== undefined;
}

/** `undefined` for what is no entry, or one that was cut short. */
function readRecord(folder: string): TrashRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(folder, ENTRY), "utf8"));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What can still be known of an entry whose `entry.json` is damaged; `undefined` when its model is, too. */
function salvagedRecord(folder: string): TrashRecord | undefined {
  const deletedMs = Number(/^[0-9]{1,15}(?=-)/.exec(basename(folder))?.[0] ?? Number.NaN);
  const tag = tagInside(join(folder, MODEL));
  if (tag === undefined || Number.isNaN(deletedMs)) return undefined;
  return { tag, staged: "", deletedMs, wasLatest: false, latestBefore: null, latestAfter: null };
}

function tagInside(model: string): Tag | undefined {
  try {
    return readModelFolder(model).tag;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is TrashRecord {
  if (typeof value !== "object" || value === null) return false;
  if (!("tag" in value && "staged" in value && "deletedMs" in value && "wasLatest" in value)) return false;
  if (!("latestBefore" in value && "latestAfter" in value)) return false;
  return (
    isFolderTag(value.tag) &&
    typeof value.staged === "string" &&
    typeof value.deletedMs === "number" &&
    typeof value.wasLatest === "boolean" &&
    isTextOrNull(value.latestBefore) &&
    isTextOrNull(value.latestAfter)
  );
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function ignoreMissing(error: unknown): void {
  if (errno(error) !== "ENOENT") throw error;
}

function ignoreNotEmpty(error: unknown): void {
  const code = errno(error);
  if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOENT") throw error;
}
