/**
 * Whether a value takes at most `limit` bytes as a message, counted without building its text: two bytes a
 * character, nine a number, and stopping at the limit. A value nested deeper than 64 levels does not fit.
 */
export function fitsMessage(value: unknown, limit: number): boolean {
  return measure(value, limit, 64) >= 0;
}

/** Bytes left of `left` after `value`, negative when it does not fit. */
function measure(value: unknown, left: number, depth: number): number {
  if (depth === 0) return -1;
  if (typeof value === "string") return left - 2 - 2 * value.length;
  if (typeof value !== "object" || value === null) return left - 9;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return left - value.byteLength;
  let rest = left - 2;
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue;
    rest = measure(Reflect.get(value, key), rest - (Array.isArray(value) ? 1 : 2 * key.length), depth - 1);
    if (rest < 0) return -1;
  }
  return rest;
}
