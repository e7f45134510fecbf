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
  const fields = items(state) ?? [];
  const flags = typeof fields[7] === "number" ? fields[7] : 0;
  if (typeof what === "string") return ofText(what, fields[1] === ">", flags);
  const type = what === undefined ? undefined : importOf(what);
  return type?.module === "ml_dtypes" && type === what ? ofExtension(type.name ?? "") : undefined;
}

function ofText(text: string, bigEndian: boolean, flags: number): NumpyType | undefined {
  const short = LONG_NAMES.get(text) ?? text;
  const [, kind = "", digits = ""] = /^[<>|=]?([a-zA-Z])([0-9]{0,9})$/.exec(short) ?? [];
  if (kind === "") return undefined;
  const width = Number(digits || 0);
  const hasObjects = kind === "O" || (flags & HAS_OBJECT) !== 0;
  const dtype = hasObjects ? null : (PLAIN.get(kind + digits) ?? null);
  const order = width === 1 || kind === "S" || kind === "V" || kind === "O" ? "|" : bigEndian ? ">" : "<";
  const itemBytes = kind === "U" ? 4 * width : width;
  return { dtype, nativeDtype: `${order}${kind}${digits}`, itemBytes, bigEndian: bigEndian && width > 1, hasObjects };
}

/** Types of `ml_dtypes` have their own names, which are ours. */
function ofExtension(name: string): NumpyType | undefined {
  const size = itemSize(name as DType);
  if (size === undefined || PLAIN_NAMES.has(name)) return undefined;
  return { dtype: name as DType, nativeDtype: name, itemBytes: size, bigEndian: false, hasObjects: false };
}

const PLAIN_NAMES: ReadonlySet<string> = new Set(PLAIN.values());

/** The lengths that a tuple or list of integers states, or one integer. */
export function shapeOf(value: Value | undefined): readonly number[] | undefined {
  const parts = typeof value === "number" ? [value] : (items(value) ?? listItems(value));
  const isShape = parts?.every((part) => typeof part === "number" && Number.isSafeInteger(part) && part >= 0);
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
