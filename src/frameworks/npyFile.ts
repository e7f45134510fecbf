import { Budget } from "../base/budget";
import { ModelbenchError } from "../base/errors";
import { elementCount } from "../formats/elements";
import { openFileReader } from "../formats/fileReader";
import { type NpyHeader, readNpy, readNpyHeader } from "../formats/npy";
import { memoryData, runData } from "../formats/tensorData";
import type { FileContent } from "./content";

/** Largest array that is read whole, because its values have to be turned around. */
const MAX_WHOLE_BYTES = 2 ** 31;

/**
 * Opens an NPY file: one tensor without a name. An array of objects or of fields is a warning, not a failure.
 * @throws ModelbenchError `format.corrupt` | `file.access`
 */
export function openNpyFile(path: string, name: string, open = openFileReader): FileContent {
  const reader = open(path);
  let header: NpyHeader;
  try {
    header = readNpyHeader(reader, path);
  } catch (error) {
    reader.close();
    throw error;
  }
  const { dtype, unreadable } = header;
  const isPlain = !header.fortranOrder || header.shape.length < 2;
  return {
    tensors: [
      {
        file: name,
        name: "",
        path: [],
        kind: "ndarray",
        dtype,
        nativeDtype: header.descr,
        shape: header.shape,
        offset: isPlain ? header.dataStart : null,
        bytes: elementCount(header.shape) * header.itemBytes,
      },
    ],
    metadata: {},
    warnings: unreadable === undefined ? [] : [{ code: "npy.unreadable", message: `${name}: ${unreadable}.`, path }],
    data() {
      if (dtype === null) throw new ModelbenchError("tensor.unreadable", `${name}: ${unreadable}.`, { path });
      if (isPlain && !header.bigEndian && dtype !== "string") {
        return runData(reader, dtype, header.shape, header.dataStart);
      }
      return memoryData(readNpy(reader, path, new Budget(path, { bytes: MAX_WHOLE_BYTES })));
    },
    close: () => reader.close(),
  };
}
