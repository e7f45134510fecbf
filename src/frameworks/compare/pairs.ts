import { compareStructure, type StructureLeaf } from "../../tensors/structure";
import type { StoredTensor } from "../content";
import type { Place } from "./places";

/** A tensor of A and the one of B that it is compared with, by their numbers. */
export interface Pair {
  readonly a: number;
  readonly b: number;
  /** The name is another one. */
  readonly moved: boolean;
}

/** Pairs, and the numbers of the tensors that have no partner. */
export interface Pairing {
  readonly pairs: readonly Pair[];
  readonly a: readonly number[];
  readonly b: readonly number[];
}

type Tensors = readonly StoredTensor[];

/** The tensors of one side, and the place of each. */
export interface Placed {
  readonly tensors: Tensors;
  readonly places: readonly Place[];
}

/** Largest number of tensors of equal values among which the nearest name is looked for. */
const MAX_ALIKE = 200;

/**
 * Pairs what has the same place, else the same name, else the same path in another notation: `a/b` of a tree is `a.b` of
 * a flat list, but not of another tree.
 */
export function pairsByName(a: Placed, b: Placed): Pairing {
  const [as, bs] = [a.tensors, b.tensors];
  const all: Pairing = { pairs: [], a: as.map((_, i) => i), b: bs.map((_, i) => i) };
  const placed = joined(
    all,
    a.places.map(({ key }) => key),
    b.places.map(({ key }) => key),
  );
  const named = joined(placed, nameKeys(as), nameKeys(bs));
  const isBridged = (i: number, j: number): boolean => a.places[i]?.notation !== b.places[j]?.notation;
  return joined(named, as.map(pathKey), bs.map(pathKey), isBridged);
}

/** Adds pairs of equal digests under other names; of several the one with the nearest name. */
export function pairsByDigest(
  as: Tensors,
  bs: Tensors,
  paired: Pairing,
  digests: { readonly a: ReadonlyMap<number, string>; readonly b: ReadonlyMap<number, string> },
): Pairing {
  const free = new Map<string, Set<number>>();
  for (const [j, digest] of digests.b) free.set(digest, (free.get(digest) ?? new Set()).add(j));
  const pairs: Pair[] = [];
  for (const [i, digest] of digests.a) {
    const candidates = free.get(digest);
    if (!candidates || candidates.size > MAX_ALIKE) continue;
    const j = nearest(as[i], bs, [...candidates]);
    if (j === undefined) continue;
    candidates.delete(j);
    pairs.push({ a: i, b: j, moved: true });
  }
  return withPairs(paired, pairs);
}

/**
 * Adds pairs whose form is the same and whose places fit each other alone. The others get names that look like theirs.
 */
export function pairsByStructure(
  as: Placed,
  bs: Placed,
  paired: Pairing,
): Pairing & {
  readonly near: { readonly a: ReadonlyMap<number, readonly string[]>; readonly b: Map<number, readonly string[]> };
} {
  const left = numbersOf(as, paired.a);
  const right = numbersOf(bs, paired.b);
  const near = { a: new Map<number, readonly string[]>(), b: new Map<number, readonly string[]>() };
  const pairs: Pair[] = [];
  for (const found of compareStructure([...left.keys()], [...right.keys()])) {
    if (found.difference === "moved") {
      const [a, b] = [left.get(found.from), right.get(found.to)];
      if (a !== undefined && b !== undefined) pairs.push({ a, b, moved: true });
    } else if (found.difference === "missing" || found.difference === "extra") {
      const isMissing = found.difference === "missing";
      const number = (isMissing ? left : right).get(found.leaf);
      if (number !== undefined) near[isMissing ? "a" : "b"].set(number, found.near);
    }
  }
  return { ...withPairs(paired, pairs), near };
}

