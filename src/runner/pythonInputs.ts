import { ModelbenchError } from "../base/errors";
import { encodeStrings } from "../formats/elements";
import { exactFloat, parseExactJson, parseTypedJson, WholeFloat } from "../formats/jsonExact";
import type { DType, Tensor, ValueSpec } from "../formats/tensor";
import { tensorToNested } from "../formats/tensorJson";
import { tensorFromJson, undeclaredFromJson } from "./inputJson";
import type { InputForm } from "./protocol";
import { type FrameValue, isTensor, type RunValue } from "./values";

/** What JSON may become for a method that declares nothing. */
export const FORMS = ["ndarray", "list", "dataframe"] as const;

/** A dtype by its name, if it is one that JSON can fill. */
export function jsonDType(name: string): DType | undefined {
  return name === "string" || NUMERIC.test(name) ? (name as DType) : undefined;
}

const NUMERIC = /^(bool|u?int(8|16|32|64)|(b?float16)|float(32|64)|complex(64|128))$/;

/** What JSON becomes where nobody says it. */
const PLAIN: InputForm = { numbers: "float64" };

/**
 * The value of an undeclared input from its JSON text: floats outside arrays stay floats, `3.0` too.
 * @throws ModelbenchError `input.shape`, `input.dtype`, each naming the input; `format.corrupt` for what is no JSON
 */
export function openFromText(name: string, text: string, form: InputForm = PLAIN): RunValue {
  const { as, dtype, numbers } = form;
  if (as === "ndarray") return tensorFromJson(specOf(name, dtype ?? numbers), parseExactJson(text));
  if (as !== undefined) return openFromJson(name, parseTypedJson(text), form);
  const read = undeclaredFromJson(name, parseExactJson(text), dtype ?? numbers);
  if (isTensor(read)) return read;
  const value = parseTypedJson(text);
  return Array.isArray(value) ? { container: "list", items: value } : { container: "object", value };
}

/** The same of JSON that was parsed before. @throws ModelbenchError `input.shape`, `input.dtype` */
export function openFromJson(name: string, value: unknown, { as, dtype, numbers }: InputForm = PLAIN): RunValue {
  switch (as) {
    case "ndarray":
      return tensorFromJson(specOf(name, dtype ?? numbers), value);
    case "list":
      if (!Array.isArray(value)) throw wrong(name, "a list is made of a JSON list");
      return { container: "list", items: value };
    case "dataframe":
      return frameFromJson(name, value, dtype);
    default:
      return undeclaredFromJson(name, value, dtype ?? numbers);
  }
}

/** An array of a file, which is an array only. @throws ModelbenchError `usage` where it is to become something else */
export function openFromArray(name: string, array: Tensor, { as }: InputForm = PLAIN): Tensor {
  if (as === undefined || as === "ndarray") return array;
  throw new ModelbenchError("usage", `\`${name}\`: a ${as} is made of JSON, and this is a file of arrays.`);
}

/** Made-up values in the form asked for. @throws ModelbenchError `input.shape` for what makes no table */
export function openFromMade(name: string, made: Tensor, form: InputForm = PLAIN): RunValue {
  const { as } = form;
  if (as === undefined || as === "ndarray") return made;
  const isFloat = made.dtype.includes("float");
  return openFromJson(name, withFloats(tensorToNested(made), isFloat), { ...form, dtype: made.dtype });
}

function withFloats(nested: unknown, isFloat: boolean): unknown {
  if (Array.isArray(nested)) return nested.map((item) => withFloats(item, isFloat));
  return isFloat && typeof nested === "number" ? exactFloat(nested) : nested;
}

/**
 * A DataFrame from lists of rows (its columns are `0`, `1`, …), from a list of records, from columns by their names,
 * or from `{columns, rows}`, which is also how one is printed.
 */
function frameFromJson(name: string, value: unknown, dtype: DType | undefined): FrameValue {
  const columns = columnsOf(name, value);
  const rows = columns[0]?.[1].length ?? 0;
  const short = columns.find(([, values]) => values.length !== rows);
  if (short)
    throw wrong(name, `column ${JSON.stringify(short[0])} has ${short[1].length} values, the first one ${rows}`);
  return {
    container: "dataframe",
    columns: columns.map(([column, values]) => [column, series(name, column, values, dtype)]),
  };
}

type Column = readonly [name: string, values: readonly unknown[]];

function columnsOf(name: string, value: unknown): Column[] {
  if (Array.isArray(value))
    return value.every(Array.isArray) ? fromRows(name, undefined, value) : fromRecords(name, value);
  const members = membersOf(value);
  if (members === undefined) throw wrong(name, "a dataframe is made of rows, records or columns");
  const table = new Map(members);
  const [names, rows] = [table.get("columns"), table.get("rows")];
  if (table.size === 2 && isTexts(names) && isLists(rows)) return fromRows(name, names, rows);
  return members.map(([column, values]) => {
    if (Array.isArray(values)) return [column, values];
    throw wrong(name, `column ${JSON.stringify(column)} is no list`);
  });
}

