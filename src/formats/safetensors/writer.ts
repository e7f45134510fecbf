import { ModelbenchError } from "../../base/errors";
import { elementCount } from "../elements";
import type { DType } from "../tensor";
import { packBits, type TensorData } from "../tensorData";
import { SAFETENSORS_DTYPES, type SafetensorsDtype, safetensorsDtype } from "./dtypes";
import { LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY } from "./header";
import { quoted } from "./quoted";

/** Elements that are packed at once: a whole number of bytes for 4 and for 6 bits. */
const PACKED_AT_ONCE = 1 << 20;
/** The header is filled up so that the data begins at a multiple of this. */
const ALIGNMENT = 8;

/** A tensor to write. */
export interface NewSafetensor {
  readonly name: string;
  readonly data: TensorData;
}

/** A file to write. */
export interface NewSafetensors {
  /** Written first, in this order; nothing is written for an empty one. */
  readonly metadata: ReadonlyMap<string, string>;
  /** In any order: the file has them as the real library sorts them. */
  readonly tensors: readonly NewSafetensor[];
}

/** Why safetensors cannot hold a tensor, in words that follow its name; `undefined` when it can. */
export function whyNotSafetensors(name: string, dtype: DType, shape: readonly number[]): string | undefined {
  if (name === METADATA_KEY) return "has the name that safetensors keeps for metadata";
  if (hasHalfPair(name)) return "has a name that is not Unicode";
  const type = safetensorsDtype(dtype);
  if (!type) return `has the dtype ${dtype}, which safetensors has no name for`;
  const bits = elementCount(shape) * type.bits;
  if (bits % 8 !== 0)
    return `has ${elementCount(shape)} elements of ${type.bits} bits, which do not end at a whole byte`;
  return undefined;
}

/**
 * The bytes of a safetensors file, piece by piece: the real library's own bytes, tensors by dtype and name, their values
 * read one tensor after another. A piece is valid until the next one is asked for.
 * @throws ModelbenchError `input.name` for a name that cannot be written or comes twice, `input.dtype` for what safetensors
 *   cannot hold, `budget.exceeded` for a header above 100 MB, what reading the values throws
 * @see safetensors 0.8.0 src/tensor.rs prepare
 */
export function* safetensorsFile(file: NewSafetensors): Generator<Uint8Array> {
  const tensors = inFileOrder(file.tensors);
  yield headerBytes(headerText(file.metadata, tensors));
  for (const tensor of tensors) yield* valueBytes(tensor);
}

/**
 * A header with the length before it and the spaces behind it.
 * @throws ModelbenchError `budget.exceeded` above 100 MB
 */
export function headerBytes(text: string): Uint8Array {
  const bytes = Buffer.byteLength(text);
  const padded = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
  if (padded > MAX_HEADER_BYTES) {
    const message = `A safetensors header has at most ${MAX_HEADER_BYTES} bytes; this one needs ${padded}.`;
    throw new ModelbenchError("budget.exceeded", message);
  }
  const result = Buffer.alloc(LENGTH_BYTES + padded, " ");
  result.writeBigUInt64LE(BigInt(padded), 0);
  result.write(text, LENGTH_BYTES);
  return result;
}

/** The member `__metadata__` of a header, without a comma. @throws ModelbenchError `input.name` for what is not Unicode */
export function metadataMember(metadata: ReadonlyMap<string, string>): string {
  const members = [...metadata].map(([key, value]) => {
    if (hasHalfPair(key) || hasHalfPair(value)) {
      throw new ModelbenchError("input.name", `The metadata ${quoted(key)} holds half a surrogate pair.`);
    }
    return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  });
  return `"${METADATA_KEY}":{${members.join(",")}}`;
}

interface PlacedTensor extends NewSafetensor {
  readonly type: SafetensorsDtype;
  readonly bytes: number;
}

function inFileOrder(tensors: readonly NewSafetensor[]): PlacedTensor[] {
  const names = new Set<string>();
  const placed = tensors.map(({ name, data }) => {
    const reason = whyNotSafetensors(name, data.dtype, data.shape);
    const type = safetensorsDtype(data.dtype);
    if (reason !== undefined || !type) {
      const code = type ? "input.name" : "input.dtype";
      throw new ModelbenchError(code, `The tensor ${quoted(name)} ${reason}.`);
    }
    if (names.has(name)) throw new ModelbenchError("input.name", `There are two tensors ${quoted(name)}.`);
    names.add(name);
    return { name, data, type, bytes: (elementCount(data.shape) * type.bits) / 8 };
  });
  const rank = new Map(SAFETENSORS_DTYPES.map((type, i) => [type, i]));
  const rankOf = ({ type }: PlacedTensor): number => rank.get(type) ?? 0;
  return placed.sort((a, b) => rankOf(b) - rankOf(a) || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

function headerText(metadata: ReadonlyMap<string, string>, tensors: readonly PlacedTensor[]): string {
  let end = 0;
  const members = tensors.map(({ name, data, type, bytes }) => {
    const begin = end;
    end += bytes;
    const fields = `"dtype":"${type.native}","shape":[${data.shape.join(",")}],"data_offsets":[${begin},${end}]`;
    return `${JSON.stringify(name)}:{${fields}}`;
  });
  return `{${[...(metadata.size > 0 ? [metadataMember(metadata)] : []), ...members].join(",")}}`;
}

function* valueBytes({ name, data, type, bytes }: PlacedTensor): Generator<Uint8Array> {
  let written = 0;
  for (const piece of type.bits < 8 ? packedPieces(data, type.bits) : data.stored()) {
    written += piece.length;
    if (written > bytes) break;
    yield piece;
  }
  if (written !== bytes) {
    throw new ModelbenchError(
      "format.corrupt",
      `The tensor ${quoted(name)} does not have the ${bytes} bytes of its shape.`,
    );
  }
}

/** Packs what may be stored otherwise, for instance one element a byte as in flax's files. */
function* packedPieces(data: TensorData, bits: number): Generator<Uint8Array> {
  const count = elementCount(data.shape);
  for (let start = 0; start < count; start += PACKED_AT_ONCE) {
    const elements = Math.min(PACKED_AT_ONCE, count - start);
    yield packBits(data.read(start, elements), bits);
  }
}

function hasHalfPair(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
