import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import type { ModelTest } from "../../../../src/extension/page/modelTest";
import { writeNpy } from "../../../../src/formats/npy";
import { modelViewSchema } from "../../../../webview/protocol/views";
import { makeHost, REF } from "../../webview/pageHost";
import { irisAnswer, irisFacts, output } from "../../webview/sampleModel";

test("a run fills the replies and the history, and its inputs can be brought back", async () => {
  const opened = await makeHost().models.test(REF);
  const first = opened.draftState();
  await run(opened);
  const draft = first.drafts["x"];
  assert.ok(draft);
  opened.setDrafts({ ...first, drafts: { x: { ...draft, cells: ["1", "1", "1", "1"] } } }, undefined);
  await run(opened);
  const { history, replies, phase } = opened.view();
  assert.equal(phase, "done");
  assert.equal(replies.length, 1);
  assert.deepEqual(
    history.map(({ summary }) => summary),
    ["label: 0 setosa", "label: 2 virginica"],
  );
  const back = opened.reuse(history[1]?.id ?? "", undefined);
  assert.deepEqual(back.drafts, first.drafts);
});

test("the history keeps the last 20 runs", async () => {
  const opened = await makeHost().models.test(REF);
  for (let runs = 0; runs < 23; runs++) await run(opened);
  assert.equal(opened.view().history.length, 20);
});

test("what was typed, the history and the result outlive the window; a state of another schema does not", async () => {
  const memory = new Map<string, unknown>();
  const before = await makeHost({ memory }).models.test(REF);
  await run(before);
  const after = await makeHost({ memory }).models.test(REF);
  assert.deepEqual(after.view().replies, before.view().replies);
  assert.equal(after.view().phase, "done");
  assert.equal(after.view().history.length, 1);
  for (const [key, value] of memory) memory.set(key, { ...Object(value), schema: 0 });
  const fresh = await makeHost({ memory }).models.test(REF);
  assert.deepEqual([fresh.view().history, fresh.view().phase], [[], "idle"]);
});

test("one failed request among several does not fail the others", async () => {
  let asked = 0;
  const answer: typeof irisAnswer = async (...args) => {
    asked += 1;
    if (asked === 2) throw new ModelbenchError("run.failed", "Row 1 is bad.");
    return irisAnswer(...args);
  };
  const opened = await makeHost({ answer }).models.test(REF);
  await run(opened, 3);
  assert.equal(opened.view().phase, "done");
  assert.deepEqual(
    opened.view().replies.map((reply) => reply?.error?.code),
    [undefined, "run.failed", undefined],
  );
});

test("a dead worker is shown as a crash and Restart loads the model anew", async () => {
  let isDead = true;
  const host = makeHost({
    answer: async (...args) => {
      if (isDead) throw new ModelbenchError("worker.died", "It ended.");
      return irisAnswer(...args);
    },
  });
  const opened = await host.models.test(REF);
  await run(opened);
  assert.equal(opened.view().phase, "crashed");
  isDead = false;
  await opened.restart();
  assert.equal(opened.view().phase, "idle");
  assert.deepEqual(
    host.opened.map(({ state }) => state),
    ["stopped", "ready"],
  );
  await run(opened);
  assert.equal(opened.view().phase, "done");
});

test("a model whose file is not what was saved is refused in words, and runs once it is mended", async () => {
  const detail = "/home/me/bentoml/models/iris_clf/v2/saved_model.onnx is not what was saved: bytes 0 to 9 differ.";
  let isDamaged = true;
  const damage = () => (isDamaged ? [{ kind: "file.changed" as const, path: "saved_model.onnx", detail }] : []);
  const host = makeHost({ damage });
  const opened = await host.models.test(REF);
  await run(opened);
  const { phase, error } = opened.view();
  assert.deepEqual([phase, error?.code], ["failed", "model.changed"]);
  assert.match(`${error?.message} ${error?.remedy}`, /bytes 0 to 9 differ.*Import the model again/s);
  await opened.restart();
  assert.equal(opened.view().phase, "failed");
  assert.ok(host.opened.every(({ state }) => state !== "ready"));
  isDamaged = false;
  await run(opened);
  assert.equal(opened.view().phase, "done");
});

