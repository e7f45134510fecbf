import assert from "node:assert/strict";
import { test } from "node:test";
import { tensorToNested } from "../../../src/formats/tensorJson";
import { concatTensors, mergeable, sliceTensor, splitTensor } from "../../../src/runner/merge";
import { fc } from "../../fixtures/fastCheck";
import { dtypes, filled } from "./valueCases";

/** The obvious way to join nested lists along an axis. */
function joinNested(parts: readonly unknown[], axis: number): unknown {
  const lists = parts as unknown[][];
  if (axis === 0) return lists.flat(1);
  return (lists[0] as unknown[]).map((_, i) =>
    joinNested(
      lists.map((list) => list[i]),
      axis - 1,
    ),
  );
}

const cases = fc.record({
  dtype: fc.constantFrom(...dtypes),
  shape: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
  axisPick: fc.nat(3),
  counts: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }),
});

test("joining equals joining nested lists, on every axis and for every dtype", () => {
  fc.assert(
    fc.property(cases, ({ dtype, shape, axisPick, counts }) => {
      const axis = axisPick % shape.length;
      const parts = counts.map((count, i) =>
        filled(
          dtype,
          shape.map((dim, j) => (j === axis ? count : dim)),
          i * 11,
        ),
      );
      const whole = concatTensors(parts, axis);
      assert.equal(
        whole.shape[axis],
        counts.reduce((a, b) => a + b, 0),
      );
      assert.deepEqual(tensorToNested(whole), joinNested(parts.map(tensorToNested), axis));
    }),
    { numRuns: 500 },
  );
});

test("splitting is cutting piece by piece, on every axis and for every dtype", () => {
  fc.assert(
    fc.property(cases, ({ dtype, shape, axisPick, counts }) => {
      const axis = axisPick % shape.length;
      const rows = counts.reduce((a, b) => a + b, 0);
      const whole = filled(
        dtype,
        shape.map((dim, j) => (j === axis ? rows : dim)),
        7,
      );
      let start = 0;
      const cut = counts.map((count) => {
        start += count;
        return tensorToNested(sliceTensor(whole, axis, start - count, count));
      });
      assert.deepEqual(splitTensor(whole, axis, counts).map(tensorToNested), cut);
      assert.throws(() => splitTensor(whole, axis, [...counts, 1]), { code: "internal" });
    }),
    { numRuns: 500 },
  );
});

test("one tensor is joined without a copy, and a cut of the first axis is a view", () => {
  const tensor = filled("float32", [4, 2], 0);
  assert.equal(concatTensors([tensor], 0), tensor);
  assert.equal(sliceTensor(tensor, 0, 1, 2).data.buffer, tensor.data.buffer);
  assert.equal(sliceTensor(tensor, 0, 0, 4), tensor);
});

test("a cut that leaves the axis, and an axis that is not there, are refused", () => {
  const tensor = filled("float32", [4, 2], 0);
  for (const [axis, start, count] of [
    [0, 3, 2],
    [0, -1, 1],
    [0, 0, -1],
    [2, 0, 0],
  ] as const) {
    assert.throws(() => sliceTensor(tensor, axis, start, count), { code: "internal" });
  }
});

test("only tensors of one dtype, one rank and equal other dimensions go together", () => {
  const tensor = filled("float32", [4, 2], 0);
  assert.ok(mergeable(tensor, filled("float32", [9, 2], 0), 0));
  assert.ok(!mergeable(tensor, filled("float64", [4, 2], 0), 0));
  assert.ok(!mergeable(tensor, filled("float32", [4, 3], 0), 0));
  assert.ok(!mergeable(tensor, filled("float32", [4, 2, 1], 0), 0));
  assert.ok(!mergeable(filled("float32", [], 0), filled("float32", [], 0), 0));
  assert.throws(() => concatTensors([tensor, filled("float32", [4, 3], 0)], 0), { code: "internal" });
});
