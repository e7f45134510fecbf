import { ModelbenchError } from "../base/errors";
import type { PositionalReader } from "../base/ports";
import { openFileReader } from "../formats/fileReader";
import { leafName } from "../formats/flaxMsgpack/stored";
import { arrayValues, isRun } from "../formats/pickle/arrayValues";
import type { LocatedArray } from "../formats/pickle/locatedArray";
import { readPickleFile } from "../formats/pickle/pickleFile";
import { looksLike, NOTHING_KNOWN } from "../formats/sniff";
import type { FileContent, StoredTensor } from "./content";

/**
 * Opens a file of the pickle family: its verdict, and the arrays that stand plainly in it. A file that is damaged, or
 * no pickle at all, is a verdict, not a failure.
 * @throws ModelbenchError `file.access`
 */
export function openPickleFile(path: string, name: string, open = openFileReader): FileContent {
  const reader = open(path);
  try {
    const { facts, arrays } = readPickleFile(reader);
    return {
      tensors: arrays.map((array) => storedTensor(array, name)),
      metadata: new Map(),
      pickle: facts,
      warnings: facts.verdict === "malformed" && facts.imports.length === 0 ? whatElse(reader, path, name) : [],
      data(index) {
        const array = arrays[index];
        if (!array) throw new ModelbenchError("internal", `${name}: has no tensor ${index}.`);
        return arrayValues(array, storedTensor(array, name).name || name);
      },
      close: () => reader.close(),
    };
  } catch (error) {
    reader.close();
    throw error;
  }
}

/** What is called like a pickle, and is something else. */
function whatElse(reader: PositionalReader, path: string, name: string): FileContent["warnings"] {
  const words = looksLike(reader, "pickle");
  if (words === NOTHING_KNOWN) return [];
  return [{ code: "format.mismatch", message: `${name}: is no pickle but ${words}.`, path }];
}

function storedTensor(array: LocatedArray, file: string): StoredTensor {
  const { path, kind, dtype, nativeDtype, shape, place, fileOffset } = array;
  const elements = shape.reduce((count, length) => count * length, 1);
  const bytes = place.kind === "storage" ? elements * place.itemBytes : place.bytes;
  const offset = isRun(array) && array.unread === undefined ? fileOffset : null;
  return { file, name: leafName(path), path, kind, dtype, nativeDtype, shape, offset, bytes };
}
