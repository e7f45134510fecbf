import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
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

test("models that were in use at once are no more than may be loaded when they are idle again", async () => {
  const { sessions } = make(2, 0);
  const releases: (() => void)[] = [];
  const uses = ["a", "b", "c"].map((key) =>
    sessions.use(key, request(key), () => new Promise<void>((resolve) => void releases.push(resolve))),
  );
  assert.equal(sessions.loaded.length, 3);
  for (const release of releases) release();
  await Promise.all(uses);
  assert.deepEqual(sessions.loaded.map(({ key }) => key).sort(), ["b", "c"]);
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

test("a process that is started ahead is listed as such, once, and the first use has it", async () => {
  const { sessions, opened } = make(2, 0);
  assert.equal(sessions.stateOf("a"), undefined);
  await sessions.warm("a", request("a"));
  await sessions.warm("a", request("a"));
  assert.deepEqual([opened.length, opened[0]?.warmed, sessions.stateOf("a")], [1, 1, "starting"]);
  assert.deepEqual(
    sessions.listed.map(({ state, busy }) => [state, busy]),
    [["warm", false]],
  );
  await sessions.use("a", request("a"), async (session) => void (await session.load()));
  assert.deepEqual([opened.length, sessions.listed[0]?.state], [1, "ready"]);
});

test("a model that waits for its first use counts as one, and goes first when room is needed", async () => {
  const { sessions, opened } = make(2, 0);
  await sessions.warm("a", request("a"));
  assert.equal(sessions.hasRoom, true);
  await sessions.use("b", request("b"), async () => undefined);
  assert.equal(sessions.hasRoom, false);
  await sessions.use("c", request("c"), async () => undefined);
  assert.deepEqual(
    opened.map(({ state }) => state),
    ["stopped", "starting", "starting"],
  );
});

test("what cannot be started ahead is not listed", async () => {
  const sessions = new Sessions({
    open(wanted) {
      const session = new ScriptedSession(wanted, irisAnswer, []);
      session.warm = async () => Promise.reject(new ModelbenchError("python.missing", "It is gone."));
      return session;
    },
    maxLoaded: () => 2,
    idleMs: () => 0,
  });
  await sessions.warm("a", request("a"));
  assert.deepEqual([sessions.listed, sessions.stateOf("a")], [[], undefined]);
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
  await sessions.warm("b", request("b"));
  await sessions.dispose();
  assert.deepEqual(
    opened.map(({ state }) => state),
    ["stopped", "stopped"],
  );
});

test("the list says what each model is doing, a failed one with its reason until it is forgotten", async () => {
  const { sessions, opened } = make(2, 60_000);
  let release: () => void = () => undefined;
  const loading = sessions.use("a", request("a"), () => new Promise<void>((resolve) => (release = resolve)));
  const states = () => sessions.listed.map(({ key, state, busy }) => [key, state, busy]);
  assert.deepEqual(states(), [["a", "loading", true]]);
  await opened[0]?.load();
  assert.deepEqual(states(), [["a", "ready", true]]);
  release();
  await loading;
  await sessions.use("b", request("b"), async (session) => void (await session.load()));
  assert.deepEqual(states(), [
    ["b", "ready", false],
    ["a", "ready", false],
  ]);
  const [first] = opened;
  assert.ok(first);
  const failure = new ModelbenchError("worker.died", "a: the runner process ran out of memory.");
  first.state = "failed";
  first.known = { failure, answered: 3 };
  const failed = sessions.listed.find(({ key }) => key === "a");
  assert.deepEqual([failed?.state, failed?.facts.failure, failed?.facts.answered], ["failed", failure, 3]);
  assert.deepEqual(
    sessions.loaded.map(({ key }) => key),
    ["b"],
    "it has no process",
  );
  assert.deepEqual([sessions.stateOf("a"), sessions.listed.length], ["failed", 2]);
  await sessions.unload("a");
  assert.deepEqual(states(), [["b", "ready", false]]);
  await sessions.dispose();
});

test("an idle model says when it is unloaded, a used one does not, and a changed setting counts at once", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  try {
    let idleMs = 60_000;
    let maxLoaded = 2;
    const { sessions, opened } = make(
      () => maxLoaded,
      () => idleMs,
    );
    const unloadsAt = () => sessions.listed.map(({ unloadsAtMs }) => unloadsAtMs);
    let release: () => void = () => undefined;
    const used = sessions.use("a", request("a"), () => new Promise<void>((resolve) => (release = resolve)));
    assert.deepEqual(unloadsAt(), [undefined]);
    release();
    await used;
    assert.deepEqual(unloadsAt(), [1_060_000]);
    mock.timers.tick(30_000);
    idleMs = 120_000;
    sessions.settingsChanged();
    assert.deepEqual(unloadsAt(), [1_120_000], "the time that it was idle counts");
    idleMs = 0;
    sessions.settingsChanged();
    mock.timers.tick(1_000_000);
    assert.deepEqual(unloadsAt(), [undefined]);
    await sessions.use("b", request("b"), async () => undefined);
    maxLoaded = 1;
    sessions.settingsChanged();
    assert.deepEqual(
      sessions.listed.map(({ key }) => key),
      ["b"],
      "what is too many is unloaded, the longest idle first",
    );
    idleMs = 10_000;
    sessions.settingsChanged();
    mock.timers.tick(0);
    assert.equal(sessions.listed.length, 1, "it was used just now");
    mock.timers.tick(10_000);
    assert.deepEqual([sessions.listed.length, opened.map(({ state }) => state)], [0, ["stopped", "stopped"]]);
    await sessions.dispose();
  } finally {
    mock.timers.reset();
  }
});

/** @param maxLoaded a number, or one that changes; so is `idleMs` */
function make(
  maxLoaded: number | (() => number),
  idleMs: number | (() => number),
): { sessions: Sessions; opened: ScriptedSession[] } {
  const opened: ScriptedSession[] = [];
  const sessions = new Sessions({
    open: (wanted) => {
      const session = new ScriptedSession(wanted, irisAnswer, []);
      opened.push(session);
      return session;
    },
    maxLoaded: () => (typeof maxLoaded === "number" ? maxLoaded : maxLoaded()),
    idleMs: () => (typeof idleMs === "number" ? idleMs : idleMs()),
  });
  return { sessions, opened };
}
