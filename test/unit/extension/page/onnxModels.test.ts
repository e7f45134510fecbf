import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import type { JobKey } from "../../../../src/base/ports";
import type { EngineChoice } from "../../../../src/extension/page/engineChoice";
import { PageModels } from "../../../../src/extension/page/models";
import { Sessions } from "../../../../src/extension/sessions";
import type { LoadRequest } from "../../../../src/runner/protocol";
import { testViewSchema } from "../../../../webview/protocol/views";
import { tempFolder } from "../../store/storeKit";
import { irisAnswer, irisFacts, ScriptedSession } from "../../webview/sampleModel";
import { fakePython, fakePythonTests, MapMemory } from "../fakePython";
import { t } from "../fakes";

const { path: root, remove } = tempFolder();
after(remove);

const ref = { store: "own", tag: "iris_clf:v2" };
const inPython: EngineChoice = { device: "python:cuda:1", settings: { "intra-op-threads": "2" } };

let memory: MapMemory;
beforeEach(() => {
  memory = new MapMemory();
});

/** An interpreter that has these distributions; started, it would fail loudly. */
function interpreterWith(name: string, ...distributions: string[]): string {
  const venv = join(root, name);
  for (const one of ["", ...distributions])
    mkdirSync(join(venv, "lib/python3.11/site-packages", one), { recursive: true });
  mkdirSync(join(venv, "bin"), { recursive: true });
  writeFileSync(join(venv, "pyvenv.cfg"), "home = /nowhere\nversion = 3.11.7\n");
  writeFileSync(join(venv, "bin/python"), "#!/bin/false\n");
  chmodSync(join(venv, "bin/python"), 0o755);
  return join(venv, "bin/python");
}

/** The pages' test of an ONNX model, over a scripted runner. */
async function open(interpreter = "", isTrusted = true) {
  const opened: LoadRequest[] = [];
  const sessions = new Sessions({
    open(request) {
      opened.push(request);
      return new ScriptedSession(request, irisAnswer, []);
    },
    maxLoaded: () => 2,
    idleMs: () => 0,
  });
  const jobs = {
    run: async <Input, Result>(_: JobKey<Input, Result>): Promise<Result> => ({ ...irisFacts, problems: [] }) as Result,
  };
  const settings = { interpreter, paths: [], preload: [] };
  const trust = { ...fakePythonTests().trust, isTrusted };
  const models = new PageModels(
    {
      stores: { of: () => ({ home: root, pathOf: () => irisFacts.path }) },
      catalog: { find: () => undefined, recheck: () => undefined, touched: () => undefined },
      jobs,
      trust: { refusal: () => undefined },
      settings: () => ({ maxBatchSize: 32 }),
      pythonTests: fakePythonTests({ trust, python: fakePython({ isTrusted, settings }) }),
      t,
    },
    sessions,
    memory,
  );
  const model = await models.test(ref);
  const dispose = async () => {
    models.dispose();
    await sessions.dispose();
  };
  return { model, opened, dispose, engine: () => testViewSchema.parse(model.view()).engine };
}

test("a chosen engine is what the next run loads, is shown, and is kept for the next window", async () => {
  const python = interpreterWith("whole", "onnxruntime_gpu-1.31.1.dist-info");
  const { dispose, engine, model, opened } = await open(python);
  await model.load({ anew: false });
  assert.deepEqual([opened[0]?.device, opened[0]?.python], ["auto", undefined]);
  assert.deepEqual(engine().loaded[1], { key: "Runs in", value: "ONNX Runtime of the extension" });
  await model.chooseEngine(inPython);
  assert.deepEqual([engine().device, engine().loaded], ["python:cuda:1", []]);
  await model.load({ anew: false });
  const [, second] = opened;
  assert.deepEqual([second?.device, second?.python?.interpreter, second?.onnx?.intraOpThreads], ["cuda:1", python, 2]);
  assert.deepEqual(engine().loaded[1], { key: "Python interpreter", value: python });
  await dispose();

  const again = await open(python);
  assert.equal(again.engine().device, "python:cuda:1");
  assert.equal(again.engine().settings.find(({ word }) => word === "intra-op-threads")?.value, "2");
  await again.dispose();
});

test("an interpreter without onnxruntime, and Restricted Mode, are told before anything is started", async () => {
  const python = interpreterWith("bare", "numpy-2.4.6.dist-info");
  const bare = await open(python);
  await bare.model.chooseEngine(inPython);
  const remedy = `Run: ${python} -m pip install onnxruntime`;
  await assert.rejects(bare.model.load({ anew: false }), { code: "python.missing", remedy });
  await bare.dispose();

  memory = new MapMemory();
  const restricted = await open(python, false);
  await restricted.model.load({ anew: false });
  await restricted.model.chooseEngine(inPython);
  await assert.rejects(restricted.model.load({ anew: false }), { code: "device.unavailable" });
  assert.equal(restricted.model.view().error?.message, "No Python is started in Restricted Mode.");
  assert.deepEqual([bare.opened.length, restricted.opened.length], [0, 1]);
  await restricted.dispose();
});
