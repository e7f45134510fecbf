import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { bufferReader } from "../bufferReader";
import { compressionOf, unpack } from "./compressed";
import type { ByteRange } from "./cursor";
import type { PickleFacts } from "./facts";
import type { FoundArray } from "./foundArray";
import { arraysIn } from "./foundArrays";
import { readFromStart } from "./fromStart";
import { inPickle, inStorage, type LocatedArray } from "./locatedArray";
import { Notes } from "./notes";
import { partOf } from "./partReader";
import { readZip } from "./pickleZip";
import { ScanLimits } from "./scanLimits";
import { isLegacyTorch, legacyStorages, type StorageId, type StoragePlace, storageId } from "./storages";
import { readStreams } from "./streams";
import { isTar, tarMembers } from "./tarMembers";
import type { Value } from "./values";
import { findZip } from "./zipMembers";

/** What a file of the pickle family holds. */
export interface PickleContent {
  readonly facts: PickleFacts;
  readonly arrays: readonly LocatedArray[];
}

/**
 * Looks through a pickle, a joblib file, or an archive with pickles in it, recognised by content: nothing is imported,
 * called or built. Never fails: what cannot be read is a finding.
 */
export function readPickleFile(reader: PositionalReader): PickleContent {
  const notes = new Notes();
  const limits = new ScanLimits();
  let arrays: readonly LocatedArray[] = [];
  try {
    arrays = content(reader, notes, limits, true);
  } catch (error) {
    if (!(error instanceof ModelbenchError) || error.code !== "budget.exceeded") throw error;
    notes.finding("opaque", "limit", error.message, 0);
  }
  if (limits.isListCut) notes.finding("allowed", "arrays", "There are more arrays than are listed.", 0);
  const facts = notes.facts();
  if (facts.streams > 0 || facts.findings.length > 0) return { facts, arrays };
  notes.finding("malformed", "empty", "There is no pickle in it.", 0);
  return { facts: notes.facts(), arrays };
}

/** Whether a file without a known mark is a pickle, or holds an archive of PyTorch somewhere. */
export function isPickle(reader: PositionalReader): boolean {
  const notes = new Notes();
  const range = { start: 0, end: reader.size };
  const streams = readStreams(reader, range, notes, new ScanLimits(), { joblib: true, search: false });
  if (notes.hasActions || (reader.size > 0 && streams.at(-1)?.end === reader.size)) return true;
  return findZip(reader)?.members.some(({ name }) => /(^|\/)data\.pkl$/.test(name)) ?? false;
}

/** @param isFile otherwise what was compressed in the file */
function content(reader: PositionalReader, notes: Notes, limits: ScanLimits, isFile: boolean): LocatedArray[] {
  const method = compressionOf(reader);
  if (method !== undefined && isFile) return compressed(reader, method, notes, limits);
  const zip = findZip(reader);
  if (zip) return readZip(reader, zip, notes, limits);
  if (isTar(reader)) return tar(reader, notes, limits);
  const found = pickles(reader, notes, limits);
  return isFile ? found : found.map((array) => ({ ...array, fileOffset: null }));
}

function compressed(reader: PositionalReader, method: string, notes: Notes, limits: ScanLimits): LocatedArray[] {
  const unpacked = unpack(reader, method);
  if (!unpacked) {
    notes.finding("opaque", "compressed", `The file is compressed with ${method}, which is not looked into.`, 0);
    return [];
  }
  if (unpacked.unread !== undefined) {
    notes.finding("opaque", "compressed", `The file was not unpacked to its end: ${unpacked.unread}.`, 0);
  }
  // What is not there cannot be told from what was not unpacked.
  const own = notes.fresh();
  const arrays = content(bufferReader(unpacked.content), own, limits, false);
  notes.add(own);
  return arrays;
}

/** PyTorch's first format. The other members are storages and lists of them. */
function tar(reader: PositionalReader, notes: Notes, limits: ScanLimits): LocatedArray[] {
  readFromStart(reader, 0, notes, limits);
  const { members, brokenAt } = tarMembers(reader);
  if (brokenAt !== undefined) {
    notes.finding("opaque", "tar", "What follows is no member of the tar archive and was not looked into.", brokenAt);
  }
  for (const [i, { name, dataAt, bytes }] of members.entries()) {
    if (!limits.left) {
      notes.unread(members.length - i, dataAt);
      break;
    }
    const own = new Notes(name);
    const streams = readStreams(partOf(reader, dataAt, bytes), { start: 0, end: bytes }, own, limits, {
      joblib: false,
      search: false,
    });
    if (own.hasActions || own.reachedLimit || name === "pickle" || streams.at(-1)?.end === bytes) notes.add(own);
  }
  return [];
}

/** Pickles one behind the other, and the raw data between and behind them. */
function pickles(reader: PositionalReader, notes: Notes, limits: ScanLimits): LocatedArray[] {
  const ids = new Map<string, StorageId>();
  let places: ReadonlyMap<string, StoragePlace> = new Map();
  let isTorch = false;
  const resolves = (id: Value): boolean => {
    const storage = storageId(id);
    if (storage && isTorch) ids.set(storage.key, storage);
    return storage !== undefined && isTorch;
  };
  const range: ByteRange = { start: 0, end: reader.size };
  const own = new Notes(undefined, resolves);
  const streams = readStreams(reader, range, own, limits, {
    joblib: true,
    search: true,
    goOn(known, at) {
      isTorch = isLegacyTorch(known);
      const storages = isTorch ? legacyStorages(reader, known, at, ids) : undefined;
      places = storages?.places ?? places;
      return storages?.end;
    },
  });
  notes.add(own);
  const holding = streams.map((stream) => arraysIn(stream, limits)).filter((arrays) => arrays.length > 0);
  return holding.flatMap((arrays, i) =>
    arrays.flatMap((array) =>
      locate(holding.length > 1 ? { ...array, path: [i, ...array.path] } : array, reader, places),
    ),
  );
}

function locate(
  array: FoundArray,
  reader: PositionalReader,
  places: ReadonlyMap<string, StoragePlace>,
): LocatedArray | LocatedArray[] {
  if (array.place.kind !== "storage") return inPickle(array, array.place, reader);
  const place = places.get(array.place.id.key);
  return place ? inStorage(array, reader, place) : [];
}
