/** Longest text that is put together byte by byte. */
const MAX_SHORT = 24;

/**
 * The text from `start` to `end` when it is short and ASCII, as most keys and type names of headers are: a decoder takes
 * longer to call than they take to read.
 */
export function shortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > MAX_SHORT) return undefined;
  let text = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