test("a model is loaded without a run, once, and what was shown of the last run stays", async () => {
  const host = makeHost();
  const opened = await host.models.test(REF);
  await opened.load({ anew: false });
  await opened.load({ anew: false });
  assert.deepEqual([opened.view().phase, host.opened.length, host.sessions.loaded.length], ["idle", 1, 1]);
  await run(opened);
  await opened.load({ anew: false });
  assert.deepEqual([opened.view().phase, opened.view().replies.length], ["done", 1]);
  await opened.load({ anew: true });
  assert.deepEqual(
    host.opened.map(({ state }) => state),
    ["stopped", "ready"],
  );
});

test("what keeps a model from loading is thrown and shown; one that never started is not listed", async () => {
  const detail = "saved_model.onnx is not what was saved: bytes 0 to 9 differ.";
  const damage = () => [{ kind: "file.changed" as const, path: "saved_model.onnx", detail }];
  const host = makeHost({ damage });
  const opened = await host.models.test(REF);
  await assert.rejects(opened.load({ anew: false }), { code: "model.changed" });
  assert.deepEqual([opened.view().phase, host.sessions.listed], ["failed", []]);
  const refusal = () => ({ code: "trust.required", reason: "Restricted Mode.", remedy: "Trust the folder." }) as const;
  const refused = await makeHost({ refusal }).models.test(REF);
  const message = "iris_clf:v2: Restricted Mode.";
  await assert.rejects(refused.load({ anew: true }), { code: "trust.required", message });
});

test("a load that is cancelled ends quietly, and the next one works", async () => {
  let onVerify: () => void = () => undefined;
  const damage = () => {
    onVerify();
    return [];
  };
  const host = makeHost({ damage });
  const opened = await host.models.test(REF);
  const cancelling = new AbortController();
  onVerify = () => cancelling.abort();
  await assert.rejects(opened.load({ anew: false, signal: cancelling.signal }), { code: "cancelled" });
  assert.deepEqual([opened.view().phase, host.sessions.listed], ["cancelled", []]);
  onVerify = () => undefined;
  await opened.load({ anew: false });
  assert.deepEqual([opened.view().phase, host.sessions.loaded.length], ["idle", 1]);
});

test("wrong inputs are named and nothing is run", async () => {
  const host = makeHost();
  const opened = await host.models.test(REF);
  const state = opened.draftState();
  const draft = state.drafts["x"];
  assert.ok(draft);
  const wrong = { ...state, drafts: { x: { ...draft, source: "json" as const, json: "[[1, 2, 3]]" } } };
  const issues = await opened.start(wrong, 1);
  assert.deepEqual(
    issues.map(({ input, error }) => [input, error.code]),
    [["x", "input.shape"]],
  );
  assert.equal(opened.view().phase, "idle");
  await assert.rejects(opened.start({ ...state, method: "fly" }, 1), { code: "method.notFound" });
  await assert.rejects(opened.start({ ...state, drafts: {} }, 1), { code: "input.notFound" });
});

test("a file that was never chosen is an issue of its input, not a failure", async () => {
  const host = makeHost();
  const opened = await host.models.test(REF);
  const state = opened.draftState();
  const draft = state.drafts["x"];
  assert.ok(draft);
  const gone = { id: "another window's", name: "x.npy", bytes: 1 };
  for (const file of [null, gone]) {
    const issues = await opened.start({ ...state, drafts: { x: { ...draft, source: "file", file } } }, 1);
    assert.deepEqual(
      issues.map(({ input, error }) => [input, error.code]),
      [["x", "input.notFound"]],
    );
  }
  assert.equal(opened.view().phase, "idle");
});

