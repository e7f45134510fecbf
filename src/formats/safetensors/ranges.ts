import { ModelbenchError } from "../../base/errors";
import type { ClaimedEntry, SafetensorsEntry } from "./header";
import { quoted } from "./quoted";

const MAX_U64 = 2n ** 64n - 1n;

/**
 * Holds the tensors to the format's rule that they cover the data without a hole, an overlap or a rest, each with the
 * bytes that its shape and dtype need. Answers in the given order.
 * @throws ModelbenchError `format.corrupt` with the offset of the tensor's name
 */
export function checkRanges(
  claims: readonly ClaimedEntry[],
  dataStart: number,
  dataBytes: number,
  path: string,
): SafetensorsEntry[] {
  const entries = claims.map((claim) => {
    checkRange(claim, dataBytes, path);
    const start = Number(claim.begin);
    return {
      name: claim.name,
      type: claim.type,
      shape: claim.shape,
      start: dataStart + start,
      bytes: Number(claim.end) - start,
      offset: claim.offset,
    };
  });
  const sorted = [...entries].sort((a, b) => a.start - b.start || a.bytes - b.bytes);
  let covered = dataStart;
  for (const { name, start, bytes, offset } of sorted) {
    if (start !== covered) {
      const what = start < covered ? "shares bytes with the tensor before it" : "leaves a hole before it";
      const places = `its data begins at ${start - dataStart}, ${covered - dataStart} was expected`;
      throw wrong(path, `the tensor ${quoted(name)} ${what}: ${places}`, offset);
    }
    covered = start + bytes;
  }
  if (covered !== dataStart + dataBytes) {
    const rest = dataStart + dataBytes - covered;
    throw wrong(path, `has ${rest} bytes that belong to no tensor, from byte ${covered} on`, covered);
  }
  return entries;
}

function checkRange({ name, type, shape, begin, end, offset }: ClaimedEntry, dataBytes: number, path: string): void {
  if (end < begin) throw wrong(path, `the tensor ${quoted(name)} ends at ${end}, before its begin at ${begin}`, offset);
  if (end > dataBytes) {
    throw wrong(path, `the tensor ${quoted(name)} ends at ${end} of ${dataBytes} bytes of data`, offset);
  }
  let count = 1n;
  for (const dim of shape) {
    count *= dim;
    if (count > MAX_U64) throw wrong(path, `the shape of ${quoted(name)} has more elements than can exist`, offset);
  }
  const bits = count * BigInt(type.bits);
  if (bits > MAX_U64) throw wrong(path, `the shape of ${quoted(name)} needs more bytes than can exist`, offset);
  if (bits % 8n !== 0n) {
    throw wrong(path, `the ${count} elements of ${quoted(name)} (${type.native}) do not end at a whole byte`, offset);
  }
  if (bits / 8n !== end - begin) {
    const words = `needs ${bits / 8n} bytes for ${count} elements of ${type.native}, its data_offsets give ${end - begin}`;
    throw wrong(path, `the tensor ${quoted(name)} ${words}`, offset);
  }
}

function wrong(path: string, what: string, offset: number): ModelbenchError {
  return new ModelbenchError("format.corrupt", `${path}: ${what}.`, { path, offset });
}
