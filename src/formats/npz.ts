import { crc32, inflateRawSync } from "node:zlib";
import { ModelbenchError, type Warning } from "../base/errors";
import type { PositionalReader } from "../base/ports";
import { visible } from "../base/visible";
import { bufferReader } from "./bufferReader";
import { elementCount } from "./elements";
import { isNpy, type NpyHeader, readNpyHeader } from "./npy";
import { npyData } from "./npyData";
import { inflated } from "./pickle/inflated";
import { partOf } from "./pickle/partReader";
import type { TensorData } from "./tensorData";
import { readZipDirectory } from "./zip/directory";
import { checkLocalHeader, type ZipEntry } from "./zip/entry";

/** Members of one archive. */
const MAX_MEMBERS = 100_000;
/** Largest array that is unpacked in memory. */
const MAX_INFLATED_BYTES = 256 * 2 ** 20;
/** Packed bytes of which the header is looked for, one after the other. */
const PROBES = [2048, 65_536] as const;

/** An array in an NPZ file. */
export interface NpzArray {
  /** Without `.npy`, as numpy names it. */
  readonly name: string;
  readonly header: NpyHeader;
  /** Absolute offset of its NPY file; `null` when it is compressed. */
  readonly start: number | null;
  readonly entry: ZipEntry;
}

/** What an NPZ file holds. */
export interface NpzFile {
  /** In the order of their data. */
  readonly arrays: readonly NpzArray[];
  readonly warnings: readonly Warning[];
}

/**
 * Lists the arrays of an NPZ file by their headers. A member that is no array is a warning.
 * @param path what messages call it
 * @throws ModelbenchError `format.corrupt` for a damaged archive or array, `archive.format` for encryption and unknown
 *   methods, `archive.unsafe`
 */
export function readNpz(reader: PositionalReader, path: string): NpzFile {
  const arrays: NpzArray[] = [];
  const warnings: Warning[] = [];
  const names = new Set<string>();
  const warn = (kind: string, what: string, offset: number): void => {
    if (warnings.some(({ code }) => code === `npz.${kind}`)) return;
    warnings.push({ code: `npz.${kind}`, message: `${path}: ${what}.`, path, offset });
  };
  for (const { entry, dataAt } of asCorrupt(path, () => membersOf(reader))) {
    if (entry.kind === "directory") continue;
    const full = Buffer.from(entry.rawPath).toString("utf8");
    const quoted = `"${visible(full, 100)}"`;
    // numpy goes by how a member begins, and its own names end so.
    if (!full.endsWith(".npy") && !isNpy(beginningOf(reader, entry, dataAt, PROBES[0]))) {
      warn("member", `${quoted} is not an array`, entry.localAt);
      continue;
    }
    const name = full.replace(/\.npy$/, "");
    if (names.has(name)) warn("duplicate", `${quoted} is there twice; numpy reads the last`, entry.localAt);
    names.add(name);
    const header = headerOf(reader, entry, dataAt, { name: `${path}: ${visible(full, 100)}`, path });
    arrays.push({ name, header, start: entry.method === "stored" ? dataAt : null, entry });
  }
  return { arrays, warnings };
}

/**
 * The values of an array. A stored one is read by position and not held to its checksum, a compressed one is unpacked
 * when the first value is asked for.
 * @throws ModelbenchError `tensor.unreadable` for a type that is not read, and for a compressed array above 256 MiB;
 *   when values are read, or there are none, `format.corrupt` for a wrong checksum
 */
export function npzData(reader: PositionalReader, { header, start, entry }: NpzArray, name: string): TensorData {
  if (start !== null) return npyData(partOf(reader, start, entry.bytes), header, name);
  if (entry.bytes > MAX_INFLATED_BYTES) {
    const message = `${name}: is compressed, and unpacked larger than ${MAX_INFLATED_BYTES >> 20} MiB.`;
    const remedy = "Save it with numpy.savez instead of savez_compressed.";
    throw new ModelbenchError("tensor.unreadable", message, { remedy });
  }
  let whole: PositionalReader | undefined;
  const unpacked: PositionalReader = {
    size: entry.bytes,
    read(offset, length) {
      whole ??= bufferReader(unpack(reader, entry, name), name);
      return whole.read(offset, length);
    },
  };
  // Of values that are not there nobody would ask, and never meet the damage that numpy refuses.
  if (elementCount(header.shape) === 0) unpacked.read(0, 0);
  return npyData(unpacked, header, name);
}

function membersOf(reader: PositionalReader): { entry: ZipEntry; dataAt: number }[] {
  const { entries } = readZipDirectory(reader, (count) => {
    if (count <= MAX_MEMBERS) return;
    throw new ModelbenchError("archive.unsafe", `The archive has ${count} members; at most ${MAX_MEMBERS} are read.`);
  });
  return entries.map((entry) => ({ entry, dataAt: checkLocalHeader(reader, entry) }));
}

interface NamedFile {
  /** For messages. */
  readonly name: string;
  readonly path: string;
}

function headerOf(reader: PositionalReader, entry: ZipEntry, dataAt: number, file: NamedFile): NpyHeader {
  if (entry.method === "stored") return readNpyHeader(partOf(reader, dataAt, entry.bytes), file.name, file.path);
  for (const probe of PROBES) {
    const content = beginningOf(reader, entry, dataAt, probe);
    const isLast = probe >= entry.packedBytes || probe === PROBES.at(-1);
    try {
      // What was not unpacked is there, by the archive's word.
      const { read } = bufferReader(content, file.name);
      return readNpyHeader({ size: Math.max(entry.bytes, content.length), read }, file.name, file.path);
    } catch (error) {
      if (isLast) throw error;
    }
  }
  throw new ModelbenchError("internal", `${file.name}: was not looked at.`);
}

/** What the first `most` bytes of a member hold, unpacked as far as they are whole. */
function beginningOf(reader: PositionalReader, entry: ZipEntry, dataAt: number, most: number): Buffer {
  const length = Math.min(most, entry.packedBytes);
  const packed = Buffer.from(reader.read(dataAt, length));
  if (entry.method === "stored") return packed;
  return inflated(packed, length < entry.packedBytes, inflateRawSync).content;
}

function unpack(reader: PositionalReader, entry: ZipEntry, name: string): Buffer {
  const wrong = (what: string, cause?: unknown) =>
    new ModelbenchError("format.corrupt", `${name}: ${what}.`, { offset: entry.localAt, cause });
  const packed = reader.read(checkLocalHeader(reader, entry), entry.packedBytes);
  let bytes: Buffer;
  try {
    bytes = inflateRawSync(packed, { maxOutputLength: entry.bytes + 1 });
  } catch (cause) {
    throw wrong("cannot be unpacked", cause);
  }
  if (bytes.length !== entry.bytes) throw wrong(`has ${bytes.length} bytes, the archive says ${entry.bytes}`);
  if (crc32(bytes) !== entry.crc32) throw wrong("does not fit its checksum");
  return bytes;
}

/** A damaged archive is a damaged file of this format. */
function asCorrupt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof ModelbenchError) || error.code !== "archive.corrupt") throw error;
    const { message, offset } = error;
    throw new ModelbenchError("format.corrupt", `${path}: ${message}`, { path, offset, cause: error });
  }
}
