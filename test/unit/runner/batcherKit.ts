import { beforeEach } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import type { Tensor } from "../../../src/formats/tensor";
import { tensorToNested } from "../../../src/formats/tensorJson";
import { type BatchAnswer, Batcher, type BatchPlan } from "../../../src/runner/batcher";
import { isTensor, type NamedValues, type RunValue } from "../../../src/runner/values";

/** A run that is under way until the test ends it. */
export interface Call {
  readonly method: string;
  readonly inputs: NamedValues;
  readonly finish: (outputs?: NamedValues, runMs?: number) => Promise<void>;
  readonly fail: (message: string) => Promise<void>;
}

const firstAxis: BatchPlan = { inAxis: 0, outAxis: 0 };
/** Every run since the test began, in order. */
export const calls: Call[] = [];

/** The batcher's clock, in milliseconds. */
export const time = { now: 0 };

let lastId = 0;

beforeEach(() => {
  time.now = 0;
  calls.length = 0;
  lastId = 0;
});

/** A batcher whose runs end when the test says so; by default the outputs are the inputs. */
export function batcherOf(
  maxRows: number,
  maxLatencyMs?: number,
  concurrency?: number,
  maxAnswerBytes?: number,
): Batcher {
  return new Batcher({
    maxAnswerBytes,
    maxRows,
    maxLatencyMs,
    concurrency,
    now: () => time.now,
    execute: (method, inputs) =>
      new Promise((resolve, reject) => {
        calls.push({
          method,
          inputs,
          finish: (outputs = inputs, runMs = 0) =>
            settled(() => resolve({ outputs: new Map(Object.entries(outputs)), runMs })),
          fail: (message) => settled(() => reject(new ModelbenchError("run.failed", message))),
        });
      }),
  });
}

/** Acts, and lets everything happen that follows from it. */
export async function settled(act: () => void): Promise<void> {
  act();
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}

/** So many rows of one value each. */
export function column(...values: number[]): Tensor {
  return { dtype: "uint8", shape: [values.length, 1], data: Uint8Array.from(values) };
}

/** Queues a request and tells its id; a single value is the input `x`. */
export function submit(
  batcher: Batcher,
  inputs: RunValue | NamedValues,
  { plan = firstAxis as BatchPlan | null, method = "run" } = {},
): Promise<BatchAnswer> & { id: number } {
  lastId += 1;
  const named = isValue(inputs) ? { x: inputs } : inputs;
  const answer = batcher.submit({ id: lastId, method, inputs: named, plan: plan ?? undefined });
  answer.catch(() => undefined);
  return Object.assign(answer, { id: lastId });
}

function isValue(inputs: RunValue | NamedValues): inputs is RunValue {
  return "dtype" in inputs || "container" in inputs;
}

/** The values of a tensor. */
export function rows(value: RunValue | undefined): unknown {
  return value && isTensor(value) && (tensorToNested(value) as unknown[]).flat();
}

/** The shape of a tensor. */
export function shapeOf(value: RunValue | undefined): readonly number[] | undefined {
  return value && isTensor(value) ? value.shape : undefined;
}

/** Requests of one row each: 0, 1, 2, … */
export const singles = (batcher: Batcher, count: number) =>
  Array.from({ length: count }, (_, i) => submit(batcher, column(i)));
