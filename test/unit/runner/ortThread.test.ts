import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { silentLog } from "../../../src/base/log";
import { tensorToNested } from "../../../src/formats/tensorJson";
import { DEFAULT_SETTINGS, type OnnxSettings } from "../../../src/frameworks/onnx/sessionOptions";
import { type OpenModel, openOrtThread } from "../../../src/runner/ortHost";
import type { LoadRequest } from "../../../src/runner/protocol";
import { openSession } from "../../../src/runner/session";
import { isTensor, type NamedOutputs, type NamedValues } from "../../../src/runner/values";
import { missing, SOFTWARE_VULKAN } from "../../optional";
import type { Graph } from "./onnxModel";
import { call, floats, type Kit, linear, openKit, slow } from "./runnerKit";

let kit: Kit;
const models: OpenModel[] = [];
before(async () => {
  kit = await openKit();
});
after(() => {
  for (const model of models) model.kill?.();
  kit.dispose();
});

/** Opens a model in threads of this process. */
async function open(request: LoadRequest): Promise<OpenModel> {
  const model = await openOrtThread(join(kit.folder, "ortThread.cjs"), request, (error) => {
    throw error;
  });
  models.push(model);
  return model;
}

function settings(some: Partial<OnnxSettings>): { onnx: OnnxSettings } {
  return { onnx: { ...DEFAULT_SETTINGS, ...some } };
}

function turns(count: number): NamedValues {
  const data = new Uint8Array(BigInt64Array.of(BigInt(count)).buffer);
  return { n: { dtype: "int64", shape: [], data } };
}

function nested(values: NamedOutputs): Map<string, unknown> {
  return new Map([...values].map(([name, value]) => [name, isTensor(value) ? tensorToNested(value) : value]));
}

/** Which of a long run, asked for first, and two short ones behind it are over first. */
async function endings(model: OpenModel): Promise<string[]> {
  const ended: string[] = [];
  const run = (name: string, count: number) => model.run("run", turns(count)).then(() => ended.push(name));
  await Promise.all([run("long", 1_500), run("one", 1), run("two", 1)]);
  return ended;
}

test("one run at a time is the rule: a short one waits for a long one before it", async () => {
  const model = await open(kit.model("single", slow));
  assert.equal(model.concurrency, 1);
  assert.deepEqual(await endings(model), ["long", "one", "two"]);
});

test("with two runs at once short ones pass a long one, and keep their order among themselves", async () => {
  const model = await open(kit.model("double", slow, settings({ concurrency: 2 })));
  assert.equal(model.concurrency, 2);
  assert.deepEqual(await endings(model), ["one", "two", "long"]);
});

test("runs at once answer each with its own values, also those that had to wait", async () => {
  const model = await open(kit.model("many", linear, settings({ concurrency: 3 })));
  const rows = Array.from({ length: 40 }, (_, i) => [i, 2 * i]);
  const answers = await Promise.all(rows.map((row) => model.run("run", { x: floats([row]) })));
  assert.deepEqual(
    answers.map(({ outputs }) => nested(outputs).get("y")),
    rows.map(([a = 0, b = 0]) => [[3 * b, a + 4 * b, 2 * a + 5 * b]]),
  );
});

test("a run that fails gives its turn back", async () => {
  const model = await open(kit.model("failing", linear, settings({ concurrency: 2 })));
  const wrong = () => model.run("run", { x: floats([[1, 2, 3]]) });
  const ends = await Promise.allSettled([wrong(), wrong(), wrong(), model.run("run", { x: floats([[1, 2]]) })]);
  assert.deepEqual(
    ends.map(({ status }) => status),
    ["rejected", "rejected", "rejected", "fulfilled"],
  );
});

