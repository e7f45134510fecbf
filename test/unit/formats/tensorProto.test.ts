import assert from "node:assert/strict";
import { test } from "node:test";
import { bufferReader } from "../../../src/formats/bufferReader";
import { tensorToNested } from "../../../src/formats/tensorJson";
import { readTensorProto } from "../../../src/formats/tensorProto";
import { answersOrFails, failsWith, mutant } from "../../fixtures/failures";
import { floats, tensorFields } from "../../fixtures/onnxParts";
import { block, int, packed } from "../../fixtures/protoWriter";
import { randomFrom } from "../../fixtures/random";

function values(bytes: Uint8Array): unknown {
  return tensorToNested(readTensorProto(bufferReader(bytes)).tensor);
}

test("raw and typed data give the same values", () => {
  assert.deepEqual(values(tensorFields({ name: "t", type: 1, dims: [2, 1], raw: floats(1, -2) })), [[1], [-2]]);
  assert.deepEqual(values(tensorFields({ name: "t", type: 1, dims: [2, 1], more: [block(4, floats(1, -2))] })), [
    [1],
    [-2],
  ]);
  assert.deepEqual(values(tensorFields({ name: "t", type: 7, dims: [2], more: [packed(7, [-1, 2n ** 62n])] })), [
    -1n,
    2n ** 62n,
  ]);
  assert.deepEqual(values(tensorFields({ name: "t", type: 7, dims: [2], more: [int(7, -1), int(7, 3)] })), [-1n, 3n]);
  assert.deepEqual(values(tensorFields({ name: "t", type: 13, dims: [1], more: [packed(11, [2n ** 64n - 1n])] })), [
    2n ** 64n - 1n,
  ]);
});

test("narrow types travel in int32_data", () => {
  assert.deepEqual(values(tensorFields({ name: "t", type: 3, dims: [2], more: [packed(5, [-1, 127])] })), [-1, 127]);
  assert.deepEqual(values(tensorFields({ name: "t", type: 9, dims: [2], more: [packed(5, [1, 0])] })), [true, false]);
  assert.deepEqual(values(tensorFields({ name: "t", type: 10, dims: [1], more: [packed(5, [0x3c00])] })), [1]);
  assert.deepEqual(
    values(tensorFields({ name: "t", type: 22, dims: [3], more: [packed(5, [0xf1, 0x02])] })),
    [1, -1, 2],
  );
});

test("four- and two-bit values are unpacked low bits first", () => {
  assert.deepEqual(
    values(tensorFields({ name: "t", type: 22, dims: [3], raw: Uint8Array.of(0xf1, 0x02) })),
    [1, -1, 2],
  );
  assert.deepEqual(
    values(tensorFields({ name: "t", type: 25, dims: [5], raw: Uint8Array.of(0b11100100, 0b01) })),
    [0, 1, 2, 3, 1],
  );
});

test("texts, scalars, complex and the name are read", () => {
  const texts = tensorFields({ name: "s", type: 8, dims: [2], more: [block(6, "a"), block(6, "ü")] });
  assert.deepEqual(values(texts), ["a", "ü"]);
  assert.equal(readTensorProto(bufferReader(texts)).name, "s");
  assert.equal(values(tensorFields({ name: "t", type: 1, raw: floats(2.5) })), 2.5);
  assert.deepEqual(values(tensorFields({ name: "t", type: 14, dims: [1], more: [block(4, floats(1, 2))] })), [
    { re: 1, im: 2 },
  ]);
});

test("too few and too many values, missing types and values elsewhere are refused", () => {
  failsWith("format.corrupt", () =>
    values(tensorFields({ name: "t", type: 7, dims: [3], more: [packed(7, [1, 2n ** 60n])] })),
  );
  failsWith("format.corrupt", () => values(tensorFields({ name: "t", type: 7, dims: [1], more: [packed(7, [1, 2])] })));
  failsWith("format.corrupt", () => values(tensorFields({ name: "t", type: 8, dims: [2], more: [block(6, "a")] })));
  failsWith("input.dtype", () => values(Buffer.alloc(0)));
  failsWith("input.dtype", () => values(tensorFields({ name: "t", type: 77 })));
  failsWith("onnx.external", () =>
    values(tensorFields({ name: "t", type: 1, dims: [1], external: { location: "/etc/passwd" } })),
  );
});

test("a tensor cut at every byte, and a thousand mutants, only ever fail as ours", () => {
  const bytes = tensorFields({ name: "t", type: 7, dims: [2, 2], more: [packed(7, [1, 2, 3]), int(7, 4)] });
  for (let end = 0; end < bytes.length; end++) answersOrFails(() => values(bytes.subarray(0, end)), `cut at ${end}`);
  const random = randomFrom(9);
  for (let i = 0; i < 1000; i++) {
    const changed = mutant(bytes, random);
    answersOrFails(() => values(changed), changed.toString("hex"));
  }
});
