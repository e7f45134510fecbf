import type { TensorRow } from "../../protocol/content";
import { elementCount } from "../../protocol/drafts";

/** Order of the tensors below each group. */
export type TensorOrder = "file" | "name" | "size";

/** A tensor, or a group of tensors whose names begin alike. */
export interface TensorNode {
  /** Stays the same when the list is read again. */
  readonly id: string;
  readonly label: string;
  readonly children: readonly TensorNode[];
  /** Number of the tensor; `undefined` for a group. */
  readonly tensor: number | undefined;
  /** Tensors in it, itself included. */
  readonly tensors: number;
  readonly parameters: number;
  readonly bytes: number;
}

/** A line of the tree as it is shown. */
export interface TreeLine {
  readonly node: TensorNode;
  /** Names of the groups that are shown as one, and its own. */
  readonly label: string;
  /** From 1. */
  readonly level: number;
  /** Place among its siblings, from 1, and how many they are. */
  readonly position: number;
  readonly siblings: number;
  /** `undefined` for a tensor. */
  readonly isExpanded: boolean | undefined;
}

/** Lines that are shown at first without anybody's having expanded anything. */
const FIRST_LINES = 40;

/**
 * The segments by which a tensor is grouped: keys and positions of a nested leaf; the parts of a name that a format
 * without nesting has, as torch (`layers.0.weight`) and ONNX (`/encoder/layers.0/MatMul`) write them.
 */
export function segmentsOf({ path, name, file }: TensorRow): string[] {
  if (path.length > 1) return path.map(String);
  const segments = name.split(/[./]+/).filter((segment) => segment !== "");
  return segments.length > 0 ? segments : [name === "" ? file : name];
}

/** Which tensors have every word of a query (a shape is one: `[4, 3`) in name, type, shape or file; all for an empty one. */
export function matching(rows: readonly TensorRow[], query: string): number[] {
  const words = query.toLowerCase().replaceAll(/,\s+/g, ",").split(/\s+/).filter(Boolean);
  const all = rows.map((_, index) => index);
  if (words.length === 0) return all;
  return all.filter((index) => {
    const row = rows[index];
    if (!row) return false;
    const { name, dtype, nativeDtype, kind, shape, file } = row;
    const text = `${name} ${segmentsOf(row).join("/")} ${dtype ?? kind} ${nativeDtype} [${shape.join()}] ${shape.join("x")} ${file}`;
    return words.every((word) => text.toLowerCase().includes(word));
  });
}

/** Elements of a tensor; a leaf without a dtype has none. */
function parametersOf({ dtype, shape }: TensorRow): number {
  return dtype === null ? 0 : elementCount(shape);
}

/** The tensors of `indices` as one list, or below the groups of their names. */
export function tensorTree(
  rows: readonly TensorRow[],
  indices: readonly number[],
  order: TensorOrder,
  isFlat: boolean,
): TensorNode[] {
  const root = new Group("");
  const byFile = isSplit(rows);
  for (const index of indices) {
    const row = rows[index];
    if (!row) continue;
    const segments = isFlat ? [row.name === "" ? row.file : row.name] : segmentsOf(row);
    const all = byFile && !isFlat ? [row.file, ...segments] : segments;
    let group = root;
    for (const segment of all.slice(0, -1)) group = group.at(segment);
    group.add(leafOf(row, index, all.at(-1) ?? ""));
  }
  return root.sorted(order);
}

/** Several files get a group each when one name occurs in two of them; shards of one model do not. */
function isSplit(rows: readonly TensorRow[]): boolean {
  const first = rows[0]?.file;
  if (rows.every(({ file }) => file === first)) return false;
  const fileOf = new Map<string, string>();
  return rows.some(({ name, file }) => {
    const known = fileOf.get(name);
    fileOf.set(name, file);
    return known !== undefined && known !== file;
  });
}

function leafOf(row: TensorRow, index: number, label: string): TensorNode {
  const { bytes } = row;
  return { id: `#${index}`, label, children: [], tensor: index, tensors: 1, parameters: parametersOf(row), bytes };
}

/** Gathers what is below one prefix, in the order of its first appearance. */
class Group {
  readonly #id: string;
  readonly #groups = new Map<string, Group>();
  readonly #items: (TensorNode | readonly [label: string, group: Group])[] = [];

  constructor(id: string) {
    this.#id = id;
  }

  at(segment: string): Group {
    const known = this.#groups.get(segment);
    if (known) return known;
    const group = new Group(`${this.#id}\n${segment}`);
    this.#groups.set(segment, group);
    this.#items.push([segment, group]);
    return group;
  }

  add(leaf: TensorNode): void {
    this.#items.push(leaf);
  }

  sorted(order: TensorOrder): TensorNode[] {
    const nodes = this.#items.map((item) => ("id" in item ? item : item[1].#node(item[0], order)));
    if (order === "name") nodes.sort((a, b) => collator.compare(a.label, b.label));
    if (order === "size") nodes.sort((a, b) => b.bytes - a.bytes);
    return nodes;
  }

  #node(label: string, order: TensorOrder): TensorNode {
    const children = this.sorted(order);
    const sum = (of: (node: TensorNode) => number): number => children.reduce((total, node) => total + of(node), 0);
    return {
      id: this.#id,
      label,
      children,
      tensor: undefined,
      tensors: sum(({ tensors }) => tensors),
      parameters: sum(({ parameters }) => parameters),
      bytes: sum(({ bytes }) => bytes),
    };
  }
}

/** `layers.2` comes before `layers.10`. */
const collator = new Intl.Collator("en", { numeric: true });

/** What stands between the segments of these names: a dot where no name has a path or a slash. */
export function separatorOf(rows: readonly TensorRow[]): "." | "/" {
  return rows.some(({ name, path }) => path.length > 1 || name.includes("/")) ? "/" : ".";
}

/** The lines that are shown: a group that holds nothing but another group is one line with it. */
export function treeLines(
  roots: readonly TensorNode[],
  isExpanded: (node: TensorNode) => boolean,
  separator: "." | "/" = "/",
): TreeLine[] {
  const lines: TreeLine[] = [];
  const below = (nodes: readonly TensorNode[], level: number): void => {
    nodes.forEach((first, index) => {
      let node = first;
      let { label } = first;
      for (let only = onlyGroup(node); only; only = onlyGroup(node)) {
        node = only;
        label += `${separator}${only.label}`;
      }
      const isOpen = node.tensor === undefined ? isExpanded(node) : undefined;
      lines.push({ node, label, level, position: index + 1, siblings: nodes.length, isExpanded: isOpen });
      if (isOpen) below(node.children, level + 1);
    });
  };
  below(roots, 1);
  return lines;
}

function onlyGroup({ children }: TensorNode): TensorNode | undefined {
  const [only] = children;
  return children.length === 1 && only?.tensor === undefined ? only : undefined;
}

/** The groups that are open at first: level by level, as long as the lines are few. */
export function firstExpanded(roots: readonly TensorNode[]): ReadonlySet<string> {
  const open = new Set<string>();
  let lines = roots.length;
  let level = roots.filter(({ tensor }) => tensor === undefined);
  while (level.length > 0) {
    const next: TensorNode[] = [];
    for (const node of level) {
      // A group that only holds another one is no line of its own.
      if (onlyGroup(node) === undefined) {
        if (lines + node.children.length > FIRST_LINES && open.size > 0) return open;
        lines += node.children.length;
      }
      open.add(node.id);
      next.push(...node.children.filter(({ tensor }) => tensor === undefined));
    }
    level = next;
  }
  return open;
}
