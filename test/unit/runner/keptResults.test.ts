import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tensor } from "../../../src/formats/tensor";
import { KeptResults } from "../../../src/runner/keptResults";
import { isTensor } from "../../../src/runner/values";

function bytes(...values: number[]): Tensor {
  return { dtype: "uint8", shape: [values.length], data: Uint8Array.from(values) };
}

function tensor(kept: KeptResults, handle: string, start: number, count: number): Tensor {
  const read = kept.read(handle, start, count);
  assert.ok(isTensor(read));
  return read;
}

test("rows of a kept result are read by slices, fewer at the end", () => {
  const kept = new KeptResults(100);
  const handle = kept.keep({ dtype: "uint8", shape: [3, 2], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  assert.deepEqual(kept.read(handle, 1, 1), { dtype: "uint8", shape: [1, 2], data: Uint8Array.of(3, 4) });
  assert.deepEqual(tensor(kept, handle, 2, 10).shape, [1, 2]);
  assert.deepEqual(tensor(kept, handle, 7, 1).shape, [0, 2]);
  const scalar = kept.keep({ dtype: "uint8", shape: [], data: Uint8Array.of(9) });
  assert.deepEqual(tensor(kept, scalar, 0, 1).shape, []);
});

test("the result that was not read for longest goes first when the room is used up", () => {
  const kept = new KeptResults(5);
  const [a, b] = [kept.keep(bytes(1, 2)), kept.keep(bytes(3, 4))];
  kept.read(a, 0, 1);
  const c = kept.keep(bytes(5, 6));
  assert.throws(() => kept.read(b, 0, 1), { code: "result.gone" });
  assert.equal(tensor(kept, a, 0, 2).shape[0], 2);
  assert.equal(tensor(kept, c, 0, 2).shape[0], 2);
});

test("a result bigger than the room is kept alone", () => {
  const kept = new KeptResults(2);
  const small = kept.keep(bytes(1));
  const big = kept.keep(bytes(1, 2, 3));
  assert.equal(tensor(kept, big, 0, 3).shape[0], 3);
  assert.throws(() => kept.read(small, 0, 1), { code: "result.gone" });
});

test("a kept slice does not hold the batch it was cut from", () => {
  const kept = new KeptResults(100);
  const handle = kept.keep({ dtype: "uint8", shape: [1], data: new Uint8Array(1_000).subarray(3, 4) });
  assert.equal(tensor(kept, handle, 0, 1).data.buffer.byteLength, 1);
});

test("rows of a kept table are read by slices, too, and it counts with all its columns", () => {
  const kept = new KeptResults(6);
  const table = {
    container: "dataframe",
    columns: [
      ["a", bytes(1, 2, 3)],
      ["b", bytes(4, 5, 6)],
    ],
  } as const;
  const handle = kept.keep(table);
  assert.deepEqual(kept.read(handle, 1, 9), {
    ...table,
    columns: [
      ["a", bytes(2, 3)],
      ["b", bytes(5, 6)],
    ],
  });
  assert.deepEqual(kept.read(handle, 3, 1), {
    ...table,
    columns: [
      ["a", bytes()],
      ["b", bytes()],
    ],
  });
  kept.keep(bytes(7));
  assert.throws(() => kept.read(handle, 0, 1), { code: "result.gone" });
});

test("a handle of another process is refused", () => {
  const handle = new KeptResults(100, "1").keep(bytes(1));
  const kept = new KeptResults(100, "2");
  kept.keep(bytes(2));
  assert.throws(() => kept.read(handle, 0, 1), { code: "result.gone" });
});
