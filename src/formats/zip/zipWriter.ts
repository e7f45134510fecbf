/** Sizes and places from here on are written in 64 bits; a deflated member may grow a little beyond its size. */
const LARGE = 0xfff00000;
const MAX_U32 = 0xffffffff;
const MAX_U16 = 0xffff;
const UTF8 = 0x0800;
const MADE_BY_UNIX = 0x0300;

/** A member as its headers state it. */
export interface ZipMember {
  /** With `/`; a folder ends in `/`. */
  readonly path: string;
  readonly kind: "file" | "directory";
  /** Permission bits. */
  readonly mode: number;
  /** Milliseconds since the epoch; written as local time, two seconds apart, as zip has it. */
  readonly mtimeMs: number;
  readonly method: "stored" | "deflated";
  readonly bytes: number;
  readonly packedBytes: number;
  readonly crc32: number;
}

/** The header before a member's data. Its length does not depend on what is known only behind the data. */
export function localHeader(member: ZipMember): Uint8Array {
  const large = member.bytes >= LARGE;
  const extra = large ? extraField(words64(member.bytes, member.packedBytes)) : Buffer.alloc(0);
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  writeCommon(head, 4, member, large, extra.length);
  return Buffer.concat([head, Buffer.from(member.path), extra]);
}

/** The member's entry in the directory. @param at where its local header is */
export function directoryEntry(member: ZipMember, at: number): Uint8Array {
  const large = member.bytes >= LARGE;
  const far = at >= LARGE;
  const fields = [...(large ? [member.bytes, member.packedBytes] : []), ...(far ? [at] : [])];
  const extra = fields.length > 0 ? extraField(words64(...fields)) : Buffer.alloc(0);
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x02014b50, 0);
  head.writeUInt16LE(MADE_BY_UNIX | versionFor(large || far), 4);
  writeCommon(head, 6, member, large, extra.length);
  if (far) head.writeUInt16LE(versionFor(true), 6);
  const type = member.kind === "directory" ? 0o040000 : 0o100000;
  head.writeUInt32LE((((type | member.mode) << 16) | (member.kind === "directory" ? 0x10 : 0)) >>> 0, 38);
  head.writeUInt32LE(far ? MAX_U32 : at, 42);
  return Buffer.concat([head, Buffer.from(member.path), extra]);
}

/** The records that end the file. @param at where the directory begins */
export function endRecords(count: number, at: number, bytes: number): Uint8Array {
  const large = count >= MAX_U16 || at >= LARGE || bytes >= LARGE;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(large ? MAX_U16 : count, 8);
  end.writeUInt16LE(large ? MAX_U16 : count, 10);
  end.writeUInt32LE(large ? MAX_U32 : bytes, 12);
  end.writeUInt32LE(large ? MAX_U32 : at, 16);
  return large ? Buffer.concat([endRecords64(count, at, bytes), end]) : end;
}

function endRecords64(count: number, at: number, bytes: number): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0x06064b50, 0);
  head.writeBigUInt64LE(44n, 4);
  head.writeUInt16LE(MADE_BY_UNIX | versionFor(true), 12);
  head.writeUInt16LE(versionFor(true), 14);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(at + bytes), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([head, words64(count, count, bytes, at), locator]);
}

function writeCommon(head: Buffer, at: number, member: ZipMember, large: boolean, extraBytes: number): void {
  const { day, time } = dosTime(member.mtimeMs);
  head.writeUInt16LE(versionFor(large), at);
  head.writeUInt16LE(/^[\x20-\x7e]*$/.test(member.path) ? 0 : UTF8, at + 2);
  head.writeUInt16LE(member.method === "stored" ? 0 : 8, at + 4);
  head.writeUInt16LE(time, at + 6);
  head.writeUInt16LE(day, at + 8);
  head.writeUInt32LE(member.crc32, at + 10);
  head.writeUInt32LE(large ? MAX_U32 : member.packedBytes, at + 14);
  head.writeUInt32LE(large ? MAX_U32 : member.bytes, at + 18);
  head.writeUInt16LE(Buffer.byteLength(member.path), at + 22);
  head.writeUInt16LE(extraBytes, at + 24);
}

function versionFor(large: boolean): number {
  return large ? 45 : 20;
}

function extraField(body: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(1, 0);
  head.writeUInt16LE(body.length, 2);
  return Buffer.concat([head, body]);
}

function words64(...values: readonly number[]): Buffer {
  const body = Buffer.alloc(values.length * 8);
  for (const [i, value] of values.entries()) body.writeBigUInt64LE(BigInt(value), i * 8);
  return body;
}

/** From 1980 to 2107; what is before or after becomes the nearest. */
function dosTime(mtimeMs: number): { day: number; time: number } {
  const date = new Date(mtimeMs);
  const year = date.getFullYear();
  if (!(year >= 1980)) return { day: 0x21, time: 0 };
  if (year > 2107) return { day: 0xff9f, time: 0xbf7d };
  return {
    day: ((year - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate(),
    time: (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1),
  };
}
