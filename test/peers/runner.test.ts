import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { silentLog } from "../../src/base/log";
import { decodeElements, decodeStrings, encodeStrings } from "../../src/formats/elements";
import type { DType, Tensor } from "../../src/formats/tensor";
import { tensorFromJson } from "../../src/runner/inputJson";
import { sliceTensor } from "../../src/runner/merge";
import type { LoadRequest } from "../../src/runner/protocol";
import { openSession } from "../../src/runner/session";
import { type Graph, type OnnxType, onnxTypes } from "../unit/runner/onnxModel";
import { type Kit, openKit } from "../unit/runner/runnerKit";

const PYTHON = ".tools/venv/bin/python";

let kit: Kit;
before(async () => {
  kit = await openKit();
});
after(() => kit.dispose());

/** Rows of two values with what is hard to carry: extremes, NaN, infinities, -0, the smallest subnormals, any text. */
const rows: Readonly<Record<OnnxType, readonly (readonly unknown[])[]>> = {
  float32: [
    [1.5, -0],
    ["NaN", "Infinity"],
    ["-Infinity", 1e-45],
    [3.4028234663852886e38, 0.1],
  ],
  float64: [
    [1.5, -0],
    ["NaN", "Infinity"],
    ["-Infinity", 5e-324],
    [1.7976931348623157e308, 0.1],
  ],
  float16: [
    [1.5, -0],
    ["NaN", "Infinity"],
    ["-Infinity", 6e-8],
    [65504, 0.1],
  ],
  int8: [
    [-128, 127],
    [0, -1],
    [1, 2],
  ],
  int16: [
    [-32768, 32767],
    [0, -1],
    [1, 2],
  ],
  int32: [
    [-2147483648, 2147483647],
    [0, -1],
    [1, 2],
  ],
  int64: [
    [-(2n ** 63n), 2n ** 63n - 1n],
    [2n ** 53n + 1n, -1],
    [0, 1],
  ],
  uint8: [
    [0, 255],
    [1, 2],
    [3, 4],
  ],
  uint16: [
    [0, 65535],
    [1, 2],
    [3, 4],
  ],
  uint32: [
    [0, 4294967295],
    [1, 2],
    [3, 4],
  ],
  uint64: [
    [0, 2n ** 64n - 1n],
    [2n ** 53n + 1n, 2n ** 63n],
    [3, 4],
  ],
  bool: [
    [true, false],
    [false, false],
    [true, true],
  ],
  string: [
    ["", "é"],
    ["日本語", "🙂"],
    ["a b\n", "\\"],
    ["NaN", "0"],
  ],
};

interface PeerTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: string | readonly string[];
}

