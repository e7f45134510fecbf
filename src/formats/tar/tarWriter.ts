import { TAR_BLOCK } from "./header";

/** What a member's header says. */
export interface TarMember {
  /** Path as stored, with `/`; a directory ends in `/`. */
  readonly path: string;
  readonly kind: "file" | "directory";
  /** Content length; 0 for a directory. */
  readonly bytes: number;
  /** Permission bits. */
  readonly mode: number;
  /** Whole seconds since the epoch. */
  readonly mtime: number;
}

/** Sizes beyond this do not fit the octal field. */
const MAX_OCTAL_SIZE = 0o77777777777;

/**
 * The header blocks of one member in PAX format: one block, or three and more where a name or size does not fit.
 * Owners are left at 0, so that an archive says nothing about the machine it was made on.
 */
export function tarHeader(member: TarMember): Uint8Array {
  const path = Buffer.from(member.path);
  const records: string[] = [];
  if (path.length > 100 || path.some((byte) => byte > 0x7e)) records.push(paxRecord("path", member.path));
  if (member.bytes > MAX_OCTAL_SIZE) records.push(paxRecord("size", String(member.bytes)));
  const own = headerBlock(path.subarray(0, 100), member.kind === "directory" ? "5" : "0", member);
  if (records.length === 0) return own;
  const body = Buffer.from(records.join(""));
  const extra = headerBlock(Buffer.from("././@PaxHeader"), "x", { bytes: body.length, mode: 0o644, mtime: 0 });
  return Buffer.concat([extra, body, Buffer.alloc(tarPadding(body.length)), own]);
}

/** Zero bytes that follow a member's content. */
export function tarPadding(bytes: number): number {
  return (TAR_BLOCK - (bytes % TAR_BLOCK)) % TAR_BLOCK;
}

/** Zero bytes that end an archive of `bytes`: two blocks, filled up to a record of 10,240 as other writers do. */
export function tarEnd(bytes: number): number {
  const least = bytes + 2 * TAR_BLOCK;
  return Math.ceil(least / 10_240) * 10_240 - bytes;
}

function headerBlock(
  path: Uint8Array,
  type: string,
  { bytes, mode, mtime }: Pick<TarMember, "bytes" | "mode" | "mtime">,
): Uint8Array {
  const block = Buffer.alloc(TAR_BLOCK);
  block.set(path, 0);
  writeOctal(block, 100, 8, mode & 0o777);
  writeOctal(block, 108, 8, 0);
  writeOctal(block, 116, 8, 0);
  writeOctal(block, 124, 12, bytes > MAX_OCTAL_SIZE ? 0 : bytes);
  writeOctal(block, 136, 12, Math.min(Math.max(0, mtime), MAX_OCTAL_SIZE));
  block.write("        ", 148, "latin1");
  block.write(type, 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  writeOctal(block, 329, 8, 0);
  writeOctal(block, 337, 8, 0);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function writeOctal(block: Buffer, at: number, length: number, value: number): void {
  block.write(`${value.toString(8).padStart(length - 1, "0")}\0`, at, "latin1");
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}
