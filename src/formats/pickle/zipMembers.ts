import type { PositionalReader } from "../../base/ports";
import { visible } from "../../base/visible";

const END = 0x06054b50;
const END_BYTES = 22;
const END64 = 0x06064b50;
const END64_BYTES = 56;
const LOCATOR = 0x07064b50;
const LOCATOR_BYTES = 20;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const MAX_U16 = 0xffff;
const MAX_U32 = 0xffffffff;
/** Of a directory no more is read. */
const MAX_DIRECTORY_BYTES = 32 * 1024 * 1024;
/** Of gaps between members no more is searched. */
const MAX_GAP_BYTES = 1024 * 1024;
/** A data descriptor behind a member. */
const DESCRIPTOR_BYTES = 24;

/** A member as a forgiving reader finds it. */
export interface ForgivingMember {
  /** As the directory says; as its own header says where the directory does not know it. */
  readonly name: string;
  readonly dataAt: number;
  readonly packedBytes: number;
  /** What is claimed; `undefined` when only the directory of a broken archive could tell. */
  readonly bytes: number | undefined;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly isEncrypted: boolean;
  readonly crc32: number | undefined;
}

/** Something about an archive that strict readers stop at. */
export interface ZipProblem {
  readonly kind: "header" | "flag" | "name" | "hidden" | "prefix" | "suffix" | "directory";
  readonly message: string;
  readonly offset: number;
}

/** A zip archive somewhere in a file. */
export interface ForgivingZip {
  /** Offset of its first member. */
  readonly start: number;
  readonly members: readonly ForgivingMember[];
  readonly problems: readonly ZipProblem[];
}

interface Directory {
  readonly at: number;
  readonly bytes: number;
  /** What has to be added to the offsets in it. */
  readonly shift: number;
  /** Behind the end record. */
  readonly end: number;
  /** Whether another reader may take another directory, by an end record that says something else. */
  readonly isContradicted: boolean;
}

/** What an end record says of the directory, which stands directly before `behind`. */
interface End {
  readonly bytes: number;
  readonly offset: number;
  readonly behind: number;
}

interface Listed extends ForgivingMember {
  readonly localAt: number;
  readonly flags: number;
}

/**
 * Finds a zip archive wherever it stands in a file, as the loaders of frameworks do, and lists its members whatever is
 * wrong with them: what one reader refuses, another one loads.
 * @returns `undefined` when there is no archive
 */
export function findZip(reader: PositionalReader): ForgivingZip | undefined {
  const directory = findDirectory(reader);
  if (!directory) return startsLikeZip(reader) ? withoutDirectory(reader) : undefined;
  const problems: ZipProblem[] = [];
  if (directory.isContradicted) {
    const message = "The end records of the zip archive contradict each other.";
    problems.push({ kind: "directory", message, offset: directory.at + directory.bytes });
  }
  const listed = readDirectory(reader, directory, problems);
  const members = listed.flatMap((member) => placed(reader, member, problems) ?? []);
  const start = Math.min(directory.at, ...listed.slice(0, 10_000).map(({ localAt }) => localAt));
  const hidden = hiddenMembers(reader, start, directory.at, listed, members, problems);
  if (start > 0) problems.push({ kind: "prefix", message: `${start} bytes stand before the zip archive.`, offset: 0 });
  const rest = reader.size - directory.end;
  if (rest > 0) {
    problems.push({ kind: "suffix", message: `${rest} bytes follow the zip archive.`, offset: directory.end });
  }
  return { start, members: [...members, ...hidden], problems };
}

/** Whether a file begins with a member of a zip archive, where no pickle can begin. */
export function startsLikeZip(reader: PositionalReader): boolean {
  return reader.size >= LOCAL_BYTES && copy(reader, 0, 4).readUInt32LE(0) === LOCAL;
}

function withoutDirectory(reader: PositionalReader): ForgivingZip {
  const members: ForgivingMember[] = [];
  const problems: ZipProblem[] = [
    { kind: "directory", message: "The zip archive has no directory; its members are looked for.", offset: 0 },
  ];
  searchLocals(reader, 0, reader.size, members, problems);
  return { start: 0, members, problems };
}

