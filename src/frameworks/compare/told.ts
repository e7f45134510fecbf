import { join, resolve } from "node:path";
import { ModelbenchError, type Warning } from "../../base/errors";
import { elementCount } from "../../formats/elements";
import { type FileReader, openFileReader } from "../../formats/fileReader";
import { type NpyHeader, readNpyHeader } from "../../formats/npy";
import { readNpz } from "../../formats/npz";
import type { FileFormat } from "../../formats/sniff";
import type { InspectedFile } from "../modelContent";

/** Warnings that something is there beside what is listed: a member that is no array, a value that does not count. */
const MORE = new Set(["npz.member", "flax.duplicateKey"]);

/**
 * The files of which tensors and metadata tell everything; others have a graph, objects, bytes behind their values or
 * what nobody knows besides.
 * @param warnings of reading these files
 */
export function toldByTensors(
  folder: string,
  files: readonly InspectedFile[],
  warnings: readonly Warning[],
): ReadonlySet<string> {
  const withMore = new Set(warnings.filter(({ code }) => MORE.has(code)).map(({ path = "" }) => resolve(path)));
  const told = files.filter(({ path, format }) => {
    const full = join(folder, path);
    return !withMore.has(full) && (HAS_MORE[format]?.(full) ?? true) === false;
  });
  return new Set(told.map(({ path }) => path));
}

/** Whether a file has more than tensors and metadata; a format that is not here always may. */
const HAS_MORE: Partial<Record<FileFormat, (path: string) => boolean>> = {
  safetensors: () => false,
  "flax-msgpack": () => false,
  msgpack: () => false,
  npy: (path) => inFile(path, (reader) => isLonger(reader.size, readNpyHeader(reader, path))),
  npz: (path) =>
    inFile(path, (reader) => readNpz(reader, path).arrays.some(({ entry, header }) => isLonger(entry.bytes, header))),
};

/** Whether bytes follow the values; those of a type that is not read are such, too. */
function isLonger(bytes: number, { dataStart, shape, itemBytes }: NpyHeader): boolean {
  return bytes > dataStart + elementCount(shape) * itemBytes;
}

/** A damaged file of a version is a warning there, and has whatever it has. */
function inFile(path: string, hasMore: (reader: FileReader) => boolean): boolean {
  try {
    const reader = openFileReader(path);
    try {
      return hasMore(reader);
    } finally {
      reader.close();
    }
  } catch (error) {
    if (error instanceof ModelbenchError) return true;
    throw error;
  }
}
