import assert from "node:assert/strict";
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import { Emitter } from "../../../../src/base/events";
import { PageModels } from "../../../../src/extension/page/models";
import type { PythonTestPort } from "../../../../src/extension/python/pythonTest";
import { Sessions } from "../../../../src/extension/sessions";
import { runRefusal } from "../../../../src/extension/trust";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { ModelStore } from "../../../../src/store/modelStore";
import { testViewSchema } from "../../../../webview/protocol/views";
import { until } from "../../runner/runnerKit";
import { tempFolder, yamlOf } from "../../store/storeKit";
import { ScriptedSession } from "../../webview/sampleModel";
import { fakeConsents, fakePython, fakePythonTests } from "../fakePython";
import { t } from "../fakes";

const { path: root, remove } = tempFolder();
after(remove);

let home = "";
let interpreter = "";
let made = 0;
beforeEach(() => {
  home = join(root, String(made++));
  interpreter = join(home, "venv/bin/python");
  plant("clf", "v1");
  mkdirSync(join(home, "venv/lib/python3.11/site-packages/cloudpickle-3.0.0.dist-info"), { recursive: true });
  mkdirSync(dirname(interpreter), { recursive: true });
  writeFileSync(join(home, "venv/pyvenv.cfg"), "home = /nowhere\nversion = 3.11.7\n");
  // Started, it would fail loudly.
  writeFileSync(interpreter, "#!/bin/false\n");
  chmodSync(interpreter, 0o755);
});

function plant(name: string, version: string): string {
  const folder = join(home, "models", name, version);
  mkdirSync(folder, { recursive: true });
  const yaml = yamlOf(name, version)
    .replace("module: ''", "module: bentoml.picklable_model")
    .replace("signatures: {}", "signatures:\n  __call__:\n    batchable: false\n    batch_dim: [0, 0]");
  writeFileSync(join(folder, "model.yaml"), yaml);
  writeFileSync(join(folder, "saved_model.pkl"), "cshop\nPricing\n)R.");
  return folder;
}

/** The pages' models over the real jobs, a scripted runner and a user who answers as told. */
function open(parts: Partial<PythonTestPort> = {}, isTrusted = true, lacks = false) {
  const opened: ScriptedSession[] = [];
  const asked: string[] = [];
  const sessions = new Sessions({
    open(request) {
      const session = new ScriptedSession(request, async () => [], []);
      opened.push(session);
      return session;
    },
    maxLoaded: () => 2,
    idleMs: () => 0,
  });
  const env = lacks ? join(home, "other") : interpreter;
  const settings = { interpreter: env, paths: [home], preload: ["shop.registrations"] };
  const granted = new Emitter<void>();
  let answer: string | undefined;
  const pythonTests = fakePythonTests({
    trust: { isTrusted, onDidGrant: granted.event },
    python: fakePython({ isTrusted, settings, userHome: root }),
    ui: {
      async decide(message, detail, actions) {
        asked.push(`${message}\n${detail}\n[${actions.join(", ")}]`);
        return actions.find((action) => action === answer);
      },
      async offer(message, actions) {
        asked.push(message);
        return actions.find((action) => action === answer);
      },
      pick: async () => undefined,
      pickFiles: async () => undefined,
    },
    ...parts,
  });
  const store = new ModelStore(home);
  const models = new PageModels(
    {
      stores: { of: () => store },
      catalog: { find: () => undefined, recheck: () => undefined, touched: () => undefined },
      jobs: inProcessJobs(),
      trust: { refusal: (module, origin) => runRefusal(t, module, isTrusted, origin) },
      settings: () => ({ maxBatchSize: 32 }),
      pythonTests,
      t,
    },
    sessions,
    { get: () => undefined, update: async () => undefined },
  );
  const answerWith = (label: string | undefined) => {
    answer = label;
  };
  return { models, sessions, opened, asked, consents: pythonTests.consents, answerWith };
}

const REF = { store: "own", tag: "clf:v1" };
const CALL = { tag: "clf:v1", method: "__call__", drafts: {} };

async function ran(test: { readonly view: () => { readonly phase: string } }): Promise<void> {
  while (["loading", "running"].includes(test.view().phase)) await new Promise((turn) => setTimeout(turn, 2));
}

