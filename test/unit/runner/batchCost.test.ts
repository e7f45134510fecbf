import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchCost } from "../../../src/runner/batchCost";

function learnt(...samples: readonly (readonly [rows: number, ms: number])[]): BatchCost {
  const cost = new BatchCost();
  for (const [rows, ms] of samples) cost.add(rows, ms);
  return cost;
}

test("batches of two sizes tell what a batch and what a row costs", () => {
  const cost = learnt([1, 15], [3, 25]);
  assert.deepEqual([cost.of(1), cost.of(4), cost.of(100)], [15, 30, 510]);
});

test("batches of one size tell what a batch costs, and nothing of a row", () => {
  assert.equal(learnt([8, 30], [8, 30]).of(64), 30);
});

test("one batch that took far longer changes nothing", () => {
  const cost = learnt([1, 9_000], [1, 15], [3, 25], [2, 20], [4, 30]);
  assert.equal(cost.of(10), 60);
});

test("bigger batches that were quicker never make a batch cost less than nothing", () => {
  assert.equal(learnt([1, 40], [4, 10]).of(100), 10);
  assert.equal(learnt([10, 1], [20, 30]).of(1), 2.9);
});

test("what was long ago is forgotten, and what is new counts at once", () => {
  const cost = learnt(...new Array<readonly [number, number]>(13).fill([1, 300]));
  assert.equal(cost.of(1), 300);
  for (let i = 0; i < 12; i += 1) cost.add(1, 2);
  assert.equal(cost.of(1), 2);
});
