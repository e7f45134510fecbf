import type { Cells, OutputView, PlainValue } from "../../../webview/protocol/views";
import { decodeColumn, decodeElements, type Element, elementCount } from "../../formats/elements";
import type { Tensor } from "../../formats/tensor";
import type { RunOutput } from "../../runner/protocol";
import { type ValueStart, valueStart } from "../../runner/valueStart";
import type { FrameValue } from "../../runner/values";

/** Most values one message carries; more are read by rows. */
const MAX_VALUES = 10_000;

/** Longest text of a cell in a table that is sent whole, in characters. */
const MAX_CELL = 10_000;

/** One output as the page shows it: a row-major prefix of its values, exact; or the beginning of what is no array. */
export function outputView(output: RunOutput): OutputView {
  const { value, start = value && valueStart(value), kept } = output;
  if (start) return plainView(output.name, plainValue(start), kept !== undefined);
  const values = output.tensor ? tensorCells(output.tensor) : [];
  const pageable = values.length < elementCount(output.shape);
  return { name: output.name, dtype: output.dtype, shape: [...output.shape], values, pageable, plain: null };
}

/** Rows that were read of a table. @param start what is known of the whole table */
export function tableRows(name: string, rows: FrameValue, start: ValueStart | undefined): OutputView {
  const count = start?.kind === "table" ? start.count : 0;
  return plainView(name, plainValue({ kind: "table", frame: rows, count }), true);
}

function plainView(name: string, plain: PlainValue, pageable: boolean): OutputView {
  return { name, dtype: "string", shape: [], values: [], pageable, plain };
}

function plainValue(start: ValueStart): PlainValue {
  if (start.kind === "json") return start;
  const { frame, count } = start;
  const columns = frame.columns.map(([, values]) => decodeColumn(values).map(tableCell));
  const rows = Array.from(columns[0] ?? [], (_, row) => columns.map((values) => values[row] ?? null));
  return { kind: "table", columns: frame.columns.map(([name]) => name), rows, count };
}

function tableCell(element: Element | null): string | number | boolean | null {
  const shown = element === null ? null : cell(element);
  return typeof shown === "string" && shown.length > MAX_CELL ? `${shown.slice(0, MAX_CELL)}…` : shown;
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
