import { createHash } from "node:crypto";
import { pythonFloatRepr } from "../formats/pyYaml";
import type { LeafValue } from "./content";

/** Longest text that is written out; of a longer one the digest is. */
const MAX_TEXT = 200;

/** The value of a leaf in one line, as Python writes it where that differs: floats have a point, bytes their digest. */
export function leafText(value: LeafValue): string {
  if (typeof value === "number") return pythonFloatRepr(value);
  if (typeof value === "string") return value.length <= MAX_TEXT ? JSON.stringify(value) : digest(Buffer.from(value));
  if (value instanceof Uint8Array) return digest(value);
  if (value !== null && typeof value === "object") {
    const imaginary = pythonFloatRepr(value.im);
    return `${pythonFloatRepr(value.re)}${imaginary.startsWith("-") ? "" : "+"}${imaginary}j`;
  }
  return String(value);
}

function digest(bytes: Uint8Array): string {
  return `${bytes.length} bytes, sha256 ${createHash("sha256").update(bytes).digest("hex")}`;
}
