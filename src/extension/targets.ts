import { existsSync } from "node:fs";
import { ModelbenchError } from "../base/errors";
import { storeAccess } from "../store/access";
import type { BrokenItem } from "../store/model";
import { formatTag, parseTag } from "../store/tag";
import type { Target } from "./ids";
import type { ModelRef, OpenStore, PickItem, Services, StoreId, Stores } from "./services";
import { sortedVersions, type TreeNode, type VersionNode, versionNode } from "./tree/treeModel";
import { versionDescription } from "./tree/treeRow";

/** A folder a command acts on: a readable version, or one that is broken. */
export interface StoredFolder {
  readonly store: StoreId;
  readonly name: string;
  /** `undefined` = the name folder itself. */
  readonly version: string | undefined;
  /** Absolute path. */
  readonly path: string;
  /** `undefined` where it cannot be read. */
  readonly sizeBytes: number | undefined;
}

/** What the folder is called in messages: its tag, or its name alone. */
export function folderTag(folder: Pick<StoredFolder, "name" | "version">): string {
  return folder.version === undefined ? folder.name : `${folder.name}:${folder.version}`;
}

/** The version a command acts on; asks when nothing was given. `undefined` = dismissed, or nothing selected. */
export async function oneModel(services: Services, target: Target, title: string): Promise<ModelRef | undefined> {
  if (target === undefined) return pickModel(services, title);
  const node = target === "selection" ? services.tree.selection[0] : target;
  if (node === undefined) return undefined;
  if ("tag" in node) return { store: node.store, tag: node.tag };
  if (node.kind !== "name") return undefined;
  await readPending(services, [node]);
  return newestOf(services, node.store, node.name);
}

/**
 * The folders a command acts on, every version of a name included; asks when nothing was given. A name that is
 * selected together with some of its versions counts once.
 */
export async function manyFolders(
  services: Services,
  target: Target,
  selected: readonly TreeNode[] | undefined,
  title: string,
): Promise<readonly StoredFolder[]> {
  if (target === undefined) {
    const picked = await services.ui.pickMany(title, await modelItems(services));
    return unique((picked ?? []).flatMap((node) => foldersOf(services, node)));
  }
  const nodes = rowsOf(services, target, selected);
  await readPending(services, nodes);
  return unique(nodes.flatMap((node) => foldersOf(services, node)));
}

/** The rows a command was called on; none when it was called without. */
export function rowsOf(
  { tree }: Services,
  target: Target,
  selected: readonly TreeNode[] | undefined,
): readonly (TreeNode | ModelRef)[] {
  if (target === "selection") return tree.selection;
  return selected?.length ? selected : target === undefined ? [] : [target];
}

/** Says in a picker which store a line is from, unless it is the user's own. */
export function storeDetail(stores: Stores, store: StoreId): Pick<PickItem<unknown>, "detail"> {
  const open = stores.all.find(({ id }) => id === store);
  return open === undefined || open.kind === "own" ? {} : { detail: open.label };
}

/**
 * The store that something new goes to when the user pointed at none: their own, or the one they choose when further
 * homes are open. `undefined` = dismissed.
 */
export async function storeForNew({ stores, t, ui }: Services, title: string): Promise<OpenStore | undefined> {
  const homes = stores.all.filter(({ kind }) => kind !== "sample");
  if (homes.length < 2) return homes[0];
  const itemOf = async (value: OpenStore): Promise<PickItem<OpenStore>> => {
    const isReadOnly = (await storeAccess(value.store.home)) === "readOnly";
    const detail = isReadOnly ? { detail: t("read-only: nothing can be added here") } : {};
    return { label: value.label, description: value.store.home, ...detail, value };
  };
  return ui.pick(title, await Promise.all(homes.map(itemOf)));
}

/** An open store by its id. @throws ModelbenchError `model.notFound` when it is not open any more */
export function storeOf({ stores }: Services, id: StoreId): OpenStore {
  const open = stores.all.find((each) => each.id === id);
  return open ?? { id, kind: "home", label: "", store: stores.of({ store: id }) };
}

