import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type ErrorCode, ModelbenchError } from "../../../../src/base/errors";
import { encodeStrings } from "../../../../src/formats/elements";
import type { DType, Tensor } from "../../../../src/formats/tensor";
import { tensorToNested } from "../../../../src/formats/tensorJson";
import { createOnnxSession, type OnnxSession } from "../../../../src/frameworks/onnx/run";
import { DEFAULT_SETTINGS } from "../../../../src/frameworks/onnx/sessionOptions";
import { addModel, floats, model, node, tensorFields, tensorValue } from "../../../fixtures/onnxParts";
import { block, int } from "../../../fixtures/protoWriter";

const folder = mkdtempSync(join(tmpdir(), "mb-run-"));
after(() => rmSync(folder, { recursive: true }));
let count = 0;

function open(bytes: Uint8Array): Promise<OnnxSession> {
  const path = join(folder, `${count++}.onnx`);
  writeFileSync(path, bytes);
  return createOnnxSession(path, "cpu", { ...DEFAULT_SETTINGS, intraOpThreads: 1 });
}

async function rejectsWith(code: ErrorCode, act: Promise<unknown>): Promise<ModelbenchError> {
  const error: unknown = await act.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof ModelbenchError, String(error));
  assert.equal(error.code, code, error.message);
  return error;
}

/** y = op(x) for one ONNX type. */
function unary(op: string, type: number, out = type): Buffer {
  return model({
    nodes: [node(op, ["x"], ["y"])],
    inputs: [tensorValue("x", type, ["n"])],
    outputs: [tensorValue("y", out, ["n"])],
  });
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

test("every type of the runtime goes through unchanged, 64-bit integers to the last digit", async () => {
  const cases: [number, DType, Uint8Array][] = [
    [1, "float32", floats(1.5, -0)],
    [2, "uint8", Uint8Array.of(0, 255)],
    [3, "int8", Uint8Array.of(128, 127)],
    [4, "uint16", bytesOf(Uint16Array.of(0, 65535))],
    [5, "int16", bytesOf(Int16Array.of(-32768, 1))],
    [6, "int32", bytesOf(Int32Array.of(-(2 ** 31), 1))],
    [7, "int64", bytesOf(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)))],
    [8, "string", encodeStrings(["", "é😀"])],
    [9, "bool", Uint8Array.of(1, 0)],
    [10, "float16", bytesOf(Uint16Array.of(0x3c00, 0x7e01))],
    [11, "float64", bytesOf(Float64Array.of(0.1, -1e300))],
    [12, "uint32", bytesOf(Uint32Array.of(2 ** 32 - 1, 0))],
    [13, "uint64", bytesOf(BigUint64Array.of(2n ** 64n - 1n, 0n))],
  ];
  for (const [type, dtype, data] of cases) {
    const session = await open(unary("Identity", type));
    const { y } = await session.run({ x: { dtype, shape: [2], data } });
    assert.deepEqual([y?.dtype, y?.shape, [...(y?.data ?? [])]], [dtype, [2], [...data]]);
    await session.release();
  }
});

test("data that lies askew in its buffer is read right", async () => {
  const session = await open(addModel());
  const data = Buffer.concat([Buffer.alloc(1), floats(1, 2, 3)]).subarray(1);
  const { y } = await session.run({ x: { dtype: "float32", shape: [1, 3], data } });
  assert.deepEqual(y && tensorToNested(y), [[2, 4, 6]]);
  await session.release();
});

test("an output that is a sequence is left out with the cure, the others answer", async () => {
  const sequence = Buffer.concat([block(1, "s"), block(2, block(4, block(1, block(1, int(1, 1)))))]);
  const session = await open(
    model({
      nodes: [node("SequenceConstruct", ["x"], ["s"]), node("Relu", ["x"], ["y"])],
      inputs: [tensorValue("x", 1, ["n"])],
      outputs: [sequence, tensorValue("y", 1, ["n"])],
    }),
  );
  assert.deepEqual(
    session.unfetchable.map(({ name }) => name),
    ["s"],
  );
  assert.match(session.unfetchable[0]?.reason ?? "", /options=\{'zipmap': False\}/);
  assert.deepEqual(Object.keys(await session.run({ x: { dtype: "float32", shape: [1], data: floats(1) } })), ["y"]);
  await session.release();
});

