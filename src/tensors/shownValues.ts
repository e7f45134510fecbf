import { decodeElements, type Element, elementCount } from "../formats/elements";
import type { Tensor } from "../formats/tensor";

/** A shown value: a number where JavaScript is exact, else text (64-bit integers, -0, NaN, infinities, complex). */
export type ShownValue = number | string | boolean;

/** Most UTF-16 units of all shown texts together; in UTF-8 they stay below 1 MiB. */
const MAX_TEXT = (1 << 20) / 3;

/**
 * Every value in its shown form, row-major. Texts too long to be shown beside all others end in `…`.
 * @throws ModelbenchError `format.corrupt`
 */
export function shownValues(tensor: Tensor): ShownValue[] {
  const elements = decodeElements(tensor);
  if (tensor.dtype !== "string") return elements.map(shownValue);
  const longest = Math.floor(MAX_TEXT / Math.max(1, elementCount(tensor.shape)));
  return elements.map((text) => cut(String(text), longest));
}

/** Bytes of a leaf that are shown. */
const LEAF_BYTES = 4_096;

/** What a leaf that is no array says, in its shown form: bytes as hexadecimal pairs, what is too long cut. */
export function shownLeaf(leaf: Element | Uint8Array | null): ShownValue {
  if (leaf === null) return "None";
  if (typeof leaf === "string") return cut(leaf, MAX_TEXT);
  if (!(leaf instanceof Uint8Array)) return shownValue(leaf);
  const shown = Array.from(leaf.subarray(0, LEAF_BYTES), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return leaf.length > LEAF_BYTES ? `${shown} …` : shown;
}

/** One decoded element in its shown form. */
export function shownValue(element: Element): ShownValue {
  if (typeof element === "number") return Number.isFinite(element) && !Object.is(element, -0) ? element : text(element);
  if (typeof element === "bigint") return element.toString();
  if (typeof element !== "object") return element;
  // As Python writes it, and as `complex()` reads it.
  const imaginary = text(element.im);
  return `${text(element.re)}${imaginary.startsWith("-") ? "" : "+"}${imaginary}j`;
}

function text(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function cut(value: string, longest: number): string {
  return value.length <= longest ? value : `${value.slice(0, longest - 1)}…`;
}
