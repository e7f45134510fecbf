import type { TensorData } from "../formats/tensorData";
import { type ShownValue, shownValues } from "../tensors/shownValues";
import { planeOf, readPlane } from "../tensors/view";
import { table } from "./table";

/** Rows and columns that are shown. */
const MOST = { rows: 12, columns: 8 };

/** The beginning of a tensor's values: of more than two axes the plane at the start of the others. */
export function valueLines(data: TensorData): string[] {
  const { shape } = data;
  const rank = shape.length;
  const [rowAxis, columnAxis] = rank === 0 ? [null, null] : rank === 1 ? [null, 0] : [rank - 2, rank - 1];
  const rows = rowAxis === null ? 1 : (shape[rowAxis] ?? 0);
  const columns = columnAxis === null ? 1 : (shape[columnAxis] ?? 0);
  if (shape.includes(0)) return ["  empty"];
  const range = {
    rowStart: 0,
    rowCount: Math.min(rows, MOST.rows),
    columnStart: 0,
    columnCount: Math.min(columns, MOST.columns),
  };
  const view = { rowAxis, columnAxis, fixed: shape.map(() => 0) };
  const values = shownValues(readPlane(data, planeOf(shape, view, range)));
  const lines = Array.from({ length: range.rowCount }, (_, row) => [
    ...values.slice(row * range.columnCount, (row + 1) * range.columnCount).map(shownText),
    ...(columns > MOST.columns ? ["…"] : []),
  ]);
  const plane = rank > 2 ? [`  [${[...shape.slice(0, -2).map(() => "0"), ":", ":"].join(", ")}]`] : [];
  return [...plane, ...table(lines, "  "), ...(rows > MOST.rows ? ["  …"] : [])];
}

function shownText(value: ShownValue): string {
  return typeof value === "string" && value.length > 40 ? `${value.slice(0, 39)}…` : String(value);
}
