import { isUtf8 } from "node:buffer";
import type { PositionalReader } from "../base/ports";
import { MAX_HEADER_BYTES, statedIn } from "./npy";
import { objectsOf } from "./npyTypes";

/** Where an NPY file holds, or may hold, a pickle. */
export interface NpyObjects {
  /** `unreadable`: what numpy would make of the header is not known. */
  readonly certainty: "stated" | "unclear" | "unreadable";
  /** Where numpy would begin to unpickle. */
  readonly start: number;
}

const MAGIC_BYTES = 8;

/**
 * Whether numpy may unpickle what follows the header. It reads any Python literal and many names of a type, so only a
 * header that is understood, of a type that surely holds no objects, is an answer.
 * @returns `undefined` for plain values
 */
export function npyObjects(reader: PositionalReader): NpyObjects | undefined {
  const head = Buffer.from(reader.read(0, Math.min(12, reader.size)));
  const version = head[6] ?? 0;
  const at = version === 1 ? 10 : 12;
  if (version < 1 || version > 3 || head[7] !== 0 || head.length < at) return unreadable(reader, MAGIC_BYTES);
  const length = version === 1 ? head.readUInt16LE(8) : head.readUInt32LE(8);
  const start = at + length;
  if (start > reader.size) return unreadable(reader, at);
  if (length > MAX_HEADER_BYTES) return { certainty: "unclear", start };
  const bytes = Buffer.from(reader.read(at, length));
  if (version === 3 && !isUtf8(bytes)) return { certainty: "unclear", start };
  const stated = statedIn(bytes.toString(version === 3 ? "utf8" : "latin1"));
  const certainty = stated ? objectsOf(stated.descr) : "unclear";
  return certainty === "none" ? undefined : { certainty, start };
}

function unreadable(reader: PositionalReader, at: number): NpyObjects {
  return { certainty: "unreadable", start: Math.min(at, reader.size) };
}
