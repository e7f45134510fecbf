import { ModelbenchError } from "../base/errors";
import { byCreation, type Creation } from "./essentials";
import { errno, storeFailure } from "./failure";
import { ensureFolder } from "./fileOperations";
import { isFolderTag, nameFolder, versionFolder } from "./layout";
import { essentialsOf, latestText, latestVersion, newestOf, versionsOf } from "./lookup";
import type { ModelInfo, Tag } from "./model";
import { identityOf, lstatOf, statOf } from "./modelFiles";
import { type OriginNote, originAsNow, recordOrigin } from "./origin";
import { type FileRecord, readNote, recordAsNow, recordFiles, stageNote } from "./record";
import { discardStaged, putLatest, type StoreParts } from "./staging";
import { formatTag } from "./tag";

/** A version that is about to enter the store. */
export interface NewVersion {
  readonly info: ModelInfo;
  readonly files: FileRecord;
  /** The versions that were there when the writer began: what others add meanwhile counts for `latest`. */
  readonly before: readonly string[];
  /** Nothing is noted when left out. */
  readonly origin?: OriginNote | undefined;
}

/** How often a folder that a peer removes under our hands is made again before we give up. */
const ATTEMPTS = 10;

/** @throws ModelbenchError `model.exists` when something is there under this tag, complete or not */
export function assertVacant({ layout }: StoreParts, tag: Tag): void {
  const path = versionFolder(layout, tag);
  if (lstatOf(path) === undefined) return;
  throw new ModelbenchError("model.exists", `${formatTag(tag)} already exists in the store ${layout.models}.`, {
    path,
    remedy: "Choose another version, or delete that one first.",
  });
}

/** @throws ModelbenchError `store.crossDevice` when a rename from staging to `models/` cannot work; found out before
 *  anything is copied */
export async function assertOneDevice({ layout, files }: StoreParts): Promise<void> {
  await ensureFolder(files, layout.models);
  const [from, to] = [statOf(layout.staging), statOf(layout.models)];
  if (from === undefined || to === undefined || from.dev === to.dev) return;
  throw storeFailure(Object.assign(new Error("another device"), { code: "EXDEV" }), "move models into", layout.models);
}

/**
 * Renames a complete, flushed folder to its place in `models/` and lets `latest` follow. Readers see the version
 * whole or not at all. When it fails, the folder is back where it was and `latest` as before, as far as the disk
 * still allows.
 * @throws ModelbenchError `model.exists`, `store.crossDevice`, `store.access`
 */
export async function publish(parts: StoreParts, folder: string, version: NewVersion): Promise<void> {
  const { info, files, before, origin } = version;
  const { tag } = info;
  const latest = latestText(parts.layout, tag.name);
  const own = identityOf(folder);
  // What it replaces may have to come back.
  const undoNotes = [recordAsNow(parts, tag), originAsNow(parts, tag)];
  const intent = await noteIntent(parts, tag);
  try {
    await moveIntoPlace(parts, folder, tag);
  } catch (error) {
    await discardStaged(parts, intent);
    throw error;
  }
  try {
    // Not before: of two writers of one tag only the one that won may say what its files are.
    await recordFiles(parts, info, files);
    if (origin !== undefined) await recordOrigin(parts, info, origin);
    await flushPlace(parts, tag.name);
    await advanceLatest(parts, info, before);
  } catch (error) {
    if (identityOf(versionFolder(parts.layout, tag)) === own) {
      // While the version is in its place nobody else writes these.
      for (const undo of undoNotes) await undo().catch(() => undefined);
      await withdraw(parts, folder, tag, latest)
        .then(() => discardStaged(parts, intent))
        .catch(() => undefined);
    } else if (errno(error) === "ENOENT") {
      // Saved whole, and deleted by a peer since; what is there now is not ours to take away.
      return await discardStaged(parts, intent);
    }
    throw storeFailure(error, "write the latest version of", nameFolder(parts.layout, tag.name));
  }
  await discardStaged(parts, intent);
}

/** Lets `latest` follow for a writer that was stopped between moving a version into place and doing so itself.
 *  @param staged a leftover in staging; anything but a note of such an intent is left alone */
