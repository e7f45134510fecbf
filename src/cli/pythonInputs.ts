import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { ModelbenchError } from "../base/errors";
import { parseExactJson } from "../formats/jsonExact";
import type { DType, Tensor, ValueSpec } from "../formats/tensor";
import { tensorFromJson, undeclaredFromJson } from "../runner/inputJson";
import type { InputValue } from "../runner/protocol";
import { type FrameValue, isTensor, type RunValue } from "../runner/values";

/** What JSON may become for a Python method. */
export const FORMS = ["ndarray", "list", "dataframe"] as const;

/** What the JSON of a Python method's inputs becomes. */
export interface InputForm {
  /** For every input; left out = lists of numbers become arrays, everything else stays what it is. */
  readonly as: (typeof FORMS)[number] | undefined;
  /** What numbers in arrays and columns become; left out = `numbers`, and in columns int64 where all are integers. */
  readonly dtype: DType | undefined;
  /** The framework's own choice. */
  readonly numbers: DType;
}

/** A dtype by its name. @throws ModelbenchError `usage` for one that has no JSON form */
export function dtypeNamed(name: string): DType {
  if (name === "string" || NUMERIC.test(name)) return name as DType;
  throw new ModelbenchError(
    "usage",
    `--dtype takes a numpy dtype such as float32 or int64; got ${JSON.stringify(name)}.`,
  );
}

const NUMERIC = /^(bool|u?int(8|16|32|64)|(b?float16)|float(32|64)|complex(64|128))$/;

/**
 * An input of a Python method: JSON, given or in a file, in the form asked for; other files are left to the runner.
 * @throws ModelbenchError `input.shape`, `input.dtype`, `file.access`, `format.corrupt`, each naming the input;
 *   `usage` for a file that is no JSON and is to become a list or a dataframe
 */
export function pythonInput(name: string, value: InputValue, form: InputForm): InputValue {
  const json = jsonOf(name, value);
  if (json !== undefined) return carried(formed(name, json.value, form));
  if (form.as === undefined || form.as === "ndarray") return value;
  throw new ModelbenchError("usage", `--as ${form.as} is for JSON, and input ${name} is a file of arrays.`);
}

function jsonOf(name: string, value: InputValue): { readonly value: unknown } | undefined {
  if (value.kind === "json") return value;
  if (value.kind === "text") return { value: parsed(name, value.text) };
  if (value.kind !== "file" || extname(value.path).toLowerCase() !== ".json") return undefined;
  try {
    return { value: parsed(name, readFileSync(value.path, "utf8")) };
  } catch (cause) {
    if (cause instanceof ModelbenchError) throw cause;
    const message = `\`${name}\`: the file ${value.path} cannot be read.`;
    throw new ModelbenchError("file.access", message, { path: value.path, cause });
  }
}

function parsed(name: string, text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (error) {
    if (!(error instanceof ModelbenchError)) throw error;
    throw new ModelbenchError(error.code, `\`${name}\`: ${error.message}`, { offset: error.offset, cause: error });
  }
}

function formed(name: string, value: unknown, { as, dtype, numbers }: InputForm): RunValue {
  switch (as) {
    case undefined:
      return undeclaredFromJson(name, value, dtype ?? numbers);
    case "ndarray":
      return tensorFromJson(specOf(name, dtype ?? numbers), value);
    case "list":
      if (!Array.isArray(value)) throw wrong(name, "expected a JSON list for --as list");
      return { container: "list", items: value };
    case "dataframe":
      return frameFromJson(name, value, dtype);
  }
}

function carried(value: RunValue): InputValue {
  return isTensor(value) ? { kind: "tensor", tensor: value } : { kind: "value", value };
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
  if (members === undefined) throw wrong(name, "expected rows, records or columns for --as dataframe");
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
  if (odd >= 0) throw wrong(name, `row ${odd} has other columns than the first one`);
  return names.map((column) => [column, rows.map((row) => row.get(column))]);
}

/** One column, in the dtype that pandas would choose: null among numbers is not a number. */
function series(name: string, column: string, values: readonly unknown[], dtype: DType | undefined): Tensor {
  const spec = (chosen: DType): ValueSpec => specOf(`${name}.${column}`, chosen);
  const isAll = (fits: (value: unknown) => boolean) => values.every(fits);
  if (isAll((value) => typeof value === "boolean")) return tensorFromJson(spec("bool"), values);
  if (isAll((value) => typeof value === "bigint" || Number.isInteger(value))) {
    return tensorFromJson(spec(dtype ?? "int64"), values);
  }
  if (isAll(isNumber))
    return tensorFromJson(
      spec(dtype ?? "float64"),
      values.map((value) => value ?? "NaN"),
    );
  if (isAll((value) => typeof value === "string")) return tensorFromJson(spec("string"), values);
  throw wrong(name, `column ${JSON.stringify(column)} mixes numbers, texts or other values`);
}

function isNumber(value: unknown): boolean {
  if (value === null || value === "NaN" || value === "Infinity" || value === "-Infinity") return true;
  return typeof value === "number" || typeof value === "bigint";
}

function membersOf(value: unknown): (readonly [string, unknown])[] | undefined {
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

function wrong(name: string, what: string): ModelbenchError {
  return new ModelbenchError("input.shape", `\`${name}\`: ${what}.`);
}
