import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { visible } from "../../base/visible";
import { corruptZip, unsupportedZip } from "./zipErrors";

const CENTRAL_SIGNATURE = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const DESCRIPTOR_SIGNATURE = 0x08074b50;
const MAX_U32 = 0xffffffff;

const ENCRYPTED = 0x0001;
const DESCRIPTOR = 0x0008;
const PATCHED = 0x0020;
const STRONG = 0x0040;
const UTF8 = 0x0800;
const MASKED = 0x2000;

/** Deflate makes at most 1,032 bytes out of one. */
const MAX_DEFLATE_RATIO = 1032;

const ZIP64_EXTRA = 0x0001;
const UNICODE_PATH_EXTRA = 0x7075;
const AES_EXTRA = 0x9901;

/** One member as the central directory states it. */
export interface ZipEntry {
  readonly rawPath: Uint8Array;
  readonly kind: "file" | "directory";
  readonly executable: boolean;
  readonly method: "stored" | "deflated";
  readonly flags: number;
  readonly crc32: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Where its local header is. */
  readonly localAt: number;
  /** Where the next member, or the directory, begins. */
  readonly end: number;
}

/**
 * Reads the member of the central directory at `at`.
 * @param base where the directory begins in the file, for messages
 * @throws ModelbenchError `archive.corrupt`, `archive.unsafe`, `archive.format`
 */
export function readCentralEntry(directory: Buffer, at: number, base: number): { entry: ZipEntry; next: number } {
  const offset = base + at;
  const short = at + CENTRAL_BYTES > directory.length;
  if (short || directory.readUInt32LE(at) !== CENTRAL_SIGNATURE) throw corruptZip("no member in the directory", offset);
  const nameAt = at + CENTRAL_BYTES;
  const extraAt = nameAt + directory.readUInt16LE(at + 28);
  const commentAt = extraAt + directory.readUInt16LE(at + 30);
  const next = commentAt + directory.readUInt16LE(at + 32);
  if (next > directory.length) throw corruptZip("a member that leaves the directory", offset);
  if (directory.readUInt16LE(at + 34) !== 0) throw unsupportedZip("several volumes", offset);
  const rawPath = new Uint8Array(directory.subarray(nameAt, extraAt));
  const flags = directory.readUInt16LE(at + 8);
  checkFlags(flags, rawPath, offset);
  const extras = readExtras(directory.subarray(extraAt, commentAt), rawPath, offset);
  const [bytes, packedBytes, localAt] = largeFields(
    [directory.readUInt32LE(at + 24), directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 42)],
    extras,
    offset,
  );
  const method = methodOf(directory.readUInt16LE(at + 10), rawPath, offset);
  const { kind, executable } = kindOf(rawPath, directory.readUInt32LE(at + 38), offset);
  const entry = { rawPath, kind, executable, method, flags, packedBytes, bytes, localAt, end: 0 };
  checkSizes(entry, offset);
  return { entry: { ...entry, crc32: directory.readUInt32LE(at + 16) }, next };
}

/**
 * Holds the local header before a member's data, and the descriptor behind it, to what the directory says; answers
 * with the place of the data.
 * @throws ModelbenchError `archive.corrupt`
 */
export function checkLocalHeader(reader: PositionalReader, entry: ZipEntry): number {
  const at = entry.localAt;
  if (at + LOCAL_BYTES > entry.end) throw corruptZip(`no room for the header of "${nameOf(entry.rawPath)}"`, at);
  const head = Buffer.from(new Uint8Array(reader.read(at, LOCAL_BYTES)));
  if (head.readUInt32LE(0) !== LOCAL_SIGNATURE) throw corruptZip(`no header before "${nameOf(entry.rawPath)}"`, at);
  const nameBytes = head.readUInt16LE(26);
  const extraBytes = head.readUInt16LE(28);
  const dataAt = at + LOCAL_BYTES + nameBytes + extraBytes;
  if (dataAt + entry.packedBytes > entry.end) throw overlap(entry);
  const rest = Buffer.from(new Uint8Array(reader.read(at + LOCAL_BYTES, nameBytes + extraBytes)));
  if (!rest.subarray(0, nameBytes).equals(entry.rawPath)) throw contradiction(entry, "another name", at);
  const extras = readExtras(rest.subarray(nameBytes), entry.rawPath, at);
  const sizes = [head.readUInt32LE(22), head.readUInt32LE(18)];
  const later = (entry.flags & DESCRIPTOR) !== 0;
  const [bytes, packedBytes] = largeFields(sizes, extras, at);
  const says = (stated: number, known: number): boolean => stated === known || (later && stated === 0);
  if (head.readUInt16LE(6) !== entry.flags || head.readUInt16LE(8) !== (entry.method === "stored" ? 0 : 8)) {
    throw contradiction(entry, "another method", at);
  }
  const same =
    says(bytes, entry.bytes) && says(packedBytes, entry.packedBytes) && says(head.readUInt32LE(14), entry.crc32);
  if (!same) throw contradiction(entry, "another size or checksum", at);
  checkGap(reader, entry, dataAt + entry.packedBytes, later);
  return dataAt;
}

