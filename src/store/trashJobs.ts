import type { JobKey } from "../base/ports";
import type { Tag, TrashEntry } from "./model";
import { ModelStore } from "./modelStore";

/** Names the store that a job works on. */
interface InStore {
  /** Absolute path. */
  readonly home: string;
}

/** Moves a version into the trash: `latest` may have to be found anew among all the others. */
export const deleteModelJob: JobKey<InStore & { readonly tag: Tag }, TrashEntry> = { name: "store.delete" };

/** Puts an entry of the trash back. */
export const restoreModelJob: JobKey<InStore & { readonly id: string }, Tag> = { name: "store.restore" };

/** What can be restored, the one deleted last first. */
export const listTrashJob: JobKey<InStore, TrashEntry[]> = { name: "store.trash" };

/** Removes entries of the trash for good, all of them without `ids`, and answers with what is gone. */
export const emptyTrashJob: JobKey<InStore & { readonly ids?: readonly string[] }, TrashEntry[]> = {
  name: "store.emptyTrash",
};

/** Clears away what dead processes left unfinished, and what has been in the trash for longer than `keptMs`, which the
 *  store remembers; without it, than the store keeps it. */
export const tidyStoreJob: JobKey<InStore & { readonly keptMs?: number }, null> = { name: "store.tidy" };

/** The work behind `deleteModelJob`. @throws ModelbenchError as `ModelStore.delete` */
export async function runDeleteModel({ home, tag }: InStore & { readonly tag: Tag }): Promise<TrashEntry> {
  return new ModelStore(home).delete(tag);
}

/** The work behind `restoreModelJob`. @throws ModelbenchError as `ModelStore.restore` */
export async function runRestoreModel({ home, id }: InStore & { readonly id: string }): Promise<Tag> {
  return new ModelStore(home).restore(id);
}

/** The work behind `listTrashJob`. */
export async function runListTrash({ home }: InStore): Promise<TrashEntry[]> {
  return new ModelStore(home).trash();
}

/** The work behind `emptyTrashJob`. @throws ModelbenchError `store.access` */
export async function runEmptyTrash({
  home,
  ids,
}: InStore & { readonly ids?: readonly string[] }): Promise<TrashEntry[]> {
  return new ModelStore(home).emptyTrash(ids);
}

/** The work behind `tidyStoreJob`. @throws ModelbenchError `store.access` */
export async function runTidyStore({ home, keptMs }: InStore & { readonly keptMs?: number }): Promise<null> {
  const store = new ModelStore(home);
  try {
    await store.sweepStaging();
  } finally {
    // What cannot be swept, as another user's leftovers, must not let the trash grow for ever.
    if (keptMs !== undefined) await store.keepTrashFor(keptMs);
    await store.purgeTrash();
  }
  return null;
}