test("as soon as a model is looked at, its Python and what is to be decided are told, and nothing is started", async () => {
  const { models, opened } = open();
  const test = await models.test(REF);
  const view = testViewSchema.parse(test.view());
  assert.deepEqual([view.refusal, view.error, opened.length], [null, null, 0]);
  assert.deepEqual(view.python, {
    interpreter,
    by: "setting modelbench.python.interpreter",
    lacking: [],
    command: "",
    problem: null,
  });
  const { digest = "", state, imports, verdict, paths, isIsolated } = view.consent ?? {};
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.deepEqual([state, imports, paths, isIsolated], ["needed", ["shop.Pricing"], [home], true]);
  assert.doesNotMatch(JSON.stringify(view.consent), /\bsafe\b/i);
  assert.match(verdict ?? "", /do not know|code|tell|dangerous/i);
});

test("without consent neither a run nor a load starts anything, and both name the digest", async () => {
  const { models, opened, sessions } = open();
  const test = await models.test(REF);
  const digest = test.view().consent?.digest ?? "";
  const named = { code: "trust.required", message: new RegExp(digest) };
  await assert.rejects(test.start(CALL, 1), named);
  await assert.rejects(test.load({ anew: false }), named);
  assert.deepEqual([test.view().phase, test.view().error, opened.length], ["idle", null, 0]);
  await test.warm();
  assert.deepEqual(sessions.listed, []);
});

test("the question tells what is known and refuses by default; what was allowed runs, as it is written", async () => {
  const { answerWith, asked, models, opened } = open();
  const test = await models.test(REF);
  assert.equal(await test.askToAllow(), false);
  assert.equal(test.view().consent?.state, "needed");
  const [question = ""] = asked;
  for (const said of [/clf:v1/, /another program/, /Digest of its code: [0-9a-f]{12}…/, /shop\.Pricing/, /network/])
    assert.match(question, said);
  assert.match(question, /\[Allow This Code\]$/);
  answerWith("Allow This Code");
  assert.equal(await test.askToAllow(), true);
  assert.equal(test.view().consent?.state, "given");
  assert.deepEqual(await test.start(CALL, 1), []);
  await ran(test);
  assert.deepEqual([test.view().phase, test.view().error], ["done", null]);
  const { adapter, file, python } = opened[0]?.loads[0] ?? {};
  const folder = join(home, "models/clf/v1");
  assert.deepEqual([adapter, file, python?.folder, python?.interpreter], ["picklable", folder, folder, interpreter]);
  assert.deepEqual([python?.worker, python?.paths], ["/extension/dist/python", [home]]);
  assert.deepEqual([python?.isolate, python?.onlyIsolated], [true, true]);
  assert.deepEqual([python?.preload, python?.digest], [["shop.registrations"], test.view().consent?.digest]);
  assert.deepEqual(
    python?.files.map(({ path }) => path),
    ["saved_model.pkl"],
  );
});

test("one changed byte ends what is loaded and asks again; an edited label does neither", async () => {
  const { answerWith, models, opened } = open();
  const test = await models.test(REF);
  answerWith("Allow This Code");
  await test.askToAllow();
  await test.start(CALL, 1);
  await ran(test);
  const yaml = join(home, "models/clf/v1/model.yaml");
  writeFileSync(yaml, readFileSync(yaml, "utf8").replace("labels: {}", "labels:\n  stage: prod"));
  await test.start(CALL, 1);
  await ran(test);
  assert.equal(opened.length, 1);
  appendFileSync(join(home, "models/clf/v1/saved_model.pkl"), "x");
  await assert.rejects(test.start(CALL, 1), { code: "trust.required" });
  assert.equal(test.view().consent?.state, "needed");
  await test.askToAllow();
  await test.start(CALL, 1);
  await ran(test);
  assert.deepEqual(
    opened.map(({ state }) => state),
    ["stopped", "ready"],
  );
});

test("what is taken back does not run any more, and its process ends", async () => {
  const { answerWith, models, opened, consents } = open();
  const test = await models.test(REF);
  answerWith("Allow This Code");
  await test.askToAllow();
  await test.load({ anew: false });
  await test.revoke();
  assert.deepEqual([opened[0]?.state, consents.all, test.view().consent?.state], ["stopped", [], "needed"]);
  await assert.rejects(test.start(CALL, 1), { code: "trust.required" });
});

