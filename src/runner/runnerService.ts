import { ModelbenchError, toWireError } from "../base/errors";
import type { MethodSignature, Tensor } from "../formats/tensor";
import { type BatchAnswer, Batcher, type BatchPlan } from "./batcher";
import { busy, MAX_WAITING } from "./busy";
import type { Frame } from "./frames";
import { methodOf } from "./inputCheck";
import { resolveInputs } from "./inputs";
import { KeptResults } from "./keptResults";
import type { OpenModel } from "./ortHost";
import type { LoadRequest } from "./protocol";
import { encodeValue } from "./valueBodies";
import { valueStart } from "./valueStart";
import { isTensor, type NamedOutputs, type RunValue } from "./values";
import { decodeRead, decodeRun, encodeRows, encodeStart, type RunReply, type WireOutput } from "./wire";

/** What results kept for paging may take together. */
const MAX_KEPT_BYTES = 512 * 1024 * 1024;

/** How long a run that nobody waits for may go on before the process ends itself. */
const STOP_GRACE_MS = 500;

/** What the service leans on. */
export interface RunnerPorts {
  readonly send: (frame: Frame) => void;
  readonly open: (request: LoadRequest) => Promise<OpenModel>;
  /** Starts what a model will be opened in; the same request opens it then. Left out = nothing is started ahead. */
  readonly warm?: (request: LoadRequest) => Promise<void>;
  /** Ends the process at once, native code or not. */
  readonly end: () => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Answers a client's frames for one loaded model. Never blocks on a run: those are on another thread. */
export class RunnerService {
  readonly #ports: RunnerPorts;
  readonly #kept = new KeptResults(MAX_KEPT_BYTES);
  #batcher: Batcher | undefined;
  #request: LoadRequest | undefined;
  #model: OpenModel | undefined;
  #stopTimer: NodeJS.Timeout | undefined;

  constructor(ports: RunnerPorts) {
    this.#ports = ports;
  }

  /** Takes one frame; every request gets exactly one answer. */
  handle(frame: Frame): void {
    if (frame.kind === "cancel") this.#cancel(frame.id);
    else if (frame.kind === "request") void this.#answer(frame);
  }

  async #answer(frame: Frame): Promise<void> {
    const { id, op } = frame;
    try {
      const { data, bodies = [] } = await this.#perform(frame);
      this.#ports.send({ kind: "result", id, op, data, bodies });
    } catch (error) {
      this.#ports.send({ kind: "error", id, op, error: toWireError(error), bodies: [] });
    }
  }

  async #perform(frame: Frame): Promise<{ data?: unknown; bodies?: readonly Tensor[] }> {
    switch (frame.op) {
      case "ping":
        return {};
      case "warm":
        await this.#ports.warm?.(frame.data as LoadRequest);
        return {};
      case "load":
        return this.#load(frame.data as LoadRequest);
      case "run":
        return this.#run(frame);
      case "customObjects":
        return { data: (await this.#model?.customObjects?.()) ?? [] };
      case "read": {
        const { kept, start, count } = decodeRead(frame);
        return encodeRows(this.#kept.read(kept, start, count));
      }
      default:
        throw new ModelbenchError("protocol.invalid", `There is no operation \`${frame.op}\`.`);
    }
  }

  async #load(request: LoadRequest): Promise<{ data: unknown }> {
    if (this.#request !== undefined) throw new ModelbenchError("protocol.invalid", "A runner loads one model.");
    this.#request = request;
    const model = await this.#ports.open(request);
    this.#model = model;
    this.#batcher = new Batcher({
      maxRows: Math.max(1, request.batching.maxBatchSize),
      maxLatencyMs: request.batching.maxLatencyMs,
      concurrency: model.concurrency,
      now: this.#ports.now,
      execute: (method, inputs, plan) => model.run(method, inputs, plan),
    });
    return { data: model.loaded };
  }

  async #run(frame: Frame): Promise<{ data: RunReply; bodies: Tensor[] }> {
    const { method, inputs, batch, keepAboveBytes } = decodeRun(frame);
    const [request, model, batcher] = [this.#request, this.#model, this.#batcher];
    if (request === undefined || model === undefined || batcher === undefined) {
      throw new ModelbenchError("protocol.invalid", "A run came before the model was loaded.");
    }
    const signature = methodOf(request.signatures, method);
    if (batcher.waiting >= MAX_WAITING) throw busy(request.label);
    const values = resolveInputs(signature, inputs);
    const plan = batch && request.batching.enabled ? batchPlan(signature) : undefined;
    const answer = await batcher.submit({ id: frame.id, method, inputs: values, plan });
    const outputs = inOrder(signature, answer.outputs);
    return this.#reply({ ...answer, outputs }, keepAboveBytes, model.loaded, method);
  }

