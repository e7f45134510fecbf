import assert from "node:assert/strict";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Budget } from "../../../../src/base/budget";
import type { PositionalReader } from "../../../../src/base/ports";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { openFileReader } from "../../../../src/formats/fileReader";
import { type OnnxHeader, readOnnxHeader } from "../../../../src/formats/onnx/header";
import { answersOrFails, failsWith, mutant } from "../../../fixtures/failures";
import { addModel, floats, model, node, tensorFields, tensorValue } from "../../../fixtures/onnxParts";
import { block, int, packed, varint } from "../../../fixtures/protoWriter";
import { randomFrom } from "../../../fixtures/random";

function read(bytes: Uint8Array): OnnxHeader {
  return readOnnxHeader(bufferReader(bytes, "m.onnx"), "m.onnx");
}

test("a model's header says who made it, what goes in and out, and where the weights lie", () => {
  const bytes = addModel();
  const header = read(bytes);
  assert.equal(header.irVersion, 8);
  assert.equal(header.producerName, "maker");
  assert.deepEqual([...header.opsets], [["", 17]]);
  assert.deepEqual(header.graphInputs[0]?.spec, { name: "x", type: "tensor", dtype: "float32", shape: ["batch", 3] });
  assert.deepEqual([...header.ops], [["Add", 1]]);
  const [weights] = header.initializers;
  assert.ok(weights?.plain);
  assert.deepEqual(bytes.subarray(weights.plain.start, weights.plain.end), floats(1, 2, 3));
  assert.equal(weights.nativeDtype, "FLOAT");
});

test("fixed, named, unnamed and negative dimensions, a scalar and an unknown rank are told apart", () => {
  const shapes = [["n", 2], [null, -1], [], null] as const;
  const header = read(model({ inputs: shapes.map((dims, i) => tensorValue(`i${i}`, 7, dims)) }));
  assert.deepEqual(
    header.graphInputs.map(({ spec }) => spec.shape),
    [["n", 2], [null, null], [], null],
  );
});

test("sequence, map and optional values have no dtype of their own", () => {
  const inner = block(2, block(1, int(1, 1)));
  const values = [block(4, block(1, inner)), block(5, int(1, 7), inner), block(9, block(1, inner))];
  const header = read(model({ outputs: values.map((type, i) => Buffer.concat([block(1, `o${i}`), block(2, type)])) }));
  assert.deepEqual(
    header.outputs.map(({ spec }) => [spec.type, spec.dtype, spec.shape]),
    [
      ["sequence", null, null],
      ["map", null, null],
      ["optional", null, null],
    ],
  );
});

test("operators are counted in subgraphs and functions too, with their domain", () => {
  const subgraph = block(1, node("Mul", ["a", "b"], ["c"]));
  const branch = block(5, block(1, "then_branch"), block(6, subgraph));
  const twice = block(25, block(1, "Twice"), block(7, node("Add", ["x", "x"], ["y"])));
  const header = read(
    model({
      nodes: [node("If", ["c"], ["y"], branch), node("Twice", ["x"], ["z"], block(7, "local")), node("Mul", [], [])],
      more: [twice],
    }),
  );
  assert.deepEqual(Object.fromEntries(header.ops), { Mul: 2, If: 1, "local.Twice": 1, Add: 1 });
  assert.deepEqual(header.functions, ["Twice"]);
});

test("external tensors inside attributes and subgraphs are found, because they name files too", () => {
  const hidden = tensorFields({ name: "hidden", type: 1, dims: [1], external: { location: "w.bin" } });
  const constant = node("Constant", [], ["k"], block(5, block(1, "value"), block(5, hidden)));
  const header = read(model({ nodes: [constant] }));
  assert.deepEqual(
    header.otherExternal.map(({ name, external }) => [name, external?.location]),
    [["hidden", "w.bin"]],
  );
});

test("metadata keys may repeat and keep their order", () => {
  const pairs = [
    ["b", "1"],
    ["a", "2"],
    ["b", "3"],
    ["__proto__", "x"],
  ] as const;
  assert.deepEqual(read(model({ metadata: pairs })).metadataProps, pairs);
});

test("a shape must fit the amount of data, in raw and in typed fields", () => {
  const tensors = [
    tensorFields({ name: "t", type: 1, dims: [4], raw: floats(1, 2, 3) }),
    tensorFields({ name: "t", type: 1, dims: [3] }),
    tensorFields({ name: "t", type: 1, dims: [2n ** 62n] }),
    tensorFields({ name: "t", type: 1, dims: [2n ** 32n, 2n ** 32n, 2], raw: floats(1, 2) }),
    tensorFields({ name: "t", type: 1, dims: [-1], raw: floats(1) }),
    tensorFields({ name: "t", type: 7, dims: [3], more: [packed(7, [1, 2])] }),
    tensorFields({ name: "t", type: 1, dims: [3], more: [block(4, floats(1, 2))] }),
    tensorFields({ name: "t", type: 8, dims: [3], raw: Buffer.from("abc") }),
  ];
  for (const tensor of tensors) failsWith("format.corrupt", () => read(model({ initializers: [tensor] })));
  assert.equal(
    read(model({ initializers: [tensorFields({ name: "e", type: 1, dims: [0, 3] })] })).initializers[0]?.bytes,
    0,
  );
});

