import { createHash } from "node:crypto";
import { join } from "node:path";
import { ModelbenchError, type Warning } from "../../base/errors";
import type { JobOptions } from "../../base/ports";
import { openFileReader } from "../../formats/fileReader";
import { digestOf, type TensorData } from "../../formats/tensorData";
import { paced } from "../../store/pace";
import { areComparable, type DifferenceOptions, difference, type ValueDifference } from "../../tensors/difference";
import type { StoredTensor } from "../content";
import { leafText } from "../leafText";
import type { ComparedSide, Comparison, TensorChange, TensorCounts, TensorDifference, TensorHead } from "./comparison";
import { factBytes, factDifferences } from "./facts";
import { alike, type Pair, type Pairing, type Placed, pairsByDigest, pairsByName, pairsByStructure } from "./pairs";
import { placesOf } from "./places";
import { type Comparable, openSide, type Side } from "./side";

/**
 * Compares two versions or files: what they say of themselves, and every tensor's form and values. Reads both once by
 * pieces; reports bytes.
 * @throws ModelbenchError those of opening either side and of reading values, `cancelled`
 */
export async function compare(
  a: Comparable,
  b: Comparable,
  valueOptions: DifferenceOptions,
  options: JobOptions,
): Promise<Comparison> {
  const left = openSide(a);
  try {
    const right = openSide(b);
    try {
      const work = new Work(left, right, valueOptions);
      return await paced(work.run(), work.totalBytes, options);
    } finally {
      right.content.close();
    }
  } finally {
    left.content.close();
  }
}

/** One comparison under way. */
class Work {
  readonly #a: Side;
  readonly #b: Side;
  readonly #options: DifferenceOptions;
  readonly #placed: { readonly a: Placed; readonly b: Placed };
  readonly #byName: Pairing;

  constructor(a: Side, b: Side, options: DifferenceOptions) {
    this.#a = a;
    this.#b = b;
    this.#options = options;
    this.#placed = { a: placed(a), b: placed(b) };
    this.#byName = pairsByName(this.#placed.a, this.#placed.b);
  }