  #reply(
    { outputs, queueMs, batchMs, runMs, ...batch }: BatchAnswer,
    keepAboveBytes: number | undefined,
    { loadMs, device, unfetchable }: OpenModel["loaded"],
    method: string,
  ): { data: RunReply; bodies: Tensor[] } {
    const bodies: Tensor[] = [];
    const described = [...outputs].map(([name, value]) => this.#output(name, value, keepAboveBytes, bodies));
    const timing = { loadMs, queueMs, batchMs, runMs };
    return { data: { outputs: described, timing, ...batch, device, unfetchable: unfetchable[method] ?? [] }, bodies };
  }

  #output(name: string, value: RunValue, keepAboveBytes: number | undefined, bodies: Tensor[]): WireOutput {
    if (!isTensor(value)) return this.#plainOutput(name, value, keepAboveBytes !== undefined, bodies);
    const { dtype, shape, data } = value;
    const isKept = keepAboveBytes !== undefined && data.byteLength > keepAboveBytes;
    return { name, dtype, shape, ...(isKept ? { kept: this.#kept.keep(value) } : { body: bodies.push(value) - 1 }) };
  }

  #plainOutput(name: string, value: Exclude<RunValue, Tensor>, isCut: boolean, bodies: Tensor[]): WireOutput {
    const output = { name, dtype: "string", shape: [] } as const;
    if (!isCut) return { ...output, value: encodeValue(value, bodies) };
    const start = valueStart(value);
    const encoded = encodeStart(start, bodies);
    if (start.kind !== "table" || value.container !== "dataframe") return { ...output, start: encoded };
    const isWhole = (start.frame.columns[0]?.[1].shape[0] ?? 0) === start.count;
    return { ...output, start: encoded, ...(isWhole ? {} : { kept: this.#kept.keep(value) }) };
  }

  /** A run cannot be interrupted: when nobody waits for it any more, the process ends unless it ends soon. */
  #cancel(id: number): void {
    if (this.#batcher?.cancel(id) !== "alone") return;
    clearTimeout(this.#stopTimer);
    this.#stopTimer = setTimeout(() => {
      if (this.#batcher?.hasAbandonedRun) this.#ports.end();
    }, STOP_GRACE_MS);
  }
}

/**
 * How a method's requests are joined: only where the signature allows it, each input has a dynamic batch axis, no
 * output declares a fixed one, and the batch's length shapes no other axis (pairs of rows, say): there each request
 * would see the others. Where nothing is declared, the model's word is taken.
 */
export function batchPlan(signature: MethodSignature): BatchPlan | undefined {
  const { batchable, batchDim, isOpen, inputs, outputs } = signature;
  const [inAxis, outAxis] = batchDim;
  if (isOpen === true) return batchable ? { inAxis, outAxis } : undefined;
  const values = [
    ...inputs.map(({ shape }) => ({ shape, axis: inAxis })),
    ...outputs.filter(({ type }) => type === "tensor").map(({ shape }) => ({ shape, axis: outAxis })),
  ];
  const isDynamic = values.every(
    ({ shape, axis }) => shape === null || (axis < shape.length && typeof shape[axis] !== "number"),
  );
  if (!batchable || inputs.length === 0 || !isDynamic) return undefined;
  const lengths = new Set(values.map(({ shape, axis }) => shape?.[axis]).filter((dim) => typeof dim === "string"));
  const shapesMore = values.some(({ shape, axis }) => shape?.some((dim, i) => i !== axis && lengths.has(String(dim))));
  return shapesMore ? undefined : { inAxis, outAxis };
}

/** Declared outputs as they are declared; on their way, names that are whole numbers may have gone first. */
function inOrder({ outputs }: MethodSignature, given: NamedOutputs): NamedOutputs {
  const declared = outputs.flatMap(({ name }): [string, RunValue][] => {
    const value = given.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return new Map([...declared, ...given]);
}
