import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceChoices } from "../../../../src/extension/page/deviceChoices";
import {
  type ChoosableModel,
  engineView,
  isInOwnPython,
  withEngine,
} from "../../../../src/extension/page/engineChoice";
import type { MethodSignature } from "../../../../src/formats/tensor";
import { SETTING_WORDS } from "../../../../src/frameworks/onnx/sessionOptions";
import { adapterFor } from "../../../../src/frameworks/registry";
import type { LoadRequest } from "../../../../src/runner/protocol";
import { t } from "../fakes";

const run: MethodSignature = { inputs: [], outputs: [], batchable: true, batchDim: [0, 0], source: "model.yaml" };
const none = { device: "", settings: {} };

function modelOf(module: string, options: Record<string, unknown> = {}, batchable = true): ChoosableModel {
  const pairs = Object.entries(options).map(([key, value]): [string, string] => {
    return [key, typeof value === "string" ? value : JSON.stringify(value)];
  });
  return { module, options: pairs, signatures: { run: { ...run, batchable } } };
}

const onnx = modelOf("bentoml.onnx");
const picky = modelOf("bentoml.onnx", {
  providers: [["CUDAExecutionProvider", { device_id: 1 }], "CPUExecutionProvider"],
  session_options: { graph_optimization_level: "ORT_ENABLE_BASIC", intra_op_num_threads: 3, concurrency: 4 },
});

const request: LoadRequest = {
  label: "m:v1",
  adapter: "onnx",
  file: "/home/models/m/v1/saved_model.onnx",
  device: "cpu",
  signatures: { run },
  batching: { enabled: true, maxBatchSize: 32 },
};

test("what a model may be asked to run on depends on the machine and on what runs it", () => {
  const devices = (module: string, platform: NodeJS.Platform, gpus: number): string[] =>
    deviceChoices(adapterFor(module)?.python, "cpu", t, { platform, gpus }).map(({ value }) => value);
  const own = ["python:cpu", "python:cuda"];
  assert.deepEqual(devices("bentoml.onnx", "linux", 0), ["auto", "cpu", "webgpu", "cuda", ...own]);
  assert.deepEqual(devices("bentoml.onnx", "darwin", 0), ["auto", "cpu", "webgpu", "coreml", ...own]);
  assert.deepEqual(devices("bentoml.onnx", "win32", 0), ["auto", "cpu", "webgpu", "dml", "cuda", ...own]);
  assert.deepEqual(devices("bentoml.onnx", "linux", 3).slice(-3), ["python:cuda", "python:cuda:1", "python:cuda:2"]);
  assert.deepEqual(devices("bentoml.sklearn", "linux", 3), ["cpu"]);
  assert.deepEqual(devices("bentoml.flax", "linux", 1), ["cpu", "gpu"]);
  assert.deepEqual(devices("bentoml.flax", "linux", 2), ["cpu", "gpu", "cuda:0", "cuda:1"]);
});

test("a device that was chosen on another machine stays among those to choose", () => {
  const { device, devices } = engineView(onnx, { device: "python:cuda:7", settings: {} }, undefined, t);
  assert.equal(device, "python:cuda:7");
  assert.deepEqual(devices.at(-1), { value: "python:cuda:7", text: "CUDA, GPU 7, your own onnxruntime" });
});

test("a model that names providers is loaded on the first of them that works, any other on the CPU", () => {
  assert.equal(engineView(picky, none, undefined, t).device, "auto");
  assert.equal(engineView(onnx, none, undefined, t).device, "cpu");
  const { device, onnx: settings } = withEngine(request, picky, none);
  assert.equal(device, "auto");
  assert.deepEqual(settings, {
    graphOptimization: "basic",
    executionMode: "sequential",
    intraOpThreads: 3,
    concurrency: 4,
    providers: ["cuda", "cpu"],
    remarks: ["The model has options for CUDAExecutionProvider, which this version does not use."],
  });
  assert.equal(withEngine(request, picky, { device: "cpu", settings: {} }).device, "cpu");
});

test("the settings of a session are shown by the words they are taken by, the model's own as their default", () => {
  const { settings } = engineView(picky, { device: "", settings: { concurrency: "2" } }, undefined, t);
  assert.deepEqual(
    settings.map(({ word }) => word),
    [...SETTING_WORDS, "max-latency-ms"],
  );
  assert.deepEqual(
    settings.map(({ placeholder, value }) => [placeholder, value]),
    [
      ["Basic", ""],
      ["One after the other", ""],
      ["3", ""],
      ["by the processors", ""],
      ["4", "2"],
      ["no limit", ""],
    ],
  );
  for (const { choices, word } of settings) {
    for (const { value } of choices ?? []) withEngine(request, onnx, { device: "", settings: { [word]: value } });
  }
});

