import type { PositionalReader } from "../../base/ports";
import { Notes } from "./notes";
import type { ScanLimits } from "./scanLimits";
import { readStreams } from "./streams";

/**
 * `pickle.load` reads any file from its first byte on, also one that another loader takes for an archive. What is no
 * pickle there is left out.
 * @param gap where the archive begins: before it a pickle is searched for, too
 */
export function readFromStart(reader: PositionalReader, gap: number, notes: Notes, limits: ScanLimits): void {
  const isFound = readPart(reader, reader.size, false, notes, limits);
  if (gap > 0 && !isFound) readPart(reader, gap, true, notes, limits);
}

function readPart(reader: PositionalReader, end: number, search: boolean, notes: Notes, limits: ScanLimits): boolean {
  const own = new Notes();
  const streams = readStreams(reader, { start: 0, end }, own, limits, { joblib: true, search });
  const isFound = own.hasActions || own.reachedLimit || streams.some((stream) => stream.end !== null);
  if (isFound) notes.add(own);
  return isFound;
}