export async function settleIntent(parts: StoreParts, staged: string): Promise<void> {
  const tag = readIntent(staged);
  if (tag === undefined) return;
  const creation = essentialsOf(parts.layout, tag);
  if (creation !== undefined && shouldBeLatest(parts, tag, creation)) await putLatest(parts, tag.name, tag.version);
}

/** Notes in staging that a version is about to enter, so that a sweep can let `latest` follow it. @throws ModelbenchError `store.access` */
export function noteIntent(parts: StoreParts, { name, version }: Tag): Promise<string> {
  return stageNote(parts, { publish: { name, version } });
}

function readIntent(path: string): Tag | undefined {
  const value = readNote(path);
  return value !== undefined && "publish" in value && isFolderTag(value.publish) ? value.publish : undefined;
}

/** Renames `folder` to the version's place, making the name's folder when it is missing.
 *  @throws ModelbenchError `model.exists`, `store.crossDevice`, `store.access` */
export async function moveIntoPlace(parts: StoreParts, folder: string, tag: Tag): Promise<void> {
  const { files, layout } = parts;
  const target = versionFolder(layout, tag);
  for (let attempt = 1; ; attempt++) {
    // An empty folder would be replaced by the rename: BentoML's own save may be about to fill it.
    assertVacant(parts, tag);
    try {
      await ensureFolder(files, nameFolder(layout, tag.name));
      await files.rename(folder, target);
      return;
    } catch (error) {
      const code = errno(error);
      if (code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOTDIR") assertVacant(parts, tag);
      const nameVanished = code === "ENOENT" && lstatOf(folder) !== undefined;
      if (!nameVanished || attempt === ATTEMPTS) throw storeFailure(error, "move a model to", target);
    }
  }
}

/** Makes a rename into a name's folder survive a power cut. */
export async function flushPlace({ files, layout }: StoreParts, name: string): Promise<void> {
  await files.sync(nameFolder(layout, name));
  await files.sync(layout.models);
}

/**
 * BentoML's rule for a version that was just added: `latest` names it when it is not older than the one named
 * before, or when none was. @see bentoml 1.4.39 _internal/store.py Store.register
 */
async function advanceLatest(
  parts: StoreParts,
  { tag, creationTime }: ModelInfo,
  before: readonly string[],
): Promise<void> {
  const creation = { creationMs: creationTime.epochMs, creationMicros: creationTime.micros };
  if (shouldBeLatest(parts, tag, creation)) await putLatest(parts, tag.name, tag.version);
  await followOthers(parts, tag, before);
}

/** Whether `latest` should move to this version, which is in its place. */
export function shouldBeLatest({ layout }: StoreParts, tag: Tag, creation: Creation): boolean {
  if (latestText(layout, tag.name) === undefined) return true;
  const others = () => versionsOf(layout, tag.name).filter((version) => version !== tag.version);
  const current = latestVersion(layout, tag.name) ?? newestOf(layout, tag.name, others());
  if (current === undefined) return true;
  const essentials = essentialsOf(layout, { name: tag.name, version: current });
  return essentials === undefined || byCreation(creation, essentials) >= 0;
}

/**
 * Two writers may each have read `latest` before the other wrote it. What appeared since this one began and is
 * newer than what `latest` names now wins, and so does the newest version when a peer has removed the named one.
 */
async function followOthers(parts: StoreParts, { name, version }: Tag, before: readonly string[]): Promise<void> {
  const { layout } = parts;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const versions = versionsOf(layout, name);
    const current = latestVersion(layout, name);
    const arrived = versions.filter((other) => other === current || other === version || !before.includes(other));
    const newest = newestOf(layout, name, current === undefined ? versions : arrived);
    if (newest === undefined || newest === current) return;
    await putLatest(parts, name, newest);
  }
}

async function withdraw(parts: StoreParts, folder: string, tag: Tag, latest: string | undefined): Promise<void> {
  const { files, layout } = parts;
  if (latestText(layout, tag.name) !== latest) await putLatest(parts, tag.name, latest);
  await files.rename(versionFolder(layout, tag), folder);
  await files.rmdir(nameFolder(layout, tag.name)).catch(() => undefined);
}