test("4-bit values, which would end the process, are never asked of the runtime", async () => {
  for (const [type, dtype] of [
    [22, "int4"],
    [21, "uint4"],
  ] as const) {
    const opset21 = [block(8, int(2, 21))];
    const to = (target: number): Buffer => block(5, block(1, "to"), int(3, target), int(20, 2));
    const [x, y] = [tensorValue("x", 1, [2]), tensorValue("y", type, [2])];
    const nodes = [node("Cast", ["x"], ["y"], to(type)), node("Neg", ["x"], ["z"])];
    const both = await open(model({ nodes, inputs: [x], outputs: [y, tensorValue("z", 1, [2])], more: opset21 }));
    assert.match(both.unfetchable[0]?.reason ?? "", new RegExp(`type is ${dtype}.*cast it`));
    const input = { dtype: "float32", shape: [2], data: floats(1, -2) } as const;
    assert.deepEqual(Object.keys(await both.run({ x: input })), ["z"]);
    await both.release();
    const only = await open(model({ nodes: nodes.slice(0, 1), inputs: [x], outputs: [y], more: opset21 }));
    assert.match((await rejectsWith("run.unsupported", only.run({ x: input }))).remedy ?? "", /cast it/);
    await only.release();
    const cast = [node("Cast", ["y"], ["x"], to(1))];
    const takes = await open(model({ nodes: cast, inputs: [y], outputs: [x], more: opset21 }));
    const nibbles = { dtype, shape: [2], data: Uint8Array.of(1, 2) };
    assert.match((await rejectsWith("run.unsupported", takes.run({ y: nibbles }))).message, new RegExp(`no ${dtype}`));
    await takes.release();
  }
});

test("a text that the runtime would cut at its NUL is refused", async () => {
  const session = await open(unary("Identity", 8));
  const data = encodeStrings(["whole", "cut\0off"]);
  const error = await rejectsWith("run.unsupported", session.run({ x: { dtype: "string", shape: [2], data } }));
  assert.match(error.message, /"x": text 1 holds a NUL/);
  await session.release();
});

test("what the runtime cannot take is refused with the reason, before or while it opens", async () => {
  const bfloat = await rejectsWith("run.unsupported", open(unary("Identity", 16)));
  assert.match(bfloat.message, /"x" has the type bfloat16/);
  const values = { inputs: [tensorValue("x", 1, ["n"])], outputs: [tensorValue("y", 1, ["n"])] };
  const ownOps = block(8, block(1, "my.ops"), int(2, 1));
  const custom = model({ ...values, nodes: [node("Nope", ["x"], ["y"], block(7, "my.ops"))], more: [ownOps] });
  assert.match((await rejectsWith("run.unsupported", open(custom))).message, /my\.ops:Nope/);
  const future = model({ ...values, nodes: [node("Relu", ["x"], ["y"])], more: [block(8, int(2, 9999))] });
  assert.match((await rejectsWith("run.unsupported", open(future))).message, /opset 9999/);
  await rejectsWith("format.corrupt", open(addModel().subarray(0, 40)));
  await rejectsWith("device.unavailable", createOnnxSession(join(folder, "0.onnx"), "cuda"));
});

test("external data outside the folder is refused before the runtime sees the model", async () => {
  const tensor = tensorFields({ name: "w", type: 1, dims: [1], external: { location: "/etc/hostname" } });
  const error = await rejectsWith("onnx.external", open(model({ initializers: [tensor] })));
  assert.match(error.message, /hostname/);
});

test("inputs the runtime refuses are named with what was expected and what came", async () => {
  const session = await open(addModel());
  const x = (shape: number[], dtype: DType = "float32", width = 4): Tensor => {
    const bytes = shape.reduce((a, b) => a * b, width);
    return { dtype, shape, data: new Uint8Array(bytes) };
  };
  assert.match(
    (await rejectsWith("input.shape", session.run({ x: x([3]) }))).message,
    /"x" has 1 dimensions; 2 were expected/,
  );
  assert.match(
    (await rejectsWith("input.shape", session.run({ x: x([1, 4]) }))).message,
    /4 in dimension 1; 3 was expected/,
  );
  assert.match(
    (await rejectsWith("input.dtype", session.run({ x: x([1, 3], "int32") }))).message,
    /int32; float was expected/,
  );
  assert.match((await rejectsWith("input.notFound", session.run({}))).message, /"x" is missing/);
  await session.release();
});

test("a failure inside the model names the operator", async () => {
  const session = await open(
    model({
      nodes: [node("Reshape", ["x", "s"], ["y"], block(3, "shaper"))],
      inputs: [tensorValue("x", 1, ["n"]), tensorValue("s", 7, ["k"])],
      outputs: [tensorValue("y", 1, null)],
    }),
  );
  const s = { dtype: "int64", shape: [1], data: bytesOf(BigInt64Array.of(7n)) } as const;
  const error = await rejectsWith(
    "run.failed",
    session.run({ x: { dtype: "float32", shape: [2], data: floats(1, 2) }, s }),
  );
  assert.match(error.message, /^The operator Reshape \(node shaper\) failed: /);
  assert.doesNotMatch(error.message, /onnxruntime_src/);
  await session.release();
});
