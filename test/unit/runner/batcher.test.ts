import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tensor } from "../../../src/formats/tensor";
import { batcherOf, type Call, calls, column, rows, settled, shapeOf, singles, submit, time } from "./batcherKit";

test("a lone request starts at once; what arrives meanwhile rides together in the next batch", async () => {
  const batcher = batcherOf(8);
  const first = submit(batcher, column(1));
  await settled(() => undefined);
  assert.equal(calls.length, 1);
  const others = [submit(batcher, column(2)), submit(batcher, column(3))];
  assert.equal(batcher.waiting, 2);
  await calls[0]?.finish();
  assert.deepEqual(rows(calls[1]?.inputs["x"]), [2, 3]);
  await calls[1]?.finish();
  assert.equal((await first).batchSize, 1);
  assert.deepEqual(await Promise.all(others.map(async (a) => (await a).batchId)), [2, 2]);
});

test("a request that fits whole is not cut to fill a batch", async () => {
  const batcher = batcherOf(8);
  submit(batcher, column(1, 2, 3, 4, 5));
  submit(batcher, column(6, 7, 8, 9, 10));
  await settled(() => undefined);
  await calls[0]?.finish();
  assert.deepEqual(
    calls.map(({ inputs }) => (rows(inputs["x"]) as unknown[]).length),
    [5, 5],
  );
});

test("other dimensions, dtypes, names and methods start a batch of their own, and nothing overtakes", async () => {
  const batcher = batcherOf(8);
  const wide: Tensor = { dtype: "uint8", shape: [1, 2], data: Uint8Array.of(1, 2) };
  const signed: Tensor = { dtype: "int8", shape: [1, 1], data: Uint8Array.of(1) };
  submit(batcher, column(1));
  submit(batcher, column(2));
  submit(batcher, wide);
  submit(batcher, column(3));
  submit(batcher, signed);
  submit(batcher, { y: column(4) });
  submit(batcher, column(5));
  submit(batcher, column(6), { method: "other" });
  await settled(() => undefined);
  for (let i = 0; i < 7; i += 1) await (calls[i] as Call).finish();
  const got = calls.map(({ method, inputs }) => `${method} ${rows(Object.values(inputs)[0])}`);
  assert.deepEqual(got, ["run 1,2", "run 1,2", "run 3", "run 1", "run 4", "run 5", "other 6"]);
});

test("requests without a plan run alone, one at a time", async () => {
  const batcher = batcherOf(8);
  const answers = [
    submit(batcher, column(1), { plan: null }),
    submit(batcher, column(2)),
    submit(batcher, column(3), { plan: null }),
  ];
  await settled(() => undefined);
  for (let i = 0; i < 3; i += 1) {
    assert.equal(calls.length, i + 1);
    await (calls[i] as Call).finish();
  }
  assert.deepEqual(await Promise.all(answers.map(async (a) => (await a).batchRequests)), [1, 1, 1]);
});

test("inputs of different length along the batch axis, scalars and empty batches run alone", async () => {
  const batcher = batcherOf(8);
  const scalar: Tensor = { dtype: "uint8", shape: [], data: Uint8Array.of(1) };
  for (const inputs of [{ x: column(1), y: column(1, 2) }, { x: column(1), y: scalar }, { x: column() }]) {
    submit(batcher, inputs);
    submit(batcher, inputs);
    submit(batcher, Object.fromEntries(Object.keys(inputs).map((name) => [name, column(1)])));
  }
  await settled(() => undefined);
  for (let i = 0; i < 9; i += 1) await (calls[i] as Call).finish();
  assert.equal(calls.length, 9);
});

test("batches go in along one axis and come out along another", async () => {
  const batcher = batcherOf(8);
  const plan = { inAxis: 1, outAxis: 0 };
  const wide = (...values: number[]): Tensor => ({ ...column(...values), shape: [1, values.length] });
  const answers = [submit(batcher, wide(1, 2), { plan }), submit(batcher, wide(3), { plan })];
  await settled(() => undefined);
  assert.deepEqual(shapeOf(calls[0]?.inputs["x"]), [1, 3]);
  await calls[0]?.finish({ y: column(7, 8, 9) });
  assert.deepEqual(rows((await answers[0])?.outputs.get("y")), [7, 8]);
  assert.deepEqual(rows((await answers[1])?.outputs.get("y")), [9]);
});

