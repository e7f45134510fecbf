import type { PositionalReader } from "../../base/ports";
import { type NpyObjects, npyObjects } from "../npyObjects";
import type { PickleFacts } from "./facts";
import { Notes } from "./notes";
import type { ScanLimits } from "./scanLimits";
import { readStreams } from "./streams";

/**
 * What loading an NPY array would import, call and change where the caller of numpy allows pickles; nothing of it is
 * done. `undefined` for plain values, which run nothing.
 */
export function scanObjectArray(reader: PositionalReader): PickleFacts | undefined {
  const notes = new Notes();
  return noteObjectArray(reader, notes) ? notes.facts() : undefined;
}

/** Notes the pickle of an NPY array. @returns whether there is, or may be, one */
export function noteObjectArray(reader: PositionalReader, notes: Notes, limits?: ScanLimits): boolean {
  const objects = npyObjects(reader);
  if (!objects) return false;
  const { certainty, start } = objects;
  notes.finding(certainty === "unreadable" ? "malformed" : "unknown", "object-array", WORDS[certainty], start);
  readStreams(reader, { start, end: reader.size }, notes, limits);
  return true;
}

const WORDS: Readonly<Record<NpyObjects["certainty"], string>> = {
  stated: "The array holds Python objects; only a pickle carries them.",
  unclear: "Whether the array holds Python objects, which only a pickle carries, cannot be told from its header.",
  unreadable: "The array's header cannot be read; numpy loads Python objects from behind it.",
};
