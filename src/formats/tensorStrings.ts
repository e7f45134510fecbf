import { ModelbenchError } from "../base/errors";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The bytes of a `string` tensor: each element a u32 LE byte length followed by its UTF-8. */
export function encodeStrings(values: readonly string[]): Uint8Array {
  let size = 0;
  for (const value of values) size += 4 + Buffer.byteLength(value);
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const value of values) {
    const length = bytes.write(value, at + 4);
    bytes.writeUInt32LE(length, at);
    at += 4 + length;
  }
  return bytes;
}

/** The elements of a `string` tensor. @throws ModelbenchError `protocol.invalid` when the bytes do not hold exactly `count` */
export function decodeStrings(data: Uint8Array, count: number): string[] {
  const offsets = stringOffsets(data, count);
  const values = new Array<string>(count);
  for (let i = 0; i < count; i += 1) values[i] = decoder.decode(data.subarray((offsets[i] ?? 0) + 4, offsets[i + 1]));
  return values;
}

/**
 * Where each element of a `string` tensor starts, and where the last one ends (`count + 1` numbers).
 * @throws ModelbenchError `protocol.invalid` when the bytes do not hold exactly `count` elements
 */
export function stringOffsets(data: Uint8Array, count: number): Float64Array {
  if (count * 4 > data.byteLength) throw wrongStrings(data, count);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const offsets = new Float64Array(count + 1);
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    offsets[i] = at;
    if (at + 4 > data.byteLength) throw wrongStrings(data, count);
    at += 4 + view.getUint32(at, true);
  }
  if (at !== data.byteLength) throw wrongStrings(data, count);
  offsets[count] = at;
  return offsets;
}

function wrongStrings(data: Uint8Array, count: number): ModelbenchError {
  return new ModelbenchError(
    "protocol.invalid",
    `A string tensor of ${count} elements does not fit its ${data.byteLength} bytes.`,
  );
}
