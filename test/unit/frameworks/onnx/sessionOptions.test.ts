import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parsePyYaml, YamlFloat, type YamlMap } from "../../../../src/formats/pyYaml";
import type { Tensor } from "../../../../src/formats/tensor";
import { createOnnxSession } from "../../../../src/frameworks/onnx/run";
import {
  DEFAULT_SETTINGS,
  type OnnxSettings,
  onnxSettings,
  SETTING_WORDS,
  threadsOf,
} from "../../../../src/frameworks/onnx/sessionOptions";
import { conv, scaledMatMul } from "../../../fixtures/foldedModels";

const folder = mkdtempSync(join(tmpdir(), "mb-settings-"));
after(() => rmSync(folder, { recursive: true }));

function options(session: Readonly<Record<string, unknown>>): YamlMap {
  return new Map([["session_options", new Map(Object.entries(session))]]) as YamlMap;
}

test("without options and without a word from the caller all is as the runtime does it by itself", () => {
  assert.deepEqual(onnxSettings({}, undefined), {
    graphOptimization: "all",
    executionMode: "sequential",
    concurrency: 1,
  });
});

test("options as bentoml.onnx writes them say nothing", () => {
  const written = parsePyYaml(`
input_specs: {run: [{name: x, type: {tensorType: {elemType: 1}}}]}
output_specs: {run: []}
providers: null
session_options: null
`) as YamlMap;
  assert.deepEqual(onnxSettings({}, written), DEFAULT_SETTINGS);
});

test("session options are read by the names and values of onnxruntime, names and numbers alike", () => {
  const byName = {
    graph_optimization_level: "ORT_ENABLE_EXTENDED",
    execution_mode: "ORT_PARALLEL",
    intra_op_num_threads: 3,
    inter_op_num_threads: 2,
    concurrency: 4,
  };
  const read: OnnxSettings = {
    graphOptimization: "extended",
    executionMode: "parallel",
    intraOpThreads: 3,
    interOpThreads: 2,
    concurrency: 4,
  };
  assert.deepEqual(onnxSettings({}, options(byName)), read);
  assert.deepEqual(onnxSettings({}, options({ ...byName, graph_optimization_level: 2, execution_mode: 1 })), read);
  const levels = [0, 1, 2, 99, "ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_ALL", "basic"];
  assert.deepEqual(
    levels.map((level) => onnxSettings({}, options({ graph_optimization_level: level })).graphOptimization),
    ["disabled", "basic", "extended", "all", "disabled", "basic", "all", "basic"],
  );
});

test("what the caller gives wins, value by value, and 0 threads takes a number back", () => {
  const stored = options({ intra_op_num_threads: 3, execution_mode: 1, concurrency: 2 });
  assert.deepEqual(onnxSettings({ concurrency: "3", "graph-optimization": "basic" }, stored), {
    graphOptimization: "basic",
    executionMode: "parallel",
    intraOpThreads: 3,
    concurrency: 3,
  });
  assert.equal("intraOpThreads" in onnxSettings({ "intra-op-threads": "0" }, stored), false);
});

test("an unknown word or a wrong value of the caller is refused, with what is allowed", () => {
  const refusals: [string, string, RegExp][] = [
    [
      "graph-optimization",
      "ORT_ENABLE_ALL",
      /`graph-optimization` has "ORT_ENABLE_ALL", and takes disabled, basic, ext/,
    ],
    ["graph-optimization", "99", /takes disabled, basic, extended or all/],
    ["execution-mode", "", /`execution-mode` has "", and takes sequential or parallel/],
    ["intra-op-threads", "-1", /from 1 to 256, or 0 for/],
    ["intra-op-threads", "257", /"257".*from 1 to 256/],
    ["inter-op-threads", "1.5", /"1.5".*whole number/],
    ["inter-op-threads", "1e2", /whole number/],
    ["concurrency", "0", /"0", and takes a whole number from 1 to 16/],
    ["concurrency", "17", /from 1 to 16/],
    ["concurrency", "", /from 1 to 16/],
  ];
  for (const [word, value, message] of refusals) {
    assert.throws(() => onnxSettings({ [word]: value }, undefined), { code: "usage", message }, `${word}=${value}`);
  }
  const remedy = `There are ${SETTING_WORDS.slice(0, -1).join(", ")} and concurrency.`;
  for (const word of ["threads", "toString", "intra_op_num_threads", "graphOptimization"]) {
    assert.throws(() => onnxSettings({ [word]: "1" }, undefined), { code: "usage", remedy });
  }
});