test("packed floats are a plain run; integers as varints are not", () => {
  const header = read(
    model({
      initializers: [
        tensorFields({ name: "f", type: 1, dims: [2], more: [block(4, floats(1, 2))] }),
        tensorFields({ name: "i", type: 7, dims: [2], more: [packed(7, [1, -1])] }),
      ],
    }),
  );
  assert.deepEqual(
    header.initializers.map(({ plain, bytes }) => [plain !== undefined, bytes]),
    [
      [true, 8],
      [false, 16],
    ],
  );
});

test("malformed protobuf is refused with the offset of the fault", () => {
  const endless = Buffer.concat([varint(8), Buffer.alloc(12, 0xff)]);
  const cases: [string, Buffer][] = [
    ["empty", Buffer.alloc(0)],
    ["no graph", int(1, 8)],
    ["group", Buffer.concat([varint(7 * 8 + 3), varint(7 * 8 + 4)])],
    ["field zero", Buffer.concat([addModel(), Buffer.from([2, 0])])],
    ["endless varint", endless],
    ["too long", Buffer.concat([varint(7 * 8 + 2), varint(2n ** 63n)])],
    ["inner field leaves its parent", block(7, Buffer.concat([varint(1 * 8 + 2), varint(50), Buffer.alloc(3)]))],
    ["wrong wire type", int(7, 1)],
  ];
  for (const [what, bytes] of cases)
    assert.equal(typeof failsWith("format.corrupt", () => read(bytes)).offset, "number", what);
});

test("nesting ends at 100 messages", () => {
  let graph = node("Relu", ["x"], ["y"]);
  for (let i = 0; i < 40; i++) graph = node("If", ["c"], ["y"], block(5, block(6, block(1, graph))));
  failsWith("budget.exceeded", () => read(model({ nodes: [graph] })));
});

test("a small file cut at every byte, and a thousand mutants, only ever fail as ours", () => {
  const bytes = Buffer.concat([addModel(), model({ metadata: [["k", "v"]] })]);
  for (let end = 0; end < bytes.length; end++) answersOrFails(() => read(bytes.subarray(0, end)), `cut at ${end}`);
  const random = randomFrom(11);
  for (let i = 0; i < 1000; i++) {
    const changed = mutant(bytes, random);
    answersOrFails(() => read(changed), changed.toString("hex"));
  }
});

test("many fields are stopped by the budget, not by memory", () => {
  const bytes = Buffer.concat([addModel(), Buffer.concat(Array.from({ length: 5000 }, () => int(99, 1)))]);
  failsWith("budget.exceeded", () =>
    readOnnxHeader(bufferReader(bytes), "m", new Budget("m", { nodes: 1000, depth: 100 })),
  );
});

test("a file with a weight of 500 MB is opened by reading a few kilobytes", () => {
  const folder = mkdtempSync(join(tmpdir(), "mb-onnx-"));
  try {
    const path = join(folder, "big.onnx");
    const weight = 500_000_000;
    const tensor = Buffer.concat([
      packed(1, [weight / 4]),
      int(2, 1),
      block(8, "w"),
      varint(9 * 8 + 2),
      varint(weight),
    ]);
    const end = block(12, tensorValue("y", 1, [1]));
    const initializer = Buffer.concat([varint(5 * 8 + 2), varint(tensor.length + weight), tensor]);
    const start = Buffer.concat([
      int(1, 8),
      varint(7 * 8 + 2),
      varint(initializer.length + weight + end.length),
      initializer,
    ]);
    const handle = openSync(path, "w");
    writeSync(handle, start);
    writeSync(handle, end, 0, end.length, start.length + weight);
    ftruncateSync(handle, start.length + weight + end.length);
    closeSync(handle);
    const file = openFileReader(path);
    const counted = counting(file);
    const header = readOnnxHeader(counted.reader, path);
    file.close();
    assert.equal(header.outputs[0]?.spec.name, "y");
    assert.equal(header.initializers[0]?.bytes, weight);
    assert.ok(counted.bytes() <= 16_384, `${counted.bytes()} bytes were read`);
    assert.ok(counted.calls() <= 4, `${counted.calls()} reads`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function counting(inner: PositionalReader): { reader: PositionalReader; bytes(): number; calls(): number } {
  let bytes = 0;
  let calls = 0;
  const reader = {
    size: inner.size,
    read(offset: number, length: number) {
      bytes += length;
      calls++;
      return inner.read(offset, length);
    },
  };
  return { reader, bytes: () => bytes, calls: () => calls };
}
