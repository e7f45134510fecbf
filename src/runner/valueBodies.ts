import { ModelbenchError } from "../base/errors";
import { elementCount } from "../formats/elements";
import { parseTypedJson, stringifyExact } from "../formats/jsonExact";
import { stringOffsets } from "../formats/stringOffsets";
import type { Tensor } from "../formats/tensor";
import { isTensor, type RunValue } from "./values";

/** V8 holds no longer text. */
export const MAX_TEXT_BYTES = 512 * 1024 * 1024 - 64;

/** Each column is a body, of which a frame has a limited number; some are left for the other inputs. */
const MAX_COLUMNS = 1_000;

/** A value in the header of a frame: each number is the index of a body. Lists and objects are bodies of UTF-8 JSON. */
export type WireValue =
  | { readonly tensor: number }
  | { readonly list: number }
  | { readonly dataframe: readonly (readonly [column: string, body: number])[] }
  | { readonly object: number };

/**
 * Names what holds a value's bytes and puts these behind `bodies`; integers of JSON stay exact, and floats floats.
 * @throws ModelbenchError `run.unsupported` for a data frame of too many columns
 */
export function encodeValue(value: RunValue, bodies: Tensor[]): WireValue {
  const put = (body: Tensor) => bodies.push(body) - 1;
  if (isTensor(value)) return { tensor: put(value) };
  switch (value.container) {
    case "list":
      return { list: put(textBody(stringifyExact(value.items))) };
    case "dataframe":
      if (value.columns.length > MAX_COLUMNS) throw tooWide(value.columns.length);
      return { dataframe: value.columns.map(([name, column]) => [name, put(column)] as const) };
    case "object":
      return { object: put(textBody(stringifyExact(value.value))) };
  }
}

/**
 * The other way round.
 * @throws ModelbenchError `protocol.invalid` for what is no value, `budget.exceeded` for a text beyond 512 MiB
 */
export function decodeValue(wire: unknown, bodies: readonly Tensor[]): RunValue {
  const { tensor, list, dataframe, object } = fields(wire);
  if (tensor !== undefined) return arrayAt(bodies, tensor);
  if (list !== undefined) {
    const items = parseTypedJson(textOf(bodyAt(bodies, list)));
    if (!Array.isArray(items)) throw new ModelbenchError("protocol.invalid", "A list is no list.");
    return { container: "list", items };
  }
  if (object !== undefined) return { container: "object", value: parseTypedJson(textOf(bodyAt(bodies, object))) };
  if (Array.isArray(dataframe)) return { container: "dataframe", columns: columnsOf(dataframe, bodies) };
  throw new ModelbenchError("protocol.invalid", "A value is none of tensor, list, dataframe and object.");
}

/** A frame does not know which of its bodies are columns, in which alone texts may be missing. */
function arrayAt(bodies: readonly Tensor[], index: unknown): Tensor {
  const array = bodyAt(bodies, index);
  if (array.dtype === "string") stringOffsets(array.data, elementCount(array.shape), false);
  return array;
}

function columnsOf(pairs: readonly unknown[], bodies: readonly Tensor[]): (readonly [string, Tensor])[] {
  const columns = pairs.map((pair): readonly [string, Tensor] => {
    const [name, body] = Array.isArray(pair) ? pair : [];
    if (typeof name !== "string") throw new ModelbenchError("protocol.invalid", "A column has no name.");
    return [name, bodyAt(bodies, body)];
  });
  const rows = columns[0]?.[1].shape[0];
  if (columns.some(([, { shape }]) => shape.length !== 1 || shape[0] !== rows))
    throw new ModelbenchError("protocol.invalid", "The columns of a dataframe differ in length.");
  return columns;
}

function tooWide(columns: number): ModelbenchError {
  return new ModelbenchError("run.unsupported", `A data frame has ${columns} columns, more than ${MAX_COLUMNS}.`, {
    remedy: "Give its values as one array, where the method takes that.",
  });
}

/** A text as a body. */
export function textBody(text: string): Tensor {
  const data = Buffer.from(text);
  return { dtype: "uint8", shape: [data.length], data };
}

/** The text of such a body. @throws ModelbenchError `budget.exceeded` when it is longer than a string can be */
export function textOf({ data }: Tensor): string {
  if (data.length > MAX_TEXT_BYTES)
    throw new ModelbenchError("budget.exceeded", `A JSON text has ${data.length} bytes, more than ${MAX_TEXT_BYTES}.`);
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
}

/** A body by its index. @throws ModelbenchError `protocol.invalid` when there is none */
export function bodyAt(bodies: readonly Tensor[], index: unknown): Tensor {
  const body = typeof index === "number" ? bodies[index] : undefined;
  if (body === undefined) throw new ModelbenchError("protocol.invalid", `There is no body ${String(index)}.`);
  return body;
}

/** The members of a plain object. @throws ModelbenchError `protocol.invalid` for anything else */
export function fields(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null) throw new ModelbenchError("protocol.invalid", "Expected an object.");
  return { ...value };
}
