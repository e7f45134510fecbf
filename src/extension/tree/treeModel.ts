import type { WireError } from "../../base/errors";
import type { BrokenItem, ModelSummary } from "../../store/model";
import { formatTag } from "../../store/tag";
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
  /** Set under a filter: whether it leaves so little that all of it is unfolded. */
  readonly narrowed?: "few" | "many" | undefined;
}

/** Versions that have something in common other than their name. */
export interface GroupNode {
  readonly kind: "group";
  readonly store: StoreId;
  /** The framework or the label's value that they share; `undefined` = they lack the label. */
  readonly value: string | undefined;
  readonly narrowed?: "few" | "many" | undefined;
}

/** A version; usable wherever a `ModelRef` is. */
export interface VersionNode extends ModelRef {
  readonly kind: "version";
  readonly summary: ModelSummary;
  /** Set where no name stands above it, so that the row tells the whole tag. */
  readonly alone?: true;
}

/** A folder that is not a readable model, or not yet. */
export interface BrokenNode {
  readonly kind: "broken";
  readonly store: StoreId;
  readonly item: BrokenItem;
  /** Set where no name stands above it. */
  readonly alone?: true;
}

/** A sentence in place of models: an empty or unreadable store below its root. */
export interface NoteNode {
  readonly kind: "note";
  readonly store: StoreId;
  readonly note: "loading" | "empty" | "unmatched" | "failed";
  readonly error: WireError | undefined;
}

/** The end of a long list that is not drawn yet. */
export interface MoreNode {
  readonly kind: "more";
  readonly store: StoreId;
  /** The row whose list it ends; `undefined` at the top. */
  readonly below: TreeNode | undefined;
  /** How many rows are left out. */
  readonly hidden: number;
}

/** A row of the tree: what it stands for, not how it looks. */
export type TreeNode = RootNode | NameNode | GroupNode | VersionNode | BrokenNode | NoteNode | MoreNode;

/** The same text for the same row through every refresh. */
export function nodeId(node: TreeNode): string {
  switch (node.kind) {
    case "root":
      return node.store;
    case "name":
      return `${above(node.store)}${node.name}${narrowMark(node)}`;
    case "group":
      return `${node.store}?${node.value === undefined ? "without" : `with=${node.value}`}${narrowMark(node)}`;
    case "version":
      return `${above(node.store)}${node.tag.replace(":", "/")}`;
    case "broken":
      return `${above(node.store)}${node.item.name}${node.item.version === undefined ? "!" : `/${node.item.version}`}`;
    case "note":
      return `${node.store}?${node.note}`;
    case "more":
      return `${node.below ? nodeId(node.below) : node.store}?more`;
  }
}

/** A further home is a path itself: what is in it begins behind a text that is in no path. */
function above(store: StoreId): string {
  return store.startsWith("home:") ? `${store}//` : `${store}/`;
}

/** VS Code keeps by its id whether a row is unfolded: under a filter it is another row. */
function narrowMark({ narrowed }: NameNode | GroupNode): string {
  return narrowed === undefined ? "" : `?${narrowed}`;
}

/** Versions in display order: what `delete` on a name takes, and what a picker offers. */
export function sortedVersions(models: readonly ModelSummary[], sortBy: SortBy): ModelSummary[] {
  return [...models].sort((a, b) => compareVersions(a, b, sortBy));
}

/** Largest first where that is asked for, else the newest first; by name, the names decide before. */
export function compareVersions(a: ModelSummary, b: ModelSummary, sortBy: SortBy): number {
  if (sortBy === "size") return b.sizeBytes - a.sizeBytes || newerFirst(a, b);
  if (sortBy === "name") return compareText(a.tag.name, b.tag.name) || newerFirst(a, b);
  return newerFirst(a, b);
}

/** The node of a version. */
export function versionNode(store: StoreId, summary: ModelSummary): VersionNode {
  return { kind: "version", store, tag: formatTag(summary.tag), summary };
}

/** Bytes of all readable versions. */
export function totalBytes(models: readonly ModelSummary[]): number {
  return models.reduce((sum, model) => sum + model.sizeBytes, 0);
}

function newerFirst(a: ModelSummary, b: ModelSummary): number {
  return (
    b.creationMs - a.creationMs || b.creationMicros - a.creationMicros || compareText(a.tag.version, b.tag.version)
  );
}

/** By code units, as BentoML sorts. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
