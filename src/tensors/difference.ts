import { decodeElements, decodeStrings, elementCount } from "../formats/elements";
import type { DType } from "../formats/tensor";
import type { TensorData } from "../formats/tensorData";
import { partsOf, toFloat64s } from "./float64s";
import { type ShownValue, shownValue } from "./shownValues";
import { SumOfSquares } from "./sumOfSquares";
import { hasUlps, UlpCounts } from "./ulps";

/** Elements that are read of each side at once. */
const AT_ONCE = 1 << 16;

/**
 * How the values of two tensors of one shape differ, B minus A in float64. Values are equal as numbers: 0 and -0 are, and so
 * are two NaN at the same place. Different types are compared by what they stand for.
 */
export interface ValueDifference {
  /** Elements of each. */
  readonly count: number;
  /** Places where they are not equal. */
  readonly differing: number;
  /** Places where only one of the two is NaN; they count as differing and for nothing else. */
  readonly nan: number;
  /** Largest |B - A|, of complex numbers the modulus; 0 when nothing differs, `null` for text. */
  readonly maxAbs: number | null;
  /** Largest |B - A| / max(|A|, |B|), at most 2, infinite where only one is; `null` for text. */
  readonly maxRel: number | null;
  /** Euclidean norm of B - A; `null` for text. */
  readonly norm: number | null;
  /** Where |B - A| is largest; the first place that differs where there is no such. `null` when nothing differs. */
  readonly worst: { readonly index: readonly number[]; readonly a: ShownValue; readonly b: ShownValue } | null;
  /**
   * How many places are how far apart in units in the last place: `counts[0]` equal, `counts[k]` from 2^(k-1) to 2^k - 1
   * steps; trailing zeros are left out. Only when asked for and both are of one float type.
   */
  readonly ulps?: { readonly counts: readonly number[]; readonly nan: number };
}

/** What is asked of `difference`. */
export interface DifferenceOptions {
  /** Also count units in the last place. */
  readonly ulps?: boolean | undefined;
}

/** Whether two types can be compared by value: any two of numbers, or two of text. */
export function areComparable(a: DType, b: DType): boolean {
  return (a === "string") === (b === "string");
}

/** Whether units in the last place can be counted between the two. */
export function haveUlps(a: DType, b: DType): boolean {
  return a === b && hasUlps(a);
}

/**
 * Compares two tensors of one shape piece by piece and yields the bytes read of both.
 * @throws ModelbenchError those of `TensorData.read`
 */
export function* difference(
  a: TensorData,
  b: TensorData,
  options: DifferenceOptions = {},
): Generator<number, ValueDifference> {
  if (a.dtype === "string") return yield* textDifference(a, b);
  const count = elementCount(a.shape);
  const found = new Found();
  const ulps = options.ulps && haveUlps(a.dtype, b.dtype) ? new UlpCounts(a.dtype) : undefined;
  for (let start = 0; start < count; start += AT_ONCE) {
    const length = Math.min(AT_ONCE, count - start);
    // The copy is needed as both may be read from one file.
    const left = Buffer.from(a.read(start, length));
    const right = b.read(start, length);
    if (a.dtype === b.dtype && left.equals(right)) ulps?.addEqual(length);
    else {
      comparePiece(found, { dtype: a.dtype, bytes: left }, { dtype: b.dtype, bytes: right }, start, length);
      ulps?.add(left, right);
    }
    yield left.length + right.length;
  }
  return { ...found.result(count), ...worstOf(found, a, b), ...(ulps && { ulps: ulps.result() }) };
}

/** What was found so far. */
class Found {
  differing = 0;
  nan = 0;
  maxAbs = 0;
  maxRel = 0;
  first = -1;
  worst = -1;
  readonly #squares = new SumOfSquares();

  /** Two values that are no numbers both, or differ. @param size the larger of the two absolute values */
  add(index: number, distance: number, size: number): void {
    this.differing += 1;
    if (this.first < 0) this.first = index;
    if (Number.isNaN(distance)) {
      this.nan += 1;
      return;
    }
    if (distance > this.maxAbs) {
      this.maxAbs = distance;
      this.worst = index;
    }
    // The difference of two finite values may be infinite; the quotient of the two halves is not.
    const ratio = size === Number.POSITIVE_INFINITY ? size : distance < size * 2 ? distance / size : 2;
    if (ratio > this.maxRel) this.maxRel = ratio;
    this.#squares.add(distance);
  }

