import { localTime } from "../../base/localTime";
import type { TrashEntry } from "../../store/model";
import { formatTag } from "../../store/tag";
import { listTrashJob, restoreModelJob } from "../../store/trashJobs";
import type { ModelRef, Services, StoreId } from "../services";
import { storeDetail } from "../targets";
import { shortAge } from "../tree/words";

/** A deleted version together with the store it came from. */
export interface Trashed {
  readonly store: StoreId;
  readonly entry: TrashEntry;
  /** Where the store was when it was deleted; left out = where it is now. */
  readonly home?: string;
}

/** Brings deleted versions back: the only one at once, else those chosen, the last one deleted first. */
export async function undoDelete(services: Services): Promise<void> {
  const { stores, t, ui } = services;
  const trashed = (await trashOf(services)).sort((a, b) => b.entry.deletedMs - a.entry.deletedMs);
  if (trashed.length === 0) {
    await ui.inform(t("There is nothing to bring back."));
    return;
  }
  if (trashed.length === 1) return restoreEntries(services, trashed);
  const items = trashed.map((value, i) => ({
    label: formatTag(value.entry.tag),
    description: t(
      "deleted {0} ({1})",
      localTime(value.entry.deletedMs),
      shortAge(t, value.entry.deletedMs, Date.now()),
    ),
    ...storeDetail(stores, value.store),
    picked: i === 0,
    value,
  }));
  const chosen = await ui.pickMany(t("Bring back which models?"), items);
  if (chosen && chosen.length > 0) await restoreEntries(services, chosen);
}

/** Restores versions, last deleted first so that `latest` goes back step by step, and shows one of them. */
export async function restoreEntries(services: Services, trashed: readonly Trashed[]): Promise<void> {
  const { catalog, jobs, stores, tree } = services;
  let restored: ModelRef | undefined;
  try {
    // Of those deleted in the same instant the one named last was deleted last.
    const lastFirst = [...trashed].reverse().sort((a, b) => b.entry.deletedMs - a.entry.deletedMs);
    for (const { store, entry, home } of lastFirst) {
      const now = stores.all.find(({ id }) => id === store)?.store.home;
      const tag = formatTag(await jobs.run(restoreModelJob, { home: home ?? stores.of({ store }).home, id: entry.id }));
      if (home === undefined || home === now) restored = { store, tag };
    }
  } finally {
    catalog.recheck();
  }
  if (restored) await tree.reveal(restored);
}

/** What is in the trash of the open stores. */
export async function trashOf({ catalog, jobs, stores }: Services): Promise<Required<Trashed>[]> {
  const found: Required<Trashed>[] = [];
  for (const store of catalog.stores) {
    const { home } = stores.of({ store });
    const entries = await jobs.run(listTrashJob, { home });
    found.push(...entries.map((entry) => ({ store, entry, home })));
  }
  return found;
}
