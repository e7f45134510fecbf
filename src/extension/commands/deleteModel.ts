import { humanSize } from "../../base/humanSize";
import { visible } from "../../base/visible";
import { listBentosJob } from "../../store/bentos";
import { formatTag } from "../../store/tag";
import type { Target } from "../ids";
import type { Services } from "../services";
import { folderTag, manyFolders } from "../targets";
import type { TreeNode } from "../tree/treeModel";
import { isVersion, loadedAmong, moveAllToTrash, refsOf, type VersionFolder } from "./moveToTrash";

/** Most lines that name a version in the question; the rest is counted. */
const NAMED_AT_MOST = 12;

/** Most bentos that one version's line names. */
const BENTOS_AT_MOST = 3;

/** Moves versions to the trash after one question, and offers to undo it. */
export async function deleteModel(services: Services, target?: Target, selected?: readonly TreeNode[]): Promise<void> {
  const { t, ui } = services;
  const folders = (await manyFolders(services, target, selected, t("Delete which models?"))).filter(isVersion);
  const [first] = folders;
  if (!first) return;
  const what = folders.length === 1 ? folderTag(first) : t("{0} versions", folders.length);
  const users = await bentosOf(services, folders);
  const used = folders.filter((folder) => usersOf(users, folder).length > 0).length;
  const question = used === 0 ? t("Delete {0}?", what) : t("Delete {0} although bentos use {1} of them?", what, used);
  const asked = used > 0 && folders.length === 1 ? t("Delete {0} although bentos use it?", what) : question;
  const action = used === 0 ? t("Delete") : t("Delete Anyway");
  if (!(await ui.confirm(asked, action, await details(services, folders, users)))) return;
  await moveAllToTrash(services, folders, what);
}

/** By store, then by tag, the bentos that were built with a version. */
type Users = ReadonlyMap<string, Readonly<Record<string, readonly string[]>> | undefined>;

async function bentosOf({ jobs, log, stores }: Services, folders: readonly VersionFolder[]): Promise<Users> {
  const users = new Map<string, Record<string, string[]> | undefined>();
  for (const store of new Set(folders.map((folder) => folder.store))) {
    try {
      users.set(store, await jobs.run(listBentosJob, { home: stores.of({ store }).home }));
    } catch (error) {
      log.error("Reading which bentos use the models failed", error);
      users.set(store, undefined);
    }
  }
  return users;
}

function usersOf(users: Users, folder: VersionFolder): readonly string[] {
  return users.get(folder.store)?.[formatTag(folder)] ?? [];
}

/** Names tags, sizes, who uses them and what is loaded, and says which names will be gone with their last version. */
async function details(services: Services, folders: readonly VersionFolder[], users: Users): Promise<string> {
  const { catalog, settings, t } = services;
  const loaded = new Set((await loadedAmong(services, refsOf(folders))).map(({ store, tag }) => `${store}/${tag}`));
  // Those that somebody depends on must not hide behind "and 30 more".
  const sorted = [...folders].sort((a, b) => usersOf(users, b).length - usersOf(users, a).length);
  const lines = sorted
    .slice(0, NAMED_AT_MOST)
    .map((folder) =>
      line(services, folder, usersOf(users, folder), loaded.has(`${folder.store}/${formatTag(folder)}`)),
    );
  if (folders.length > NAMED_AT_MOST) lines.push(t("and {0} more", folders.length - NAMED_AT_MOST));
  if ([...users.values()].includes(undefined)) lines.push(t("Which bentos use them could not be read."));
  const names = new Map(folders.map((folder) => [`${folder.store}/${folder.name}`, folder]));
  for (const { store, name } of names.values()) {
    const entry = catalog.snapshot(store)?.names.get(name);
    const all = (entry?.models.length ?? 0) + (entry?.broken.length ?? 0);
    const going = folders.filter((folder) => folder.store === store && folder.name === name).length;
    if (going >= all) lines.push(t("No version of {0} will be left.", name));
  }
  lines.push(keptWords(t, settings().trashDays));
  return lines.join("\n");
}

function keptWords(t: Services["t"], days: number): string {
  if (days === 0) return t("The trash is set to keep nothing: Undo works only right afterwards.");
  if (days === 1) return t("Undo Delete can bring back what was deleted in the last day.");
  return t("Undo Delete can bring back what was deleted in the last {0} days.", days);
}

/** `a:v1 (5.81 KiB), used by summarizer:2kf, loaded now`. */
function line({ t }: Services, folder: VersionFolder, bentos: readonly string[], isLoaded: boolean): string {
  const size = folder.sizeBytes === undefined ? t("cannot be read") : humanSize(folder.sizeBytes);
  const named = bentos.slice(0, BENTOS_AT_MOST).map((bento) => visible(bento));
  if (bentos.length > BENTOS_AT_MOST) named.push(t("{0} more", bentos.length - BENTOS_AT_MOST));
  const users = bentos.length === 0 ? [] : [t("used by {0}", named.join(", "))];
  const loaded = isLoaded ? [t("loaded now")] : [];
  return [`${folderTag(folder)} (${size})`, ...users, ...loaded].join(", ");
}