test("when a batch fails its requests run once more, each alone, and only the bad one fails", async () => {
  const batcher = batcherOf(8);
  const answers = singles(batcher, 3);
  await settled(() => undefined);
  await calls[0]?.fail("batch");
  await calls[1]?.finish();
  await calls[2]?.fail("bad row");
  await calls[3]?.finish();
  assert.equal(calls.length, 4);
  assert.deepEqual(rows((await answers[0])?.outputs.get("x")), [0]);
  await assert.rejects(answers[1] as Promise<unknown>, { code: "run.failed", message: "bad row" });
  assert.deepEqual(rows((await answers[2])?.outputs.get("x")), [2]);
  assert.equal((await answers[2])?.batchRequests, 1);
});

test("a request that fails alone is not run again", async () => {
  const answer = submit(batcherOf(8), column(1));
  await settled(() => undefined);
  await calls[0]?.fail("bad");
  await assert.rejects(answer, { message: "bad" });
  assert.equal(calls.length, 1);
});

test("an oversize request whose piece fails is not continued", async () => {
  const batcher = batcherOf(2);
  const big = submit(batcher, column(1, 2, 3, 4, 5));
  const after = submit(batcher, column(6));
  await settled(() => undefined);
  await calls[0]?.fail("bad");
  await assert.rejects(big, { message: "bad" });
  await calls[1]?.finish();
  assert.deepEqual(rows((await after).outputs.get("x")), [6]);
  assert.equal(calls.length, 2);
});

test("outputs that do not follow the batch are never mis-assigned: the requests run alone from then on", async () => {
  const batcher = batcherOf(8);
  const answers = singles(batcher, 2);
  await settled(() => undefined);
  await calls[0]?.finish({ y: column(9) });
  await calls[1]?.finish({ y: column(10) });
  await calls[2]?.finish({ y: column(11) });
  assert.deepEqual(rows((await answers[0])?.outputs.get("y")), [10]);
  assert.deepEqual(rows((await answers[1])?.outputs.get("y")), [11]);
  singles(batcher, 2);
  await settled(() => undefined);
  await calls[3]?.finish({ y: column(12) });
  assert.equal(rows(calls[4]?.inputs["x"])?.toString(), "1");
});

test("an oversize request whose pieces cannot be joined again runs whole", async () => {
  const big = submit(batcherOf(2), column(1, 2, 3));
  await settled(() => undefined);
  await calls[0]?.finish({ y: column(9) });
  assert.deepEqual(rows(calls[1]?.inputs["x"]), [1, 2, 3]);
  await calls[1]?.finish({ y: column(9) });
  assert.deepEqual(rows((await big).outputs.get("y")), [9]);
});

test("an oversize request whose last piece does not follow the batch runs whole, without its first pieces", async () => {
  const big = submit(batcherOf(2), column(1, 2, 3));
  await settled(() => undefined);
  await calls[0]?.finish({ y: column(8, 9) });
  await calls[1]?.finish({ y: column(8, 9) });
  assert.deepEqual(rows(calls[2]?.inputs["x"]), [1, 2, 3]);
  await calls[2]?.finish({ y: column(8, 9) });
  assert.deepEqual(rows((await big).outputs.get("y")), [8, 9]);
});

test("an oversize request whose last piece lacks an output runs whole", async () => {
  const big = submit(batcherOf(2), column(1, 2, 3));
  await settled(() => undefined);
  await calls[0]?.finish({ y: column(1, 2), z: column(1, 2) });
  await calls[1]?.finish({ y: column(3) });
  await calls[2]?.finish({ y: column(1, 2, 3), z: column(4, 5, 6) });
  assert.deepEqual([...(await big).outputs.values()].map(rows), [
    [1, 2, 3],
    [4, 5, 6],
  ]);
});

test("what waits when outputs turn out not to follow the batch runs alone too", async () => {
  const batcher = batcherOf(8);
  const answers = singles(batcher, 2);
  await settled(() => undefined);
  answers.push(...singles(batcher, 2));
  for (let i = 0; i < 5; i += 1) await calls[i]?.finish({ y: column(9) });
  assert.deepEqual(
    calls.map(({ inputs }) => rows(inputs["x"])),
    [[0, 1], [0], [1], [0], [1]],
  );
  await Promise.all(answers);
});

test("an oversize request whose pieces come back in different widths runs whole, and disturbs nobody", async () => {
  const batcher = batcherOf(2);
  const wide = (count: number, width: number): Tensor => ({
    dtype: "uint8",
    shape: [count, width],
    data: new Uint8Array(count * width).fill(width),
  });
  const big = submit(batcher, column(1, 2, 3));
  const other = submit(batcher, column(4));
  await settled(() => undefined);
  await calls[0]?.finish({ y: wide(2, 1) });
  assert.deepEqual(rows(calls[1]?.inputs["x"]), [3, 4]);
  await calls[1]?.finish({ y: wide(2, 2) });
  assert.deepEqual(rows(calls[2]?.inputs["x"]), [1, 2, 3]);
  await calls[2]?.finish({ y: wide(3, 3) });
  assert.deepEqual(shapeOf((await big).outputs.get("y")), [3, 3]);
  assert.deepEqual(shapeOf((await other).outputs.get("y")), [1, 2]);
  assert.equal(calls.length, 3);
});