function findDirectory(reader: PositionalReader): Directory | undefined {
  const tailAt = Math.max(0, reader.size - END_BYTES - MAX_U16);
  const tail = copy(reader, tailAt, reader.size - tailAt);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail[at] !== 0x50 || tail.readUInt32LE(at) !== END) continue;
    const found = directoryOf(reader, tail.subarray(at, at + END_BYTES), tailAt + at);
    if (found) return { ...found, end: Math.min(reader.size, tailAt + at + END_BYTES + tail.readUInt16LE(at + 20)) };
  }
  return undefined;
}

/** The directory stands directly before its end record, whatever came before the archive. */
function directoryOf(reader: PositionalReader, end: Buffer, endAt: number): Omit<Directory, "end"> | undefined {
  const plain = { bytes: end.readUInt32LE(12), offset: end.readUInt32LE(16), behind: endAt };
  const plainly = directoryBefore(reader, plain);
  const locatorAt = endAt - LOCATOR_BYTES;
  const locator = locatorAt < END64_BYTES ? undefined : copy(reader, locatorAt, LOCATOR_BYTES);
  if (locator?.readUInt32LE(0) !== LOCATOR) return plainly;
  // PyTorch writes this record into every archive, and where there is one, Python and PyTorch go by it alone.
  const large = end64(reader, locatorAt - END64_BYTES);
  const found = large && directoryBefore(reader, large);
  if (!found) return plainly && { ...plainly, isContradicted: true };
  const statedAt = Number(locator.readBigUInt64LE(8)) + found.shift;
  const isContradicted =
    statedAt !== large.behind ||
    (plain.bytes !== MAX_U32 && plain.bytes !== large.bytes) ||
    (plain.offset !== MAX_U32 && plain.offset !== large.offset);
  return { ...found, isContradicted };
}

function directoryBefore(reader: PositionalReader, { bytes, offset, behind }: End): Omit<Directory, "end"> | undefined {
  const at = behind - bytes;
  if (at < 0 || offset > at) return undefined;
  if (bytes >= CENTRAL_BYTES && copy(reader, at, 4).readUInt32LE(0) !== CENTRAL) return undefined;
  return { at, bytes, shift: at - offset, isContradicted: false };
}

function end64(reader: PositionalReader, behind: number): End | undefined {
  const record = copy(reader, behind, END64_BYTES);
  if (record.readUInt32LE(0) !== END64) return undefined;
  return { bytes: Number(record.readBigUInt64LE(40)), offset: Number(record.readBigUInt64LE(48)), behind };
}

function readDirectory(reader: PositionalReader, directory: Directory, problems: ZipProblem[]): Listed[] {
  const bytes = copy(reader, directory.at, Math.min(directory.bytes, MAX_DIRECTORY_BYTES));
  const members: Listed[] = [];
  let at = 0;
  while (at + CENTRAL_BYTES <= bytes.length && bytes.readUInt32LE(at) === CENTRAL) {
    const nameAt = at + CENTRAL_BYTES;
    const extraAt = nameAt + bytes.readUInt16LE(at + 28);
    const commentAt = extraAt + bytes.readUInt16LE(at + 30);
    if (commentAt > bytes.length) break;
    const sizes = [bytes.readUInt32LE(at + 24), bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 42)];
    const [size = 0, packedBytes = 0, localAt = 0] = large(sizes, bytes.subarray(extraAt, commentAt));
    const flags = bytes.readUInt16LE(at + 8);
    members.push({
      name: bytes.toString("utf8", nameAt, extraAt),
      flags,
      isEncrypted: (flags & 1) !== 0,
      method: bytes.readUInt16LE(at + 10),
      crc32: bytes.readUInt32LE(at + 16),
      bytes: size,
      packedBytes,
      localAt: localAt + directory.shift,
      dataAt: 0,
    });
    at = commentAt + bytes.readUInt16LE(at + 32);
  }
  if (at !== directory.bytes) {
    const message = "The directory of the zip archive is damaged or too long.";
    problems.push({ kind: "directory", message, offset: directory.at + Math.min(at, bytes.length) });
  }
  return members;
}

