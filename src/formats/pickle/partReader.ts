import type { PositionalReader } from "../../base/ports";

/** A run of bytes of a source as a source of its own, which begins at 0. */
export function partOf(reader: PositionalReader, start: number, size: number): PositionalReader {
  return { size, read: (offset, length) => reader.read(start + offset, length) };
}