  /** Bytes that will be read, about: what gets another name is read twice. */
  get totalBytes(): number {
    const [as, bs] = [this.#a.content.tensors, this.#b.content.tensors];
    const sum = (tensors: readonly StoredTensor[], numbers: readonly number[]): number =>
      numbers.reduce((total, i) => total + (tensors[i]?.bytes ?? 0), 0);
    const rest = alike(as, bs, this.#byName);
    const { pairs } = this.#byName;
    const named =
      sum(
        as,
        pairs.map(({ a }) => a),
      ) +
      sum(
        bs,
        pairs.map(({ b }) => b),
      );
    const facts = factBytes(this.#a, this.#b) + factBytes(this.#b, this.#a);
    return facts + named + 2 * (sum(as, rest.a) + sum(bs, rest.b));
  }

  *run(): Generator<number, Comparison> {
    const facts = yield* factDifferences(this.#a, this.#b);
    const [as, bs] = [this.#a.content.tensors, this.#b.content.tensors];
    const candidates = alike(as, bs, this.#byName);
    const digests = { a: yield* this.#digests(this.#a, candidates.a), b: yield* this.#digests(this.#b, candidates.b) };
    const paired = pairsByStructure(this.#placed.a, this.#placed.b, pairsByDigest(as, bs, this.#byName, digests));
    const differing: TensorDifference[] = [];
    let equal = 0;
    for (const pair of inOrder(paired.pairs)) {
      const found = yield* this.#pair(pair);
      if (found.changes.length > 0 || found.reason !== undefined) differing.push(found);
      else equal += 1;
    }
    const removed = paired.a.map((i) => lone("removed", headOf(as, i), paired.near.a.get(i)));
    const added = paired.b.map((j) => lone("added", headOf(bs, j), paired.near.b.get(j)));
    const tensors = sorted([...differing, ...removed, ...added]);
    return {
      a: sideOf(this.#a),
      b: sideOf(this.#b),
      same: facts.length === 0 && tensors.length === 0,
      facts,
      counts: countsOf(equal, tensors),
      tensors,
      warnings: warningsOf(this.#a, this.#b),
    };
  }

  *#digests(side: Side, numbers: readonly number[]): Generator<number, ReadonlyMap<number, string>> {
    const digests = new Map<number, string>();
    for (const i of numbers) {
      const data = dataOf(side, i);
      if (typeof data === "string" || data.dtype === "string") continue;
      digests.set(i, `${digestOf(data)} ${data.dtype} ${data.shape.join()}`);
      yield side.content.tensors[i]?.bytes ?? 0;
    }
    return digests;
  }

  *#pair(pair: Pair): Generator<number, TensorDifference> {
    const a = headOf(this.#a.content.tensors, pair.a);
    const b = headOf(this.#b.content.tensors, pair.b);
    const changes = formChanges(a, b, pair.moved || this.#haveOtherPlaces(pair));
    if (changes.includes("reshaped") || changes.includes("kind")) return { changes, a, b, values: null };
    if (!isArray(a)) return yield* this.#leaf(pair, { changes, a, b, values: null });
    const values = yield* this.#values(pair);
    if (typeof values === "string") return { changes, a, b, values: null, reason: values };
    if (values === undefined || values.differing === 0) return { changes, a, b, values: values ?? null };
    return { changes: [...changes, "values"], a, b, values };
  }

  /** Text says why values are not compared; `undefined` = both have none and are equal. */
  *#values({ a, b }: Pair): Generator<number, ValueDifference | string | undefined> {
    const [left, right] = [dataOf(this.#a, a), dataOf(this.#b, b)];
    if (typeof left === "string") return left;
    if (typeof right === "string") return right;
    if (!areComparable(left.dtype, right.dtype)) return "Text and numbers are not compared.";
    return yield* difference(left, right, this.#options);
  }

  /** In a tree the integer 0, the text "0" and the first place of a list are different keys, though they read alike. */
  #haveOtherPlaces({ a, b }: Pair): boolean {
    const [left, right] = [this.#placed.a.places[a], this.#placed.b.places[b]];
    return left?.notation === right?.notation && left?.key !== right?.key;
  }

  /** Whether a leaf that is no array says something else. */
  *#leaf(pair: Pair, same: TensorDifference): Generator<number, TensorDifference> {
    const [a, b] = [yield* leafOf(this.#a, pair.a), yield* leafOf(this.#b, pair.b)];
    return a === b ? same : { ...same, changes: [...same.changes, "values"], leaf: { a, b } };
  }
}

/** What a leaf says in words; of a long one, and of an extension, which nobody understands, the digest. */
function* leafOf(side: Side, number: number): Generator<number, string> {
  const tensor = side.content.tensors[number];
  const isLong = tensor !== undefined && tensor.bytes > LEAF_AT_ONCE;
  const value = isLong ? undefined : side.content.leaf?.(number);
  if (value !== undefined) return leafText(value);
  if (!tensor || tensor.offset === null) return "";
  return yield* leafDigest(join(side.folder, tensor.file), tensor.offset, tensor.bytes);
}

/** The words of `leafText` for bytes of a file, of any number. */
function* leafDigest(path: string, offset: number, bytes: number): Generator<number, string> {
  const reader = openFileReader(path);
  try {
    const hash = createHash("sha256");
    for (let done = 0; done < bytes; done += LEAF_AT_ONCE) {
      const piece = reader.read(offset + done, Math.min(LEAF_AT_ONCE, bytes - done));
      hash.update(piece);
      if (bytes > LEAF_AT_ONCE) yield piece.length;
    }
    return `${bytes} bytes, sha256 ${hash.digest("hex")}`;
  } finally {
    reader.close();
  }
}

/** Bytes of a leaf that are read at once; a longer one is digested piece by piece. */
const LEAF_AT_ONCE = 1 << 20;

/** The values of a tensor, or why they cannot be read. */
function dataOf({ content }: Side, number: number): TensorData | string {
  try {
    return content.data(number);
  } catch (error) {
    if (error instanceof ModelbenchError && error.code === "tensor.unreadable") return error.message;
    throw error;
  }
}

function placed(side: Side): Placed {
  return { tensors: side.content.tensors, places: placesOf(side) };
}

/** In the order of A, so that files are read in order. */
function inOrder(pairs: readonly Pair[]): Pair[] {
  return [...pairs].sort((x, y) => x.a - y.a);
}

function formChanges(a: TensorHead, b: TensorHead, moved: boolean): TensorChange[] {
  const isRecast = (a.dtype ?? a.nativeDtype) !== (b.dtype ?? b.nativeDtype);
  const isKind = isArray(a) !== isArray(b) || (!isArray(a) && a.kind !== b.kind);
  return [
    ...(moved ? ["moved" as const] : []),
    ...(isKind ? ["kind" as const] : []),
    ...(!isKind && a.shape.join() !== b.shape.join() ? ["reshaped" as const] : []),
    ...(!isKind && isRecast ? ["recast" as const] : []),
  ];
}

/** A scalar of numpy's is an array of one element. */
function isArray({ kind }: TensorHead): boolean {
  return kind === "ndarray" || kind === "npscalar";
}

function headOf(tensors: readonly StoredTensor[], number: number): TensorHead {
  const tensor = tensors[number];
  if (!tensor) throw new ModelbenchError("internal", `There is no tensor ${number}.`);
  const { file, name, kind, dtype, nativeDtype, shape, bytes } = tensor;
  return { index: number, file, name, kind, dtype, nativeDtype, shape, bytes };
}

function lone(change: "added" | "removed", head: TensorHead, near: readonly string[] = []): TensorDifference {
  const [a, b] = change === "added" ? [null, head] : [head, null];
  return { changes: [change], a, b, values: null, ...(near.length > 0 && { near }) };
}

/** What comes first of tensors whose values did not change. */
const ORDER: readonly TensorChange[] = ["values", "reshaped", "kind", "removed", "added", "recast", "moved"];

function sorted(tensors: readonly TensorDifference[]): TensorDifference[] {
  const rank = ({ changes }: TensorDifference): number => {
    const ranks = changes.map((change) => ORDER.indexOf(change));
    return ranks.length === 0 ? ORDER.length : Math.min(...ranks);
  };
  const size = ({ values }: TensorDifference): number =>
    values && values.nan > 0 ? Number.POSITIVE_INFINITY : (values?.norm ?? 0);
  return [...tensors].sort((x, y) => rank(x) - rank(y) || (size(x) === size(y) ? 0 : size(y) - size(x)));
}

function countsOf(equal: number, tensors: readonly TensorDifference[]): TensorCounts {
  const count = (change: TensorChange): number => tensors.filter(({ changes }) => changes.includes(change)).length;
  return {
    equal,
    added: count("added"),
    removed: count("removed"),
    moved: count("moved"),
    reshaped: count("reshaped"),
    recast: count("recast"),
    kind: count("kind"),
    values: count("values"),
    unreadable: tensors.filter(({ reason }) => reason !== undefined).length,
  };
}

function sideOf({ name, model, format, path, bytes, content }: Side): ComparedSide {
  return { name, kind: model ? "model" : "file", format, path, bytes, tensors: content.tensors.length };
}

function warningsOf(...sides: readonly Side[]): Warning[] {
  return sides.flatMap(({ content, model }) => [...(model?.warnings ?? []), ...content.warnings]);
}
