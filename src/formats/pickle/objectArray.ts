import type { PositionalReader } from "../../base/ports";
import type { PickleFacts } from "./facts";
import { Notes } from "./notes";
import { readStreams } from "./streams";

/**
 * What loading the objects of an NPY array would import, call and change; nothing of it is done. numpy loads them only
 * where the caller allows pickles.
 * @param dataStart absolute offset of the pickle
 */
export function scanObjectArray(reader: PositionalReader, dataStart: number, end = reader.size): PickleFacts {
  const notes = new Notes();
  notes.finding("unknown", "object-array", "The array holds Python objects; only a pickle carries them.", dataStart);
  readStreams(reader, { start: dataStart, end }, notes);
  return notes.facts();
}