test("only what can be batched has a limit of its wait, and only flax a choice of its state", () => {
  const words = (model: ChoosableModel) => engineView(model, none, undefined, t).settings.map(({ word }) => word);
  assert.deepEqual(words(modelOf("bentoml.onnx", {}, false)), SETTING_WORDS);
  assert.deepEqual(words(modelOf("bentoml.flax")), ["init", "max-latency-ms"]);
  assert.deepEqual(words(modelOf("bentoml.picklable_model", {}, false)), []);
});

test("what is chosen is what the runner is asked for", () => {
  const settings = { "intra-op-threads": "2", "execution-mode": "parallel", concurrency: "", "max-latency-ms": "12.5" };
  const chosen = withEngine(request, onnx, { device: "webgpu", settings });
  assert.deepEqual([chosen.device, chosen.batching.maxLatencyMs, chosen.python], ["webgpu", 12.5, undefined]);
  assert.deepEqual([chosen.onnx?.intraOpThreads, chosen.onnx?.executionMode], [2, "parallel"]);

  const python = { interpreter: "/venv/bin/python", worker: "/worker" };
  const choice = { device: "python:cuda:1", settings };
  assert.deepEqual([isInOwnPython(onnx, choice), isInOwnPython(onnx, none)], [true, false]);
  const own = withEngine(request, onnx, choice, python);
  assert.deepEqual([own.device, own.file, own.onnx], ["cuda:1", request.file, chosen.onnx]);
  assert.deepEqual([own.python?.interpreter, own.python?.folder], [python.interpreter, "/home/models/m/v1"]);

  const flax = modelOf("bentoml.flax");
  const load = { ...python, folder: "/m", files: [], options: "{}", paths: [], preload: [] };
  const inPython: LoadRequest = { ...request, adapter: "flax", python: load };
  const unbound = withEngine(inPython, flax, { device: "gpu", settings: { init: "no" } });
  assert.deepEqual([unbound.device, unbound.python?.init], ["gpu", false]);
  assert.equal(withEngine(inPython, flax, none).python?.init, undefined);
  assert.equal(isInOwnPython(flax, { device: "python:cpu", settings: {} }), false);
});

test("a choice that there is not is refused by name", () => {
  const choose =
    (model: ChoosableModel, device: string, settings = {}) =>
    () =>
      withEngine(request, model, { device, settings });
  assert.throws(choose(onnx, "tpu"), { code: "usage", message: 'There is no device "tpu".' });
  assert.throws(choose(onnx, "", { "intra-op-threads": "many" }), { code: "usage", message: /`intra-op-threads`/ });
  assert.throws(choose(onnx, "", { init: "no", colour: "red" }), { code: "usage", message: /no setting `colour`/ });
  assert.throws(choose(onnx, "", { "max-latency-ms": "0" }), { code: "usage", message: /above 0/ });
  assert.throws(choose(modelOf("bentoml.sklearn"), "gpu"), {
    code: "device.unavailable",
    message: /CPU only, not on gpu/,
  });
  assert.throws(choose(modelOf("bentoml.flax"), "python:cpu"), { code: "usage" });
  const broken = modelOf("bentoml.onnx", { providers: "CUDA" });
  assert.equal(engineView(broken, none, undefined, t).device, "cpu");
  assert.throws(choose(broken, ""), { code: "model.broken" });
});

test("of a loaded model it is said what runs it where, and what was passed over", () => {
  const fallbacks = ["cuda is not used: it is not in this build of ONNX Runtime."];
  const result = { loadMs: 3, device: "cpu", fallbacks, unfetchable: {} };
  const bundled = engineView(onnx, none, { result }, t);
  assert.deepEqual(bundled.fallbacks, fallbacks);
  assert.deepEqual(bundled.loaded, [
    { key: "Device", value: "cpu" },
    { key: "Runs in", value: "ONNX Runtime of the extension" },
  ]);
  const versions = { python: "3.11.2", onnxruntime: "1.31.1" };
  const own = engineView(onnx, none, { result: { ...result, versions, isIsolated: true }, interpreter: "/py" }, t);
  assert.deepEqual(own.loaded, [
    { key: "Device", value: "cpu" },
    { key: "Python interpreter", value: "/py" },
    { key: "Kept apart", value: "Yes: without network and home folder" },
    { key: "python", value: "3.11.2" },
    { key: "onnxruntime", value: "1.31.1" },
  ]);
});
