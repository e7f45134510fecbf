import { itemSize } from "../elements";
import type { DType } from "../tensor";
import { importOf, type Value } from "./values";

/** What a pickled `numpy.dtype` says. */
export interface NumpyType {
  /** `null` for types whose values are not read. */
  readonly dtype: DType | null;
  /** numpy's own text, for instance `<f4`, or the name of an extension type. */
  readonly nativeDtype: string;
  readonly itemBytes: number;
  readonly bigEndian: boolean;
  /** Whether the elements are Python objects, or hold some. */
  readonly hasObjects: boolean;
  /** Whether its state is one that numpy writes for such a type. */
  readonly isUsual: boolean;
}

const PLAIN: ReadonlyMap<string, DType> = new Map([
  ["b1", "bool"],
  ["i1", "int8"],
  ["i2", "int16"],
  ["i4", "int32"],
  ["i8", "int64"],
  ["u1", "uint8"],
  ["u2", "uint16"],
  ["u4", "uint32"],
  ["u8", "uint64"],
  ["f2", "float16"],
  ["f4", "float32"],
  ["f8", "float64"],
  ["c8", "complex64"],
  ["c16", "complex128"],
]);

/** numpy takes the names of types as well as its short codes. */
const LONG_NAMES: ReadonlyMap<string, string> = new Map([
  ...[...PLAIN].map(([short, name]): [string, string] => [name, short]),
  ["object", "O"],
]);

/** Letters of one width on all machines, by which numpy knows types as well. */
const LETTERS: ReadonlyMap<string, string> = new Map([
  ["?", "b1"],
  ["b", "i1"],
  ["B", "u1"],
  ["h", "i2"],
  ["H", "u2"],
  ["i", "i4"],
  ["I", "u4"],
  ["q", "i8"],
  ["Q", "u8"],
  ["e", "f2"],
  ["f", "f4"],
  ["d", "f8"],
  ["F", "c8"],
  ["D", "c16"],
  ["c", "S1"],
  ["m", "m8"],
  ["M", "M8"],
]);

/** Kinds with their widths, and those of any width. */
const WIDTHS = /^(?:b1|[iu][1248]|f(?:2|4|8|12|16)|c(?:8|16|24|32)|[mM]8|O[48]?|[SUV][0-9]{1,9})$/;

/** `NPY_ITEM_HASOBJECT` */
const HAS_OBJECT = 1;

/**
 * The type that `numpy.dtype(text, align, copy)` and its state describe; `undefined` when the value is not one.
 * @see numpy _core/src/multiarray/descriptor.c, arraydescr_reduce
 */
export function numpyType(value: Value | undefined): NumpyType | undefined {
  if (value === undefined || value === null || typeof value !== "object" || value.kind !== "call") return undefined;
  const { callee, args, state } = value;
  const source = importOf(callee);
  if (source !== callee || source?.module !== "numpy" || source.name !== "dtype") return undefined;
  const [what] = items(args) ?? [];
  const type = typeof what === "string" ? ofText(what) : ofExtension(what);
  return type && withState(type, state);
}

/** What numpy calls a type without its state. */
interface BareType {
  readonly kind: string;
  readonly dtype: DType | null;
  readonly width: number;
  readonly bigEndian: boolean;
}

function ofText(text: string): BareType | undefined {
  const [, order = "", rest = ""] = /^([<>|=]?)(.*)$/s.exec(text) ?? [];
  const short = LONG_NAMES.get(text) ?? LETTERS.get(rest) ?? rest;
  // Another name may have a width that is not known here.
  if (!WIDTHS.test(short)) return undefined;
  const kind = short.charAt(0);
  const digits = Number(short.slice(1));
  return { kind, dtype: PLAIN.get(short) ?? null, width: kind === "U" ? 4 * digits : digits, bigEndian: order === ">" };
}

/** Types of `ml_dtypes` have their own names, which are ours. */
function ofExtension(what: Value | undefined): BareType | undefined {
  const source = what === undefined ? undefined : importOf(what);
  if (source !== what || source?.module !== "ml_dtypes") return undefined;
  const width = itemSize(source.name as DType);
  if (width === undefined || PLAIN_NAMES.has(source.name ?? "")) return undefined;
  return { kind: "", dtype: source.name as DType, width, bigEndian: false };
}

/** Of texts, raw bytes and extensions the state says the width, whatever the name says; of all, whether there are objects. */
function withState({ kind, dtype, width, bigEndian }: BareType, state: Value | undefined): NumpyType {
  const fields = items(state) ?? [];
  const [, order, , , , stated, , flags = kind === "O" ? HAS_OBJECT : 0] = fields;
  const isOfAnyWidth = /^[SUV]?$/.test(kind);
  const usualWidth = isOfAnyWidth ? width : -1;
  const hasFlag = typeof flags === "number" && (flags & HAS_OBJECT) !== 0;
  const isState = (fields.length === 8 || fields.length === 9) && stated === usualWidth && typeof flags === "number";
  const isObeyed = isOfAnyWidth && typeof stated === "number" && stated >= 0;
  const itemBytes = isObeyed ? stated : width;
  const isUsual = itemBytes > 0 && (state === undefined || isState) && (kind === "V" || hasFlag === (kind === "O"));
  const hasObjects = kind === "O" || hasFlag;
  const isBig = typeof order === "string" ? order === ">" : bigEndian;
  const own = { itemBytes, hasObjects, isUsual, bigEndian: kind !== "" && isBig && width > 1 };
  return { ...own, dtype: hasObjects || !isUsual ? null : dtype, nativeDtype: nativeName(kind, dtype, width, isBig) };
}

function nativeName(kind: string, dtype: DType | null, width: number, isBig: boolean): string {
  if (kind === "") return String(dtype);
  const order = width <= 1 || /[SVO]/.test(kind) ? "|" : isBig ? ">" : "<";
  return `${order}${kind}${(kind === "U" ? width / 4 : width) || ""}`;
}

const PLAIN_NAMES: ReadonlySet<string> = new Set(PLAIN.values());

/** Most dimensions that an array of numpy or PyTorch has. */
export const MAX_RANK = 64;

/** The lengths that a tuple or list of integers states, or one integer. */
export function shapeOf(value: Value | undefined, maxRank = MAX_RANK): readonly number[] | undefined {
  const parts = typeof value === "number" ? [value] : (items(value) ?? listItems(value));
  if (parts === undefined || parts.length > maxRank) return undefined;
  const isShape = parts.every((part) => typeof part === "number" && Number.isSafeInteger(part) && part >= 0);
  return isShape ? (parts as readonly number[]) : undefined;
}

function listItems(value: Value | undefined): readonly Value[] | undefined {
  return value !== null && typeof value === "object" && value.kind === "list" ? value.items : undefined;
}

/** The elements of a tuple. */
export function items(value: Value | undefined): readonly Value[] | undefined {
  return value !== null && typeof value === "object" && value.kind === "tuple" ? value.items : undefined;
}

/** The value of a key of a dict; the last one counts. */
export function entryOf(value: Value | undefined, key: string): Value | undefined {
  if (value === undefined || value === null || typeof value !== "object" || value.kind !== "dict") return undefined;
  for (let i = value.entries.length - 2; i >= 0; i -= 2) if (value.entries[i] === key) return value.entries[i + 1];
  return undefined;
}
