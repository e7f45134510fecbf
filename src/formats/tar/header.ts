import { ModelbenchError } from "../../base/errors";
import { visible } from "../../base/visible";

/** A tar archive is a row of such blocks. */
export const TAR_BLOCK = 512;

/** One header block, checked; names are bytes because only the gate knows what a name may be. */
export interface TarHeader {
  /** `0` file, `5` directory, `x`, `g`, `L`, and so on; a NUL is `0`. */
  readonly type: string;
  /** Prefix and name joined. */
  readonly rawPath: Uint8Array;
  readonly bytes: number;
  readonly executable: boolean;
}

/** A tar error at a byte of the (decompressed) archive. */
export function corruptTar(message: string, offset: number): ModelbenchError {
  return new ModelbenchError("archive.corrupt", `Damaged tar: ${message} at byte ${offset}.`, { offset });
}

/**
 * Reads one non-zero block as a header. Strict where two readers could disagree about what follows: checksum,
 * numbers, dialect, bytes behind a name's NUL, the area where GNU keeps what POSIX calls the prefix.
 * @param offset where the block starts, for messages
 * @throws ModelbenchError `archive.corrupt`
 */
export function readTarHeader(block: Uint8Array, offset: number): TarHeader {
  checkSum(block, offset);
  const gnu = readDialect(block, offset) === "gnu";
  const name = readText(block, 0, 100, "name", offset);
  if (gnu && block.subarray(345, 500).some((byte) => byte !== 0)) {
    throw inHeader("GNU extra fields (times, sparse map), which are not supported,", block, offset);
  }
  const prefix = gnu ? new Uint8Array(0) : readText(block, 345, 155, "prefix", offset);
  return {
    type: block[156] === 0 ? "0" : String.fromCharCode(block[156] ?? 0),
    rawPath: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]),
    bytes: readSize(block, offset),
    executable: ((readOctal(block.subarray(100, 108)) ?? 0) & 0o100) !== 0,
  };
}

function checkSum(block: Uint8Array, offset: number): void {
  let sum = 0;
  for (let i = 0; i < TAR_BLOCK; i++) sum += i >= 148 && i < 156 ? 0x20 : (block[i] ?? 0);
  if (readOctal(block.subarray(148, 156)) !== sum) throw corruptTar("the checksum of a header does not fit", offset);
}

function readDialect(block: Uint8Array, offset: number): "posix" | "gnu" {
  const magic = Buffer.from(block.subarray(257, 265)).toString("latin1");
  if (magic === "ustar\x0000") return "posix";
  if (magic === "ustar  \0") return "gnu";
  throw inHeader("neither POSIX nor GNU tar", block, offset);
}

/** A failure in a header whose checksum fits, so that the name in it can be told. */
function inHeader(message: string, block: Uint8Array, offset: number): ModelbenchError {
  const name = Buffer.from(block.subarray(0, 100)).toString().split("\0", 1)[0] ?? "";
  return corruptTar(`${message} in the header of "${visible(name)}"`, offset);
}

function readText(block: Uint8Array, start: number, length: number, field: string, offset: number): Uint8Array {
  const area = block.subarray(start, start + length);
  const end = area.indexOf(0);
  if (end < 0) return area.slice();
  if (area.subarray(end).some((byte) => byte !== 0)) throw inHeader(`bytes hidden behind the ${field}`, block, offset);
  return area.slice(0, end);
}

/** Octal digits, spaces before, NULs or spaces after; all empty is 0; anything else is `undefined`. */
function readOctal(field: Uint8Array): number | undefined {
  const text = Buffer.from(field).toString("latin1");
  const match = /^ *([0-7]*)[ \0]*$/.exec(text);
  return match ? Number.parseInt(match[1] || "0", 8) : undefined;
}

function readSize(block: Uint8Array, offset: number): number {
  const field = block.subarray(124, 136);
  const size = (field[0] ?? 0) >= 0x80 ? readBase256(field) : readOctal(field);
  if (size === undefined) throw inHeader("an impossible member size", block, offset);
  return size;
}

/** GNU's binary numbers, used for sizes from 8 GiB on; negative ones and those beyond 2^53 are impossible here. */
function readBase256(field: Uint8Array): number | undefined {
  if (field[0] !== 0x80) return undefined;
  const value = BigInt(`0x${Buffer.from(field.subarray(1)).toString("hex")}`);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}
