import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import { elementCount, encodeStrings, itemSize } from "../../../src/formats/elements";
import { stringOffsets } from "../../../src/formats/stringOffsets";
import type { Tensor } from "../../../src/formats/tensor";
import { Batcher, type BatchPlan } from "../../../src/runner/batcher";
import { rowsOf } from "../../../src/runner/mergeValues";
import { isTensor, type NamedValues, type RunValue } from "../../../src/runner/values";
import { fc } from "../../fixtures/fastCheck";
import { filled, valuesOfOneKind } from "./valueCases";

/** The values of a tensor as byte strings, so that any dtype can be moved about. */
function elements({ dtype, shape, data }: Tensor): Uint8Array[] {
  const size = itemSize(dtype);
  const offsets = size === undefined ? stringOffsets(data, elementCount(shape)) : undefined;
  const at = (i: number) => (size === undefined ? (offsets?.[i] ?? 0) : i * size);
  return Array.from({ length: elementCount(shape) }, (_, i) => data.subarray(at(i), at(i + 1)));
}

/** Moves an axis as numpy.moveaxis does. */
function moveAxis(tensor: Tensor, from: number, to: number): Tensor {
  const order = tensor.shape.map((_, i) => i).filter((i) => i !== from);
  order.splice(to, 0, from);
  const shape = order.map((i) => tensor.shape[i] as number);
  const strides = tensor.shape.map((_, i) => elementCount(tensor.shape.slice(i + 1)));
  const all = elements(tensor);
  const moved = Array.from({ length: all.length }, (_, flat) => {
    let [rest, source] = [flat, 0];
    for (let i = shape.length - 1; i >= 0; i -= 1) {
      source += (rest % (shape[i] as number)) * (strides[order[i] as number] as number);
      rest = Math.floor(rest / (shape[i] as number));
    }
    return all[source] as Uint8Array;
  });
  return { dtype: tensor.dtype, shape, data: Buffer.concat(moved) };
}

/** A model that treats each row for itself: it gives every input back with its rows on the output axis. */
function rowByRow(inputs: NamedValues, { inAxis, outAxis }: BatchPlan): NamedValues {
  const outputs = Object.entries(inputs).map(([name, value]): [string, RunValue] => {
    if (!isTensor(value)) return [name, value];
    return [name, inAxis < value.shape.length ? moveAxis(value, inAxis, outAxis) : value];
  });
  return Object.fromEntries(outputs);
}

/** A model whose output has one row for any batch: it must never be shared out. */
function counting(inputs: NamedValues, { inAxis }: BatchPlan): NamedValues {
  const counts = Object.values(inputs).map((value) => String(rowsOf(value, inAxis)));
  return { count: { dtype: "string", shape: [1], data: encodeStrings([counts.join()]) } };
}

/** A model that cannot take some inputs, in whatever batch they come. */
function picky(inputs: NamedValues, plan: BatchPlan): NamedValues {
  const bytes = Object.values(inputs).flatMap((value) => (isTensor(value) ? [...value.data] : []));
  if (bytes.includes(33)) throw new ModelbenchError("run.failed", "33 is unlucky.");
  return rowByRow(inputs, plan);
}

const models = { rowByRow, counting, picky } as const;

interface Sent {
  readonly method: keyof typeof models;
  readonly inputs: NamedValues;
  readonly plan: BatchPlan;
  readonly batched: boolean;
  /** Microtasks that pass before it is sent. */
  readonly after: number;
}

const odd: fc.Arbitrary<RunValue> = fc.constantFrom<RunValue>(
  { container: "object", value: { a: 1 } },
  { container: "list", items: [1, "two"] },
  filled("float32", [], 1),
  filled("uint8", [2, 2], 3),
);

/** Requests of a few kinds, in any order: many of them fit together, some with nothing. */
const mixes = fc
  .array(valuesOfOneKind, { minLength: 1, maxLength: 3 })
  .chain((kinds) =>
    fc.array(
      fc.record({
        kind: fc.constantFrom(...kinds),
        method: fc.constantFrom(...(Object.keys(models) as (keyof typeof models)[])),
        rows: fc.integer({ min: 0, max: 7 }),
        outAxis: fc.nat(1),
        second: fc.option(fc.oneof(odd, fc.constant("same" as const)), { freq: 3, nil: undefined }),
        batched: fc.boolean(),
        seed: fc.nat(50),
        after: fc.nat(4),
      }),
      { minLength: 1, maxLength: 12 },
    ),
  )
  .map((requests) =>
    requests.map(({ kind, method, rows, outAxis, second, batched, seed, after }): Sent => {
      const x = kind.make(rows, seed);
      const y = second === "same" ? kind.make(rows, seed + 1) : second;
      const rank = isTensor(x) ? x.shape.length : 1;
      const plan = { inAxis: kind.axis, outAxis: Math.min(outAxis, rank - 1) };
      return { method, inputs: y === undefined ? { x } : { x, y }, plan, batched, after };
    }),
  );

test("any mix of requests gets the answers that each gets alone, for all containers and axes, however many run at once", async () => {
  await fc.assert(
    fc.asyncProperty(
      mixes,
      fc.integer({ min: 2, max: 6 }),
      fc.integer({ min: 1, max: 3 }),
      async (requests, maxRows, concurrency) => {
        const alone = requests.map(({ method, inputs, plan }) => attempt(() => models[method](inputs, plan)));
        assert.deepEqual(await sendAll(requests, maxRows, concurrency), alone);
      },
    ),
    { numRuns: 400 },
  );
});

/** Sends requests to one batcher, whose model sees only what a batch holds. */
async function sendAll(requests: readonly Sent[], maxRows: number, concurrency: number): Promise<unknown[]> {
  // Each plan is a method of its own, as it is in a signature.
  const plans = new Map(requests.map((request) => [methodName(request), request]));
  const batcher = new Batcher({
    maxRows,
    concurrency,
    now: () => 0,
    execute: async (method, inputs) => {
      const { plan, method: model } = plans.get(method) as Sent;
      // Some runs overtake others.
      for (let i = 0; i < Object.keys(inputs).length; i += 1) await Promise.resolve();
      return { outputs: new Map(Object.entries(models[model](inputs, plan))), runMs: 0 };
    },
  });
  const answers: Promise<unknown>[] = [];
  for (const [id, request] of requests.entries()) {
    for (let i = 0; i < request.after; i += 1) await Promise.resolve();
    const { inputs, plan, batched } = request;
    const answer = batcher.submit({ id, method: methodName(request), inputs, plan: batched ? plan : undefined });
    answers.push(answer.then(({ outputs }) => plain(Object.fromEntries(outputs)), String));
  }
  return Promise.all(answers);
}

function methodName({ method, plan }: Sent): string {
  return `${method} ${plan.inAxis} ${plan.outAxis}`;
}

function attempt(run: () => NamedValues): unknown {
  try {
    return plain(run());
  } catch (error) {
    return String(error);
  }
}

/** Values with their bytes as numbers: two views of equal bytes differ in class. */
function plain(values: NamedValues): unknown {
  return Object.entries(values).map(([name, value]) => [name, plainValue(value)]);
}

function plainValue(value: RunValue): unknown {
  if (isTensor(value)) return { ...value, data: [...value.data] };
  if (value.container !== "dataframe") return value;
  return value.columns.map(([name, values]) => [name, plainValue(values)]);
}
