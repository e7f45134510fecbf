import { decodeElements, type Element } from "./elements";
import type { Tensor } from "./tensor";

/**
 * A tensor as nested arrays, row-major; a scalar is a bare value. 64-bit integers are bigint, float16 and smaller
 * floats are decoded, NaN and infinities are `"NaN"`, `"Infinity"`, `"-Infinity"`, complex is `{re, im}`.
 * Written by `stringifyExact` it loses nothing.
 */
export function tensorToNested(tensor: Tensor): unknown {
  return nest(decodeElements(tensor).map(jsonElement), tensor.shape);
}

/** One decoded element in its JSON form. */
export function jsonElement(element: Element): unknown {
  if (typeof element === "number") return jsonNumber(element);
  if (typeof element === "object") return { re: jsonNumber(element.re), im: jsonNumber(element.im) };
  return element;
}

function jsonNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** Cuts flat row-major values into nested arrays of `shape`; `[]` answers with the single value. */
function nest(flat: readonly unknown[], shape: readonly number[]): unknown {
  let level: readonly unknown[] = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const width = shape[axis] ?? 0;
    const groups = shape.slice(0, axis).reduce((product, dim) => product * dim, 1);
    level = Array.from({ length: groups }, (_, i) => level.slice(i * width, (i + 1) * width));
  }
  return level[0];
}
