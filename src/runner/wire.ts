import { ModelbenchError } from "../base/errors";
import type { DType, Tensor } from "../formats/tensor";
import type { Frame } from "./frames";
import type { InputForm, InputValue, RunOutput, RunRequest, RunResult } from "./protocol";
import { FORMS, jsonDType } from "./pythonInputs";
import { bodyAt, decodeValue, encodeValue, fields, textBody, textOf, type WireValue } from "./valueBodies";
import type { ValueStart } from "./valueStart";
import { type FrameValue, isTensor, type RunValue } from "./values";

/** What a client may ask of a runner. */
export type RunnerOp = "warm" | "load" | "run" | "read" | "ping" | "customObjects";

/** An input on the wire: bulk values are bodies, referred to by index; a text is a body of UTF-8. */
export type WireInput =
  | { readonly kind: "tensor"; readonly body: number }
  | { readonly kind: "text"; readonly body: number; readonly form?: InputForm }
  | { readonly kind: "value"; readonly value: WireValue }
  | Extract<InputValue, { kind: "file" | "generate" }>;

/** A value's beginning on the wire: its text or its rows are bodies. */
export type WireStart =
  | { readonly kind: "json"; readonly body: number; readonly isWhole: boolean }
  | { readonly kind: "table"; readonly frame: WireValue; readonly count: number };

/** Data of a `run` request. Names travel in pairs: a model may name an input like a member of Object. */
export interface RunCall {
  readonly method: string;
  readonly inputs: readonly (readonly [name: string, value: WireInput])[];
  readonly batch: boolean;
  readonly keepAboveBytes?: number | undefined;
}

/** An output on the wire: its tensor is a body, and so are the parts of a value that is no array. */
export type WireOutput = Omit<RunOutput, "tensor" | "value" | "start"> & {
  readonly body?: number;
  readonly value?: WireValue;
  readonly start?: WireStart;
};

/** Data of a `run` result. */
export interface RunReply extends Omit<RunResult, "outputs"> {
  readonly outputs: readonly WireOutput[];
}

/** Data of a `read` request; its result is a value. */
export interface ReadCall {
  readonly kept: string;
  readonly start: number;
  readonly count: number;
}

/** A run request as data and bodies. JSON values must have become tensors before. */
export function encodeRun(
  request: RunRequest,
  inputs: readonly (readonly [string, Exclude<InputValue, { kind: "json" }>])[],
): { data: RunCall; bodies: Tensor[] } {
  const bodies: Tensor[] = [];
  const wired = inputs.map(([name, value]): readonly [string, WireInput] => {
    if (value.kind === "tensor") return [name, { kind: "tensor", body: bodies.push(value.tensor) - 1 }];
    if (value.kind === "text") {
      const { kind, text, ...form } = value;
      return [name, { kind, body: bodies.push(textBody(text)) - 1, ...form }];
    }
    if (value.kind === "value") return [name, { kind: "value", value: encodeValue(value.value, bodies) }];
    return [name, value];
  });
  const { method, batch, keepAboveBytes } = request;
  return { data: { method, batch, keepAboveBytes, inputs: wired }, bodies };
}

/** The other way round. @throws ModelbenchError `protocol.invalid` when the frame does not hold a run request */
export function decodeRun({
  data,
  bodies,
}: Frame): Omit<RunRequest, "inputs"> & { inputs: Record<string, InputValue> } {
  const { method, inputs, batch, keepAboveBytes } = fields(data);
  if (typeof method !== "string" || !Array.isArray(inputs)) throw invalid("run");
  const values = inputs.map((pair: unknown) => {
    if (!Array.isArray(pair) || typeof pair[0] !== "string") throw invalid("run");
    return [pair[0], decodeInput(fields(pair[1]), bodies)] as const;
  });
  const keep = typeof keepAboveBytes === "number" ? keepAboveBytes : undefined;
  return { method, inputs: Object.fromEntries(values), batch: batch === true, keepAboveBytes: keep };
}

/** @throws ModelbenchError `protocol.invalid` */
export function decodeRead({ data }: Frame): ReadCall {
  const { kept, start, count } = fields(data);
  if (typeof kept !== "string" || !isCount(start) || !isCount(count)) throw invalid("read");
  return { kept, start, count };
}

