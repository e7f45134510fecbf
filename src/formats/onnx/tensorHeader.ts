import { elementCount } from "../elements";
import { type ByteRange, type ProtoReader, WIRE } from "../protobuf";
import type { DType } from "../tensor";
import { type OnnxDataType, onnxDataType } from "./dataTypes";

/** Where an ONNX tensor's external data is said to lie; nothing is checked yet. */
export interface ExternalReference {
  readonly location: string;
  /** Decimal text as stored; `undefined` = from the start of the file. */
  readonly offset: string | undefined;
  /** Decimal text as stored; `undefined` = as many bytes as the shape needs. */
  readonly length: string | undefined;
}

/** A TensorProto without its values. */
export interface TensorHeader {
  readonly name: string;
  readonly dtype: DType | null;
  readonly nativeDtype: string;
  /** Outermost first. */
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly count: number;
  /** Size of the values as stored, sub-byte types packed; for strings the sum of their UTF-8 lengths. */
  readonly bytes: number;
  /** The values as one plain little-endian run of this file; `undefined` when they are elsewhere or encoded. */
  readonly plain: ByteRange | undefined;
  /** The whole message, so that encoded values can be read later. */
  readonly message: ByteRange;
  readonly external: ExternalReference | undefined;
}

interface Collected {
  name: string;
  dims: number[];
  type: number;
  raw: ByteRange | undefined;
  external: Map<string, string> | undefined;
  isExternal: boolean;
  /** Per typed field: occurrences, bytes inside packed runs, and the run itself when there is just one. */
  typed: Map<number, { items: number; packedBytes: number; textBytes: number; run: ByteRange | undefined }> | undefined;
}

/**
 * Reads a TensorProto and skips its values. The shape must fit the amount of data.
 * @throws ModelbenchError `format.corrupt`
 */
export function readTensorHeader(proto: ProtoReader): TensorHeader {
  const found = collect(proto);
  const type = onnxDataType(found.type);
  const count = countOf(proto, found);
  const { bytes, plain } = located(proto, found, type, count);
  return {
    name: found.name,
    dtype: type.dtype,
    nativeDtype: type.nativeDtype,
    shape: found.dims,
    count,
    bytes,
    plain,
    message: proto.extent,
    external: found.isExternal ? reference(found.external) : undefined,
  };
}

/** Where the values are and how many bytes they take. */
function located(
  proto: ProtoReader,
  found: Collected,
  type: OnnxDataType,
  count: number,
): Pick<TensorHeader, "bytes" | "plain"> {
  const storedBytes = Math.ceil((count * type.bits) / 8);
  if (found.isExternal) return { bytes: storedBytes, plain: undefined };
  // Texts are never raw.
  if (found.raw && type.dtype !== "string") {
    const size = found.raw.end - found.raw.start;
    if (type.bits > 0 && size !== storedBytes) {
      throw proto.fault(`has a tensor ${quote(found.name)} of ${storedBytes} bytes, but ${size} are there`);
    }
    return { bytes: size, plain: found.raw };
  }
  checkTypedCount(proto, found, type, count);
  const typed = found.typed?.get(type.typedField);
  if (type.dtype === "string") return { bytes: typed?.textBytes ?? 0, plain: undefined };
  const isFloatRun = type.typedField === 4 || type.typedField === 10;
  return { bytes: storedBytes, plain: isFloatRun ? typed?.run : undefined };
}

function countOf(proto: ProtoReader, { name, dims }: Collected): number {
  try {
    return elementCount(dims);
  } catch {
    throw proto.fault(`has a tensor ${quote(name)} of the impossible shape [${dims.join(", ")}]`);
  }
}

function collect(proto: ProtoReader): Collected {
  const found: Collected = {
    name: "",
    dims: [],
    type: 0,
    raw: undefined,
    external: undefined,
    isExternal: false,
    typed: undefined,
  };
  while (proto.next()) {
    switch (proto.field) {
      case 1:
        proto.integers((dim) => found.dims.push(Number(dim)));
        break;
      case 2:
        found.type = proto.integer();
        break;
      case 8:
        found.name = proto.text();
        break;
      case 9:
        found.raw = proto.range();
        break;
      case 13:
        found.external ??= new Map();
        readPair(proto, (key, value) => found.external?.set(key, value));
        break;
      case 14:
        found.isExternal = proto.integer() === 1;
        break;
      case 4:
      case 5:
      case 6:
      case 7:
      case 10:
      case 11:
        countTyped(proto, found);
    }
  }
  return found;
}

function countTyped(proto: ProtoReader, found: Collected): void {
  found.typed ??= new Map();
  const seen = found.typed.get(proto.field) ?? { items: 0, packedBytes: 0, textBytes: 0, run: undefined };
  const isFirst = !found.typed.has(proto.field);
  found.typed.set(proto.field, seen);
  if (proto.wire !== WIRE.bytes) {
    seen.items++;
    seen.run = undefined;
    return;
  }
  const isText = proto.field === 6;
  const range = proto.range();
  if (isText) {
    seen.items++;
    seen.textBytes += range.end - range.start;
  } else {
    seen.packedBytes += range.end - range.start;
    seen.run = isFirst ? range : undefined;
  }
}

/** A varint has 1 to 10 bytes, so a packed run bounds the number of its values without being read. */
function checkTypedCount(proto: ProtoReader, found: Collected, type: OnnxDataType, count: number): void {
  if (type.typedField === 0) return;
  const typed = found.typed?.get(type.typedField) ?? { items: 0, packedBytes: 0 };
  const width = type.typedField === 4 ? 4 : type.typedField === 10 ? 8 : undefined;
  const most = typed.items + (width === undefined ? typed.packedBytes : typed.packedBytes / width);
  const least = typed.items + typed.packedBytes / (width ?? 10);
  const wanted = typedItems(type, count);
  if (wanted < least || wanted > most) {
    throw proto.fault(`has a tensor ${quote(found.name)} whose shape needs ${wanted} values that are not there`);
  }
}

/** How many entries of the typed field hold `count` elements: several share a byte where they fit it evenly. */
export function typedItems(type: OnnxDataType, count: number): number {
  if (type.dtype === "complex64" || type.dtype === "complex128") return count * 2;
  return type.bits === 2 || type.bits === 4 ? Math.ceil((count * type.bits) / 8) : count;
}

function reference(entries: ReadonlyMap<string, string> | undefined): ExternalReference {
  return { location: entries?.get("location") ?? "", offset: entries?.get("offset"), length: entries?.get("length") };
}

/** Reads a StringStringEntryProto. */
export function readPair(proto: ProtoReader, add: (key: string, value: string) => void): void {
  proto.message((entry) => {
    let key = "";
    let value = "";
    while (entry.next()) {
      if (entry.field === 1) key = entry.text();
      else if (entry.field === 2) value = entry.text();
    }
    add(key, value);
  });
}

function quote(name: string): string {
  return JSON.stringify(name);
}
