import type { Cursor } from "./cursor";
import type { BytesNode, Value } from "./values";

/** Bytes that were skipped and begin as a pickle does. The cursor stays where it is. */
export function nestedPickle(value: Value, cursor: Cursor): BytesNode | undefined {
  if (value === null || typeof value !== "object") return undefined;
  if ((value.kind !== "bytes" && value.kind !== "bytearray") || value.length < 4) return undefined;
  const { place } = cursor;
  cursor.moveTo(value.offset);
  const [mark, protocol = 0] = cursor.bytes(2);
  cursor.returnTo(place);
  return mark === 0x80 && protocol >= 2 && protocol <= 5 ? value : undefined;
}
