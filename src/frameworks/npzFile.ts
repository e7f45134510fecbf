import { basename } from "node:path";
import { ModelbenchError } from "../base/errors";
import type { PositionalReader } from "../base/ports";
import { elementCount } from "../formats/elements";
import { openFileReader } from "../formats/fileReader";
import { isRowMajorHeader } from "../formats/npyData";
import { type NpzArray, type NpzFile, npzData, readNpz } from "../formats/npz";
import { readPickleFile } from "../formats/pickle/pickleFile";
import type { FileContent, StoredTensor } from "./content";

/**
 * Opens an NPZ file by the headers of its arrays. Arrays of objects are scanned as the pickles they are.
 * @throws ModelbenchError `format.corrupt` | `archive.format` | `archive.unsafe` | `file.access`
 */
export function openNpzFile(path: string, name: string = basename(path), open = openFileReader): FileContent {
  const reader = open(path);
  try {
    const npz = readNpz(reader, path);
    const { arrays, warnings } = npz;
    const unreadable = arrays.flatMap((array) =>
      array.header.unreadable === undefined
        ? []
        : [{ code: "npy.unreadable", message: `${array.name}: ${array.header.unreadable}.`, path }],
    );
    return {
      tensors: arrays.map((array) => storedTensor(array, name)),
      metadata: new Map(),
      ...picklesIn(reader, npz),
      warnings: [...warnings, ...unreadable],
      data(index) {
        const array = arrays[index];
        if (!array) throw new ModelbenchError("internal", `${name}: has no array ${index}.`);
        return npzData(reader, array, array.name);
      },
      close: () => reader.close(),
    };
  } catch (error) {
    reader.close();
    throw error;
  }
}

/** Arrays of objects are pickles, and what is no array may be one. */
function picklesIn(reader: PositionalReader, { arrays, warnings }: NpzFile): Pick<FileContent, "pickle"> {
  const isPlain = warnings.length === 0 && !arrays.some(({ header }) => header.hasObjects);
  const pickle = isPlain ? undefined : readPickleFile(reader).facts;
  return pickle && pickle.streams > 0 ? { pickle } : {};
}

function storedTensor({ name, header, start }: NpzArray, file: string): StoredTensor {
  const { dtype, descr, shape, itemBytes, dataStart } = header;
  const offset = start !== null && isRowMajorHeader(header) ? start + dataStart : null;
  const bytes = elementCount(shape) * itemBytes;
  return { file, name, path: [name], kind: "ndarray", dtype, nativeDtype: descr, shape, offset, bytes };
}
