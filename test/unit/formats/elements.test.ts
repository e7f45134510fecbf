import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeElements, decodeStrings, elementCount, encodeStrings } from "../../../src/formats/elements";
import type { DType } from "../../../src/formats/tensor";
import { tensorToNested } from "../../../src/formats/tensorJson";
import { failsWith } from "../../fixtures/failures";

function decode(dtype: DType, ...bytes: number[]): unknown {
  return decodeElements({ dtype, shape: [1], data: Uint8Array.from(bytes) })[0];
}

test("small floats are decoded at their corners", () => {
  assert.equal(decode("float16", 0x00, 0x3c), 1);
  assert.equal(decode("float16", 0x01, 0x00), 2 ** -24);
  assert.equal(decode("float16", 0xff, 0x7b), 65504);
  assert.equal(decode("float16", 0x00, 0xfc), Number.NEGATIVE_INFINITY);
  assert.equal(decode("float16", 0x01, 0x7e), Number.NaN);
  assert.equal(decode("bfloat16", 0x80, 0x3f), 1);
  assert.equal(decode("float8_e4m3fn", 0x7e), 448);
  assert.equal(decode("float8_e4m3fn", 0x7f), Number.NaN);
  assert.equal(decode("float8_e4m3fnuz", 0x80), Number.NaN);
  assert.equal(decode("float8_e4m3fnuz", 0x7f), 240);
  assert.equal(decode("float8_e5m2", 0x7c), Number.POSITIVE_INFINITY);
  assert.equal(decode("float8_e5m2", 0x7b), 57344);
  assert.equal(decode("float8_e5m2fnuz", 0x7f), 57344);
  assert.equal(decode("float8_e8m0fnu", 0x80), 2);
  assert.equal(decode("float8_e8m0fnu", 0xff), Number.NaN);
  assert.deepEqual(
    [1, 2, 5, 7, 15].map((code) => decode("float4_e2m1fn", code)),
    [0.5, 1, 3, 6, -6],
  );
});

test("integers keep their sign and all their digits", () => {
  assert.equal(decode("int64", 255, 255, 255, 255, 255, 255, 255, 127), 2n ** 63n - 1n);
  assert.equal(decode("uint64", 255, 255, 255, 255, 255, 255, 255, 255), 2n ** 64n - 1n);
  assert.equal(decode("int4", 0x0f), -1);
  assert.equal(decode("uint4", 0x0f), 15);
  assert.equal(decode("int2", 0x02), -2);
  assert.equal(decode("bool", 2), true);
});

test("nested values follow the shape, a scalar is bare, empty axes stay", () => {
  const data = Uint8Array.from([1, 2, 3, 4, 5, 6]);
  assert.deepEqual(tensorToNested({ dtype: "uint8", shape: [2, 3], data }), [
    [1, 2, 3],
    [4, 5, 6],
  ]);
  assert.equal(tensorToNested({ dtype: "uint8", shape: [], data: data.subarray(0, 1) }), 1);
  assert.deepEqual(tensorToNested({ dtype: "uint8", shape: [2, 0], data: data.subarray(0, 0) }), [[], []]);
  assert.deepEqual(tensorToNested({ dtype: "uint8", shape: [0, 2], data: data.subarray(0, 0) }), []);
});

test("NaN and infinities become words, complex becomes two parts", () => {
  const values = new Uint8Array(Float32Array.of(Number.NaN, 1 / 0, -1 / 0, 1.5).buffer);
  assert.deepEqual(tensorToNested({ dtype: "float32", shape: [4], data: values }), [
    "NaN",
    "Infinity",
    "-Infinity",
    1.5,
  ]);
  assert.deepEqual(tensorToNested({ dtype: "complex64", shape: [2], data: values }), [
    { re: "NaN", im: "Infinity" },
    { re: "-Infinity", im: 1.5 },
  ]);
});

test("texts survive, also empty ones and ones beyond the BMP", () => {
  const texts = ["", "é", "a\0b", "😀"];
  assert.deepEqual(decodeStrings(encodeStrings(texts)), texts);
  failsWith("format.corrupt", () => decodeStrings(Uint8Array.of(5, 0, 0, 0, 65)));
});

test("impossible shapes are refused", () => {
  assert.equal(elementCount([]), 1);
  assert.equal(elementCount([2 ** 40, 0]), 0);
  for (const shape of [[-1], [2 ** 40, 2 ** 40], [1.5], [Number.NaN]])
    failsWith("format.corrupt", () => elementCount(shape));
});
