import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batcher } from "../../../src/runner/batcher";
import { batcherOf, calls, column, rows, settled, singles, submit, time } from "./batcherKit";

const LIMIT = 100;

/** A batcher that has learnt what a batch of each of these sizes takes. */
async function taught(maxRows: number, costs: readonly (readonly [rows: number, ms: number])[]): Promise<Batcher> {
  const batcher = batcherOf(maxRows, LIMIT);
  for (const [count, ms] of costs) {
    const answer = submit(batcher, column(...new Array<number>(count).fill(0)));
    await settled(() => undefined);
    time.now += ms;
    await calls[calls.length - 1]?.finish();
    await answer;
  }
  calls.length = 0;
  return batcher;
}

function busy(requests: string, ms: number) {
  return { code: "run.busy", message: `${requests}, about ${ms} ms; the limit is ${LIMIT} ms.` };
}

test("a lone request is served, however long the model takes", async () => {
  const batcher = await taught(8, [[1, 10_000]]);
  for (let i = 0; i < 3; i += 1) {
    const answer = submit(batcher, column(i));
    await settled(() => undefined);
    time.now += 10_000;
    await calls[i]?.finish();
    assert.deepEqual(rows((await answer).outputs.get("x")), [i]);
  }
});

test("what the run under way still takes counts, and what it has taken does not", async () => {
  const batcher = await taught(8, [[1, 300]]);
  submit(batcher, column(1));
  await settled(() => undefined);
  time.now += 199;
  await assert.rejects(submit(batcher, column(2)), busy("1 request waits", 101));
  time.now += 1;
  const inTime = submit(batcher, column(3));
  time.now += 100;
  await calls[0]?.finish();
  assert.deepEqual(rows(calls[1]?.inputs["x"]), [3]);
  await calls[1]?.finish();
  assert.equal((await inTime).queueMs, 100);
});

test("the wait is that of the batches ahead: so much a batch and so much a row", async () => {
  // 10 ms a batch and 5 ms a row: a full batch of 4 takes 30 ms, so three of them fit before the limit.
  const batcher = await taught(4, [
    [1, 15],
    [3, 25],
  ]);
  const answers = singles(batcher, 20);
  await assert.rejects(answers[16] as Promise<unknown>, busy("17 requests wait", 120));
  await assert.rejects(answers[19] as Promise<unknown>, busy("17 requests wait", 120));
  await settled(() => undefined);
  for (let i = 0; i < 4; i += 1) {
    time.now += 30;
    await calls[i]?.finish();
  }
  assert.equal((await Promise.all(answers.slice(0, 16))).length, 16);
  assert.equal(calls.length, 4);
});

test("a request in pieces counts with all its batches, and is finished once it has begun", async () => {
  const batcher = await taught(4, [[4, 60]]);
  const big = submit(batcher, column(...new Array<number>(10).fill(7)));
  const rides = submit(batcher, column(1, 2));
  await assert.rejects(rides, busy("2 requests wait", 120));
  await settled(() => undefined);
  time.now += 5;
  await assert.rejects(submit(batcher, column(1, 2)), busy("2 requests wait", 115));
  for (let i = 0; i < 3; i += 1) {
    time.now += 500;
    await calls[i]?.finish();
  }
  assert.equal((await big).batches, 3);
});

test("batches that took longer than expected: the newest go, and none goes before a newer one", async () => {
  const batcher = await taught(2, [[2, 40]]);
  const answers = singles(batcher, 6);
  await settled(() => undefined);
  time.now += 70;
  await calls[0]?.finish();
  // A batch takes 40 ms still, since that is what most took: the third starts at 110 ms.
  await assert.rejects(answers[5] as Promise<unknown>, busy("4 requests wait", 110));
  await assert.rejects(answers[4] as Promise<unknown>, busy("3 requests wait", 110));
  await calls[1]?.finish();
  assert.deepEqual(await Promise.all(answers.slice(0, 4).map(async (a) => (await a).batchId)), [2, 2, 3, 3]);
  assert.equal(calls.length, 2);
});