  result(count: number): Pick<ValueDifference, "count" | "differing" | "nan" | "maxAbs" | "maxRel" | "norm"> {
    const { differing, nan, maxAbs, maxRel } = this;
    return { count, differing, nan, maxAbs, maxRel, norm: this.#squares.root };
  }
}

/** Elements of one side, as they are stored. */
interface Piece {
  readonly dtype: DType;
  readonly bytes: Uint8Array;
}

/** 64-bit integers are compared exactly: as float64 the neighbours of a large one are equal to it. */
function comparePiece(found: Found, a: Piece, b: Piece, start: number, length: number): void {
  const is64 = ({ dtype }: Piece): boolean => dtype === "int64" || dtype === "uint64";
  if (!is64(a) && !is64(b)) compareNumbers(found, a, b, start, length);
  else if (isInteger(a) && isInteger(b)) compareIntegers(found, a, b, start, length);
  else if (is64(a)) compareIntegersToFloats(found, a, b, start, length);
  else compareIntegersToFloats(found, b, a, start, length);
}

const left64s = new Float64Array(AT_ONCE * 2);
const right64s = new Float64Array(AT_ONCE * 2);

function compareNumbers(found: Found, a: Piece, b: Piece, start: number, length: number): void {
  toFloat64s(a.dtype, a.bytes, left64s);
  toFloat64s(b.dtype, b.bytes, right64s);
  const [aParts, bParts] = [partsOf(a.dtype), partsOf(b.dtype)];
  if (aParts === 2 || bParts === 2) compareComplex(found, aParts, bParts, start, length);
  else compareReal(found, start, length);
}

function compareReal(found: Found, start: number, length: number): void {
  for (let i = 0; i < length; i++) {
    const x = left64s[i] ?? 0;
    const y = right64s[i] ?? 0;
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    found.add(start + i, Math.abs(y - x), Math.max(Math.abs(x), Math.abs(y)));
  }
}

function compareComplex(found: Found, aParts: 1 | 2, bParts: 1 | 2, start: number, length: number): void {
  const part = (values: Float64Array, parts: 1 | 2, i: number, which: 0 | 1): number =>
    which < parts ? (values[i * parts + which] ?? 0) : 0;
  for (let i = 0; i < length; i++) {
    const [aRe, aIm] = [part(left64s, aParts, i, 0), part(left64s, aParts, i, 1)];
    const [bRe, bIm] = [part(right64s, bParts, i, 0), part(right64s, bParts, i, 1)];
    const [aNaN, bNaN] = [Number.isNaN(aRe) || Number.isNaN(aIm), Number.isNaN(bRe) || Number.isNaN(bIm)];
    if (aNaN || bNaN) {
      if (aNaN !== bNaN) found.add(start + i, Number.NaN, 0);
    } else if (aRe !== bRe || aIm !== bIm) {
      const distance = Math.hypot(aRe === bRe ? 0 : bRe - aRe, aIm === bIm ? 0 : bIm - aIm);
      found.add(start + i, distance, Math.max(Math.hypot(aRe, aIm), Math.hypot(bRe, bIm)));
    }
  }
}

function compareIntegers(found: Found, a: Piece, b: Piece, start: number, length: number): void {
  const [xs, ys] = [integers(a, length), integers(b, length)];
  for (let i = 0; i < length; i++) {
    const x = xs[i] ?? 0n;
    const y = ys[i] ?? 0n;
    if (x !== y) found.add(start + i, Math.abs(Number(y - x)), Math.max(Math.abs(Number(x)), Math.abs(Number(y))));
  }
}

/** 64-bit integers and real or complex numbers, whichever side is which. */
function compareIntegersToFloats(found: Found, whole: Piece, other: Piece, start: number, length: number): void {
  const xs = integers(whole, length);
  const parts = partsOf(other.dtype);
  toFloat64s(other.dtype, other.bytes, right64s);
  for (let i = 0; i < length; i++) {
    const x = xs[i] ?? 0n;
    const re = right64s[i * parts] ?? 0;
    const im = parts === 2 ? (right64s[i * parts + 1] ?? 0) : 0;
    const isNone = Number.isNaN(re) || Number.isNaN(im);
    const distance = isNone ? Number.NaN : modulus(distanceTo(x, re), im);
    if (distance !== 0) found.add(start + i, distance, Math.max(Math.abs(Number(x)), modulus(re, im)));
  }
}

/** The absolute value of a real or complex number. */
function modulus(re: number, im: number): number {
  return im === 0 ? Math.abs(re) : Math.hypot(re, im);
}

/** 0 only when the two are equal. */
function distanceTo(x: bigint, y: number): number {
  const rounded = Number(x);
  if (Number.isSafeInteger(rounded) || !Number.isInteger(y)) return Math.abs(y - rounded);
  return Math.abs(Number(BigInt(y) - x));
}

function integers({ dtype, bytes }: Piece, length: number): BigInt64Array | BigUint64Array {
  if (dtype === "int64") return new BigInt64Array(new Uint8Array(bytes).buffer);
  if (dtype === "uint64") return new BigUint64Array(new Uint8Array(bytes).buffer);
  toFloat64s(dtype, bytes, left64s);
  return BigInt64Array.from({ length }, (_, i) => BigInt(left64s[i] ?? 0));
}

/** A bool is one, too: 0 or 1. */
function isInteger({ dtype }: Piece): boolean {
  return dtype === "bool" || /^u?int\d/.test(dtype);
}

function worstOf({ worst, first }: Found, a: TensorData, b: TensorData): Pick<ValueDifference, "worst"> {
  const at = worst < 0 ? first : worst;
  if (at < 0) return { worst: null };
  const shown = ({ dtype, read }: TensorData): ShownValue => {
    const [element] = decodeElements({ dtype, shape: [1], data: read(at, 1) });
    return shownValue(element ?? 0);
  };
  return { worst: { index: indexOf(at, a.shape), a: shown(a), b: shown(b) } };
}

/** The index along each axis of a place in row-major order. */
function indexOf(place: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length).fill(0);
  let rest = place;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const dim = shape[axis] ?? 1;
    index[axis] = rest % dim;
    rest = Math.floor(rest / dim);
  }
  return index;
}

/** Longest text that is shown. */
const SHOWN = 200;

function* textDifference(a: TensorData, b: TensorData): Generator<number, ValueDifference> {
  const count = elementCount(a.shape);
  const left = a.read(0, count);
  const as = decodeStrings(left);
  const right = b.read(0, count);
  const bs = decodeStrings(right);
  yield left.length + right.length;
  const places = as.flatMap((text, i) => (text === bs[i] ? [] : [i]));
  const [first] = places;
  const shown = (texts: readonly string[]): string => (texts[first ?? 0] ?? "").slice(0, SHOWN);
  const worst = first === undefined ? null : { index: indexOf(first, a.shape), a: shown(as), b: shown(bs) };
  return { count, differing: places.length, nan: 0, maxAbs: null, maxRel: null, norm: null, worst };
}
