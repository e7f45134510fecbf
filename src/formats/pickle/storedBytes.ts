import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { bufferReader } from "../bufferReader";
import { items } from "./numpyTypes";
import { importOf, type LongTextNode, type Value } from "./values";

/** Longest text that is made bytes of: it is held in memory while the array is looked at. */
const MAX_DECODED_BYTES = 256 * 1024 ** 2;

/** Where the bytes of an array stand in a pickle's own range: as they are, or as a text whose letters they are. */
export type StoredBytes =
  | { readonly kind: "inline"; readonly offset: number; readonly bytes: number }
  | { readonly kind: "text"; readonly text: string | LongTextNode; readonly bytes: number };

/**
 * The `count` bytes that a value is, as numpy takes them. Protocols below 3 have no bytes: Python 3 writes
 * `_codecs.encode(text, "latin1")`, Python 2 a text of its own.
 */
export function storedBytes(value: Value | undefined, count: number): StoredBytes | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return isLatin(value, count) ? { kind: "text", text: value, bytes: count } : undefined;
  if (typeof value !== "object") return undefined;
  if (value.kind === "bytes" || value.kind === "bytearray") {
    return value.length === count ? { kind: "inline", offset: value.offset, bytes: count } : undefined;
  }
  if (value.kind === "longText") return longText(value, count);
  if (value.kind !== "call" || importOf(value) !== value.callee) return undefined;
  const { module, name } = importOf(value) ?? {};
  const args = items(value.args) ?? [];
  if (module === "_codecs" && name === "encode" && args[1] === "latin1" && args.length === 2)
    return encoded(args[0], count);
  const isEmpty = module === "builtins" && name === "bytes" && args.length === 0;
  return isEmpty && count === 0 ? { kind: "inline", offset: 0, bytes: 0 } : undefined;
}

/** The bytes of a text, made when they are asked for. @param shift of the pickle's own range in `source` */
export function textReader(
  source: PositionalReader,
  { text, bytes: count }: Extract<StoredBytes, { kind: "text" }>,
  shift: number,
): PositionalReader {
  if (typeof text === "string") return bufferReader(Buffer.from(text, "latin1"));
  let decoded: PositionalReader | undefined;
  const bytes = (): PositionalReader => {
    decoded ??= bufferReader(decode(source.read(shift + text.offset, text.length), text.isUtf8, count));
    return decoded;
  };
  return { size: count, read: (offset, length) => bytes().read(offset, length) };
}

function encoded(text: Value | undefined, count: number): StoredBytes | undefined {
  const isText = typeof text === "string" || (text !== null && typeof text === "object" && text.kind === "longText");
  return isText ? storedBytes(text, count) : undefined;
}

/** Whether each letter is one byte. */
function isLatin(text: string, count: number): boolean {
  return text.length === count && !/[^\0-\xff]/.test(text);
}

/** How many letters UTF-8 has is known when it was read; each is one byte or two. */
function longText(text: LongTextNode, count: number): StoredBytes | undefined {
  const isLength = text.isUtf8 ? count <= text.length && text.length <= 2 * count : text.length === count;
  return isLength && text.length <= MAX_DECODED_BYTES ? { kind: "text", text, bytes: count } : undefined;
}

/** @throws ModelbenchError `tensor.unreadable` */
function decode(bytes: Uint8Array, isUtf8: boolean, count: number): Uint8Array {
  if (!isUtf8) return bytes;
  const text = Buffer.from(bytes).toString("utf8");
  if (!isLatin(text, count)) {
    throw new ModelbenchError("tensor.unreadable", "The text that holds the values of the array does not go with it.");
  }
  return Buffer.from(text, "latin1");
}