/** Between a member's data and the next member there is nothing, or the descriptor that its flag announces. */
function checkGap(reader: PositionalReader, entry: ZipEntry, from: number, later: boolean): void {
  const gap = Buffer.from(new Uint8Array(reader.read(from, Math.min(entry.end - from, 64))));
  if (!later) {
    if (gap.length > 0) throw corruptZip(`bytes behind "${nameOf(entry.rawPath)}" that belong to no member`, from);
    return;
  }
  const body = gap.length % 8 === 0 ? gap.subarray(4) : gap;
  const signed = body.length === gap.length || gap.readUInt32LE(0) === DESCRIPTOR_SIGNATURE;
  const sound =
    (body.length === 12 && body.readUInt32LE(4) === entry.packedBytes && body.readUInt32LE(8) === entry.bytes) ||
    (body.length === 20 &&
      body.readBigUInt64LE(4) === BigInt(entry.packedBytes) &&
      body.readBigUInt64LE(12) === BigInt(entry.bytes));
  if (!(signed && sound && body.readUInt32LE(0) === entry.crc32)) {
    throw contradiction(entry, "another size or checksum", from);
  }
}

function checkFlags(flags: number, rawPath: Uint8Array, offset: number): void {
  if (flags & (ENCRYPTED | STRONG | MASKED)) throw unsupportedZip(`encryption for "${nameOf(rawPath)}"`, offset);
  if (flags & PATCHED) throw unsupportedZip(`patches for "${nameOf(rawPath)}"`, offset);
  if ((flags & UTF8) === 0 && rawPath.some((byte) => byte > 0x7e)) {
    const message = `The archive holds a member "${nameOf(rawPath)}" and does not say in which encoding its name is.`;
    throw new ModelbenchError("archive.unsafe", message, { offset });
  }
}

function methodOf(method: number, rawPath: Uint8Array, offset: number): "stored" | "deflated" {
  if (method === 0) return "stored";
  if (method === 8) return "deflated";
  throw unsupportedZip(`compression method ${method} for "${nameOf(rawPath)}"`, offset);
}

/** Whoever wrote it, Unix mode bits in the upper half are what other readers go by. */
function kindOf(
  rawPath: Uint8Array,
  attributes: number,
  offset: number,
): { kind: ZipEntry["kind"]; executable: boolean } {
  const mode = attributes >>> 16;
  const kind = rawPath.at(-1) === 0x2f ? "directory" : "file";
  const stated = mode & 0o170000;
  const fits = stated === 0 || stated === (kind === "file" ? 0o100000 : 0o040000);
  if (!fits || ((attributes & 0x10) !== 0 && kind === "file")) {
    const what = stated === 0o120000 ? "a symbolic link" : "a member that is neither a file nor a folder";
    throw new ModelbenchError(
      "archive.unsafe",
      `The archive holds ${what}, "${nameOf(rawPath)}"; a model is files and folders.`,
      { offset },
    );
  }
  return { kind, executable: kind === "file" && (mode & 0o100) !== 0 };
}

function checkSizes(entry: Omit<ZipEntry, "crc32">, offset: number): void {
  const { kind, method, bytes, packedBytes, rawPath } = entry;
  const wrong = (what: string) => corruptZip(`${what}, "${nameOf(rawPath)}",`, offset);
  if (kind === "directory" && bytes > 0) throw wrong("a folder with content");
  if (method === "stored" && bytes !== packedBytes) throw wrong("a stored member of two sizes");
  if (method === "deflated" && bytes > packedBytes * MAX_DEFLATE_RATIO) throw wrong("a member of an impossible size");
}

interface Extras {
  /** The member's name, for messages. */
  readonly rawPath: Uint8Array;
  readonly zip64: Buffer | undefined;
}

function readExtras(area: Buffer, rawPath: Uint8Array, offset: number): Extras {
  const wrong = (what: string) => corruptZip(`${what} at "${nameOf(rawPath)}"`, offset);
  const found = new Map<number, Buffer>();
  for (let at = 0; at < area.length; ) {
    if (at + 4 > area.length) throw wrong("an extra field that is cut short");
    const id = area.readUInt16LE(at);
    const next = at + 4 + area.readUInt16LE(at + 2);
    if (next > area.length) throw wrong("an extra field that is cut short");
    if (found.has(id)) throw wrong("an extra field that comes twice");
    found.set(id, area.subarray(at + 4, next));
    at = next;
  }
  if (found.has(AES_EXTRA)) throw unsupportedZip(`encryption for "${nameOf(rawPath)}"`, offset);
  const path = found.get(UNICODE_PATH_EXTRA);
  if (path && !path.subarray(5).equals(rawPath)) throw wrong("two names");
  return { zip64: found.get(ZIP64_EXTRA), rawPath };
}

/** Fields that do not fit into 32 bits are in the zip64 field, in this order, and only those. */
function largeFields(fields: readonly number[], { zip64, rawPath }: Extras, offset: number): [number, number, number] {
  const wrong = (what: string) => corruptZip(`${what} at "${nameOf(rawPath)}"`, offset);
  let at = 0;
  const values = fields.map((field) => {
    if (field !== MAX_U32) return field;
    if (!zip64 || at + 8 > zip64.length) throw wrong("a size without its zip64 field");
    at += 8;
    const value = zip64.readBigUInt64LE(at - 8);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw wrong("an impossible number");
    return Number(value);
  });
  if (zip64 && at !== zip64.length) throw wrong("a zip64 field that is not asked for");
  return [values[0] ?? 0, values[1] ?? 0, values[2] ?? 0];
}

/** Two members, or a member and the directory, that claim the same bytes. */
export function overlap({ rawPath, localAt }: ZipEntry): ModelbenchError {
  return corruptZip(`members that overlap, "${nameOf(rawPath)}" first,`, localAt);
}

function contradiction({ rawPath }: ZipEntry, what: string, offset: number): ModelbenchError {
  return corruptZip(`the header of "${nameOf(rawPath)}" says ${what} than the directory does`, offset);
}

function nameOf(rawPath: Uint8Array): string {
  return visible(Buffer.from(rawPath).toString());
}