test("an older request that is late already is served when a newer one of its batch is in time", async () => {
  const batcher = batcherOf(8, LIMIT);
  submit(batcher, column(1));
  await settled(() => undefined);
  const older = submit(batcher, column(2));
  time.now = 150;
  const newer = submit(batcher, column(3));
  time.now = 200;
  await calls[0]?.finish();
  await calls[1]?.finish();
  assert.deepEqual([(await older).queueMs, (await newer).queueMs], [200, 50]);
});

test("one slow batch, of a compilation say, does not make the next ones look slow", async () => {
  const batcher = await taught(1, [
    [1, 10_000],
    [1, 2],
  ]);
  const answers = singles(batcher, 10);
  await settled(() => undefined);
  for (let i = 0; i < 10; i += 1) {
    time.now += 2;
    await calls[i]?.finish();
  }
  assert.equal((await Promise.all(answers)).length, 10);
});

test("methods are timed apart, and requests without batching ahead of a request count with their time", async () => {
  const batcher = await taught(8, [[1, 2]]);
  const slow = submit(batcher, column(1), { method: "slow", plan: null });
  await settled(() => undefined);
  time.now += 150;
  await calls[0]?.finish();
  await slow;
  const [first, second] = [1, 2].map((i) => submit(batcher, column(i), { method: "slow", plan: null }));
  const behind = submit(batcher, column(3));
  await assert.rejects(behind, busy("3 requests wait", 300));
  await settled(() => undefined);
  for (const i of [1, 2]) {
    time.now += 150;
    await calls[i]?.finish();
  }
  await Promise.all([first, second]);
});

test("what was cancelled is no longer ahead of anybody", async () => {
  const batcher = await taught(1, [[1, 60]]);
  const [, second] = singles(batcher, 2);
  await settled(() => undefined);
  await assert.rejects(submit(batcher, column(8)), busy("2 requests wait", 120));
  batcher.cancel((second as { id: number }).id);
  const again = submit(batcher, column(9));
  time.now += 60;
  await calls[0]?.finish();
  await calls[1]?.finish();
  assert.equal((await again).queueMs, 60);
});

test("what was refused for being late is no longer ahead of anybody", async () => {
  const batcher = batcherOf(1, LIMIT);
  const answers = singles(batcher, 4);
  await settled(() => undefined);
  time.now += 300;
  await calls[0]?.finish();
  await assert.rejects(answers[1] as Promise<unknown>, busy("1 request waits", 300));
  const lone = submit(batcher, column(9));
  await settled(() => undefined);
  await calls[1]?.finish();
  assert.deepEqual(rows((await lone).outputs.get("x")), [9]);
});

test("a request whose inputs differ in rows shares its batch with nobody, and counts with one run", async () => {
  const batcher = await taught(2, [[2, 60]]);
  const odd = () => submit(batcher, { x: column(1, 2, 3, 4, 5, 6), y: column(1) });
  const answers = [odd(), odd()];
  await assert.rejects(odd(), busy("3 requests wait", 120));
  await settled(() => undefined);
  for (let i = 0; i < 2; i += 1) await calls[i]?.finish();
  assert.deepEqual(await Promise.all(answers.map(async (a) => (await a).batchId)), [2, 3]);
});

test("a batch that failed teaches nothing, and is not under way any more", async () => {
  const batcher = await taught(1, [[1, 300]]);
  const bad = submit(batcher, column(1));
  await settled(() => undefined);
  time.now += 5;
  await calls[0]?.fail("bad");
  await assert.rejects(bad, { message: "bad" });
  const lone = submit(batcher, column(2));
  await settled(() => undefined);
  await assert.rejects(submit(batcher, column(3)), busy("1 request waits", 300));
  await calls[1]?.finish();
  assert.equal((await lone).queueMs, 0);
});

test("without a limit nothing is refused", async () => {
  const answers = singles(batcherOf(1), 3);
  await settled(() => undefined);
  for (let i = 0; i < 3; i += 1) {
    time.now += 1e6;
    await calls[i]?.finish();
  }
  assert.equal((await answers[2])?.queueMs, 2e6);
});
