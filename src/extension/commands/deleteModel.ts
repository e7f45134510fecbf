import { humanSize } from "../../base/humanSize";
import { TRASH_KEPT_MS } from "../../store/trash";
import { deleteModelJob } from "../../store/trashJobs";
import type { Target } from "../ids";
import type { Services } from "../services";
import { folderTag, manyFolders, type StoredFolder } from "../targets";
import type { TreeNode } from "../tree/treeModel";
import { restoreEntries, type Trashed } from "./undoDelete";

const DAY_MS = 24 * 3600 * 1000;

/** Most lines that name a version in the question; the rest is counted. */
const NAMED_AT_MOST = 12;

/** Moves versions to the trash after one question, and offers to undo it. */
export async function deleteModel(services: Services, target?: Target, selected?: readonly TreeNode[]): Promise<void> {
  const { catalog, jobs, stores, t, ui } = services;
  const chosen = await manyFolders(services, target, selected, t("Delete which models?"));
  const folders = chosen.filter((folder) => folder.version !== undefined);
  const [first] = folders;
  if (!first) return;
  const what = folders.length === 1 ? folderTag(first) : t("{0} versions", folders.length);
  if (!(await ui.confirm(t("Delete {0}?", what), t("Delete"), question(services, folders)))) return;
  const trashed: Trashed[] = [];
  try {
    for (const { store, name, version } of folders) {
      if (version === undefined) continue;
      const { home } = stores.of({ store });
      trashed.push({ store, entry: await jobs.run(deleteModelJob, { home, tag: { name, version } }) });
    }
  } finally {
    catalog.recheck();
  }
  if (await ui.inform(t("{0} deleted.", what), t("Undo"))) await restoreEntries(services, trashed);
}

/** Names tags and sizes, and says which names will be gone with their last version. */
function question({ catalog, t }: Services, folders: readonly StoredFolder[]): string {
  const lines = folders.slice(0, NAMED_AT_MOST).map((folder) => {
    const size = folder.sizeBytes === undefined ? t("cannot be read") : humanSize(folder.sizeBytes);
    return `${folderTag(folder)} (${size})`;
  });
  if (folders.length > NAMED_AT_MOST) lines.push(t("and {0} more", folders.length - NAMED_AT_MOST));
  const names = new Map(folders.map((folder) => [`${folder.store}/${folder.name}`, folder]));
  for (const { store, name } of names.values()) {
    const entry = catalog.snapshot(store)?.names.get(name);
    const all = (entry?.models.length ?? 0) + (entry?.broken.length ?? 0);
    const going = folders.filter((folder) => folder.store === store && folder.name === name).length;
    if (going >= all) lines.push(t("No version of {0} will be left.", name));
  }
  lines.push(t("Undo Delete can bring back what was deleted in the last {0} days.", TRASH_KEPT_MS / DAY_MS));
  return lines.join("\n");
}
