import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tensor } from "../../../src/formats/tensor";
import { KeptResults } from "../../../src/runner/keptResults";

function bytes(...values: number[]): Tensor {
  return { dtype: "uint8", shape: [values.length], data: Uint8Array.from(values) };
}

test("rows of a kept result are read by slices, fewer at the end", () => {
  const kept = new KeptResults(100);
  const handle = kept.keep({ dtype: "uint8", shape: [3, 2], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  assert.deepEqual(kept.read(handle, 1, 1), { dtype: "uint8", shape: [1, 2], data: Uint8Array.of(3, 4) });
  assert.deepEqual(kept.read(handle, 2, 10).shape, [1, 2]);
  assert.deepEqual(kept.read(handle, 7, 1).shape, [0, 2]);
  const scalar = kept.keep({ dtype: "uint8", shape: [], data: Uint8Array.of(9) });
  assert.deepEqual(kept.read(scalar, 0, 1).shape, []);
});

test("the result that was not read for longest goes first when the room is used up", () => {
  const kept = new KeptResults(5);
  const [a, b] = [kept.keep(bytes(1, 2)), kept.keep(bytes(3, 4))];
  kept.read(a, 0, 1);
  const c = kept.keep(bytes(5, 6));
  assert.throws(() => kept.read(b, 0, 1), { code: "result.gone" });
  assert.equal(kept.read(a, 0, 2).shape[0], 2);
  assert.equal(kept.read(c, 0, 2).shape[0], 2);
});

test("a result bigger than the room is kept alone", () => {
  const kept = new KeptResults(2);
  const small = kept.keep(bytes(1));
  const big = kept.keep(bytes(1, 2, 3));
  assert.equal(kept.read(big, 0, 3).shape[0], 3);
  assert.throws(() => kept.read(small, 0, 1), { code: "result.gone" });
});

test("a kept slice does not hold the batch it was cut from", () => {
  const kept = new KeptResults(100);
  const handle = kept.keep({ dtype: "uint8", shape: [1], data: new Uint8Array(1_000).subarray(3, 4) });
  assert.equal(kept.read(handle, 0, 1).data.buffer.byteLength, 1);
});

test("a handle of another process is refused", () => {
  const handle = new KeptResults(100, "1").keep(bytes(1));
  const kept = new KeptResults(100, "2");
  kept.keep(bytes(2));
  assert.throws(() => kept.read(handle, 0, 1), { code: "result.gone" });
});
