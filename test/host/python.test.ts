import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import type { TestApi } from "../../src/extension/extension";
import { PageModels } from "../../src/extension/page/models";
import type { ModelTest } from "../../src/extension/page/modelTest";
import { localFolders, workspaceName } from "../../src/extension/python/openPython";
import { Sessions } from "../../src/extension/sessions";
import { whyNotIsolated } from "../../src/runner/isolation";
import { openSession } from "../../src/runner/session";
import type { DraftState } from "../../webview/protocol/views";
import type { Answers } from "../unit/extension/fakeServices";
import { activated, answering, repository, temporaryFolder, useStore } from "./kit";
import { until } from "./until";

const ALLOW = "Allow This Code";

describe("models of the user's own Python", () => {
  const folder = temporaryFolder();
  const interpreter = join(repository(), ".tools/venv/bin/python");
  let api: TestApi;
  let closing: (() => Promise<void>)[] = [];

  before(async function () {
    this.timeout(120_000);
    execFileSync(interpreter, [join(repository(), "test/host/savePythonModels.py"), folder.path], { stdio: "pipe" });
    cpSync(join(folder.path, "project/src"), join(workspaceFolder(), "src"), { recursive: true });
    api = await activated();
    await useStore(api, join(folder.path, "store"));
    await set("interpreter", interpreter);
  });

  afterEach(async () => {
    for (const close of closing.reverse()) await close();
    closing = [];
    await api.services.consents.revoke(api.services.consents.all);
  });

  after(async () => {
    await set("interpreter", undefined);
    await useStore(api, "");
    rmSync(join(workspaceFolder(), "src"), { recursive: true, force: true });
    folder.remove();
  });

  it("says which Python it would use and what is to be decided, and starts none to find out", async () => {
    const { test } = await open("total:v1");
    const { consent, python, refusal } = test.view();
    assert.equal(refusal, null);
    assert.deepEqual([python?.interpreter, python?.lacking, python?.problem], [interpreter, [], null]);
    assert.match(python?.by ?? "", /modelbench\.python\.interpreter/);
    assert.equal(consent?.state, "needed");
    assert.ok(
      consent?.imports.some((name) => name.startsWith("cloudpickle")),
      consent?.imports.join(),
    );
    await test.warm();
    await assert.rejects(test.start(call("total:v1", "[1]"), 1), { code: "trust.required" });
    assert.deepEqual(workers(), []);
  });

  it("runs what the real BentoML saved once its code was allowed, and ends it when that is taken back", async () => {
    const { lines, test } = await open("total:v1", { decides: ALLOW });
    assert.equal(await test.askToAllow(), true);
    assert.match(
      lines.join("\n"),
      /decide: Allow total:v1 to Run Code in Your Python\?.*Digest of its code: [0-9a-f]{12}/,
    );
    const [value] = await run(test, call("total:v1", "[1, 2, 3.5]"));
    assert.match(value ?? "", /"sum": 6\.5/);
    assert.equal(workers().length, 1);
    await test.revoke();
    await until("the worker to end", () => (workers().length === 0 ? true : undefined));
    await assert.rejects(test.start(call("total:v1", "[1]"), 1), { code: "trust.required" });
  });

  it("loads custom objects in the model's process, once its code was allowed", async () => {
    const { signal } = new AbortController();
    const refused = await open("total:v1");
    assert.equal(await refused.test.customObjects(signal), null);
    assert.deepEqual(workers(), []);
    const { test } = await open("total:v1", { decides: ALLOW });
    const objects = await test.customObjects(signal);
    assert.deepEqual(objects, [
      { name: "words", type: "list", repr: "['a', 'b']" },
      { name: "long", type: "str", repr: `'${"w".repeat(1999)}…` },
    ]);
    assert.equal(workers().length, 1);
  });

  it("loads a class from the workspace's own src", async () => {
    const { test } = await open("pricing:v1", { decides: ALLOW });
    assert.ok(test.view().consent?.paths.includes(join(workspaceFolder(), "src")));
    await test.askToAllow();
    assert.deepEqual(await run(test, call("pricing:v1", "[2, 4]")), ["6,11"]);
  });

  it("starts Python ahead once there is consent, and the first run has it", async () => {
    const { test } = await open("total:v1", { decides: ALLOW });
    await test.askToAllow();
    await test.warm();
    const [warm] = workers();
    assert.equal(workers().length, 1);
    await run(test, call("total:v1", "[1]"));
    assert.deepEqual(workers(), [warm]);
  });

  it("asks again for one changed byte, and loads nothing of it before", async () => {
    const { lines, test } = await open("total:v1", { decides: ALLOW });
    await test.askToAllow();
    await run(test, call("total:v1", "[1]"));
    const pickle = join(folder.path, "store/models/total/v1/saved_model.pkl");
    const content = readFileSync(pickle);
    appendFileSync(pickle, " ");
    await assert.rejects(test.start(call("total:v1", "[1]"), 1), { code: "trust.required" });
    assert.equal(test.view().consent?.state, "needed");
    writeFileSync(pickle, content);
    const [value] = await run(test, call("total:v1", "[1]"));
    assert.match(value ?? "", /"sum": 1/);
    assert.equal(lines.filter((line) => line.startsWith("decide:")).length, 1);
  });

  it("takes nothing in the folder for consent: neither its settings nor the workspace's state", async () => {
    const { test } = await open("total:v1");
    const digest = test.view().consent?.digest ?? "";
    const settings = join(workspaceFolder(), ".vscode/settings.json");
    mkdirSync(join(workspaceFolder(), ".vscode"), { recursive: true });
    const allowed = { schema: 1, machine: "", allowed: [{ kind: "digest", digest, tag: "total:v1", atMs: 0 }] };
    writeFileSync(settings, JSON.stringify({ "modelbench.allowedCode": allowed, "modelbench.allowCode": [digest] }));
    try {
      const again = await open("total:v1", {}, { "modelbench.allowedCode": allowed });
      assert.equal(again.test.view().consent?.state, "needed");
      await assert.rejects(again.test.start(call("total:v1", "[1]"), 1), { code: "trust.required" });
    } finally {
      rmSync(settings);
    }
  });

  it("looks at nothing and starts nothing in Restricted Mode", async () => {
    const { test } = await open("total:v1", { decides: ALLOW }, {}, false);
    const { consent, python, refusal } = test.view();
    assert.deepEqual([python, consent, refusal?.code], [null, null, "trust.required"]);
    await assert.rejects(test.askToAllow(), { code: "trust.required" });
    await assert.rejects(test.load({ anew: false }), { code: "trust.required" });
    assert.deepEqual(workers(), []);
  });

  /** The test of a model over the extension's own parts, with a user who answers as told. */
  async function open(tag: string, answers: Answers = {}, state: Record<string, unknown> = {}, isTrusted = true) {
    const user = answering(api, answers);
    const { services } = api;
    const extension = vscode.extensions.getExtension("modelbench.modelbench");
    assert.ok(extension);
    const sessions = new Sessions({
      open: (request) =>
        openSession(request, { entry: join(extension.extensionPath, "dist/runner.cjs"), log: services.log }),
      maxLoaded: () => 2,
      idleMs: () => 0,
    });
    const reason = { code: "trust.required", reason: "Restricted Mode.", remedy: undefined } as const;
    const trust = isTrusted
      ? services.trust
      : { isTrusted, onDidGrant: services.trust.onDidGrant, refusal: () => reason };
    const pythonTests = {
      ...{ consents: services.consents, jobs: services.jobs, python: services.python, t: services.t, trust },
      ...{ ui: services.ui, workspace: workspaceName, folders: localFolders, whyNotIsolated },
      worker: join(extension.extensionPath, "dist/python"),
    };
    const memory = { get: (key: string) => state[key], update: async () => undefined };
    const models = new PageModels({ ...services, trust, pythonTests }, sessions, memory);
    closing.push(async () => {
      models.dispose();
      await sessions.dispose();
      user.restore();
    });
    return { test: await models.test({ store: "own", tag }), lines: user.lines };
  }
});

