/** Longest text that is put together byte by byte. */
const MAX_SHORT = 24;

/** Texts that were read lately, by their bytes: the same keys and type names come again and again. */
const recent: string[] = new Array(256).fill("");

/**
 * The text from `start` to `end` when it is short and ASCII, as most keys and type names of headers are: a decoder takes
 * longer to call than they take to read.
 */
export function shortAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > MAX_SHORT) return undefined;
  let hash = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte > 0x7f) return undefined;
    hash = (hash * 31 + byte) | 0;
  }
  const slot = hash & (recent.length - 1);
  const known = recent[slot] ?? "";
  if (isAt(known, bytes, start, end)) return known;
  let text = "";
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0);
  recent[slot] = text;
  return text;
}

function isAt(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}