test("outputs stay in the model's order, whatever the order of the inputs", async () => {
  const [a, b] = ["a", "b"].map((name) => ({ name, dtype: "float32", shape: ["N"] }) as const);
  assert.ok(a && b);
  const graph: Graph = {
    inputs: [a, b],
    outputs: ["z", "m", "c"].map((name) => ({ name, dtype: "float32", shape: ["N"] })),
    nodes: [
      { op: "Neg", inputs: ["a"], outputs: ["c"] },
      { op: "Sub", inputs: ["a", "b"], outputs: ["z"] },
      { op: "Add", inputs: ["a", "b"], outputs: ["m"] },
    ],
  };
  const model = await open(kit.model("order", graph, settings({ executionMode: "parallel" })));
  for (const inputs of [
    { a: floats([5]), b: floats([3]) },
    { b: floats([3]), a: floats([5]) },
  ]) {
    const { outputs } = await model.run("run", inputs);
    assert.deepEqual(
      [...nested(outputs)],
      [
        ["z", [2]],
        ["m", [8]],
        ["c", [-5]],
      ],
    );
  }
});

test("settings of a load request reach the session in the runner's process", async () => {
  const value = (name: string) => ({ name, dtype: "float32", shape: [1, 1] }) as const;
  // (x * 1e30) · [[1e-30]]: beyond float32 unless the graph is optimized.
  const graph: Graph = {
    inputs: [value("x")],
    outputs: [value("y")],
    nodes: [
      { op: "Mul", inputs: ["x", "s"], outputs: ["c"] },
      { op: "MatMul", inputs: ["c", "w"], outputs: ["y"] },
    ],
    constants: {
      s: { shape: [], values: Float32Array.of(1e30) },
      w: { shape: [1, 1], values: Float32Array.of(1e-30) },
    },
  };
  const finite: boolean[] = [];
  for (const graphOptimization of ["all", "disabled"] as const) {
    const request = kit.model("folded", graph, settings({ graphOptimization, concurrency: 2 }));
    const session = openSession(request, { entry: kit.entry, log: silentLog });
    try {
      assert.equal((await session.load()).fallbacks, undefined);
      const { outputs } = await session.run(call({ x: [[1e30]] }));
      const data = outputs[0]?.tensor?.data ?? new Uint8Array();
      finite.push(Number.isFinite(new DataView(data.buffer, data.byteOffset).getFloat32(0, true)));
    } finally {
      await session.stop();
    }
  }
  assert.deepEqual(finite, [true, false]);
});

test("a device that is not there fails the load with those there are", async () => {
  const load = open(kit.model("gpu", linear, { device: "dml" }));
  await assert.rejects(load, { code: "device.unavailable", remedy: /^Use cpu or webgpu, or auto/ });
});

test("WebGPU gives the CPU's numbers, one run at a time", { skip: missing("vulkan") }, () => {
  const request = kit.model("webgpu", linear, { device: "webgpu", ...settings({ concurrency: 4 }) });
  // The loader of Vulkan is found by a variable that a process has from its start.
  const script = kit.script(
    "webgpu.cjs",
    `const { openOrtThread } = require("./ortHost.cjs");
    const data = new Uint8Array(Float32Array.of(1, 2).buffer);
    openOrtThread(${JSON.stringify(join(kit.folder, "ortThread.cjs"))}, ${JSON.stringify(request)}, () => undefined)
      .then(async ({ loaded, concurrency, run }) => {
        const { outputs } = await run("run", { x: { dtype: "float32", shape: [1, 2], data } });
        const y = [...new Float32Array(outputs.get("y").data.buffer)];
        console.log(JSON.stringify({ device: loaded.device, fallbacks: loaded.fallbacks, concurrency, y }));
        process.kill(process.pid, "SIGKILL");
      });`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [script], {
    env: {
      ...process.env,
      LD_LIBRARY_PATH: SOFTWARE_VULKAN,
      VK_ICD_FILENAMES: join(SOFTWARE_VULKAN, "vk_swiftshader_icd.json"),
    },
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.deepEqual(JSON.parse(stdout || JSON.stringify({ stderr })), {
    device: "webgpu",
    fallbacks: ["4 runs at once are for the CPU only: on webgpu there is one at a time."],
    concurrency: 1,
    y: [6, 9, 12],
  });
});
