import { ModelbenchError } from "../base/errors";
import type { Tensor } from "../formats/tensor";
import type { Frame } from "./frames";
import type { InputValue, RunOutput, RunRequest, RunResult } from "./protocol";
import { bodyAt, decodeValue, encodeValue, fields, textBody, textOf, type WireValue } from "./valueBodies";
import { isTensor } from "./values";

/** What a client may ask of a runner. */
export type RunnerOp = "load" | "run" | "read" | "ping";

/** An input on the wire: bulk values are bodies, referred to by index; a text is a body of UTF-8. */
export type WireInput =
  | { readonly kind: "tensor"; readonly body: number }
  | { readonly kind: "text"; readonly body: number }
  | { readonly kind: "value"; readonly value: WireValue }
  | Extract<InputValue, { kind: "file" | "generate" }>;

/** Data of a `run` request. Names travel in pairs: a model may name an input like a member of Object. */
export interface RunCall {
  readonly method: string;
  readonly inputs: readonly (readonly [name: string, value: WireInput])[];
  readonly batch: boolean;
  readonly keepAboveBytes?: number | undefined;
}

/** An output on the wire: its tensor is a body, and so are the parts of a value that is no array. */
export type WireOutput = Omit<RunOutput, "tensor" | "value"> & { readonly body?: number; readonly value?: WireValue };

/** Data of a `run` result. */
export interface RunReply extends Omit<RunResult, "outputs"> {
  readonly outputs: readonly WireOutput[];
}

/** Data of a `read` request; its result has one body. */
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
    if (value.kind === "text") return [name, { kind: "text", body: bodies.push(textBody(value.text)) - 1 }];
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
    outputs: outputs.map(({ body, kept, value, ...output }) => ({
      ...output,
      ...(body === undefined ? {} : { tensor: bodyAt(bodies, body) }),
      ...(kept === undefined ? {} : { kept }),
      ...(value === undefined ? {} : { value: plainValue(value, bodies) }),
    })),
  };
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
  if (kind === "tensor") return { kind, tensor: bodyAt(bodies, body) };
  if (kind === "text") return { kind, text: textOf(bodyAt(bodies, body)) };
  if (kind === "value") return { kind, value: plainValue(value, bodies) };
  if (kind === "file" && typeof path === "string") return { kind, path };
  const known = patterns.find((name) => name === pattern);
  const sizes = Array.isArray(dims) && dims.every((dim) => typeof dim === "number") ? dims : undefined;
  if (kind !== "generate" || known === undefined || typeof seed !== "number" || sizes === undefined)
    throw invalid("run");
  return { kind, pattern: known, seed, dims: sizes };
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