test("a waiting request is cancelled at once and takes no place in a batch", async () => {
  const batcher = batcherOf(8);
  submit(batcher, column(1));
  await settled(() => undefined);
  const [second, third] = [submit(batcher, column(2)), submit(batcher, column(3))];
  assert.equal(batcher.cancel(second.id), "waiting");
  await assert.rejects(second, { code: "cancelled" });
  await calls[0]?.finish();
  assert.deepEqual(rows(calls[1]?.inputs["x"]), [3]);
  await calls[1]?.finish();
  await third;
});

test("a running request is cancelled when its run ends; whether others wait for the run is told", async () => {
  const batcher = batcherOf(8);
  const [first, second] = [submit(batcher, column(1)), submit(batcher, column(2))];
  await settled(() => undefined);
  assert.equal(batcher.cancel(first.id), "shared");
  assert.equal(batcher.cancel(second.id), "alone");
  await calls[0]?.finish();
  await assert.rejects(first, { code: "cancelled" });
  await assert.rejects(second, { code: "cancelled" });
  assert.equal(batcher.cancel(first.id), "unknown");
});

test("a cancelled request of a failed batch is not run again", async () => {
  const batcher = batcherOf(8);
  const [first, second] = [submit(batcher, column(1)), submit(batcher, column(2))];
  await settled(() => undefined);
  batcher.cancel(first.id);
  await calls[0]?.fail("batch");
  await calls[1]?.finish();
  await assert.rejects(first, { code: "cancelled" });
  assert.deepEqual(rows((await second).outputs.get("x")), [2]);
  assert.equal(calls.length, 2);
});

test("an oversize request that is cancelled between its pieces frees its place", async () => {
  const batcher = batcherOf(2);
  const big = submit(batcher, column(1, 2, 3, 4));
  const after = submit(batcher, column(5));
  await settled(() => undefined);
  assert.equal(batcher.cancel(big.id), "alone");
  await calls[0]?.finish();
  await assert.rejects(big, { code: "cancelled" });
  assert.deepEqual(rows(calls[1]?.inputs["x"]), [5]);
  await calls[1]?.finish();
  await after;
});

test("queue, batch and run times are told apart", async () => {
  const batcher = batcherOf(8);
  submit(batcher, column(1));
  await settled(() => undefined);
  time.now = 10;
  const second = submit(batcher, column(2));
  time.now = 30;
  await calls[0]?.finish();
  time.now = 100;
  await calls[1]?.finish(undefined, 65);
  const { queueMs, batchMs, runMs } = await second;
  assert.deepEqual({ queueMs, batchMs, runMs }, { queueMs: 20, batchMs: 5, runMs: 65 });
});

test("ten thousand requests keep their order and each gets its own answer", async () => {
  const batcher = batcherOf(100);
  const answers = Array.from({ length: 10_000 }, (_, i) =>
    submit(batcher, { x: { dtype: "uint16", shape: [1], data: Uint8Array.of(i & 255, i >> 8) } }),
  );
  await settled(() => undefined);
  for (let i = 0; i < 100; i += 1) await (calls[i] as Call).finish();
  const got = await Promise.all(answers);
  assert.ok(got.every(({ outputs }, i) => (rows(outputs.get("x")) as number[])[0] === i));
  assert.equal(calls.length, 100);
});

test("an answer that grows too large to send fails in words, and its other pieces never run", async () => {
  const batcher = batcherOf(2, undefined, undefined, 5);
  const large = submit(batcher, column(1, 2, 3, 4, 5, 6, 7, 8));
  const small = submit(batcher, column(9));
  await settled(() => undefined);
  const wide: Tensor = { dtype: "uint8", shape: [2, 2], data: Uint8Array.of(1, 2, 3, 4) };
  await calls[0]?.finish({ y: wide });
  await calls[1]?.finish({ y: wide });
  await assert.rejects(large, { code: "run.failed", message: /^The answer is too large .* 8 bytes for 4 of 8 rows/ });
  assert.deepEqual(rows(calls[2]?.inputs["x"]), [9]);
  await calls[2]?.finish();
  assert.deepEqual(rows((await small).outputs.get("x")), [9]);
});