/** The result of a run, its outputs joined with their bodies. */
export function decodeReply({ data, bodies }: Frame): RunResult {
  const { outputs, ...rest } = data as RunReply;
  return {
    ...rest,
    outputs: outputs.map(({ body, kept, value, start, ...output }) => ({
      ...output,
      ...(body === undefined ? {} : { tensor: bodyAt(bodies, body) }),
      ...(kept === undefined ? {} : { kept }),
      ...(value === undefined ? {} : { value: plainValue(value, bodies) }),
      ...(start === undefined ? {} : { start: decodeStart(start, bodies) }),
    })),
  };
}

/** A value's beginning, its text or rows put behind `bodies`. */
export function encodeStart(start: ValueStart, bodies: Tensor[]): WireStart {
  if (start.kind === "table") return { ...start, frame: encodeValue(start.frame, bodies) };
  return { kind: "json", body: bodies.push(textBody(start.text)) - 1, isWhole: start.isWhole };
}

function decodeStart(start: WireStart, bodies: readonly Tensor[]): ValueStart {
  if (start.kind === "json") {
    const { body, ...json } = start;
    return { ...json, text: textOf(bodyAt(bodies, body)) };
  }
  return { ...start, frame: frameOf(decodeValue(start.frame, bodies)) };
}

/** Rows that were read of a kept result. */
export function encodeRows(rows: Tensor | FrameValue): { data: WireValue; bodies: Tensor[] } {
  const bodies: Tensor[] = [];
  return { data: encodeValue(rows, bodies), bodies };
}

/** The other way round. @throws ModelbenchError `protocol.invalid` */
export function decodeRows({ data, bodies }: Frame): Tensor | FrameValue {
  const value = decodeValue(data, bodies);
  return isTensor(value) ? value : frameOf(value);
}

function frameOf(value: RunValue): FrameValue {
  if (!isTensor(value) && value.container === "dataframe") return value;
  throw new ModelbenchError("protocol.invalid", "Rows came that are none.");
}

/** Tells the client of a process group that the runner started, so that it can end it when the runner cannot. */
export function startedEvent(pid: number): Frame {
  return { kind: "event", id: 0, op: "started", data: { pid }, bodies: [] };
}

/** The group that such an event names; `undefined` for other frames. */
export function startedGroup({ kind, op, data }: Frame): number | undefined {
  if (kind !== "event" || op !== "started") return undefined;
  const { pid } = fields(data);
  return Number.isSafeInteger(pid) && Number(pid) > 1 ? Number(pid) : undefined;
}

const patterns = ["zeros", "ones", "range", "uniform", "normal"] as const;

function decodeInput(input: Record<string, unknown>, bodies: readonly Tensor[]): InputValue {
  const { kind, body, path, pattern, seed, dims, value } = input;
  const form = input["form"] === undefined ? {} : { form: decodeForm(fields(input["form"])) };
  if (kind === "tensor") return { kind, tensor: bodyAt(bodies, body) };
  if (kind === "text") return { kind, text: textOf(bodyAt(bodies, body)), ...form };
  if (kind === "value") return { kind, value: plainValue(value, bodies) };
  if (kind === "file" && typeof path === "string") return { kind, path, ...form };
  const known = patterns.find((name) => name === pattern);
  const sizes = Array.isArray(dims) && dims.every((dim) => typeof dim === "number") ? dims : undefined;
  if (kind !== "generate" || known === undefined || typeof seed !== "number" || sizes === undefined)
    throw invalid("run");
  return { kind, pattern: known, seed, dims: sizes, ...form };
}

function decodeForm({ as, dtype, numbers }: Record<string, unknown>): InputForm {
  const known = FORMS.find((form) => form === as);
  if ((as !== undefined && known === undefined) || numbers === undefined) throw invalid("run");
  return {
    ...(known === undefined ? {} : { as: known }),
    ...(dtype === undefined ? {} : { dtype: decodeDType(dtype) }),
    numbers: decodeDType(numbers),
  };
}

function decodeDType(name: unknown): DType {
  const dtype = typeof name === "string" ? jsonDType(name) : undefined;
  if (dtype === undefined) throw invalid("run");
  return dtype;
}

/** What is no tensor. @throws ModelbenchError `protocol.invalid` */
function plainValue(wire: unknown, bodies: readonly Tensor[]): NonNullable<RunOutput["value"]> {
  const value = decodeValue(wire, bodies);
  if (isTensor(value)) throw new ModelbenchError("protocol.invalid", "A tensor came in place of another value.");
  return value;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function invalid(op: RunnerOp): ModelbenchError {
  return new ModelbenchError("protocol.invalid", `A \`${op}\` request is malformed.`);
}
