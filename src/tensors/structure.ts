import type { DType } from "../formats/tensor";
import { NearNames } from "./nearNames";

/** One leaf of a stored tree, as every format lists it; `StoredTensor` is one. */
export interface StructureLeaf {
  /** What the user reads, for instance `params/Dense_0/kernel`. */
  readonly name: string;
  /** From the root; a list index or an integer key is a number. */
  readonly path: readonly (string | number)[];
  /** What it is: `ndarray`, `int`, `empty_map` and so on. */
  readonly kind: string;
  readonly dtype: DType | null;
  /** The format's own type name: tells types apart that have no `dtype`. */
  readonly nativeDtype: string;
  readonly shape: readonly number[];
}

/** Something of the expected structure that the other one has not, or has differently. */
export type StructureDifference =
  /** Only the expected structure has it. `near`: names of the other one that look like it, the nearest first. */
  | { readonly difference: "missing"; readonly leaf: StructureLeaf; readonly near: readonly string[] }
  /** Only the other structure has it. `near`: names of the expected one that look like it. */
  | { readonly difference: "extra"; readonly leaf: StructureLeaf; readonly near: readonly string[] }
  /** The same leaf under another path: each is the only one that fits the other. */
  | { readonly difference: "moved"; readonly from: StructureLeaf; readonly to: StructureLeaf }
  /** A leaf of another kind, or a subtree on one side: then `kind` there is `tree`. */
  | {
      readonly difference: "kind";
      readonly name: string;
      readonly path: readonly (string | number)[];
      readonly expected: string;
      readonly found: string;
    }
  | { readonly difference: "shape" | "dtype"; readonly expected: StructureLeaf; readonly found: StructureLeaf };

/**
 * Every difference between two lists of leaves, in the order of the expected ones, extra ones last. One leaf may have
 * two: of shape and of dtype. Looks at no values.
 */
export function compareStructure(
  expected: readonly StructureLeaf[],
  found: readonly StructureLeaf[],
): StructureDifference[] {
  const there = new Map(found.map((leaf) => [identity(leaf.path), leaf]));
  const wanted = new Map(expected.map((leaf) => [identity(leaf.path), leaf]));
  const missing = [...wanted.values()].filter(({ path }) => !there.has(identity(path)));
  const extra = [...there.values()].filter(({ path }) => !wanted.has(identity(path)));
  const grown = treesForLeaves(missing, extra, wanted, there);
  const lost = missing.filter((leaf) => !grown.covered.has(leaf));
  const added = extra.filter((leaf) => !grown.covered.has(leaf));
  const moves = movesBetween(lost, added);
  const arrived = new Set(moves.values());
  const nearFound = new NearNames(added.filter((leaf) => !arrived.has(leaf)).map(({ name }) => name));
  const nearExpected = new NearNames(lost.filter((leaf) => !moves.has(leaf)).map(({ name }) => name));
  return [
    ...[...wanted].flatMap(([key, leaf]): StructureDifference[] => {
      const other = there.get(key);
      if (other) return leafDifferences(leaf, other);
      const kind = grown.differences.get(leaf);
      if (grown.covered.has(leaf)) return kind ? [kind] : [];
      const to = moves.get(leaf);
      if (to) return [{ difference: "moved", from: leaf, to }];
      return [{ difference: "missing", leaf, near: nearFound.of(leaf.name) }];
    }),
    ...added
      .filter((leaf) => !arrived.has(leaf))
      .map((leaf): StructureDifference => ({ difference: "extra", leaf, near: nearExpected.of(leaf.name) })),
  ];
}

/** One key for a path: the integer 0 and the text "0" differ, as they do in a file. */
function identity(path: readonly (string | number)[]): string {
  return JSON.stringify(path);
}

function leafDifferences(expected: StructureLeaf, found: StructureLeaf): StructureDifference[] {
  if (expected.kind !== found.kind) {
    const { name, path } = expected;
    return [{ difference: "kind", name, path, expected: expected.kind, found: found.kind }];
  }
  const differences: StructureDifference[] = [];
  if (identity(expected.shape) !== identity(found.shape)) differences.push({ difference: "shape", expected, found });
  if (typeOf(expected) !== typeOf(found)) differences.push({ difference: "dtype", expected, found });
  return differences;
}