function askPython(cases: readonly { file: string; inputs: Record<string, Tensor> }[]): Record<string, Tensor>[] {
  const sent = cases.map(({ file, inputs }) => ({ file, inputs: mapValues(inputs, toPeer) }));
  const options = { input: JSON.stringify(sent), encoding: "utf8", timeout: 60_000, maxBuffer: 2 ** 28 } as const;
  const answers: Record<string, PeerTensor>[] = JSON.parse(execFileSync(PYTHON, ["test/peers/runnerPeer.py"], options));
  return answers.map((answer) => mapValues(answer, fromPeer));
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

function toPeer({ dtype, shape, data }: Tensor): PeerTensor {
  return { dtype, shape, data: dtype === "string" ? decodeStrings(data) : Buffer.from(data).toString("base64") };
}

function fromPeer({ dtype, shape, data }: PeerTensor): Tensor {
  return {
    dtype: dtype as DType,
    shape,
    data: typeof data === "string" ? Buffer.from(data, "base64") : encodeStrings(data),
  };
}

function comparable({ dtype, shape, data }: Tensor): unknown {
  return { dtype, shape: [...shape], bytes: Buffer.from(data).toString("hex") };
}

/** The outputs of each row sent on its own, in one go or one after the other, and of all rows as one request. */
async function ask(
  request: LoadRequest,
  x: Tensor,
): Promise<{ together: Tensor[]; apart: Tensor[]; whole: Tensor; shared: number }> {
  const session = openSession(request, { entry: kit.entry, log: silentLog });
  try {
    await session.load();
    const run = async (tensor: Tensor, batch: boolean) => {
      const result = await session.run({ method: "run", batch, inputs: { x: { kind: "tensor", tensor } } });
      return { output: result.outputs[0]?.tensor as Tensor, requests: result.batchRequests };
    };
    const singles = Array.from({ length: x.shape[0] ?? 0 }, (_, i) => sliceTensor(x, 0, i, 1));
    const together = await Promise.all(singles.map((row) => run(row, true)));
    const apart: Tensor[] = [];
    for (const row of singles) apart.push((await run(row, false)).output);
    const whole = (await run(x, true)).output;
    return {
      together: together.map(({ output }) => output),
      apart,
      whole,
      shared: Math.max(...together.map((t) => t.requests)),
    };
  } finally {
    await session.stop();
  }
}

test("every dtype comes out as in Python's onnxruntime, to the bit, batched, alone and whole", async () => {
  const dtypes = Object.keys(onnxTypes) as OnnxType[];
  const cases = dtypes.map((dtype) => {
    const graph: Graph = {
      inputs: [{ name: "x", dtype, shape: ["N", 2] }],
      outputs: [{ name: "y", dtype, shape: ["N", 4] }],
      nodes: [{ op: "Concat", inputs: ["x", "x"], outputs: ["y"], attributes: { axis: 1 } }],
    };
    const x = tensorFromJson({ name: "x", type: "tensor", dtype, shape: ["N", 2] }, rows[dtype]);
    return { dtype, request: kit.model(`concat_${dtype}`, graph), x };
  });
  const peers = askPython(cases.map(({ request, x }) => ({ file: request.file, inputs: { x } })));
  for (const [i, { dtype, request, x }] of cases.entries()) {
    const expected = peers[i]?.["y"] as Tensor;
    const { together, apart, whole, shared } = await ask(request, x);
    assert.deepEqual(comparable(whole), comparable(expected), dtype);
    const each = together.map((_, row) => comparable(sliceTensor(expected, 0, row, 1)));
    assert.deepEqual(together.map(comparable), each, dtype);
    assert.deepEqual(apart.map(comparable), each, dtype);
    assert.ok(shared > 1, `${dtype} was never batched`);
  }
});

test("a computed answer is Python's within rounding, whatever it was batched with", async () => {
  const width = 64;
  const weights = Float32Array.from({ length: width * 8 }, (_, i) => Math.sin(i));
  const request = kit.model("dense", {
    inputs: [{ name: "x", dtype: "float32", shape: ["N", width] }],
    outputs: [{ name: "y", dtype: "float32", shape: ["N", 8] }],
    nodes: [
      { op: "MatMul", inputs: ["x", "w"], outputs: ["h"] },
      { op: "Softmax", inputs: ["h"], outputs: ["y"] },
    ],
    constants: { w: { shape: [width, 8], values: weights } },
  });
  const values = Array.from({ length: 30 }, (_, i) => Array.from({ length: width }, (_, j) => Math.cos(i * width + j)));
  const x = tensorFromJson({ name: "x", type: "tensor", dtype: "float32", shape: null }, values);
  const expected = askPython([{ file: request.file, inputs: { x } }])[0]?.["y"] as Tensor;
  const { together, apart, whole } = await ask(request, x);
  for (const [row, tensors] of together
    .map((one, i) => [one, apart[i], sliceTensor(whole, 0, i, 1)] as const)
    .entries()) {
    const right = decodeElements(sliceTensor(expected, 0, row, 1)) as number[];
    for (const tensor of tensors) {
      const got = decodeElements(tensor as Tensor) as number[];
      assert.equal(got.length, 8);
      for (const [i, value] of got.entries()) assert.ok(Math.abs(value - (right[i] ?? Number.NaN)) < 1e-6);
    }
  }
});
