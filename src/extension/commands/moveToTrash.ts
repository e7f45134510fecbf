import { ModelbenchError } from "../../base/errors";
import { insideFolder } from "../../formats/insideFolder";
import { deleteModelJob } from "../../store/trashJobs";
import type { ModelRef, Services } from "../services";
import { folderTag, type StoredFolder } from "../targets";
import { forEach, oneFailure } from "./several";
import { restoreEntries, type Trashed } from "./undoDelete";

/** A folder of a version, readable or not. */
export type VersionFolder = StoredFolder & { readonly version: string };

/** Whether a folder is a version's; a name's own folder is not deleted by tag. */
export function isVersion(folder: StoredFolder): folder is VersionFolder {
  return folder.version !== undefined;
}

/**
 * Moves versions to the trash, ends the processes of those that are loaded, and offers to undo it. One that cannot be
 * moved keeps no other from going.
 */
export async function moveAllToTrash(
  services: Services,
  folders: readonly VersionFolder[],
  what: string,
): Promise<void> {
  const { catalog, jobs, log, stores, t, ui } = services;
  await unloadAmong(services, refsOf(folders));
  const outcome = await forEach(folders, async ({ store, name, version, path }) => {
    const { home } = stores.of({ store });
    // Whoever was asked said yes to this folder, not to what another store has under its tag.
    if (insideFolder(home, path) === undefined) {
      const message = t("The store is {0} now, and {1} is not in it: nothing of it was deleted.", home, path);
      throw new ModelbenchError("model.notFound", message);
    }
    return { home, entry: await jobs.run(deleteModelJob, { home, tag: { name, version } }) };
  }).finally(() => catalog.recheck());
  for (const { item, error } of outcome.failed) log.error(`Deleting ${folderTag(item)} failed`, error);
  const trashed = outcome.done.map(({ item: { store }, result }): Trashed => ({ store, ...result }));
  const remedy = trashed.length === 0 ? undefined : t("Undo Delete brings back the ones that were deleted.");
  const failure = oneFailure(t, outcome, "{0} of {1} versions were not deleted: {2}", remedy);
  if (failure) throw failure;
  if (await ui.inform(t("{0} deleted.", what), t("Undo"))) await restoreEntries(services, trashed);
}

/** The references of versions. */
export function refsOf(folders: readonly VersionFolder[]): ModelRef[] {
  return folders.map((folder) => ({ store: folder.store, tag: folderTag(folder) }));
}

/** Those that have a process of their own now. */
export async function loadedAmong({ pages }: Services, refs: readonly ModelRef[]): Promise<readonly ModelRef[]> {
  const loaded = await pages.loaded();
  const isWanted = ({ store, tag }: ModelRef): boolean => refs.some((ref) => ref.store === store && ref.tag === tag);
  return loaded.map(({ ref }) => ref).filter(isWanted);
}

/** Ends the processes of versions whose files are about to go. */
export async function unloadAmong(services: Services, refs: readonly ModelRef[]): Promise<void> {
  const loaded = await loadedAmong(services, refs);
  if (loaded.length > 0) await services.pages.unload(loaded);
}
