import type { PositionalReader } from "../../base/ports";

const BLOCK = 512;
/** Members beyond these are not looked at. */
const MAX_MEMBERS = 10_000;

/** A regular file of an archive; its name is as it stands there. */
export interface TarMember {
  readonly name: string;
  readonly dataAt: number;
  readonly bytes: number;
}

/** The regular files of a plain tar archive, as far as its headers can be followed. */
export interface TarListing {
  readonly members: readonly TarMember[];
  /** Where what follows is no header, unless that is the end of the archive. */
  readonly brokenAt: number | undefined;
}

/** Whether a file begins with the header of a tar archive: its checksum fits. */
export function isTar(reader: PositionalReader): boolean {
  return reader.size >= BLOCK && isHeader(Buffer.from(reader.read(0, BLOCK)));
}

/** Lists the files of an archive that `isTar` found. */
export function tarMembers(reader: PositionalReader): TarListing {
  const members: TarMember[] = [];
  for (let at = 0; ; ) {
    if (at + BLOCK > reader.size) return { members, brokenAt: undefined };
    const head = Buffer.from(reader.read(at, BLOCK));
    if (head.every((byte) => byte === 0)) return { members, brokenAt: undefined };
    const text = head.toString("latin1");
    const size = Number.parseInt(text.slice(124, 136), 8);
    const isSound = isHeader(head) && Number.isSafeInteger(size) && size >= 0;
    if (!isSound || members.length >= MAX_MEMBERS) return { members, brokenAt: at };
    const dataAt = at + BLOCK;
    const bytes = Math.min(size, reader.size - dataAt);
    const kind = text[156] ?? "";
    if ((kind === "0" || kind === "\0") && bytes > 0) {
      members.push({ name: text.slice(0, 100).replace(/\0.*$/s, ""), dataAt, bytes });
    }
    at = dataAt + Math.ceil(size / BLOCK) * BLOCK;
  }
}

/** The sum of all bytes, those of the sum itself taken as blanks. */
function isHeader(head: Buffer): boolean {
  const stated = Number.parseInt(head.toString("latin1", 148, 156), 8);
  let sum = 0;
  for (const [at, byte] of head.entries()) sum += at >= 148 && at < 156 ? 0x20 : byte;
  return sum === stated;
}
