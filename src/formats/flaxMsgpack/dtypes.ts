import { itemSize } from "../elements";
import type { DType } from "../tensor";

/** The element type that an array's header names. */
export interface StoredType {
  /** `null` for one that numpy reads and this product does not show: dates, texts, raw bytes, long doubles. */
  readonly dtype: Exclude<DType, "string"> | null;
  readonly itemBytes: number;
  readonly bigEndian: boolean;
}

/** Names that flax writes since 0.3.0: those of numpy and ml_dtypes. */
const NAMES: ReadonlySet<string> = new Set<DType>([
  ...(["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"] as const),
  ...(["float16", "float32", "float64", "complex64", "complex128", "bfloat16"] as const),
  ...(["int1", "int2", "int4", "uint1", "uint2", "uint4"] as const),
  ...(["float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz", "float8_e4m3fn", "float8_e4m3fnuz"] as const),
  ...(["float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"] as const),
  ...(["float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn"] as const),
]);

/** numpy's `dtype.str`, which flax wrote before 0.3.0: byte order, kind, bytes. */
const CODE = /^([<>=|]?)([biufc])(1|2|4|8|16)$/;

const KINDS: Readonly<Record<string, (bytes: number) => string>> = {
  b: () => "bool",
  i: (bytes) => `int${bytes * 8}`,
  u: (bytes) => `uint${bytes * 8}`,
  f: (bytes) => `float${bytes * 8}`,
  c: (bytes) => `complex${bytes * 8}`,
};

const DATE = /^(datetime64|timedelta64|[<>=|]?[Mm]8)\[([1-9]\d{0,8})?(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\]$/;
/** Texts of bytes, texts of code points, raw bytes, long doubles. */
const OTHER = /^[<>=|]?([SUVfc])([1-9]\d{0,8})$/;

/** What a type name of an array means; `undefined` for one that no flax writes. */
export function storedType(name: string): StoredType | undefined {
  if (isNamed(name)) return { dtype: name, itemBytes: itemSize(name) ?? 1, bigEndian: false };
  const [, order = "", kind = "", bytes = ""] = CODE.exec(name) ?? [];
  const dtype = KINDS[kind]?.(Number(bytes)) ?? "";
  if (isNamed(dtype) && itemSize(dtype) === Number(bytes)) {
    return { dtype, itemBytes: Number(bytes), bigEndian: order === ">" && bytes !== "1" };
  }
  return opaqueType(name);
}

function isNamed(name: string): name is Exclude<DType, "string"> {
  return NAMES.has(name);
}

function opaqueType(name: string): StoredType | undefined {
  const opaque = (itemBytes: number): StoredType => ({ dtype: null, itemBytes, bigEndian: false });
  if (DATE.test(name)) return opaque(8);
  if (name === "float128") return opaque(16);
  if (name === "complex256") return opaque(32);
  const [, kind = "", size = ""] = OTHER.exec(name) ?? [];
  if (kind === "U") return opaque(4 * Number(size));
  if (kind === "S" || kind === "V") return opaque(Number(size));
  return (kind === "f" && size === "16") || (kind === "c" && size === "32") ? opaque(Number(size)) : undefined;
}
