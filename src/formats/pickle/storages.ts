import type { PositionalReader } from "../../base/ports";
import { itemSize } from "../elements";
import type { DType } from "../tensor";
import { items } from "./numpyTypes";
import type { PickleStream } from "./streams";
import type { Value } from "./values";

/** What PyTorch calls its storages, and their elements. */
const TYPES: ReadonlyMap<string, DType> = new Map([
  ["DoubleStorage", "float64"],
  ["FloatStorage", "float32"],
  ["HalfStorage", "float16"],
  ["BFloat16Storage", "bfloat16"],
  ["LongStorage", "int64"],
  ["IntStorage", "int32"],
  ["ShortStorage", "int16"],
  ["CharStorage", "int8"],
  ["ByteStorage", "uint8"],
  ["BoolStorage", "bool"],
  ["ComplexDoubleStorage", "complex128"],
  ["ComplexFloatStorage", "complex64"],
  ["UntypedStorage", "uint8"],
  // What is stored of quantized tensors: the integers, packed where they are smaller.
  ["QInt8Storage", "int8"],
  ["QUInt8Storage", "uint8"],
  ["QInt32Storage", "int32"],
  ["QUInt4x2Storage", "uint8"],
  ["QUInt2x4Storage", "uint8"],
]);
const MODULES: ReadonlySet<string | null> = new Set(["torch", "torch.storage"]);

/** Where the bytes of a storage lie. */
export interface StoragePlace {
  readonly offset: number;
  readonly bytes: number;
}

/** A storage that a pickle of PyTorch refers to by its persistent id. */
export interface StorageId {
  readonly key: string;
  /** For instance `FloatStorage`. */
  readonly typeName: string;
  readonly dtype: DType;
  /** Elements; bytes of an untyped storage. */
  readonly count: number;
}

/**
 * The storage that a persistent id names: `("storage", type, key, location, count, …)`.
 * @see pytorch torch/serialization.py, persistent_id
 */
export function storageId(id: Value): StorageId | undefined {
  const [mark, type, key, , count] = items(id) ?? [];
  if (mark !== "storage" || (typeof key !== "string" && typeof key !== "number")) return undefined;
  if (type === null || typeof type !== "object" || type.kind !== "import" || !MODULES.has(type.module))
    return undefined;
  const dtype = TYPES.get(type.name ?? "");
  if (dtype === undefined || typeof count !== "number" || !Number.isSafeInteger(count)) return undefined;
  return { key: String(key), typeName: type.name ?? "", dtype, count };
}

/** First object of the files that PyTorch wrote before 1.6, and the second. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_VERSION = 1001;
/** Pickles before the raw storages. */
const LEGACY_STREAMS = 5;

/** Whether the pickles so far are those that PyTorch wrote before 1.6. */
export function isLegacyTorch(streams: readonly PickleStream[]): boolean {
  return streams[0]?.root === LEGACY_MAGIC && (streams.length < 2 || streams[1]?.root === LEGACY_VERSION);
}

/**
 * Finds the raw storages behind the five pickles of such a file; each one is its count and its elements.
 * @param ids of the storages that the pickles refer to
 * @returns what lies behind the last storage, and each storage by its key; `undefined` when the file is cut short
 */
export function legacyStorages(
  reader: PositionalReader,
  streams: readonly PickleStream[],
  at: number,
  ids: ReadonlyMap<string, StorageId>,
): { readonly end: number; readonly places: ReadonlyMap<string, StoragePlace> } | undefined {
  const keys = streams[LEGACY_STREAMS - 1]?.root;
  if (streams.length !== LEGACY_STREAMS || keys === null || typeof keys !== "object" || keys.kind !== "list")
    return undefined;
  const places = new Map<string, StoragePlace>();
  let end = at;
  for (const key of keys.items) {
    const id = ids.get(String(key));
    if (!id || end + 8 > reader.size) return undefined;
    const count = Number(Buffer.from(reader.read(end, 8)).readBigInt64LE(0));
    const bytes = count * (itemSize(id.dtype) ?? 0);
    if (count < 0 || end + 8 + bytes > reader.size) return undefined;
    places.set(id.key, { offset: end + 8, bytes });
    end += 8 + bytes;
  }
  return { end, places };
}
