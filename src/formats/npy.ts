import { isUtf8 } from "node:buffer";
import { Budget } from "../base/budget";
import { ModelbenchError } from "../base/errors";
import type { PositionalReader } from "../base/ports";
import { decodeElements, elementCount, itemSize } from "./elements";
import { npyData } from "./npyData";
import { objectsOf } from "./npyTypes";
import { isTuple, type PythonLiteral, parsePythonLiteral } from "./pythonLiteral";
import type { DType, Tensor } from "./tensor";

/** What the header of an `.npy` file says. */
export interface NpyHeader {
  /** numpy's own type text, for instance `<f4`; `structured` for a list of fields. */
  readonly descr: string;
  /** `null` when the values cannot be read; `unreadable` says why. */
  readonly dtype: DType | null;
  readonly unreadable?: string;
  /** Whether the values are, or may be, a pickle: the type is not surely a plain one. */
  readonly hasObjects: boolean;
  readonly bigEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Bytes of one element. */
  readonly itemBytes: number;
  /** Offset of the first value. */
  readonly dataStart: number;
}

/** numpy itself stops at 10,000 characters where pickles are not allowed; types of real files stay below this. */
export const MAX_HEADER_BYTES = 1 << 20;

/** Whether a file that begins so is an array, as numpy tells it. */
export function isNpy(beginning: Buffer): boolean {
  return beginning.toString("latin1", 0, 6) === "\x93NUMPY";
}

/**
 * Reads the header of an NPY file, versions 1 to 3.
 * @param name what messages call it
 * @param path of the file that it is in
 * @throws ModelbenchError `format.corrupt`
 * @see numpy lib/format.py
 */
export function readNpyHeader(reader: PositionalReader, name = "array.npy", path = name): NpyHeader {
  const corrupt = (what: string): ModelbenchError =>
    new ModelbenchError("format.corrupt", `${name}: ${what}.`, { path, offset: 0 });
  if (reader.size < 10) throw corrupt("is too short for an NPY file");
  const start = Buffer.from(reader.read(0, 10));
  if (!isNpy(start)) throw corrupt("does not start like an NPY file");
  const version = start[6] ?? 0;
  if (version < 1 || version > 3) throw corrupt(`has NPY version ${version}; 1 to 3 are read`);
  if (start[7] !== 0) throw corrupt(`has NPY version ${version}.${start[7]}; 1.0 to 3.0 are read`);
  const at = version === 1 ? 10 : 12;
  if (reader.size < at) throw corrupt("is cut short in its header");
  const length = version === 1 ? start.readUInt16LE(8) : Buffer.from(reader.read(8, 4)).readUInt32LE(0);
  if (length > MAX_HEADER_BYTES || at + length > reader.size) throw corrupt("has a header that is too long");
  const bytes = Buffer.from(reader.read(at, length));
  if (version === 3 && !isUtf8(bytes)) throw corrupt("has a header that is not UTF-8");
  const text = bytes.toString(version === 3 ? "utf8" : "latin1");
  const stated = statedIn(text);
  if (!stated) throw corrupt(`has a header that cannot be understood: ${JSON.stringify(text.slice(0, 200))}`);
  const { descr, ...order } = stated;
  const header = { ...typeOf(descr), ...order, dataStart: at + length };
  const size = elementCount(header.shape) * header.itemBytes;
  if (header.dataStart + size > reader.size) {
    throw corrupt(`needs ${size} bytes of values, ${reader.size - header.dataStart} are there`);
  }
  return header;
}