test("what is taken back in the list of all ends its process, also of files that are other code by now, and no other", async () => {
  plant("other", "v1");
  writeFileSync(join(home, "models/other/v1/saved_model.pkl"), "cshop\nShelf\n)R.");
  const { answerWith, models, opened, consents } = open();
  answerWith("Allow This Code");
  const tests = await Promise.all([REF, { store: "own", tag: "other:v1" }].map((ref) => models.test(ref)));
  for (const test of tests) {
    await test.askToAllow();
    await test.load({ anew: false });
  }
  for (const [i, tag] of ["clf:v1", "other:v1"].entries()) {
    if (i === 1) appendFileSync(join(home, "models/other/v1/saved_model.pkl"), "N.");
    await tests[i]?.warm();
    assert.deepEqual([opened[i]?.state, tests[i]?.view().consent?.state], ["ready", i === 1 ? "needed" : "given"]);
    await consents.revoke(consents.all.filter((consent) => consent.kind === "digest" && consent.tag === tag));
    await until(() => opened[i]?.state === "stopped", "its process ends", 2_000);
    if (i === 0) assert.equal(opened[1]?.state, "ready");
  }
});

test("an interpreter that is not there or lacks something refuses the run with the line that helps", async () => {
  const consents = fakeConsents();
  const first = open({ consents });
  first.answerWith("Allow This Code");
  await (await first.models.test(REF)).askToAllow();
  const gone = await open({ consents }, true, true).models.test(REF);
  assert.equal(gone.view().python?.problem?.code, "python.missing");
  await assert.rejects(gone.start(CALL, 1), { code: "python.missing" });
  const bare = join(home, "bare/bin/python");
  mkdirSync(join(home, "bare/lib/python3.11/site-packages"), { recursive: true });
  mkdirSync(dirname(bare), { recursive: true });
  writeFileSync(join(home, "bare/pyvenv.cfg"), "home = /nowhere\nversion = 3.11.7\n");
  writeFileSync(bare, "#!/bin/false\n", { mode: 0o755 });
  const python = fakePython({ settings: { interpreter: bare, paths: [], preload: [] } });
  const lacking = await open({ consents, python }).models.test(REF);
  assert.deepEqual(lacking.view().python?.lacking, ["cloudpickle"]);
  await assert.rejects(lacking.start(CALL, 1), {
    code: "python.missing",
    remedy: `Run: ${bare} -m pip install cloudpickle`,
  });
});

test("in Restricted Mode nothing of a model's code or of any Python is looked at", async () => {
  let looks = 0;
  const chosen = async () => {
    looks += 1;
    return [];
  };
  const python = fakePython({ isTrusted: false, folders: [home] }, { chosen });
  const { models, opened } = open({ python }, false);
  const test = await models.test(REF);
  const view = test.view();
  assert.deepEqual([view.python, view.consent, view.refusal?.code], [null, null, "trust.required"]);
  await assert.rejects(test.start(CALL, 1), { code: "trust.required" });
  await assert.rejects(test.load({ anew: true }), { code: "trust.required" });
  await assert.rejects(python.interpreters(), { code: "trust.required" });
  await assert.rejects(test.askToAllow(), { code: "trust.required" });
  await test.warm();
  assert.deepEqual([looks, opened.length], [0, 0]);
});

test("with consent the Python starts as soon as the test is opened, where there is room, and the first run has it", async () => {
  const { answerWith, models, opened, sessions } = open();
  const test = await models.test(REF);
  answerWith("Allow This Code");
  await test.askToAllow();
  await test.warm();
  await test.warm();
  assert.deepEqual([opened.length, opened[0]?.warmed, opened[0]?.loads.length], [1, 1, 0]);
  assert.deepEqual(
    sessions.listed.map(({ state }) => state),
    ["warm"],
  );
  await test.start(CALL, 1);
  await ran(test);
  assert.deepEqual([opened.length, opened[0]?.loads.length, sessions.listed[0]?.state], [1, 1, "ready"]);
});

test("a process that is started ahead comes too late for a test that is over, and for another choice", async () => {
  const waiting: (() => void)[] = [];
  let isSlow = false;
  const whyNotIsolated = async (): Promise<undefined> => {
    if (isSlow) await new Promise<void>((go) => waiting.push(go));
  };
  const asked = async (): Promise<void> => {
    while (waiting.length === 0) await new Promise((turn) => setTimeout(turn, 2));
  };
  const { answerWith, models, opened, sessions } = open({ whyNotIsolated });
  const test = await models.test(REF);
  answerWith("Allow This Code");
  await test.askToAllow();
  isSlow = true;
  for (const meanwhile of [
    () => test.chooseEngine({ device: "", settings: { "max-latency-ms": "5" } }),
    () => models.forget(REF),
  ]) {
    const warming = test.warm();
    await asked();
    waiting.shift()?.();
    // The request is being made now.
    await asked();
    await meanwhile();
    waiting.shift()?.();
    await warming;
    assert.deepEqual([opened.length, sessions.listed], [0, []]);
  }
});