/** A member with the place of its data, and what its own header says differently. */
function placed(reader: PositionalReader, member: Listed, problems: ZipProblem[]): ForgivingMember | undefined {
  const { localAt, name, packedBytes } = member;
  const local = localAt >= 0 ? readLocal(reader, localAt) : undefined;
  const say = (kind: ZipProblem["kind"], message: string): void => {
    problems.push({
      kind,
      message: `The member "${visible(name, 100)}" ${message}.`,
      offset: Math.max(0, localAt),
    });
  };
  if (!local) return void say("header", "has no header of its own");
  if (local.name !== name) say("name", `calls itself "${visible(local.name, 100)}"`);
  if (member.isEncrypted || local.isEncrypted) say("flag", "is marked as encrypted");
  if (local.method !== member.method) say("header", "states another method of compression in its own header");
  if (local.dataAt + packedBytes > reader.size) say("header", "goes beyond the file");
  return {
    ...member,
    dataAt: local.dataAt,
    isEncrypted: member.isEncrypted || local.isEncrypted,
    packedBytes: Math.min(packedBytes, reader.size - local.dataAt),
  };
}

/** Members between the others that the directory does not name; some readers go by the local headers alone. */
function hiddenMembers(
  reader: PositionalReader,
  start: number,
  end: number,
  listed: readonly Listed[],
  members: readonly ForgivingMember[],
  problems: ZipProblem[],
): ForgivingMember[] {
  const found: ForgivingMember[] = [];
  const starts = listed.map(({ localAt }) => localAt).sort((a, b) => a - b);
  const ends = members.map(({ dataAt, packedBytes }) => dataAt + packedBytes).sort((a, b) => a - b);
  let searched = 0;
  let next = 0;
  for (const from of [start, ...ends]) {
    while (next < starts.length && (starts[next] ?? 0) < from) next += 1;
    const to = Math.min(starts[next] ?? end, end);
    if (to - from <= DESCRIPTOR_BYTES || searched > MAX_GAP_BYTES) continue;
    searched += to - from;
    searchLocals(reader, from, Math.min(to, from + MAX_GAP_BYTES), found, problems);
  }
  return found;
}

function searchLocals(
  reader: PositionalReader,
  from: number,
  to: number,
  found: ForgivingMember[],
  problems: ZipProblem[],
): void {
  const mark = Buffer.from("PK\x03\x04", "latin1");
  for (let at = from; at < to; ) {
    const piece = copy(reader, at, Math.min(MAX_GAP_BYTES, to - at));
    const index = piece.indexOf(mark);
    if (index < 0) {
      at += Math.max(1, piece.length - mark.length);
      if (piece.length <= mark.length) return;
      continue;
    }
    const local = readLocal(reader, at + index);
    if (!local) return;
    const known = local.packedBytes > 0 && local.dataAt + local.packedBytes <= to;
    const packedBytes = known ? local.packedBytes : Math.max(0, to - local.dataAt);
    found.push({ ...local, packedBytes, bytes: undefined });
    const words = `The member "${visible(local.name, 100)}" is not in the archive's directory.`;
    if (found.length <= 100) problems.push({ kind: "hidden", message: words, offset: at + index });
    at = known ? local.dataAt + packedBytes : local.dataAt;
    if (found.length >= 10_000) return;
  }
}

function readLocal(reader: PositionalReader, at: number): ForgivingMember | undefined {
  if (at + LOCAL_BYTES > reader.size) return undefined;
  const head = copy(reader, at, LOCAL_BYTES);
  if (head.readUInt32LE(0) !== LOCAL) return undefined;
  const nameBytes = head.readUInt16LE(26);
  const dataAt = at + LOCAL_BYTES + nameBytes + head.readUInt16LE(28);
  if (dataAt > reader.size) return undefined;
  return {
    name: copy(reader, at + LOCAL_BYTES, nameBytes).toString("utf8"),
    dataAt,
    isEncrypted: (head.readUInt16LE(6) & 1) !== 0,
    method: head.readUInt16LE(8),
    crc32: undefined,
    packedBytes: head.readUInt32LE(18),
    bytes: head.readUInt32LE(22),
  };
}

/** Fields that do not fit stand in the zip64 field, in this order. */
function large(fields: readonly number[], extras: Buffer): number[] {
  let zip64: Buffer = Buffer.alloc(0);
  for (let at = 0; at + 4 <= extras.length; at += 4 + extras.readUInt16LE(at + 2)) {
    if (extras.readUInt16LE(at) === 1) zip64 = extras.subarray(at + 4, at + 4 + extras.readUInt16LE(at + 2));
  }
  let at = 0;
  return fields.map((field) => {
    if (field !== MAX_U32 || at + 8 > zip64.length) return field;
    at += 8;
    return Number(zip64.readBigUInt64LE(at - 8));
  });
}

function copy(reader: PositionalReader, at: number, length: number): Buffer {
  return Buffer.from(reader.read(at, length));
}
