import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tensor } from "../../../src/formats/tensor";
import { Batcher } from "../../../src/runner/batcher";
import { SpareBuffers } from "../../../src/runner/spareBuffers";
import { column, rows } from "./batcherKit";

const MIB = 1_048_576;

test("memory that was given back is given again for the same size, and to one only", () => {
  const spares = new SpareBuffers();
  const buffer = new ArrayBuffer(100);
  spares.keep([buffer]);
  assert.notEqual(spares.take(99).buffer, buffer);
  const taken = spares.take(100);
  assert.deepEqual([taken.buffer, taken.byteOffset, taken.byteLength], [buffer, 0, 100]);
  assert.notEqual(spares.take(100).buffer, buffer);
});

test("fresh memory fills its buffer too, so that it can be posted", () => {
  const taken = new SpareBuffers().take(100);
  assert.deepEqual([taken.byteLength, taken.buffer.byteLength], [100, 100]);
});

test("of more than 8 buffers, or 32 MiB, the oldest are let go, and one of more than that is not kept", () => {
  const spares = new SpareBuffers();
  const small = Array.from({ length: 9 }, (_, i) => new ArrayBuffer(10 + i));
  spares.keep(small);
  assert.notEqual(spares.take(10).buffer, small[0]);
  assert.equal(spares.take(11).buffer, small[1]);
  const large = [new ArrayBuffer(20 * MIB), new ArrayBuffer(16 * MIB), new ArrayBuffer(33 * MIB)];
  spares.keep(large);
  assert.deepEqual(
    large.map((buffer) => spares.take(buffer.byteLength).buffer === buffer),
    [false, true, false],
  );
});

test("a batch is joined in the memory that an earlier run gave back, and every request has its own answer", async () => {
  const seen: ArrayBufferLike[] = [];
  const batcher = new Batcher({
    maxRows: 2,
    now: () => 0,
    execute: async (_method, { x }) => {
      const { dtype, shape, data } = x as Tensor;
      seen.push(data.buffer);
      return {
        outputs: new Map([["x", { dtype, shape, data: data.slice() }]]),
        runMs: 0,
        spent: [data.buffer as ArrayBuffer],
      };
    },
  });
  const plan = { inAxis: 0, outAxis: 0 };
  const answers = Array.from({ length: 6 }, (_, id) =>
    batcher.submit({ id, method: "run", inputs: { x: column(id) }, plan }),
  );
  const got = await Promise.all(answers);
  assert.deepEqual(
    got.map(({ outputs }) => rows(outputs.get("x"))),
    [[0], [1], [2], [3], [4], [5]],
  );
  assert.deepEqual([seen.length, new Set(seen).size], [3, 1]);
});
