import { ModelbenchError } from "../base/errors";
import { elementCount } from "../formats/elements";
import { openFileReader } from "../formats/fileReader";
import { readNpyHeader } from "../formats/npy";
import { isRowMajorHeader, npyData } from "../formats/npyData";
import { scanObjectArray } from "../formats/pickle/objectArray";
import type { FileContent } from "./content";

/**
 * Opens an NPY file: one tensor without a name. An array of fields is a warning, not a failure; one of objects is also
 * scanned as the pickle it is.
 * @throws ModelbenchError `format.corrupt` | `file.access`
 */
export function openNpyFile(path: string, name: string, open = openFileReader): FileContent {
  const reader = open(path);
  try {
    const header = readNpyHeader(reader, path);
    const pickle = scanObjectArray(reader);
    const { dtype, unreadable, shape } = header;
    const tensor = {
      file: name,
      name: "",
      path: [],
      kind: "ndarray" as const,
      dtype,
      nativeDtype: header.descr,
      shape,
    };
    const offset = isRowMajorHeader(header) ? header.dataStart : null;
    return {
      tensors: [{ ...tensor, offset, bytes: elementCount(shape) * header.itemBytes }],
      metadata: new Map(),
      ...(pickle && { pickle }),
      warnings: unreadable === undefined ? [] : [{ code: "npy.unreadable", message: `${name}: ${unreadable}.`, path }],
      data(index) {
        if (index !== 0) throw new ModelbenchError("internal", `${name}: has no tensor ${index}.`);
        return npyData(reader, header, name);
      },
      close: () => reader.close(),
    };
  } catch (error) {
    reader.close();
    throw error;
  }
}
