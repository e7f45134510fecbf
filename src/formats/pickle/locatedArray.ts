import type { PositionalReader } from "../../base/ports";
import type { FoundArray } from "./foundArray";
import type { StoragePlace } from "./storages";
import { type StoredBytes, textReader } from "./storedBytes";

/** An array of a pickle with the place of its bytes. */
export interface LocatedArray extends FoundArray {
  /** Holds the bytes. */
  readonly source: PositionalReader;
  /** Offset of the first element in `source`. */
  readonly start: number;
  /** Bytes from there on that belong to the storage. */
  readonly available: number;
  /** Offset of the first element in the file; `null` when the file holds it compressed. */
  readonly fileOffset: number | null;
}

/**
 * An array whose bytes stand in the pickle itself.
 * @param shift of the pickle's own range in `source`
 */
export function inPickle(array: FoundArray, place: StoredBytes, source: PositionalReader, shift = 0): LocatedArray {
  if (place.kind === "text") {
    return {
      ...array,
      source: textReader(source, place, shift),
      start: 0,
      available: place.bytes,
      fileOffset: null,
    };
  }
  const start = shift + place.offset;
  return { ...array, source, start, available: place.bytes, fileOffset: start };
}

/**
 * An array that is a view of a storage.
 * @param place of the storage in `source`, which is a whole file
 * @param bigEndian whether the storages of the file are
 */
export function inStorage(
  array: FoundArray,
  source: PositionalReader,
  place: StoragePlace,
  bigEndian = false,
): LocatedArray {
  const first = array.place.kind === "storage" ? array.place.firstElement * array.place.itemBytes : 0;
  const start = place.offset + first;
  return { ...array, bigEndian, source, start, available: Math.max(0, place.bytes - first), fileOffset: start };
}
