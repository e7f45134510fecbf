import { ModelbenchError } from "../base/errors";
import { MISSING_TEXT } from "./elements";

/**
 * Where each element of a `string` tensor's data starts, and where the last one ends: `count + 1` numbers.
 * @param mayMiss whether texts may be missing, as in a column of a data frame
 * @throws ModelbenchError `protocol.invalid` when the bytes do not hold exactly `count` elements
 */
export function stringOffsets(data: Uint8Array, count: number, mayMiss = true): Float64Array {
  if (count * 4 > data.byteLength) throw wrongStrings(data, count);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const offsets = new Float64Array(count + 1);
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    offsets[i] = at;
    if (at + 4 > data.byteLength) throw wrongStrings(data, count);
    const length = view.getUint32(at, true);
    at += 4 + (mayMiss && length === MISSING_TEXT ? 0 : length);
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