test("a chosen file is checked before a run, by what its header says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "modelbench-page-"));
  try {
    const path = join(folder, "x.npy");
    writeFileSync(path, writeNpy({ dtype: "float64", shape: [1, 4], data: new Uint8Array(32) }));
    const opened = await makeHost().models.test(REF);
    const state = opened.draftState();
    const draft = state.drafts["x"];
    assert.ok(draft);
    const file = await opened.addFile(path);
    const issues = await opened.validate({ ...state, drafts: { x: { ...draft, source: "file", file } } });
    assert.deepEqual(
      issues.map(({ input, error }) => [input, error.code]),
      [["x", "input.dtype"]],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a request of more rows than a batch takes says into how many it was split", async () => {
  const opened = await makeHost().models.test(REF);
  const state = opened.draftState();
  const draft = state.drafts["x"];
  assert.ok(draft);
  opened.setDrafts({ ...state, drafts: { x: { ...draft, source: "generate", dims: [100, 4] } } }, undefined);
  await run(opened);
  const [reply] = opened.view().replies;
  assert.deepEqual([reply?.batches, reply?.batchSize], [4, 32]);
});

test("a model whose file is damaged still shows what its model.yaml says", async () => {
  const broken = { code: "format.corrupt", message: "saved_model.onnx ends early.", offset: 22 } as const;
  const host = makeHost({ facts: { ...irisFacts, broken } });
  const view = await host.models.inspect(REF);
  assert.deepEqual(modelViewSchema.parse(view).broken?.message, broken.message);
  assert.equal(view.labels.length, irisFacts.labels.length);
});

test("a refused model is not run, whatever the page asks", async () => {
  const refusal = () => ({ code: "trust.required", reason: "Restricted Mode.", remedy: "Trust the folder." }) as const;
  const host = makeHost({ refusal });
  const opened = await host.models.test(REF);
  await assert.rejects(opened.start(opened.draftState(), 1), { code: "trust.required" });
  assert.equal(host.opened.length, 0);
});

test("what is sent to be run is kept as what was typed, for the page that comes after this one", async () => {
  const host = makeHost();
  const handlers = host.handlers({ follow: () => undefined, by: {} });
  const opened = await host.models.test(REF);
  const state = opened.draftState();
  const draft = state.drafts["x"];
  assert.ok(draft);
  const typed = { ...state, drafts: { x: { ...draft, cells: ["1", "2", "3", "4"] } } };
  await handlers["test/run"]({ state: typed, copies: 1 }, new AbortController().signal);
  assert.deepEqual(opened.draftState(), typed);
});

test("a page is bound to its model: requests about another one are refused", async () => {
  const host = makeHost();
  const handlers = host.handlers({ follow: () => undefined, by: {} });
  const { signal } = new AbortController();
  await assert.rejects(handlers["model/inspect"]({ tag: "other:v1" }, signal), { code: "protocol.invalid" });
  await assert.rejects(handlers["test/stop"]({ tag: "iris_clf:v1" }, signal), { code: "protocol.invalid" });
});

test("rows beyond the first 10,000 values are read when they are asked for", async () => {
  const numbers = Float32Array.from({ length: 24_000 }, (_, index) => index);
  const answer: typeof irisAnswer = async () => [output("wide", "float32", [6_000, 4], numbers)];
  const opened = await makeHost({ answer }).models.test(REF);
  await run(opened);
  const [shown] = opened.view().replies[0]?.outputs ?? [];
  assert.deepEqual([shown?.values.length, shown?.pageable], [10_000, true]);
  const last = await opened.rows(0, "wide", 5_999, 50);
  assert.deepEqual(
    [last.shape, last.values],
    [
      [1, 4],
      [23_996, 23_997, 23_998, 23_999],
    ],
  );
  await assert.rejects(opened.rows(0, "tall", 0, 1), { code: "worker.died" });
});

test("more rows of a result whose model was unloaded start no process, and take no other model's place", async () => {
  const answer: typeof irisAnswer = async () => [{ name: "wide", dtype: "float32", shape: [9, 9], kept: "7-1" }];
  const host = makeHost({ answer });
  const opened = await host.models.test(REF);
  await run(opened);
  // As when it was idle for long, or another one needed its place.
  await host.sessions.unload("own/iris_clf:v2");
  const gone = { code: "worker.died", message: "This result is gone.", remedy: "Run again." };
  await assert.rejects(opened.rows(0, "wide", 0, 3), gone);
  assert.deepEqual([host.opened.length, host.sessions.listed], [1, []]);
});

test("another page hears of an edit, the one that made it does not", async () => {
  const opened = await makeHost().models.test(REF);
  const heard: unknown[] = [];
  opened.onDidChangeDrafts(({ by }) => heard.push(by));
  const page = {};
  opened.setDrafts(opened.draftState(), page);
  assert.deepEqual(heard, [page]);
});

async function run(opened: ModelTest, copies = 1): Promise<void> {
  const { length } = opened.view().history;
  const newest = opened.view().history[0]?.id;
  const ended = new Promise<void>((resolve) => {
    const { dispose } = opened.onDidChange(() => {
      const [item] = opened.view().history;
      if (!item || (item.id === newest && length > 0)) return;
      dispose();
      resolve();
    });
  });
  assert.deepEqual(await opened.start(opened.draftState(), copies), []);
  await ended;
}
