import { Slice } from "../../base/slice";
import type { BrokenItem, ModelSummary } from "../../store/model";
import { formatTag } from "../../store/tag";
import type { NameEntry, StoreSnapshot } from "../liveListing";
import type { GroupBy, Labels, SortBy, StoreId } from "../services";
import {
  type BrokenNode,
  compareText,
  compareVersions,
  type GroupNode,
  type NameNode,
  type NoteNode,
  type TreeNode,
  totalBytes,
  versionNode,
} from "./treeModel";

/** Everything the tree is made of. */
export interface TreeState {
  readonly snapshots: ReadonlyMap<StoreId, StoreSnapshot>;
  readonly sortBy: SortBy;
  readonly groupBy: GroupBy;
  /** What passes the filter; `undefined` without one. */
  readonly accepts: Accepts | undefined;
  /** Labels by store and tag, as far as they are needed and known. */
  readonly labels: ReadonlyMap<StoreId, Labels>;
  /** Tags of the pinned versions of each store. */
  readonly pins: ReadonlyMap<StoreId, ReadonlySet<string>>;
  /** What a module is grouped under. */
  readonly frameworkOf: (module: string) => string;
}

/** The filter as the tree asks it. */
export interface Accepts {
  /** As it was typed. */
  readonly text: string;
  version(store: StoreId, model: ModelSummary): boolean;
  broken(item: BrokenItem): boolean;
}

/** The tree as it is to be shown: which rows there are, in which order, below which. */
export interface Arrangement {
  readonly state: TreeState;
  /** The rows at the top: those of the only store, or one root a store while several are open. */
  readonly tops: readonly TreeNode[];
  /** The rows below a row. */
  children(node: TreeNode): readonly TreeNode[];
  /** The row above a row; `undefined` at the top. */
  parent(node: TreeNode): TreeNode | undefined;
  /** The shown versions below a root, a name or a group, in no order. */
  versions(node: TreeNode): readonly ModelSummary[];
  /** Versions that are shown, and all that are known. */
  readonly shown: number;
  readonly all: number;
  /** Names that are known and not read yet. */
  readonly pending: number;
}

/** Longest time the thread is held at a stretch, beside the sort. */
const SLICE_MS = 4;
/** Up to so many shown versions, what a filter leaves is unfolded. */
const FEW_SHOWN = 50;

/** Whether each store has a root: as soon as more than one is open. */
export function hasRoots({ snapshots }: Pick<TreeState, "snapshots">): boolean {
  return snapshots.size > 1;
}

/** Puts the tree together in slices: yields whenever a slice has taken a few milliseconds. Reads no file. */
export function* arrange(state: TreeState, slice = new Slice(SLICE_MS)): Generator<void, Arrangement> {
  const parts = new Map<StoreId, StorePart>();
  for (const [store, snapshot] of state.snapshots) parts.set(store, yield* storePart(store, snapshot, state, slice));
  return new Arranged(state, parts);
}

/** What one store comes to. */
interface StorePart {
  readonly nodes: readonly TreeNode[];
  /** The shown versions by their name or by the value of their group. */
  readonly models: ReadonlyMap<string | undefined, readonly ModelSummary[]>;
  readonly shown: number;
  readonly all: number;
  readonly pending: number;
}

class Arranged implements Arrangement {
  readonly state: TreeState;
  readonly tops: readonly TreeNode[];
  readonly shown: number;
  readonly all: number;
  readonly pending: number;
  readonly #parts: ReadonlyMap<StoreId, StorePart>;
  readonly #narrowed: NameNode["narrowed"];