function typeOf({ dtype, nativeDtype }: StructureLeaf): string {
  return dtype ?? nativeDtype;
}

interface Grown {
  /** The difference, by the first expected leaf that it covers. */
  readonly differences: ReadonlyMap<StructureLeaf, StructureDifference>;
  /** Leaves of both sides that such a difference says all about. */
  readonly covered: ReadonlySet<StructureLeaf>;
}

/** Places where one side has a leaf and the other a whole subtree. */
function treesForLeaves(
  missing: readonly StructureLeaf[],
  extra: readonly StructureLeaf[],
  wanted: ReadonlyMap<string, StructureLeaf>,
  there: ReadonlyMap<string, StructureLeaf>,
): Grown {
  const differences = new Map<StructureLeaf, StructureDifference>();
  const covered = new Set<StructureLeaf>();
  const seen = new Set<StructureLeaf>();
  for (const leaf of missing) {
    const trunk = leafAbove(leaf, there);
    if (!trunk) continue;
    covered.add(leaf).add(trunk);
    if (seen.has(trunk)) continue;
    seen.add(trunk);
    const { name, path, kind } = trunk;
    differences.set(leaf, { difference: "kind", name, path, expected: "tree", found: kind });
  }
  for (const leaf of extra) {
    const trunk = leafAbove(leaf, wanted);
    if (!trunk) continue;
    covered.add(leaf).add(trunk);
    const { name, path, kind } = trunk;
    differences.set(trunk, { difference: "kind", name, path, expected: kind, found: "tree" });
  }
  return { differences, covered };
}

function leafAbove({ path }: StructureLeaf, leaves: ReadonlyMap<string, StructureLeaf>): StructureLeaf | undefined {
  for (let length = path.length - 1; length > 0; length--) {
    const above = leaves.get(identity(path.slice(0, length)));
    if (above) return above;
  }
  return undefined;
}

/**
 * Pairs of one lost and one added leaf of the same kind, dtype and shape. First those whose names are equal and only
 * keys differ in being integers; then, from the longest common end of the path to the last part alone, those that are
 * the only ones with that end; at last those that are the only ones in their parent: a leaf that was renamed in place.
 */
function movesBetween(
  lost: readonly StructureLeaf[],
  added: readonly StructureLeaf[],
): Map<StructureLeaf, StructureLeaf> {
  const moves = new Map<StructureLeaf, StructureLeaf>();
  let left = [...lost];
  let right = [...added];
  const pair = (keyOf: (leaf: StructureLeaf) => string | undefined): void => {
    const candidates = uniqueBy(right, keyOf);
    const arrived = new Set<StructureLeaf>();
    for (const [key, from] of uniqueBy(left, keyOf)) {
      const to = from && candidates.get(key);
      if (!(from && to)) continue;
      moves.set(from, to);
      arrived.add(to);
    }
    left = left.filter((leaf) => !moves.has(leaf));
    right = right.filter((leaf) => !arrived.has(leaf));
  };
  const depth = Math.min(MAX_END, Math.max(0, ...lost.map(({ path }) => path.length)));
  pair((leaf) => keyed(leaf, leaf.path.map(String)));
  for (let length = depth; length > 0 && left.length > 0 && right.length > 0; length--) {
    pair((leaf) => (leaf.path.length < length ? undefined : keyed(leaf, leaf.path.slice(-length).map(String))));
  }
  pair((leaf) => (leaf.path.length < 2 ? undefined : keyed(leaf, leaf.path.slice(0, -1))));
  return moves;
}

/** Longest common end of two paths that is looked for: longer ones say no more. */
const MAX_END = 16;

function keyed(leaf: StructureLeaf, part: readonly (string | number)[]): string {
  return JSON.stringify([leaf.kind, typeOf(leaf), leaf.shape, part]);
}

/** The leaf of each key; `undefined` for a key that several have. */
function uniqueBy(
  leaves: readonly StructureLeaf[],
  keyOf: (leaf: StructureLeaf) => string | undefined,
): Map<string, StructureLeaf | undefined> {
  const found = new Map<string, StructureLeaf | undefined>();
  for (const leaf of leaves) {
    const key = keyOf(leaf);
    if (key !== undefined) found.set(key, found.has(key) ? undefined : leaf);
  }
  return found;
}