/** The entries of a header. */
export interface StatedHeader {
  readonly descr: PythonLiteral;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** Reads the text of a header: a Python dictionary of exactly three keys, in any order. */
export function statedIn(text: string): StatedHeader | undefined {
  const header = parsePythonLiteral(text);
  if (!(header instanceof Map) || header.size !== 3) return undefined;
  const descr = header.get("descr");
  const fortranOrder = header.get("fortran_order");
  const shape = header.get("shape");
  if (descr === undefined || typeof fortranOrder !== "boolean" || !isTuple(shape)) return undefined;
  const dims = shape.filter((dim): dim is number => typeof dim === "number" && dim >= 0);
  return dims.length === shape.length ? { descr, fortranOrder, shape: dims } : undefined;
}

/**
 * Reads an NPY file. Big-endian values and Fortran order are converted; `U` texts become a `string` tensor.
 * @throws ModelbenchError `format.corrupt`, `input.dtype` for object, structured and other unreadable types,
 *   `budget.exceeded`
 */
export function readNpy(reader: PositionalReader, name = "array.npy", budget = new Budget(name, {})): Tensor {
  const header = readNpyHeader(reader, name);
  if (header.dtype === null) {
    throw new ModelbenchError("input.dtype", `${name}: ${header.unreadable ?? "has a type that cannot be read"}.`, {
      path: name,
    });
  }
  const count = elementCount(header.shape);
  // Texts take their code points and what is made of them.
  budget.bytes(count * (header.dtype === "string" ? 2 * header.itemBytes + 4 : header.itemBytes));
  const data = new Uint8Array(npyData(reader, header, name).read(0, count));
  return { dtype: header.dtype, shape: header.shape, data };
}

const PLAIN: Readonly<Record<string, DType>> = {
  b1: "bool",
  i1: "int8",
  i2: "int16",
  i4: "int32",
  i8: "int64",
  u1: "uint8",
  u2: "uint16",
  u4: "uint32",
  u8: "uint64",
  f2: "float16",
  f4: "float32",
  f8: "float64",
  c8: "complex64",
  c16: "complex128",
};

type NpyType = Pick<NpyHeader, "descr" | "dtype" | "unreadable" | "hasObjects" | "bigEndian" | "itemBytes">;

function typeOf(stated: PythonLiteral): NpyType {
  const isName = typeof stated === "string";
  const descr = isName ? stated : "structured";
  const found = /^([<>|=]?)([a-zA-Z])([0-9]*)(.*)$/s.exec(descr);
  const [, order, kind = "", width = ""] = found ?? [];
  const dtype = kind === "U" && width.length < 8 ? "string" : PLAIN[kind + width];
  const bigEndian = order === ">";
  if (isName && dtype !== undefined && found?.[4] === "") {
    const itemBytes = dtype === "string" ? 4 * Number(width) : (itemSize(dtype) ?? 0);
    return { descr, dtype, hasObjects: false, bigEndian, itemBytes };
  }
  const unreadable = isName
    ? reason(descr, kind, width)
    : "is a structured array; save each field as an array of its own";
  return { descr, dtype: null, unreadable, hasObjects: objectsOf(stated) !== "none", bigEndian, itemBytes: 0 };
}

function reason(descr: string, kind: string, width: string): string {
  if (objectsOf(descr) === "stated")
    return "holds Python objects, which only a pickle can carry; save numbers or text instead";
  if (kind === "V") {
    return `holds raw ${width}-byte values: NPY has no name for types such as bfloat16; save them as float32`;
  }
  if (kind === "M" || kind === "m") return "holds dates or time spans; save them as numbers or text";
  if (kind === "S" || kind === "a") return "holds bytes; save text (numpy type U) instead";
  return `has the type ${JSON.stringify(descr)}, which is not read`;
}

/**
 * Writes an NPY file in C order. What NPY has no name for is written in a wider type that holds it exactly:
 * bfloat16 and float8/float4 as float32, 2- and 4-bit integers as 8-bit ones. Text becomes numpy's `U`.
 */
export function writeNpy(tensor: Tensor): Uint8Array {
  if (tensor.dtype !== "string") {
    return Buffer.concat([npyStart(tensor.dtype, tensor.shape), npyValues(tensor.dtype, tensor.data)]);
  }
  const { descr, data } = encodeCodePoints(decodeElements(tensor).map(String));
  return Buffer.concat([start(descr, tensor.shape), data]);
}

/** What stands before the values in the file of `writeNpy`. Not for text, whose type is known by its values. */
export function npyStart(dtype: DType, shape: readonly number[]): Uint8Array {
  const name = plainName(dtype) ?? (/^int/.test(dtype) ? "i1" : /^uint/.test(dtype) ? "u1" : "f4");
  return start(`${name.endsWith("1") ? "|" : "<"}${name}`, shape);
}

/** Values as `writeNpy` writes them: elements in the form of a `Tensor`, the narrow ones widened. Not for text. */
export function npyValues(dtype: DType, data: Uint8Array): Uint8Array {
  if (plainName(dtype) !== undefined) return data;
  const values = decodeElements({ dtype, shape: [data.length / (itemSize(dtype) ?? 1)], data }).map(Number);
  if (/^int/.test(dtype)) return new Uint8Array(Int8Array.from(values).buffer);
  if (/^uint/.test(dtype)) return Uint8Array.from(values);
  return new Uint8Array(Float32Array.from(values).buffer);
}

function plainName(dtype: DType): string | undefined {
  return Object.keys(PLAIN).find((key) => PLAIN[key] === dtype);
}

function start(descr: string, dims: readonly number[]): Uint8Array {
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(", ");
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  // Magic, version and length take 10 bytes; the values start at a multiple of 64, as numpy writes them.
  const padding = 63 - ((10 + dictionary.length) % 64);
  const header = Buffer.alloc(10);
  header.write("\x93NUMPY\x01\x00", "latin1");
  header.writeUInt16LE(dictionary.length + padding + 1, 8);
  return Buffer.concat([header, Buffer.from(`${dictionary}${" ".repeat(padding)}\n`)]);
}

function encodeCodePoints(texts: readonly string[]): { descr: string; data: Uint8Array } {
  const points = texts.map((text) => Array.from(text, (char) => char.codePointAt(0) ?? 0));
  const width = Math.max(1, ...points.map((list) => list.length));
  const data = Buffer.alloc(4 * width * texts.length);
  points.forEach((list, i) => {
    list.forEach((point, k) => {
      data.writeUInt32LE(point, 4 * (i * width + k));
    });
  });
  return { descr: `<U${width}`, data };
}
