import { corruptTar } from "./header";

/** What pax records may change about the member that follows. */
export interface PaxRecords {
  readonly rawPath: Uint8Array | undefined;
  readonly bytes: number | undefined;
}

/** Records that say nothing about where or how much is written; they are read and left alone. */
const HARMLESS = new Set(["mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"]);
/** Vendors' own records (extended attributes and the like). GNU's sparse maps would change the content's length. */
const VENDOR = /^(?!GNU\.sparse)[A-Z][A-Za-z0-9]*\./;

/**
 * Reads the body of an `x` header: records `LENGTH KEY=VALUE\n`.
 * @param offset where the body starts, for messages
 * @throws ModelbenchError `archive.corrupt` for a wrong length, a repeated or an unknown key
 */
export function readPaxRecords(body: Uint8Array, offset: number): PaxRecords {
  const found = new Map<string, Uint8Array>();
  let at = 0;
  while (at < body.length) {
    const { key, value, next } = readRecord(body, at, offset);
    if (found.has(key)) throw corruptTar(`the pax record ${key} comes twice`, offset + at);
    if (key !== "path" && key !== "size" && !HARMLESS.has(key) && !VENDOR.test(key)) {
      throw corruptTar(`a pax record ${key}, which is not supported,`, offset + at);
    }
    found.set(key, value);
    at = next;
  }
  return { rawPath: found.get("path"), bytes: readSize(found.get("size"), offset) };
}

/**
 * Checks the body of a `g` header, which would speak for all members: only remarks are let through.
 * @throws ModelbenchError `archive.corrupt`
 */
export function checkGlobalPax(body: Uint8Array, offset: number): void {
  const { rawPath, bytes } = readPaxRecords(body, offset);
  if (rawPath || bytes !== undefined) throw corruptTar("a pax path or size meant for every member", offset);
}

function readRecord(body: Uint8Array, at: number, offset: number): { key: string; value: Uint8Array; next: number } {
  const wrong = () => corruptTar("a pax record whose length is wrong", offset + at);
  const head = Buffer.from(body.subarray(at, at + 12)).toString("latin1");
  const digits = /^([1-9][0-9]{0,9}) /.exec(head)?.[1];
  if (!digits) throw wrong();
  const next = at + Number(digits);
  const start = at + digits.length + 1;
  const equals = body.indexOf(0x3d, start);
  if (next > body.length || equals < 0 || equals >= next || body[next - 1] !== 0x0a) throw wrong();
  const key = Buffer.from(body.subarray(start, equals)).toString("latin1");
  if (!/^[\x21-\x7e]{1,100}$/.test(key)) throw corruptTar("a pax record without a proper key", offset + at);
  return { key, value: body.slice(equals + 1, next - 1), next };
}

function readSize(value: Uint8Array | undefined, offset: number): number | undefined {
  if (!value) return undefined;
  const text = Buffer.from(value).toString("latin1");
  const size = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw corruptTar("a pax size that is no number", offset);
  return size;
}
