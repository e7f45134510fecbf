import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { Emitter } from "../../../../src/base/events";
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
  const granted = new Emitter<void>();
  const trust = { onDidGrant: granted.event, isTrusted };
  const python = fakePython({ isTrusted, settings });
  const { ui } = fakePythonTests();
  const picks: (string | undefined)[] = [];
  const models = new PageModels(
    {
      stores: { of: () => ({ home: root, pathOf: () => irisFacts.path }) },
      catalog: { find: () => undefined, recheck: () => undefined, touched: () => undefined },
      jobs,
      trust: { refusal: () => undefined },
      settings: () => ({ maxBatchSize: 32 }),
      pythonTests: fakePythonTests({
        trust,
        python,
        ui: {
          ...ui,
          pick: async (title) => {
            picks.push(title);
            return undefined;
          },
        },
      }),
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
  const view = () => testViewSchema.parse(model.view());
  return { model, opened, picks, settings, python, dispose, view, engine: () => view().engine };
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

test("a choice is told before the process of the loaded model has ended: the next choice is made beside it", async () => {
  const { dispose, engine, model } = await open();
  await model.load({ anew: false });
  const told: (string | undefined)[] = [];
  model.onDidChange(() => told.push(engine().settings.find(({ word }) => word === "intra-op-threads")?.value));
  const choosing = model.chooseEngine({ device: "auto", settings: { "intra-op-threads": "2" } });
  assert.equal(told[0], "2");
  await choosing;
  await dispose();
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

test("the Python of a model that is opened there is told with what it lacks, and of any other model nothing", async () => {
  const lacking = interpreterWith("lacking", "numpy-2.4.6.dist-info");
  const opened = await open(lacking);
  await opened.model.warm();
  assert.equal(opened.view().python, null);
  await opened.model.chooseInterpreter();
  assert.deepEqual(opened.picks, []);
  await opened.model.chooseEngine(inPython);
  const by = "setting modelbench.python.interpreter";
  const command = `${lacking} -m pip install onnxruntime`;
  assert.deepEqual(opened.view().python, {
    interpreter: lacking,
    by,
    lacking: ["onnxruntime"],
    command,
    problem: null,
  });
  // What is chosen elsewhere shows at once.
  const whole = interpreterWith("other", "onnxruntime-1.30.0.dist-info");
  let changes = 0;
  opened.model.onDidChange(() => {
    changes += 1;
  });
  opened.settings.interpreter = whole;
  opened.python.tellChanged();
  while (changes === 0) await new Promise((turn) => setTimeout(turn, 2));
  assert.deepEqual([opened.view().python?.interpreter, opened.view().python?.lacking], [whole, []]);
  await opened.model.chooseInterpreter();
  assert.deepEqual(opened.picks, ["Which Python Runs Models?"]);
  await opened.model.chooseEngine({ device: "cpu", settings: {} });
  assert.deepEqual([opened.view().python, opened.opened.length], [null, 0]);
  await opened.dispose();
});

test("the Python of a model that was chosen to be opened there is known once its page is shown again, but not in Restricted Mode", async () => {
  const python = interpreterWith("again", "onnxruntime-1.30.0.dist-info");
  const first = await open(python);
  await first.model.chooseEngine(inPython);
  await first.dispose();
  const again = await open(python);
  assert.equal(again.view().python, null);
  await again.model.warm();
  assert.equal(again.view().python?.interpreter, python);
  await again.dispose();
  const restricted = await open(python, false);
  await restricted.model.warm();
  assert.equal(restricted.view().python, null);
  await restricted.dispose();
});
