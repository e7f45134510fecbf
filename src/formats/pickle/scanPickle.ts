import type { PositionalReader } from "../../base/ports";
import type { ByteRange } from "./cursor";
import type { PickleFacts } from "./facts";
import { Notes } from "./notes";
import { readStreams } from "./streams";

/**
 * What loading the pickles of a range would import, call and change; nothing of it is done.
 * @param range of the source, in absolute offsets; left out, all of it
 */
export function scanPickle(reader: PositionalReader, range: ByteRange = { start: 0, end: reader.size }): PickleFacts {
  const notes = new Notes();
  readStreams(reader, range, notes);
  return notes.facts();
}

/**
 * The same for the objects of an NPY array, which numpy loads only where the caller allows pickles.
 * @param dataStart absolute offset of the pickle
 */
export function scanObjectArray(reader: PositionalReader, dataStart: number, end = reader.size): PickleFacts {
  const notes = new Notes();
  notes.finding("unknown", "object-array", "The array holds Python objects; only a pickle carries them.", dataStart);
  readStreams(reader, { start: dataStart, end }, notes);
  return notes.facts();
}