  constructor(state: TreeState, parts: ReadonlyMap<StoreId, StorePart>) {
    const sum = (count: (part: StorePart) => number) => [...parts.values()].reduce((all, part) => all + count(part), 0);
    this.state = state;
    this.#parts = parts;
    this.shown = sum((part) => part.shown);
    this.all = sum((part) => part.all);
    this.pending = sum((part) => part.pending);
    this.#narrowed = state.accepts && (this.shown <= FEW_SHOWN ? "few" : "many");
    const [only] = parts.values();
    this.tops = hasRoots(state)
      ? [...parts.keys()].map((store) => ({ kind: "root", store }))
      : (only?.nodes.filter(isShownAtTop).map((node) => this.#marked(node)) ?? []);
  }

  children(node: TreeNode): readonly TreeNode[] {
    if (node.kind === "root") return this.#parts.get(node.store)?.nodes.map((child) => this.#marked(child)) ?? [];
    if (node.kind !== "name" && node.kind !== "group") return [];
    const { sortBy } = this.state;
    const pins = this.state.pins.get(node.store);
    const versions = arrangedVersions(this.versions(node), sortBy, pins).map((summary) => ({
      ...versionNode(node.store, summary),
      ...(node.kind === "group" ? { alone: true as const } : {}),
    }));
    return node.kind === "group" ? versions : [...versions, ...this.#brokenOf(node)];
  }

  parent(node: TreeNode): TreeNode | undefined {
    const root: TreeNode | undefined = hasRoots(this.state) ? { kind: "root", store: node.store } : undefined;
    const { groupBy } = this.state;
    if (node.kind === "root") return undefined;
    if (node.kind === "more") return node.below;
    if (node.kind === "version" && groupBy !== "none" && groupBy !== "name") {
      return this.#marked(groupNode(node.store, groupOf(this.state, node.store, node.summary)));
    }
    if (groupBy !== "name") return root;
    if (node.kind === "version") return this.#marked(nameNode(node.store, node.summary.tag.name));
    const inName = node.kind === "broken" && node.item.version !== undefined;
    return inName ? this.#marked(nameNode(node.store, node.item.name)) : root;
  }

  versions(node: TreeNode): readonly ModelSummary[] {
    const part = this.#parts.get(node.store);
    if (node.kind === "root") return [...(part?.models.values() ?? [])].flat();
    if (node.kind !== "name" && node.kind !== "group") return [];
    return part?.models.get(node.kind === "name" ? node.name : node.value) ?? [];
  }

  #brokenOf(node: NameNode): BrokenNode[] {
    const { accepts, snapshots } = this.state;
    const items = snapshots.get(node.store)?.names.get(node.name)?.broken ?? [];
    return items
      .filter((item) => item.version !== undefined && (!accepts || accepts.broken(item)))
      .sort((a, b) => compareText(a.version ?? "", b.version ?? ""))
      .map((item) => ({ kind: "broken", store: node.store, item }));
  }

  /** What a filter leaves unfolds by another rule, and VS Code keeps what it once unfolded by a row's id. */
  #marked<N extends TreeNode>(node: N): N {
    const foldable = node.kind === "name" || node.kind === "group";
    return this.#narrowed && foldable ? { ...node, narrowed: this.#narrowed } : node;
  }
}

function* storePart(
  store: StoreId,
  snapshot: StoreSnapshot,
  state: TreeState,
  slice: Slice,
): Generator<void, StorePart> {
  if (snapshot.phase === "failed") return lonely(note(store, "failed", snapshot.error));
  const part =
    state.groupBy === "name"
      ? yield* byName(store, snapshot, state, slice)
      : yield* flat(store, snapshot, state, slice);
  if (part.nodes.length > 0) return part;
  if (snapshot.phase === "loading" || part.pending > 0) return { ...part, nodes: [note(store, "loading")] };
  return { ...part, nodes: [note(store, state.accepts && snapshot.names.size > 0 ? "unmatched" : "empty")] };
}

/** A view without rows has a welcome text; only what that cannot say is a row. */
function isShownAtTop(node: TreeNode): boolean {
  return node.kind !== "note" || node.note === "unmatched";
}

function lonely(node: NoteNode): StorePart {
  return { nodes: [node], models: new Map(), shown: 0, all: 0, pending: 0 };
}

function note(store: StoreId, what: NoteNode["note"], error?: NoteNode["error"]): NoteNode {
  return { kind: "note", store, note: what, error };
}

/** Names in order, then what is at fault as a whole: a name folder that cannot be one. */
function* byName(store: StoreId, snapshot: StoreSnapshot, state: TreeState, slice: Slice): Generator<void, StorePart> {
  const { accepts, sortBy } = state;
  const models = new Map<string | undefined, readonly ModelSummary[]>();
  const named: Sortable[] = [];
  const faulty: TreeNode[] = [];
  let [shown, all, pending] = [0, 0, 0];
  for (const [name, entry] of snapshot.names) {
    yield* slice.rest();
    const kept = accepts ? entry.models.filter((model) => accepts.version(store, model)) : entry.models;
    const broken = accepts ? entry.broken.filter((item) => accepts.broken(item)) : entry.broken;
    all += entry.models.length;
    shown += kept.length;
    if (entry.pending) pending += 1;
    const isNamed = kept.length > 0 || broken.some((item) => item.version !== undefined);
    if (isNamed || (entry.pending && !accepts)) {
      models.set(name, kept);
      named.push({ node: nameNode(store, name), text: name, key: entryKey(kept, entry, sortBy) });
    }
    for (const item of broken) if (item.version === undefined) faulty.push({ kind: "broken", store, item });
  }
  return { nodes: [...sorted(named), ...sorted(faulty.map(byItsName))], models, shown, all, pending };
}

/** Versions without their names: below groups, or all in one list; then what is broken. */
function* flat(store: StoreId, snapshot: StoreSnapshot, state: TreeState, slice: Slice): Generator<void, StorePart> {
  const { accepts, groupBy, sortBy } = state;
  const groups = new Map<string | undefined, ModelSummary[]>();
  const faulty: TreeNode[] = [];
  let [shown, all, pending] = [0, 0, 0];
  for (const entry of snapshot.names.values()) {
    if (entry.pending) pending += 1;
    for (const model of entry.models) {
      yield* slice.rest();
      all += 1;
      if (accepts && !accepts.version(store, model)) continue;
      shown += 1;
      const group = groupBy === "none" ? undefined : groupOf(state, store, model);
      const members = groups.get(group);
      if (members) members.push(model);
      else groups.set(group, [model]);
    }
    for (const item of entry.broken) {
      if (!accepts || accepts.broken(item)) faulty.push({ kind: "broken", store, item, alone: true });
    }
  }
  const nodes: TreeNode[] =
    groupBy === "none"
      ? arrangedVersions(groups.get(undefined) ?? [], sortBy, state.pins.get(store)).map((summary) => ({
          ...versionNode(store, summary),
          alone: true,
        }))
      : sortedGroups(store, groups, sortBy);
  return { nodes: [...nodes, ...sorted(faulty.map(byItsName))], models: groups, shown, all, pending };
}

/** Groups in order; the one of those without the label last. */
function sortedGroups(
  store: StoreId,
  groups: ReadonlyMap<string | undefined, ModelSummary[]>,
  sortBy: SortBy,
): TreeNode[] {
  const named: Sortable[] = [];
  const without: TreeNode[] = [];
  for (const [value, members] of groups) {
    const node = groupNode(store, value);
    if (value === undefined) without.push(node);
    else named.push({ node, text: value, key: entryKey(members, undefined, sortBy) });
  }
  return [...sorted(named), ...without];
}

/** Where a version belongs; `undefined` without that label. */
function groupOf(state: TreeState, store: StoreId, model: ModelSummary): string | undefined {
  if (state.groupBy === "framework") return state.frameworkOf(model.module);
  return state.labels.get(store)?.get(formatTag(model.tag))?.get(labelKey(state.groupBy));
}

/** The key of the label that versions are grouped by; empty when they are not. */
export function labelKey(groupBy: GroupBy): string {
  return groupBy.startsWith("label:") ? groupBy.slice("label:".length) : "";
}

function nameNode(store: StoreId, name: string): NameNode {
  return { kind: "name", store, name };
}

function groupNode(store: StoreId, value: string | undefined): GroupNode {
  return { kind: "group", store, value };
}

/** What is sorted by one number, larger first, and then by a text. */
interface Sortable {
  readonly node: TreeNode;
  readonly text: string;
  readonly key: number;
}

function byItsName(node: TreeNode): Sortable {
  const item = node.kind === "broken" ? node.item : undefined;
  return { node, text: `${item?.name}:${item?.version ?? ""}`, key: 0 };
}

function sorted(rows: Sortable[]): TreeNode[] {
  return rows.sort((a, b) => b.key - a.key || compareText(a.text, b.text)).map(({ node }) => node);
}

function entryKey(models: readonly ModelSummary[], entry: NameEntry | undefined, sortBy: SortBy): number {
  if (sortBy === "size") return totalBytes(models);
  if (sortBy === "name") return 0;
  return models.reduce((newest, model) => Math.max(newest, model.creationMs), entry?.folderMs ?? 0);
}

/** Versions in display order: the pinned ones first. */
function arrangedVersions(
  models: readonly ModelSummary[],
  sortBy: SortBy,
  pins: ReadonlySet<string> | undefined,
): ModelSummary[] {
  const rank = (model: ModelSummary): number => (pins?.has(formatTag(model.tag)) ? 1 : 0);
  const ranked = models.map((model) => ({ model, rank: pins?.size ? rank(model) : 0 }));
  return ranked.sort((a, b) => b.rank - a.rank || compareVersions(a.model, b.model, sortBy)).map(({ model }) => model);
}
