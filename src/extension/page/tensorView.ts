import type { Cells, OutputView } from "../../../webview/protocol/views";
import { decodeElements, type Element, elementCount } from "../../formats/elements";
import type { Tensor } from "../../formats/tensor";
import type { RunOutput } from "../../runner/protocol";

/** Most values one message carries; more are read by rows. */
const MAX_VALUES = 10_000;

/** One output as the page shows it: a row-major prefix of its values, exact. */
export function outputView(output: RunOutput): OutputView {
  const values = output.tensor ? tensorCells(output.tensor) : [];
  const pageable = values.length < elementCount(output.shape);
  return { name: output.name, dtype: output.dtype, shape: [...output.shape], values, pageable, plain: null };
}

/** Rows `[start, start + count)` along the first axis, cut at the most values that one message carries. */
export function rowsOf(name: string, tensor: Tensor, start: number, count: number): OutputView {
  const [rows = 1, ...rest] = tensor.shape;
  const wanted = Math.max(0, Math.min(count, rows - start));
  const perRow = elementCount(rest);
  const values = decodeElements(tensor, start * perRow, Math.min(MAX_VALUES, wanted * perRow)).map(cell);
  return { name, dtype: tensor.dtype, shape: [wanted, ...rest], values, pageable: true, plain: null };
}

/** The first values of a tensor as data that JSON keeps exact, see `cellsSchema`. */
function tensorCells(tensor: Tensor): Cells {
  const count = Math.min(MAX_VALUES, elementCount(tensor.shape));
  return decodeElements(tensor, 0, count).map(cell);
}

function cell(element: Element): string | number | boolean {
  if (typeof element === "number") return numberCell(element);
  if (typeof element === "bigint") return element.toString();
  if (typeof element === "object") return complexText(element.re, element.im);
  return element;
}

/** JSON has neither the special values nor a negative zero. */
function numberCell(value: number): string | number {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : String(value);
}

function complexText(re: number, im: number): string {
  const imaginary = String(numberCell(im));
  return `${numberCell(re)}${imaginary.startsWith("-") ? "" : "+"}${imaginary}i`;
}
