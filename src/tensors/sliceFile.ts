import { ModelbenchError } from "../base/errors";
import { decodeElements, type Element, elementCount, itemSize } from "../formats/elements";
import { stringifyExact } from "../formats/jsonExact";
import { npyStart, npyValues, writeNpy } from "../formats/npy";
import type { Tensor } from "../formats/tensor";
import type { TensorData } from "../formats/tensorData";
import { jsonElement } from "../formats/tensorJson";
import { planePieces } from "./planePieces";
import { shownValue } from "./shownValues";
import { type Plane, planeOf, type TensorView, type ViewRange } from "./view";

/** Formats that a slice is written in. */
export type SliceFormat = "npy" | "csv" | "json";

/** Bytes of values read at once from a run. */
const PIECE_BYTES = 1 << 18;
/** What one text is taken for. */
const TEXT_BYTES = 64;
/** Elements turned into text at once. */
const TEXT_ELEMENTS = 1 << 13;
/** Most brackets written for a tensor without elements. */
const EMPTY_BRACKETS = 1 << 16;

/** Values that are to be written. */
interface Values {
  readonly shape: readonly number[];
  /** All elements, row-major, piece after piece. */
  pieces(): Generator<Tensor>;
}

/**
 * The bytes of a file that holds a tensor (no view), the plane of a view or a rectangle of it; each piece is good until
 * the next one, and some are empty. `.npy` is as `writeNpy` writes it. CSV has a line for each row of the last axis, full precision, and
 * texts quoted by RFC 4180. JSON has nested arrays, NaN and infinities as texts, integers in full, complex as `{re, im}`.
 * @throws ModelbenchError `input.shape` for what the tensor does not have, `budget.exceeded` for a tensor without
 *   elements that JSON cannot show, those of `TensorData.read`
 */
export function* sliceFile(
  data: TensorData,
  format: SliceFormat,
  view?: TensorView,
  range?: ViewRange,
): Generator<Uint8Array, void> {
  const values = view ? planeValues(data, planeOf(data.shape, view, range)) : allValues(data);
  if (format === "npy") yield* npyFile(data, values);
  else if (format === "csv") yield* csvFile(values);
  else yield* jsonFile(values);
}

function allValues(data: TensorData): Values {
  const { dtype, shape } = data;
  const count = elementCount(shape);
  const atOnce = Math.floor(PIECE_BYTES / (itemSize(dtype) ?? TEXT_BYTES));
  return {
    shape,
    *pieces() {
      for (let start = 0; start < count; start += atOnce) {
        const some = Math.min(atOnce, count - start);
        yield { dtype, shape: [some], data: data.read(start, some) };
      }
    },
  };
}

function planeValues(data: TensorData, plane: Plane): Values {
  return { shape: plane.shape, pieces: () => planePieces(data, plane) };
}

function* npyFile({ dtype }: TensorData, { shape, pieces }: Values): Generator<Uint8Array, void> {
  if (dtype === "string") {
    // How wide numpy's texts are is known by the longest; a tensor of texts is in memory anyhow.
    const parts = Array.from(pieces(), ({ data }) => Buffer.from(data));
    yield writeNpy({ dtype, shape, data: Buffer.concat(parts) });
    return;
  }
  yield npyStart(dtype, shape);
  for (const piece of pieces()) yield npyValues(dtype, piece.data);
}

/** Elements one by one in text, by pieces short enough to let others have their turn between two of them. */
function* texts(values: Values, write: (element: Element, index: number) => string): Generator<Uint8Array, void> {
  let index = 0;
  for (const piece of values.pieces()) {
    const count = elementCount(piece.shape);
    if (count === 0) yield piece.data;
    // Texts have no fixed width: each start would be looked for from the first on.
    const atOnce = piece.dtype === "string" ? Math.max(1, count) : TEXT_ELEMENTS;
    for (let start = 0; start < count; start += atOnce) {
      const elements = decodeElements(piece, start, Math.min(atOnce, count - start));
      let text = "";
      for (const element of elements) text += write(element, index++);
      yield Buffer.from(text);
    }
  }
}

function csvFile(values: Values): Generator<Uint8Array, void> {
  const width = values.shape.length < 2 ? 1 : (values.shape.at(-1) ?? 1);
  return texts(values, (element, index) => `${csvField(element)}${(index + 1) % width === 0 ? "\r\n" : ","}`);
}

function csvField(element: Element): string {
  const text = String(shownValue(element));
  return typeof element === "string" && /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function* jsonFile(values: Values): Generator<Uint8Array, void> {
  const { shape } = values;
  if (elementCount(shape) === 0) {
    yield Buffer.from(`${emptyJson(shape)}\n`);
    return;
  }
  // Elements in all that each axis and those after it hold: where a list of that axis begins and ends.
  const widths = shape.map((_, axis) => shape.slice(axis).reduce((product, dim) => product * dim, 1)).reverse();
  const brackets = (at: number): number => widths.filter((width) => at % width === 0).length;
  yield* texts(values, (element, index) => {
    const opened = brackets(index);
    const closed = brackets(index + 1);
    const before = index === 0 ? "" : opened > 0 ? ",\n" : ",";
    return `${before}${"[".repeat(opened)}${stringifyExact(jsonElement(element))}${"]".repeat(closed)}`;
  });
  yield Buffer.from("\n");
}

/** Nested lists down to the axis that has no indices. */
function emptyJson(shape: readonly number[]): string {
  const outer = shape.slice(0, shape.indexOf(0));
  if (elementCount(outer) > EMPTY_BRACKETS) {
    const message = `A tensor of shape [${shape.join(", ")}] has no elements, and too many empty lists to be JSON.`;
    throw new ModelbenchError("budget.exceeded", message, { remedy: "Export it as .npy." });
  }
  return outer.reduceRight((inner, dim) => `[${new Array<string>(dim).fill(inner).join(",")}]`, "[]");
}
