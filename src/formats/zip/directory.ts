import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { overlap, readCentralEntry, type ZipEntry } from "./entry";
import { bounded, corruptZip, unsupportedZip } from "./zipErrors";

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const END64_SIGNATURE = 0x06064b50;
const END64_BYTES = 56;
const LOCATOR_SIGNATURE = 0x07064b50;
const LOCATOR_BYTES = 20;
/** The comment behind the end record has a length of two bytes. */
const MAX_COMMENT = 0xffff;
/** Room for tens of thousands of long names with their extra fields. */
const MAX_DIRECTORY_BYTES = 32 * 1024 * 1024;

/** What a zip file says it holds. */
export interface ZipDirectory {
  /** In the order of their data, which covers the file from its first byte to the directory without a gap. */
  readonly entries: readonly ZipEntry[];
  /** Sum of the sizes claimed. */
  readonly claimedBytes: number;
}

interface End {
  /** Where the end records begin: the directory must reach up to here. */
  readonly at: number;
  readonly count: number;
  readonly directoryBytes: number;
  readonly directoryAt: number;
}

/**
 * Reads the central directory. Strict where two readers could see two archives: one end record only, the directory
 * directly before it, members side by side from the first byte on, no field said twice.
 * @param checkCount hears how many members there are before they are read; may throw
 * @throws ModelbenchError `archive.corrupt`, `archive.unsafe`, `archive.format`
 */
export function readZipDirectory(reader: PositionalReader, checkCount: (count: number) => void): ZipDirectory {
  const end = findEnd(reader);
  checkCount(end.count);
  if (end.directoryBytes > MAX_DIRECTORY_BYTES) {
    const message = `The zip file's directory has ${end.directoryBytes} bytes; at most ${MAX_DIRECTORY_BYTES} are read.`;
    throw new ModelbenchError("archive.unsafe", message, { offset: end.directoryAt });
  }
  if (end.directoryAt + end.directoryBytes !== end.at)
    throw corruptZip("a directory that is not where it ends", end.at);
  const directory = Buffer.from(new Uint8Array(reader.read(end.directoryAt, end.directoryBytes)));
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < end.count; i++) {
    const { entry, next } = readCentralEntry(directory, at, end.directoryAt);
    entries.push(entry);
    at = next;
  }
  if (at !== directory.length) throw corruptZip("bytes behind the directory's last member", end.directoryAt + at);
  return { entries: sideBySide(entries, end.directoryAt), claimedBytes: entries.reduce((sum, e) => sum + e.bytes, 0) };
}

/** Sorted by place, each with the place where the next one begins. */
function sideBySide(entries: readonly ZipEntry[], directoryAt: number): ZipEntry[] {
  const sorted = [...entries].sort((a, b) => a.localAt - b.localAt);
  if (sorted.length > 0 && sorted[0]?.localAt !== 0) throw corruptZip("bytes before the first member", 0);
  if (sorted.length === 0 && directoryAt !== 0) throw corruptZip("bytes that belong to no member", 0);
  return sorted.map((entry, i) => {
    const end = sorted[i + 1]?.localAt ?? directoryAt;
    if (end <= entry.localAt) throw overlap(entry);
    return { ...entry, end };
  });
}

function findEnd(reader: PositionalReader): End {
  const tailAt = Math.max(0, reader.size - END_BYTES - MAX_COMMENT);
  const tail = Buffer.from(new Uint8Array(reader.read(tailAt, reader.size - tailAt)));
  const found: number[] = [];
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) === END_SIGNATURE && at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length) {
      found.push(at);
    }
  }
  const [at] = found;
  if (at === undefined) throw corruptZip("no end record", Math.max(0, reader.size - END_BYTES));
  if (found.length > 1) throw corruptZip("two end records", tailAt + at);
  return readEnd(reader, tail.subarray(at, at + END_BYTES), tailAt + at);
}

function readEnd(reader: PositionalReader, record: Buffer, at: number): End {
  const disks = [record.readUInt16LE(4), record.readUInt16LE(6)];
  const counts = [record.readUInt16LE(8), record.readUInt16LE(10)];
  const plain = {
    at,
    count: counts[1] ?? 0,
    directoryBytes: record.readUInt32LE(12),
    directoryAt: record.readUInt32LE(16),
  };
  const large = plain.count === 0xffff || plain.directoryBytes === 0xffffffff || plain.directoryAt === 0xffffffff;
  // PyTorch writes the zip64 record into every archive, also where nothing is that large.
  if (large || hasLocator(reader, at)) return readEnd64(reader, at, plain);
  if (disks.some((disk) => disk !== 0) || counts[0] !== counts[1]) throw unsupportedZip("several volumes", at);
  return plain;
}

function hasLocator(reader: PositionalReader, endAt: number): boolean {
  const at = endAt - LOCATOR_BYTES;
  return at >= 0 && Buffer.from(new Uint8Array(reader.read(at, 4))).readUInt32LE(0) === LOCATOR_SIGNATURE;
}

function readEnd64(reader: PositionalReader, endAt: number, plain: End): End {
  const locatorAt = endAt - LOCATOR_BYTES;
  if (locatorAt < END64_BYTES) throw corruptZip("no zip64 end record", endAt);
  const locator = Buffer.from(new Uint8Array(reader.read(locatorAt, LOCATOR_BYTES)));
  const at = locatorAt - END64_BYTES;
  const record = Buffer.from(new Uint8Array(reader.read(at, END64_BYTES)));
  const sound =
    locator.readUInt32LE(0) === LOCATOR_SIGNATURE &&
    record.readUInt32LE(0) === END64_SIGNATURE &&
    locator.readBigUInt64LE(8) === BigInt(at) &&
    record.readBigUInt64LE(4) === BigInt(END64_BYTES - 12);
  if (!sound) throw corruptZip("no zip64 end record where it should be", at);
  const disks = [locator.readUInt32LE(4), record.readUInt32LE(16), record.readUInt32LE(20)];
  if (disks.some((disk) => disk !== 0) || locator.readUInt32LE(16) > 1) throw unsupportedZip("several volumes", at);
  const large = {
    at,
    count: bounded(record.readBigUInt64LE(32), at),
    directoryBytes: bounded(record.readBigUInt64LE(40), at),
    directoryAt: bounded(record.readBigUInt64LE(48), at),
  };
  const agree =
    record.readBigUInt64LE(24) === record.readBigUInt64LE(32) &&
    (plain.count === 0xffff || plain.count === large.count) &&
    (plain.directoryBytes === 0xffffffff || plain.directoryBytes === large.directoryBytes) &&
    (plain.directoryAt === 0xffffffff || plain.directoryAt === large.directoryAt);
  if (!agree) throw corruptZip("two end records that contradict each other", at);
  return large;
}
