import assert from "node:assert/strict";
import { test } from "node:test";
import { bufferReader } from "../../../src/formats/bufferReader";
import { encodeStrings } from "../../../src/formats/elements";
import { readNpy, readNpyHeader, writeNpy } from "../../../src/formats/npy";
import type { DType, Tensor } from "../../../src/formats/tensor";
import { tensorToNested } from "../../../src/formats/tensorJson";
import { answersOrFails, failsWith, mutant } from "../../fixtures/failures";
import { npyFile } from "../../fixtures/npyFile";
import { randomFrom } from "../../fixtures/random";

function header(descr: string, fortran: boolean, shape: string): string {
  return `{'descr': ${descr}, 'fortran_order': ${fortran ? "True" : "False"}, 'shape': ${shape}, }`;
}

function values(bytes: Uint8Array): unknown {
  return tensorToNested(readNpy(bufferReader(bytes)));
}

const SIX = Uint8Array.from([1, 2, 3, 4, 5, 6]);

test("all three versions are read", () => {
  for (const version of [1, 2, 3])
    assert.deepEqual(values(npyFile(header("'|u1'", false, "(6,)"), SIX, version)), [1, 2, 3, 4, 5, 6]);
  failsWith("format.corrupt", () => readNpyHeader(bufferReader(npyFile(header("'|u1'", false, "(6,)"), SIX, 4))));
});

test("Fortran order becomes row-major, in three dimensions too", () => {
  assert.deepEqual(values(npyFile(header("'|u1'", true, "(2, 3)"), SIX)), [
    [1, 3, 5],
    [2, 4, 6],
  ]);
  assert.deepEqual(values(npyFile(header("'|u1'", true, "(1, 3, 2)"), SIX)), [
    [
      [1, 4],
      [2, 5],
      [3, 6],
    ],
  ]);
});

test("big-endian values are turned round, each part of a complex by itself", () => {
  assert.deepEqual(values(npyFile(header("'>u2'", false, "(3,)"), SIX)), [0x102, 0x304, 0x506]);
  const complex = Buffer.alloc(8);
  complex.writeFloatBE(1.5, 0);
  complex.writeFloatBE(-2, 4);
  assert.deepEqual(values(npyFile(header("'>c8'", false, "()"), complex)), { re: 1.5, im: -2 });
});

test("numpy's texts become strings", () => {
  const text = Buffer.alloc(16);
  text.writeUInt32BE(0x1f600, 0);
  text.writeUInt32BE(0x61, 4);
  text.writeUInt32BE(0xe9, 8);
  assert.deepEqual(values(npyFile(header("'>U2'", false, "(2,)"), text)), ["😀a", "é"]);
});

test("objects, structures, dates and raw values are refused in words", () => {
  const cases = [
    ["'|O'", /Python objects/],
    ["[('a', '<f4'), ('b', '<i8')]", /structured/],
    ["'<M8[s]'", /dates/],
    ["'|V2'", /bfloat16/],
    ["'|S3'", /bytes/],
    ["'<f16'", /not read/],
  ] as const;
  for (const [descr, words] of cases) {
    const bytes = npyFile(header(descr, false, "(1,)"), SIX);
    assert.match(failsWith("input.dtype", () => readNpy(bufferReader(bytes))).message, words);
    assert.equal(readNpyHeader(bufferReader(bytes)).dtype, null);
  }
});

test("missing values, odd headers and impossible shapes are corrupt", () => {
  const headers = [
    header("'<f8'", false, "(6,)"),
    header("'|u1'", false, "(99999999999999999999, 9)"),
    "{'descr': '|u1'}",
    "[]",
  ];
  for (const text of headers) failsWith("format.corrupt", () => readNpy(bufferReader(npyFile(text, SIX))));
});

test("a header that would make a careless pattern hang is refused", () => {
  failsWith("format.corrupt", () =>
    readNpyHeader(bufferReader(npyFile(header("'|u1'", false, `(${"1".repeat(60_000)}x)`), SIX))),
  );
});

test("what is written is read back; data starts at a multiple of 64", () => {
  const tensors: Tensor[] = [
    { dtype: "float32", shape: [2, 1], data: new Uint8Array(Float32Array.of(1.5, -2).buffer) },
    { dtype: "int64", shape: [], data: new Uint8Array(BigInt64Array.of(-5n).buffer) },
    { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) },
    { dtype: "string", shape: [3], data: encodeStrings(["", "é", "😀x"]) },
    { dtype: "float16", shape: [0, 3], data: new Uint8Array(0) },
  ];
  for (const tensor of tensors) {
    const bytes = writeNpy(tensor);
    const back = readNpy(bufferReader(bytes));
    assert.equal(readNpyHeader(bufferReader(bytes)).dataStart % 64, 0);
    assert.deepEqual({ ...back, data: [...back.data] }, { ...tensor, data: [...tensor.data] });
  }
});

test("types without a name in NPY are written wider, with the same values", () => {
  const cases: [DType, number[], DType, unknown][] = [
    ["bfloat16", [0x80, 0x3f], "float32", [1]],
    ["float8_e4m3fn", [0x7e], "float32", [448]],
    ["int4", [0x0f], "int8", [-1]],
    ["uint4", [0x0f], "uint8", [15]],
  ];
  for (const [dtype, data, written, expected] of cases) {
    const back = readNpy(bufferReader(writeNpy({ dtype, shape: [1], data: Uint8Array.from(data) })));
    assert.equal(back.dtype, written);
    assert.deepEqual(tensorToNested(back), expected);
  }
});

test("a file cut at every byte, and a thousand mutants, only ever fail as ours", () => {
  const bytes = npyFile(header("'>U1'", true, "(2, 3)"), Buffer.alloc(24, 1));
  for (let end = 0; end < bytes.length; end++)
    answersOrFails(() => readNpy(bufferReader(bytes.subarray(0, end))), `cut at ${end}`);
  const random = randomFrom(3);
  for (let i = 0; i < 1000; i++) {
    const changed = mutant(bytes, random);
    answersOrFails(() => readNpy(bufferReader(changed)), changed.toString("hex"));
  }
});