/** The leaves by number. The dots of a flat list's names stand for levels. */
function numbersOf({ tensors, places }: Placed, numbers: readonly number[]): Map<StructureLeaf, number> {
  return new Map(
    numbers.flatMap((i): [StructureLeaf, number][] => {
      const tensor = tensors[i];
      if (!tensor) return [];
      const isTree = tensor.path.length > 1 || places[i]?.notation === "msgpack";
      return [[isTree ? tensor : { ...tensor, path: pathKey(tensor).split(".") }, i]];
    }),
  );
}

/** The unpaired tensors of both sides that have the same form as one of the other: those whose values may tell. */
export function alike(as: Tensors, bs: Tensors, { a, b }: Pairing): { readonly a: number[]; readonly b: number[] } {
  const forms = (tensors: Tensors, numbers: readonly number[]): Set<string> =>
    new Set(numbers.map((i) => formOf(tensors[i])));
  const [left, right] = [forms(as, a), forms(bs, b)];
  const isReadable = (tensor: StoredTensor | undefined): boolean => tensor?.dtype != null && tensor.bytes > 0;
  return {
    a: a.filter((i) => isReadable(as[i]) && right.has(formOf(as[i]))),
    b: b.filter((j) => isReadable(bs[j]) && left.has(formOf(bs[j]))),
  };
}

function formOf(tensor: StoredTensor | undefined): string {
  return `${tensor?.kind} ${tensor?.dtype} ${tensor?.shape.join()}`;
}

function withPairs({ pairs, a, b }: Pairing, more: readonly Pair[]): Pairing {
  const [usedA, usedB] = [new Set(more.map((pair) => pair.a)), new Set(more.map((pair) => pair.b))];
  return { pairs: [...pairs, ...more], a: a.filter((i) => !usedA.has(i)), b: b.filter((j) => !usedB.has(j)) };
}

/** Pairs the free ones whose keys are equal, where no other of its side has that key. */
function joined(
  paired: Pairing,
  keysOfA: readonly string[],
  keysOfB: readonly string[],
  mayPair: (a: number, b: number) => boolean = () => true,
): Pairing {
  const right = onlyOnes(paired.b, keysOfB);
  const more = [...onlyOnes(paired.a, keysOfA)].flatMap(([key, a]) => {
    const b = right.get(key);
    return b === undefined || !mayPair(a, b) ? [] : [{ a, b, moved: false }];
  });
  return withPairs(paired, more);
}

function onlyOnes(numbers: readonly number[], keys: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  const twice = new Set<string>();
  for (const i of numbers) {
    const key = keys[i] ?? "";
    if (found.has(key)) twice.add(key);
    found.set(key, i);
  }
  for (const key of twice) found.delete(key);
  return found;
}

/** In a model of several files a name may come twice: then the file belongs to it. */
function nameKeys(tensors: Tensors): string[] {
  const [seen, twice] = [new Set<string>(), new Set<string>()];
  for (const { name } of tensors) (seen.has(name) ? twice : seen).add(name);
  return tensors.map(({ name, file }) => (twice.has(name) ? `${file}\0${name}` : name));
}

function pathKey({ path }: StoredTensor): string {
  return path.join(".");
}

function nearest(tensor: StoredTensor | undefined, among: Tensors, candidates: readonly number[]): number | undefined {
  let best: { readonly number: number; readonly score: number } | undefined;
  for (const number of candidates) {
    const score = nearness(tensor, among[number]);
    if (!best || score > best.score) best = { number, score };
  }
  return best?.number;
}

/** How many segments two paths share, those at the end above all. */
function nearness(a: StoredTensor | undefined, b: StoredTensor | undefined): number {
  const [left, right] = [a, b].map((tensor) => (tensor ? pathKey(tensor).split(".") : []));
  if (!left || !right) return 0;
  const shared = (x: readonly string[], y: readonly string[]): number => {
    const end = x.findIndex((segment, i) => segment !== y[i]);
    return end < 0 ? x.length : end;
  };
  return shared([...left].reverse(), [...right].reverse()) * 100 + shared(left, right);
}