/** The folder of a version, listed or not. @throws ModelbenchError `model.notFound` */
export function folderOf({ catalog, stores, t }: Services, ref: ModelRef): StoredFolder {
  const summary = catalog.find(ref);
  if (summary) return versionFolder(versionNode(ref.store, summary));
  const { name, version = "" } = parseTag(ref.tag);
  const store = stores.of(ref);
  const path = store.pathOf({ name, version });
  if (existsSync(path)) return { store: ref.store, name, version, path, sizeBytes: undefined };
  throw new ModelbenchError("model.notFound", t("Model '{0}' is not found in the store {1}.", ref.tag, store.home));
}

/** One line a version of the open stores, newest first. @throws ModelbenchError `model.notFound` when there are none */
async function modelItems(services: Services): Promise<PickItem<VersionNode>[]> {
  const { catalog, stores, t } = services;
  const items: PickItem<VersionNode>[] = [];
  for (const store of catalog.stores) {
    const snapshot = await catalog.ready(store);
    const models = [...(snapshot?.names.values() ?? [])].flatMap((entry) => entry.models);
    for (const summary of sortedVersions(models, "created")) {
      items.push({
        label: formatTag(summary.tag),
        description: versionDescription(summary, t, Date.now()),
        ...storeDetail(stores, store),
        value: versionNode(store, summary),
      });
    }
  }
  if (items.length > 0) return items;
  throw new ModelbenchError("model.notFound", t("There are no models yet."), {
    remedy: t("Save one from a file, import an archive, or open the sample store."),
  });
}

async function pickModel(services: Services, title: string): Promise<ModelRef | undefined> {
  const picked = await services.ui.pick(title, await modelItems(services));
  return picked && { store: picked.store, tag: picked.tag };
}

/** A name whose versions nobody has read yet stands for them all the same. */
async function readPending({ catalog }: Services, nodes: readonly (TreeNode | ModelRef)[]): Promise<void> {
  const names = nodes.flatMap((node) => ("kind" in node && node.kind === "name" ? [node] : []));
  await Promise.all(names.map(({ store, name }) => catalog.details(store, name)));
}

function newestOf(services: Services, store: StoreId, name: string): ModelRef | undefined {
  const models = services.catalog.snapshot(store)?.names.get(name)?.models ?? [];
  const newest = models.find((model) => model.isLatest) ?? sortedVersions(models, "created")[0];
  return newest && { store, tag: formatTag(newest.tag) };
}

function foldersOf(services: Services, node: TreeNode | ModelRef): StoredFolder[] {
  if ("tag" in node) return [folderOf(services, node)];
  if (node.kind === "broken") return node.item.beingWritten ? [] : [brokenFolder(node.store, node.item)];
  const isNarrowed = node.kind === "name" && node.narrowed !== undefined;
  // Under a filter a row stands for what is seen below it: nobody deletes what they do not see.
  if (node.kind === "group" || isNarrowed) return services.tree.below(node).flatMap((row) => foldersOf(services, row));
  if (node.kind !== "name") return [];
  const entry = services.catalog.snapshot(node.store)?.names.get(node.name);
  const versions = sortedVersions(entry?.models ?? [], "created").map((summary) => versionNode(node.store, summary));
  const broken = (entry?.broken ?? []).filter((item) => !item.beingWritten);
  return [...versions.map(versionFolder), ...broken.map((item) => brokenFolder(node.store, item))];
}

function versionFolder({ store, summary }: VersionNode): StoredFolder {
  return { store, ...summary.tag, path: summary.path, sizeBytes: summary.sizeBytes };
}

function brokenFolder(store: StoreId, item: BrokenItem): StoredFolder {
  return { store, name: item.name, version: item.version, path: item.path, sizeBytes: undefined };
}

function unique(folders: readonly StoredFolder[]): StoredFolder[] {
  return [...new Map(folders.map((folder) => [folder.path, folder])).values()];
}