test("an unknown name or a wrong value in model.yaml is refused, with what is allowed", () => {
  const refusals: [Readonly<Record<string, unknown>>, RegExp][] = [
    [
      { graph_optimization_level: "ORT_ENABLE_SOME" },
      /`session_options.graph_optimization_level` of model.yaml has "ORT/,
    ],
    [{ graph_optimization_level: "toString" }, /takes disabled, basic, extended or all/],
    [{ graph_optimization_level: true }, /"true", and takes/],
    [{ execution_mode: 2 }, /takes sequential or parallel/],
    [{ intra_op_num_threads: new YamlFloat(2) }, /has "2", and takes a whole number/],
    [{ intra_op_num_threads: 2n ** 70n }, /whole number/],
    [{ inter_op_num_threads: null }, /has "null"/],
    [{ inter_op_num_threads: [2] }, /has a value, and takes a whole number/],
    [{ enable_profiling: true }, /There is no setting `session_options.enable_profiling` of model.yaml/],
  ];
  for (const [session, message] of refusals) {
    assert.throws(() => onnxSettings({}, options(session)), { code: "model.broken", message });
  }
  for (const session of [[], "x", 1, true]) {
    const whole = new Map([["session_options", session]]) as YamlMap;
    assert.throws(() => onnxSettings({}, whole), { code: "model.broken", remedy: /graph_optimization_level, exec/ });
  }
});

test("the runtime chooses its threads where all of the machine is there for one session", () => {
  const parallel = { ...DEFAULT_SETTINGS, executionMode: "parallel" } as const;
  assert.deepEqual(threadsOf(DEFAULT_SETTINGS, 8, 8), {});
  assert.deepEqual(threadsOf(parallel, 8, 8), {});
  assert.deepEqual(threadsOf(DEFAULT_SETTINGS, 3, 8), { intraOpThreads: 3 });
  assert.deepEqual(threadsOf(parallel, 3, 8), { intraOpThreads: 3, interOpThreads: 3 });
});

test("sessions side by side share the processors, and each has one at least", () => {
  assert.deepEqual(threadsOf({ ...DEFAULT_SETTINGS, concurrency: 4 }, 8, 8), { intraOpThreads: 2 });
  assert.deepEqual(threadsOf({ ...DEFAULT_SETTINGS, concurrency: 3 }, 8, 8), { intraOpThreads: 2 });
  assert.deepEqual(threadsOf({ ...DEFAULT_SETTINGS, concurrency: 4 }, 2, 8), { intraOpThreads: 1 });
});

test("a number that was named is used as it is; threads across operators only where they run in parallel", () => {
  const named = { ...DEFAULT_SETTINGS, intraOpThreads: 5, interOpThreads: 6 };
  assert.deepEqual(threadsOf({ ...named, concurrency: 2 }, 2, 2), { intraOpThreads: 5 });
  assert.deepEqual(threadsOf({ ...named, executionMode: "parallel" }, 8, 8), { intraOpThreads: 5, interOpThreads: 6 });
});

async function outputOf(model: Uint8Array, x: Tensor, settings: Partial<OnnxSettings>): Promise<number> {
  const path = join(folder, "folded.onnx");
  writeFileSync(path, model);
  const session = await createOnnxSession(path, "cpu", { ...DEFAULT_SETTINGS, ...settings });
  const { y } = await session.run({ x });
  await session.release();
  assert.ok(y);
  return new DataView(y.data.buffer, y.data.byteOffset).getFloat32(0, true);
}

test("the optimization of the graph is the one asked for", async () => {
  const levels = ["disabled", "basic", "extended", "all"] as const;
  const results = async ({ model, x }: typeof conv) => {
    const found: boolean[] = [];
    for (const graphOptimization of levels) {
      found.push(Number.isFinite(await outputOf(model, x, { graphOptimization })));
    }
    return found;
  };
  assert.deepEqual(await results(conv), [false, true, true, true]);
  assert.deepEqual(await results(scaledMatMul), [false, false, true, true]);
});

test("the session has the threads asked for", {
  skip: process.platform !== "linux" && "Linux counts them",
}, async () => {
  const path = join(folder, "threads.onnx");
  writeFileSync(path, conv.model);
  const countThreads = () => readdirSync("/proc/self/task").length;
  const added = async (settings: Partial<OnnxSettings>): Promise<number> => {
    const before = countThreads();
    const session = await createOnnxSession(path, "cpu", { ...DEFAULT_SETTINGS, ...settings });
    const after = countThreads();
    await session.release();
    return after - before;
  };
  // Whoever calls is one of them, in each of the two pools.
  assert.equal(await added({ intraOpThreads: 1 }), 0);
  assert.equal(await added({ intraOpThreads: 6 }), 5);
  assert.equal(await added({ intraOpThreads: 1, interOpThreads: 4 }), 0);
  assert.equal(await added({ intraOpThreads: 1, interOpThreads: 4, executionMode: "parallel" }), 3);
  assert.equal(await added({ intraOpThreads: 3, interOpThreads: 2, executionMode: "parallel" }), 3);
});
