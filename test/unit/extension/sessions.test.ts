import assert from "node:assert/strict";
import { test } from "node:test";
import { Sessions } from "../../../src/extension/sessions";
import type { LoadRequest } from "../../../src/runner/protocol";
import { irisAnswer, ScriptedSession } from "../webview/sampleModel";

const request = (label: string) => (): LoadRequest => ({
  label,
  adapter: "onnx",
  file: `/models/${label}`,
  device: "cpu",
  signatures: {},
  batching: { enabled: true, maxBatchSize: 32 },
});

test("a model keeps its session between uses, and a failed one is opened anew", async () => {
  const { sessions, opened } = make(2, 0);
  await sessions.use("a", request("a"), async () => undefined);
  await sessions.use("a", request("a"), async () => undefined);
  assert.equal(opened.length, 1);
  const [first] = opened;
  assert.ok(first);
  first.state = "failed";
  await sessions.use("a", request("a"), async () => undefined);
  assert.equal(opened.length, 2);
});

test("the longest unused model makes room, one in use stays", async () => {
  const { sessions, opened } = make(2, 0);
  let release: () => void = () => undefined;
  const busy = sessions.use("a", request("a"), () => new Promise<void>((resolve) => (release = resolve)));
  await sessions.use("b", request("b"), async () => undefined);
  await sessions.use("c", request("c"), async () => undefined);
  assert.deepEqual(sessions.loaded.map(({ key }) => key).sort(), ["a", "c"]);
  assert.equal(opened.find(({ label }) => label === "b")?.state, "stopped");
  release();
  await busy;
});

test("a model whose process is gone counts as loaded no more, and takes no other's place", async () => {
  const { sessions, opened } = make(2, 0);
  await sessions.use("a", request("a"), async () => undefined);
  await sessions.use("b", request("b"), async () => undefined);
  const [first, second] = opened;
  assert.ok(first && second);
  second.state = "failed";
  assert.deepEqual(
    sessions.loaded.map(({ key }) => key),
    ["a"],
  );
  await sessions.use("c", request("c"), async () => undefined);
  assert.deepEqual(sessions.loaded.map(({ key }) => key).sort(), ["a", "c"]);
  assert.notEqual(first.state, "stopped");
});

test("checking inputs opens no loaded model", async () => {
  const { sessions } = make(2, 0);
  await sessions.session("a", request("a")).validate("run", {});
  assert.deepEqual(sessions.loaded, []);
});

test("an idle model is unloaded, a used one waits anew", async () => {
  const { sessions, opened } = make(2, 20);
  const unloaded = new Promise<void>((resolve) => {
    sessions.onDidChange(() => {
      if (opened.length > 0 && sessions.loaded.length === 0) resolve();
    });
  });
  await sessions.use("a", request("a"), async () => undefined);
  assert.equal(sessions.loaded.length, 1);
  // The timer of the product keeps no process alive: this one does.
  const alive = setInterval(() => undefined, 1_000);
  await unloaded;
  clearInterval(alive);
  assert.equal(opened[0]?.state, "stopped");
});

test("disposing stops every session", async () => {
  const { sessions, opened } = make(2, 0);
  await sessions.use("a", request("a"), async () => undefined);
  sessions.session("b", request("b"));
  await sessions.dispose();
  assert.deepEqual(
    opened.map(({ state }) => state),
    ["stopped", "stopped"],
  );
});

function make(maxLoaded: number, idleMs: number): { sessions: Sessions; opened: ScriptedSession[] } {
  const opened: ScriptedSession[] = [];
  const sessions = new Sessions({
    open: (wanted) => {
      const session = new ScriptedSession(wanted, irisAnswer, []);
      opened.push(session);
      return session;
    },
    maxLoaded: () => maxLoaded,
    idleMs: () => idleMs,
  });
  return { sessions, opened };
}
