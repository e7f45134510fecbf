import type { WireError } from "../../base/errors";
import type { BrokenItem, ModelSummary } from "../../store/model";
import { formatTag } from "../../store/tag";
import type { NameEntry, StoreSnapshot } from "../liveListing";
import type { ModelRef, SortBy, StoreId } from "../services";

/** One store; shown only while several stores are open. */
export interface RootNode {
  readonly kind: "root";
  readonly store: StoreId;
}

/** A name with its versions. */
export interface NameNode {
  readonly kind: "name";
  readonly store: StoreId;
  readonly name: string;
}

/** A version; usable wherever a `ModelRef` is. */
export interface VersionNode extends ModelRef {
  readonly kind: "version";
  readonly summary: ModelSummary;
}

/** A folder that is not a readable model, or not yet. */
export interface BrokenNode {
  readonly kind: "broken";
  readonly store: StoreId;
  readonly item: BrokenItem;
}

/** A sentence in place of models: an empty or unreadable store below its root. */
export interface NoteNode {
  readonly kind: "note";
  readonly store: StoreId;
  readonly note: "loading" | "empty" | "failed";
  readonly error: WireError | undefined;
}

/** A row of the tree: what it stands for, not how it looks. */
export type TreeNode = RootNode | NameNode | VersionNode | BrokenNode | NoteNode;

/** Everything the tree is made of. */
export interface TreeState {
  readonly snapshots: ReadonlyMap<StoreId, StoreSnapshot>;
  readonly sortBy: SortBy;
}

/** The same text for the same row through every refresh. */
export function nodeId(node: TreeNode): string {
  switch (node.kind) {
    case "root":
      return node.store;
    case "name":
      return `${above(node.store)}${node.name}`;
    case "version":
      return `${above(node.store)}${node.tag.replace(":", "/")}`;
    case "broken":
      return `${above(node.store)}${node.item.name}${node.item.version === undefined ? "!" : `/${node.item.version}`}`;
    case "note":
      return `${node.store}?${node.note}`;
  }
}

/** A further home is a path itself: what is in it begins behind a text that is in no path. */
function above(store: StoreId): string {
  return store.startsWith("home:") ? `${store}//` : `${store}/`;
}

/** Whether each store has a root: as soon as more than one is open. */
export function hasRoots({ snapshots }: Pick<TreeState, "snapshots">): boolean {
  return snapshots.size > 1;
}

/** The rows at the top: the names of the own store, or one root a store while several are open. */
export function topNodes(state: TreeState): TreeNode[] {
  if (hasRoots(state)) return [...state.snapshots.keys()].map((store) => ({ kind: "root", store }));
  const own = state.snapshots.get("own");
  return own?.phase === "ready" ? nameNodes("own", own, state.sortBy) : [];
}

/** The rows below a row. */
export function childNodes(node: TreeNode, state: TreeState): TreeNode[] {
  const snapshot = state.snapshots.get(node.store);
  if (!snapshot) return [];
  if (node.kind === "root") return storeNodes(node.store, snapshot, state.sortBy);
  if (node.kind !== "name") return [];
  const entry = snapshot.names.get(node.name);
  return entry ? versionNodes(node.store, entry, state.sortBy) : [];
}

/** The row above a row; `undefined` at the top. */
export function parentNode(node: TreeNode, state: TreeState): TreeNode | undefined {
  const root: RootNode | undefined = hasRoots(state) ? { kind: "root", store: node.store } : undefined;
  if (node.kind === "root") return undefined;
  if (node.kind === "version") return { kind: "name", store: node.store, name: node.summary.tag.name };
  if (node.kind === "broken" && node.item.version !== undefined) {
    return { kind: "name", store: node.store, name: node.item.name };
  }
  return root;
}

/** The version nodes of an entry in display order: what `delete` on a name takes, and what a picker offers. */
export function sortedVersions(models: readonly ModelSummary[], sortBy: SortBy): ModelSummary[] {
  return [...models].sort((a, b) => (sortBy === "size" ? b.sizeBytes - a.sizeBytes : 0) || newerFirst(a, b));
}

/** The node of a version. */
export function versionNode(store: StoreId, summary: ModelSummary): VersionNode {
  return { kind: "version", store, tag: formatTag(summary.tag), summary };
}

/** Bytes of all readable versions. */
export function totalBytes(models: readonly ModelSummary[]): number {
  return models.reduce((sum, model) => sum + model.sizeBytes, 0);
}

function storeNodes(store: StoreId, snapshot: StoreSnapshot, sortBy: SortBy): TreeNode[] {
  if (snapshot.phase === "loading") return [{ kind: "note", store, note: "loading", error: undefined }];
  if (snapshot.phase === "failed") return [{ kind: "note", store, note: "failed", error: snapshot.error }];
  const nodes = nameNodes(store, snapshot, sortBy);
  return nodes.length > 0 ? nodes : [{ kind: "note", store, note: "empty", error: undefined }];
}

/** Names in order, then what is at fault as a whole: a name folder that cannot be one. */
function nameNodes(store: StoreId, snapshot: StoreSnapshot, sortBy: SortBy): TreeNode[] {
  const entries = [...snapshot.names];
  const named = entries
    .filter(([, entry]) => entry.models.length > 0 || entry.broken.some((item) => item.version !== undefined))
    .sort((a, b) => compareNames(a, b, sortBy))
    .map(([name]): TreeNode => ({ kind: "name", store, name }));
  const faulty = entries
    .flatMap(([, entry]) => entry.broken.filter((item) => item.version === undefined))
    .sort((a, b) => compareText(a.name, b.name))
    .map((item): TreeNode => ({ kind: "broken", store, item }));
  return [...named, ...faulty];
}

function versionNodes(store: StoreId, entry: NameEntry, sortBy: SortBy): TreeNode[] {
  const versions = sortedVersions(entry.models, sortBy).map((summary): TreeNode => versionNode(store, summary));
  const broken = entry.broken
    .filter((item) => item.version !== undefined)
    .sort((a, b) => compareText(a.version ?? "", b.version ?? ""))
    .map((item): TreeNode => ({ kind: "broken", store, item }));
  return [...versions, ...broken];
}

function compareNames(a: readonly [string, NameEntry], b: readonly [string, NameEntry], sortBy: SortBy): number {
  if (sortBy === "created") return newest(b[1]) - newest(a[1]) || compareText(a[0], b[0]);
  if (sortBy === "size") return totalBytes(b[1].models) - totalBytes(a[1].models) || compareText(a[0], b[0]);
  return compareText(a[0], b[0]);
}

function newest(entry: NameEntry): number {
  return entry.models.reduce((latest, model) => Math.max(latest, model.creationMs), 0);
}

function newerFirst(a: ModelSummary, b: ModelSummary): number {
  return (
    b.creationMs - a.creationMs || b.creationMicros - a.creationMicros || compareText(a.tag.version, b.tag.version)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
