import assert from "node:assert/strict";
import { test } from "node:test";
import type { FrameValue, ListValue, ObjectValue } from "../../../src/runner/values";
import { batcherOf, type Call, calls, column, rows, settled, singles, submit, time } from "./batcherKit";
import { filled } from "./valueCases";

test("20 singles, max 8: batches of 8, 8 and 4, oldest first, none waits for training", async () => {
  const answers = singles(batcherOf(8), 20);
  await settled(() => undefined);
  for (let i = 0; i < 3; i += 1) await (calls[i] as Call).finish();
  assert.deepEqual(
    calls.map(({ inputs }) => rows(inputs["x"])),
    [
      [0, 1, 2, 3, 4, 5, 6, 7],
      [8, 9, 10, 11, 12, 13, 14, 15],
      [16, 17, 18, 19],
    ],
  );
  const got = await Promise.all(answers);
  assert.deepEqual(
    got.map(({ outputs }) => rows(outputs.get("x"))),
    got.map((_, i) => [i]),
  );
  assert.deepEqual(
    new Set(got.slice(16).map((a) => `${a.batchId} ${a.batchSize} ${a.batchRequests}`)),
    new Set(["3 4 4"]),
  );
});

test("request size == max: it is served, in one batch", async () => {
  const answer = submit(batcherOf(3), column(1, 2, 3));
  await settled(() => undefined);
  await calls[0]?.finish();
  assert.deepEqual((await answer).batchSize, 3);
});

