import type { PositionalReader } from "../../base/ports";

const BLOCK = 512;
/** Members beyond these are not looked at. */
const MAX_MEMBERS = 10_000;

/** Whether a file is a tar archive, by the mark in its first header. */
export function isTar(reader: PositionalReader): boolean {
  return reader.size >= BLOCK && Buffer.from(reader.read(257, 5)).toString("latin1") === "ustar";
}

/** The regular files of a plain tar archive, as far as its headers can be followed; names are as they stand there. */
export function tarMembers(reader: PositionalReader): { name: string; dataAt: number; bytes: number }[] {
  const members: { name: string; dataAt: number; bytes: number }[] = [];
  for (let at = 0; at + BLOCK <= reader.size && members.length < MAX_MEMBERS; ) {
    const head = Buffer.from(reader.read(at, BLOCK)).toString("latin1");
    const size = Number.parseInt(head.slice(124, 136), 8);
    if (head.slice(257, 262) !== "ustar" || !Number.isSafeInteger(size) || size < 0) break;
    const dataAt = at + BLOCK;
    const bytes = Math.min(size, reader.size - dataAt);
    const kind = head[156] ?? "";
    if ((kind === "0" || kind === "\0") && bytes > 0) {
      members.push({ name: head.slice(0, 100).replace(/\0.*$/s, ""), dataAt, bytes });
    }
    at = dataAt + Math.ceil(size / BLOCK) * BLOCK;
  }
  return members;
}