test("a process that was left of an older test of the model does not run the newer one", async () => {
  const { answerWith, models, opened, sessions } = open();
  const test = await models.test(REF);
  answerWith("Allow This Code");
  await test.askToAllow();
  const batching = { enabled: false, maxBatchSize: 1 };
  const older = { label: "clf:v1", adapter: "picklable", file: "/older", device: "cpu", signatures: {}, batching };
  await sessions.warm("own/clf:v1", () => older);
  await test.start(CALL, 1);
  await ran(test);
  assert.deepEqual(
    opened.map(({ state, loads }) => [state, loads.map(({ file }) => file)]),
    [
      ["stopped", []],
      ["ready", [join(home, "models/clf/v1")]],
    ],
  );
});

test("a module that Python did not find is looked for in the project, and its folder offered", async () => {
  mkdirSync(join(home, "project/lib"), { recursive: true });
  writeFileSync(join(home, "project/lib/shop.py"), "");
  const added: string[] = [];
  const window = { settings: { interpreter, paths: [], preload: [] }, folders: [join(home, "project")] };
  const python = fakePython(window, { addPath: async (folder) => void added.push(folder) });
  const { answerWith, asked, models, opened } = open({ python });
  const test = await models.test(REF);
  answerWith("Allow This Code");
  await test.askToAllow();
  const message = "The model needs the Python module shop.pricing, which /usr/bin/python3 does not find.";
  const failing = new ModelbenchError("python.module", message, { remedy: "Install it." });
  answerWith("Add Folder");
  await test.warm();
  const [session] = opened;
  assert.ok(session);
  session.load = async () => Promise.reject(failing);
  await test.start(CALL, 1);
  await ran(test);
  const { error } = test.view();
  assert.equal(error?.code, "python.module");
  const folder = join(home, "project/lib");
  assert.match(error?.remedy ?? "", new RegExp(`${folder} has it: .*modelbench\\.python\\.paths`));
  assert.match(asked.at(-1) ?? "", /shop\.pricing is in .*project\/lib/);
  assert.deepEqual(added, [folder]);
});

test("custom objects are loaded in the model's process once its code is allowed, and not before", async () => {
  const { answerWith, asked, models, opened } = open();
  const test = await models.test(REF);
  const { signal } = new AbortController();
  assert.equal(await test.customObjects(signal), null);
  assert.deepEqual([asked.length, opened.length], [1, 0]);
  answerWith("Allow This Code");
  assert.deepEqual(await test.customObjects(signal), [{ name: "classes", type: "list", repr: "['a', 'b']" }]);
  assert.deepEqual([asked.length, opened.length, opened[0]?.loads.length], [2, 1, 1]);
  // What is loaded for them serves the next run, too, and the other way round.
  await test.start(CALL, 1);
  await ran(test);
  await test.customObjects(signal);
  assert.deepEqual([opened.length, test.view().phase, test.view().replies.length], [1, "done", 1]);
  await assert.rejects(test.customObjects(AbortSignal.abort()), { code: "cancelled" });
});

test("custom objects are not loaded in Restricted Mode, and a module that they lack is looked for in the project", async () => {
  const restricted = open({}, false);
  const { signal } = new AbortController();
  await assert.rejects((await restricted.models.test(REF)).customObjects(signal), { code: "trust.required" });
  assert.deepEqual([restricted.asked, restricted.opened], [[], []]);
  mkdirSync(join(home, "project/lib"), { recursive: true });
  writeFileSync(join(home, "project/lib/shop.py"), "");
  const settings = { interpreter, paths: [], preload: [] };
  const { answerWith, models, opened } = open({ python: fakePython({ settings, folders: [join(home, "project")] }) });
  answerWith("Allow This Code");
  const test = await models.test(REF);
  await test.askToAllow();
  await test.load({ anew: false });
  const [session] = opened;
  assert.ok(session);
  session.customObjects = async () => {
    throw new ModelbenchError("python.module", "clf:v1 needs the Python module shop, which is not there.");
  };
  await assert.rejects(test.customObjects(signal), { code: "python.module", remedy: /project\/lib has it/ });
});