test("request size > max: it is split, fills each batch exactly, shares its last one, and comes back joined", async () => {
  const batcher = batcherOf(4);
  const small = submit(batcher, column(0));
  const big = submit(batcher, column(1, 2, 3, 4, 5, 6, 7, 8));
  const after = submit(batcher, column(9));
  await settled(() => undefined);
  await calls[0]?.finish(undefined, 1);
  await calls[1]?.finish(undefined, 1);
  await calls[2]?.finish(undefined, 1);
  assert.deepEqual(
    calls.map(({ inputs }) => rows(inputs["x"])),
    [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ],
  );
  assert.deepEqual(rows((await big).outputs.get("x")), [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal((await big).runMs, 3);
  assert.deepEqual([(await big).batches, (await big).batchSize], [3, 4]);
  assert.deepEqual([(await small).batches, (await after).batches], [1, 1]);
  assert.deepEqual(rows((await small).outputs.get("x")), [0]);
  assert.deepEqual(rows((await after).outputs.get("x")), [9]);
});

test("12 singles, L=100 ms, cost 300 ms: the 4 newest are refused at once and told why, the 8 oldest served", async () => {
  const batcher = batcherOf(8, 100);
  const first = submit(batcher, column(99));
  await settled(() => undefined);
  time.now = 300;
  await calls[0]?.finish();
  await first;
  const answers = singles(batcher, 12);
  const refusal = { code: "run.busy", message: "9 requests wait, about 300 ms; the limit is 100 ms." };
  for (const answer of answers.slice(8)) await assert.rejects(answer, refusal);
  time.now = 600;
  await calls[1]?.finish();
  assert.deepEqual(await Promise.all(answers.slice(0, 8).map(async (a) => (await a).batchId)), new Array(8).fill(2));
  assert.equal(calls.length, 2);
});

test("12 singles, L=100 ms, cost 300 ms, on a model that never ran: the 4 newest are refused when the time is over", async () => {
  const batcher = batcherOf(8, 100);
  const answers = singles(batcher, 12);
  await settled(() => undefined);
  time.now = 300;
  await calls[0]?.finish();
  for (const [i, answer] of answers.slice(8).entries()) {
    const waiting = i === 0 ? "1 request waits" : `${i + 1} requests wait`;
    await assert.rejects(answer, { code: "run.busy", message: `${waiting}, about 300 ms; the limit is 100 ms.` });
  }
  await Promise.all(answers.slice(0, 8));
  assert.equal(calls.length, 1);
});

test("DataFrame input: requests are joined column by column, and answered with their own rows", async () => {
  const batcher = batcherOf(8);
  const frame = (count: number, seed: number): FrameValue => ({
    container: "dataframe",
    columns: [
      ["length", filled("float64", [count], seed)],
      ["kind", filled("string", [count], seed)],
    ],
  });
  const answers = [submit(batcher, frame(2, 1)), submit(batcher, frame(3, 2))];
  const other = submit(batcher, { ...frame(1, 3), columns: frame(1, 3).columns.slice(0, 1) });
  await settled(() => undefined);
  await calls[0]?.finish({ "0": calls[0].inputs["x"] as FrameValue, "1": column(1, 2, 3, 4, 5) });
  await calls[1]?.finish();
  const got = await Promise.all(answers);
  assert.deepEqual(
    got.map(({ outputs }) => outputs.get("0")).map(columnsOf),
    [frame(2, 1), frame(3, 2)].map(columnsOf),
  );
  assert.deepEqual(
    got.map(({ outputs }) => rows(outputs.get("1"))),
    [
      [1, 2],
      [3, 4, 5],
    ],
  );
  assert.deepEqual([got[0]?.batchSize, got[0]?.batchRequests, (await other).batchId], [5, 2, 2]);
});

test("lists are joined and shared out by their items, and objects run one at a time", async () => {
  const batcher = batcherOf(8);
  const list = (...items: string[]): ListValue => ({ container: "list", items });
  const object: ObjectValue = { container: "object", value: { a: 1 } };
  const answers = [list("a", "b"), list("c"), object, object].map((value) => submit(batcher, value));
  await settled(() => undefined);
  for (let i = 0; i < 3; i += 1) await (calls[i] as Call).finish();
  const got = await Promise.all(answers);
  assert.deepEqual(calls[0]?.inputs["x"], list("a", "b", "c"));
  assert.deepEqual(
    got.map(({ outputs, batchSize, batchRequests }) => [outputs.get("x"), batchSize, batchRequests]),
    [
      [list("a", "b"), 3, 2],
      [list("c"), 3, 2],
      [object, 1, 1],
      [object, 1, 1],
    ],
  );
});

test("arguments are matched by name, in whatever order each request has them", async () => {
  const batcher = batcherOf(8);
  submit(batcher, { length: column(1), width: column(2) });
  submit(batcher, { width: column(4), length: column(3) });
  await settled(() => undefined);
  assert.deepEqual(
    calls.map(({ inputs }) => [rows(inputs["length"]), rows(inputs["width"])]),
    [
      [
        [1, 3],
        [2, 4],
      ],
    ],
  );
});

test("several outputs are each shared out, and one that lacks a row gives nobody another's", async () => {
  const batcher = batcherOf(8);
  const answers = singles(batcher, 2);
  await settled(() => undefined);
  await calls[0]?.finish({ a: column(1, 2), b: column(3, 4) });
  const got = await Promise.all(answers);
  assert.deepEqual(
    got.map(({ outputs }) => [...outputs].map(([name, value]) => [name, rows(value)])),
    [
      [
        ["a", [1]],
        ["b", [3]],
      ],
      [
        ["a", [2]],
        ["b", [4]],
      ],
    ],
  );
  const again = singles(batcher, 2);
  await settled(() => undefined);
  await calls[1]?.finish({ a: column(1, 2), b: column(3) });
  await calls[2]?.finish();
  await calls[3]?.finish();
  assert.deepEqual(
    (await Promise.all(again)).map(({ outputs }) => rows(outputs.get("x"))),
    [[0], [1]],
  );
});

test("unbatchable methods: requests run one at a time, in order, and have no latency limit", async () => {
  const batcher = batcherOf(8, 100);
  const answers = Array.from({ length: 12 }, (_, i) => submit(batcher, column(i), { plan: null }));
  await settled(() => undefined);
  for (let i = 0; i < 12; i += 1) {
    assert.equal(calls.length, i + 1);
    time.now += 300;
    await (calls[i] as Call).finish();
  }
  const got = await Promise.all(answers);
  assert.deepEqual(
    got.map(({ outputs, queueMs, batchRequests }) => [rows(outputs.get("x")), queueMs, batchRequests]),
    got.map((_, i) => [[i], i * 300, 1]),
  );
});

function columnsOf(value: unknown): unknown {
  return (value as FrameValue).columns.map(([name, { dtype, shape, data }]) => [name, dtype, shape, [...data]]);
}