/** A call with one argument. */
function call(tag: string, json: string): DraftState {
  const form = { dims: [], cells: [], file: null, pattern: "normal", seed: 0, as: "auto", dtype: "" } as const;
  return { tag, method: "__call__", drafts: { 0: { ...form, source: "json", json, dims: [], cells: [] } } };
}

/** Runs once and answers with what came out: JSON, or the values of an array. */
async function run(test: ModelTest, state: DraftState): Promise<readonly string[]> {
  assert.deepEqual(await test.start(state, 1), []);
  await until("the run to end", () => (["loading", "running"].includes(test.view().phase) ? undefined : true), 60_000);
  const { error, replies } = test.view();
  assert.equal(error, null, `${error?.message} ${error?.remedy}`);
  return (replies[0]?.outputs ?? []).map(({ plain, values }) => (plain?.kind === "json" ? plain.text : values.join()));
}

function workspaceFolder(): string {
  const [folder] = localFolders();
  assert.ok(folder);
  return folder;
}

async function set(key: string, value: unknown): Promise<void> {
  await vscode.workspace.getConfiguration("modelbench.python").update(key, value, vscode.ConfigurationTarget.Global);
}

/** Process ids of the workers of the extension that is tested. */
function workers(): string[] {
  const entry = join(repository(), "dist/python");
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const [program = "", ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return /python/.test(program) && args.includes(entry);
    } catch {
      return false;
    }
  });
}