function fromRows(name: string, names: readonly string[] | undefined, rows: readonly (readonly unknown[])[]): Column[] {
  const columns = names ?? (rows[0] ?? []).map((_, i) => String(i));
  const odd = rows.findIndex((row) => row.length !== columns.length);
  if (odd >= 0)
    throw wrong(name, `row ${odd} has ${rows[odd]?.length} values, and there are ${columns.length} columns`);
  return columns.map((column, i) => [column, rows.map((row) => row[i])]);
}

function fromRecords(name: string, records: readonly unknown[]): Column[] {
  const rows = records.map((record, i) => {
    const members = membersOf(record);
    if (members === undefined) throw wrong(name, `row ${i} is neither a list nor a record, as the others are`);
    return new Map(members);
  });
  const names = [...(rows[0]?.keys() ?? [])];
  const odd = rows.findIndex((row) => row.size !== names.length || names.some((column) => !row.has(column)));
  if (odd >= 0) throw wrong(name, `row ${odd} has other columns than the first one${difference(names, rows[odd])}`);
  return names.map((column) => [column, rows.map((row) => row.get(column))]);
}

function difference(names: readonly string[], row: ReadonlyMap<string, unknown> | undefined): string {
  const lacking = names.find((column) => row?.has(column) === false);
  const added = [...(row?.keys() ?? [])].find((column) => !names.includes(column));
  const words = [
    ...(lacking === undefined ? [] : [`no ${JSON.stringify(lacking)}`]),
    ...(added === undefined ? [] : [`a ${JSON.stringify(added)} of its own`]),
  ];
  return `: ${words.join(", and ")}`;
}

/** One column, in the dtype that pandas would choose: null among numbers is not a number, among texts it is missing. */
function series(name: string, column: string, values: readonly unknown[], dtype: DType | undefined): Tensor {
  const spec = (chosen: DType): ValueSpec => specOf(`${name}.${column}`, chosen);
  const isAll = (fits: (value: unknown) => boolean) => values.every(fits);
  const isInteger = (value: unknown) => typeof value === "bigint" || Number.isInteger(value);
  if (isAll((value) => typeof value === "boolean")) return tensorFromJson(spec("bool"), values);
  if (isAll(isInteger)) return tensorFromJson(spec(dtype ?? "int64"), values);
  if (isAll(isNumber))
    return tensorFromJson(
      spec(dtype ?? "float64"),
      values.map((value) => (value instanceof WholeFloat ? value.value : (value ?? "NaN"))),
    );
  if (values.every(isTextOrNull)) return { dtype: "string", shape: [values.length], data: encodeStrings(values) };
  throw mixed(name, column, values);
}

/** Says which rows do not go together: of thousands, one is often the mistake. */
function mixed(name: string, column: string, values: readonly unknown[]): ModelbenchError {
  const kinds = values.map(kindOf);
  const has = (row: number, kind = kinds[row]) => `column ${JSON.stringify(column)} has ${kind} in row ${row}`;
  const odd = kinds.findIndex((kind) => kind === "a list" || kind === "an object");
  if (odd >= 0) return wrong(name, `${has(odd)}; its values are numbers, texts, or true and false`);
  const first = kinds.findIndex((kind) => kind !== undefined && kind !== "null");
  const other = kinds.findIndex((kind) => kind !== undefined && kind !== "null" && kind !== kinds[first]);
  const missing = kinds.indexOf("null");
  if (other < 0 && missing >= 0) {
    return wrong(
      name,
      `${has(missing)} and ${kinds[first]} in row ${first}; only a number or a text may be missing`,
      "A model that takes lists of rows gets null as None with --as list.",
    );
  }
  const unlike = other < 0 ? has(kinds.indexOf(undefined), "a text") : has(other);
  return wrong(name, `${unlike} and ${kinds[first]} in row ${first}; a column is of one kind`);
}

/** What a value makes of its column; `undefined` for what a number and a text may be. */
function kindOf(value: unknown): string | undefined {
  if (value === null) return "null";
  if (typeof value === "string") return isNumber(value) ? undefined : "a text";
  if (isNumber(value)) return "a number";
  if (typeof value === "boolean") return "true or false";
  return Array.isArray(value) ? "a list" : "an object";
}

function isNumber(value: unknown): boolean {
  if (value === null || value === "NaN" || value === "Infinity" || value === "-Infinity") return true;
  return typeof value === "number" || typeof value === "bigint" || value instanceof WholeFloat;
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === "string";
}

function membersOf(value: unknown): (readonly [string, unknown])[] | undefined {
  if (value instanceof WholeFloat) return undefined;
  if (value instanceof Map) return [...value].map(([key, member]) => [String(key), member]);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isLists(value: unknown): value is readonly (readonly unknown[])[] {
  return Array.isArray(value) && value.every(Array.isArray);
}

function specOf(name: string, dtype: DType): ValueSpec {
  return { name, type: "tensor", dtype, shape: null };
}

function wrong(name: string, what: string, remedy?: string): ModelbenchError {
  return new ModelbenchError("input.shape", `\`${name}\`: ${what}.`, { remedy });
}
