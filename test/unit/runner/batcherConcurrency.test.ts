import assert from "node:assert/strict";
import { test } from "node:test";
import { batcherOf, calls, column, rows, settled, singles, submit, time } from "./batcherKit";

test("as many batches run at once as are allowed, and the next starts when any of them ends", async () => {
  const batcher = batcherOf(2, undefined, 2);
  const answers = singles(batcher, 6);
  await settled(() => undefined);
  assert.deepEqual(
    calls.map(({ inputs }) => rows(inputs["x"])),
    [
      [0, 1],
      [2, 3],
    ],
  );
  await calls[1]?.finish();
  assert.deepEqual(rows(calls[2]?.inputs["x"]), [4, 5]);
  await calls[2]?.finish();
  await calls[0]?.finish();
  const got = await Promise.all(answers);
  assert.deepEqual(
    got.map(({ outputs }) => rows(outputs.get("x"))),
    got.map((_, i) => [i]),
  );
});

test("requests that come one by one run beside each other, and those beyond wait", async () => {
  const batcher = batcherOf(8, undefined, 2);
  for (let i = 0; i < 4; i += 1) {
    submit(batcher, column(i));
    await settled(() => undefined);
  }
  assert.equal(calls.length, 2);
  assert.equal(batcher.waiting, 2);
  await calls[0]?.finish();
  assert.deepEqual(rows(calls[2]?.inputs["x"]), [2, 3]);
});

test("the pieces of a request run at once, and are joined in order whichever ends first", async () => {
  const batcher = batcherOf(2, undefined, 2);
  const big = submit(batcher, column(1, 2, 3, 4, 5));
  const after = submit(batcher, column(6));
  await settled(() => undefined);
  assert.deepEqual(
    calls.map(({ inputs }) => rows(inputs["x"])),
    [
      [1, 2],
      [3, 4],
    ],
  );
  await calls[1]?.finish();
  assert.deepEqual(rows(calls[2]?.inputs["x"]), [5, 6]);
  await calls[2]?.finish();
  assert.deepEqual(rows((await after).outputs.get("x")), [6]);
  await calls[0]?.finish();
  const { outputs, batches, batchSize } = await big;
  assert.deepEqual([rows(outputs.get("x")), batches, batchSize], [[1, 2, 3, 4, 5], 3, 2]);
});

test("where one of its pieces shows that a request cannot be cut, it runs once more, whole, and once only", async () => {
  const batcher = batcherOf(2, undefined, 3);
  const big = submit(batcher, column(1, 2, 3, 4, 5, 6, 7));
  await settled(() => undefined);
  assert.equal(calls.length, 3);
  await calls[1]?.finish({ y: column(9) });
  assert.deepEqual(rows(calls[3]?.inputs["x"]), [1, 2, 3, 4, 5, 6, 7]);
  await calls[0]?.finish({ y: column(9) });
  await calls[2]?.fail("too late to matter");
  assert.equal(calls.length, 4);
  await calls[3]?.finish({ y: column(8) });
  const { outputs, batches } = await big;
  assert.deepEqual([rows(outputs.get("y")), batches], [[8], 1]);
});

test("a stopped request takes no further piece, and ends with the first of those under way", async () => {
  const batcher = batcherOf(1, undefined, 2);
  const big = submit(batcher, column(1, 2, 3, 4));
  await settled(() => undefined);
  assert.equal(batcher.cancel(big.id), "alone");
  await calls[0]?.finish();
  await assert.rejects(big, { code: "cancelled" });
  await calls[1]?.finish();
  const next = submit(batcher, column(9));
  await settled(() => undefined);
  assert.deepEqual(rows(calls[2]?.inputs["x"]), [9]);
  await calls[2]?.finish();
  await next;
  assert.equal(calls.length, 3);
});

test("one failed piece fails its request, whatever the others bring", async () => {
  const batcher = batcherOf(1, undefined, 2);
  const big = submit(batcher, column(1, 2, 3));
  await settled(() => undefined);
  await calls[1]?.fail("bad row");
  await assert.rejects(big, { message: "bad row" });
  await calls[0]?.finish();
  assert.equal(calls.length, 2);
});

test("a run that nobody waits for is told from the others until it ends", async () => {
  const batcher = batcherOf(1, undefined, 2);
  const [first, second] = singles(batcher, 2);
  await settled(() => undefined);
  assert.equal(batcher.hasAbandonedRun, false);
  assert.equal(batcher.cancel((first as { id: number }).id), "alone");
  await calls[1]?.finish();
  await second;
  assert.equal(batcher.hasAbandonedRun, true);
  await calls[0]?.finish();
  await assert.rejects(first as Promise<unknown>, { code: "cancelled" });
  assert.equal(batcher.hasAbandonedRun, false);
});

test("batches that run at once shorten the wait", async () => {
  const batcher = batcherOf(1, 100, 2);
  const taught = submit(batcher, column(0));
  await settled(() => undefined);
  time.now = 60;
  await calls[0]?.finish();
  await taught;
  const answers = singles(batcher, 6);
  await assert.rejects(answers[5] as Promise<unknown>, {
    code: "run.busy",
    message: "6 requests wait, about 120 ms; the limit is 100 ms.",
  });
  await settled(() => undefined);
  for (let i = 1; i < 6; i += 2) {
    time.now += 60;
    await calls[i]?.finish();
    await calls[i + 1]?.finish();
  }
  assert.equal((await answers[3])?.queueMs, 60);
});

test("a long run ahead, under way or waiting, holds up only one of those that run at once", async () => {
  const batcher = batcherOf(1, 100, 2);
  const costs = { slow: 300, fast: 40 };
  for (const [method, ms] of Object.entries(costs)) {
    submit(batcher, column(0), { method });
    await settled(() => undefined);
    time.now += ms;
    await calls[calls.length - 1]?.finish();
  }
  const send = (method: keyof typeof costs) => submit(batcher, column(1), { method });
  const answers = [send("slow"), send("fast"), send("fast")];
  await settled(() => undefined);
  answers.push(send("fast"));
  for (const ms of [40, 40, 40]) {
    time.now += ms;
    await calls
      .filter(({ method }) => method === "fast")
      .pop()
      ?.finish();
  }
  time.now += 180;
  await calls[2]?.finish();
  await Promise.all(answers);
  const burst = Array.from({ length: 8 }, () => send("fast"));
  await assert.rejects(burst[7] as Promise<unknown>, { code: "run.busy" });
});
