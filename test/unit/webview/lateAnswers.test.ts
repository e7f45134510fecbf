import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RequestName, ToHost } from "../../../webview/protocol/messages";
import { PagePeer } from "../../../webview/protocol/pagePeer";
import type { DraftState, TestView } from "../../../webview/protocol/views";
import { TestState } from "../../../webview/ui/testState";
import { openMethod } from "../../fixtures/openMethod";
import { jsonDraft, pythonTest } from "./scriptedPage";

type Asked = Extract<ToHost, { readonly kind: "request" }>;

/** The page's end of a host that answers when it is told to. */
function slowHost() {
  const posted: Asked[] = [];
  const nothing = () => undefined;
  const listeners: ConstructorParameters<typeof PagePeer>[1] = {
    "page/init": nothing,
    "page/subject": nothing,
    "model/changed": nothing,
    "content/changed": nothing,
    "content/progress": nothing,
    "compare/progress": nothing,
    "file/changed": nothing,
    "test/state": nothing,
    "test/drafts": nothing,
  };
  const post = (message: ToHost): void => void (message.kind === "request" && posted.push(message));
  const peer = new PagePeer({ post, dropState: nothing }, listeners);
  /** The request of a name that was posted last. */
  const last = (name: RequestName): Asked => {
    const found = posted.filter((message) => message.name === name).at(-1);
    assert.ok(found, `the page never asked for ${name}`);
    return found;
  };
  const answer = async ({ id }: Asked, value: unknown): Promise<void> => {
    peer.receive({ kind: "result", id, ok: true, value });
    // Whoever waits goes on before the test does.
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { peer, posted, last, answer };
}

const viewOf = (tag: string): TestView => ({
  ...pythonTest,
  tag,
  methods: [openMethod, { ...openMethod, name: "transform" }],
});

const draftsOf = (tag: string, json: string): DraftState => ({
  tag,
  method: "predict",
  drafts: { "0": jsonDraft(json) },
});

const wrong = { input: "0", error: { code: "input.shape", message: "0: wrong.", remedy: null, path: null } };

async function opened() {
  const host = slowHost();
  const state = new TestState(host.peer);
  const open = async (tag: string): Promise<void> => {
    void state.open(tag);
    await host.answer(host.last("test/snapshot"), { test: viewOf(tag), drafts: draftsOf(tag, "[1]") });
  };
  await open("a:1");
  return { ...host, state, open };
}

describe("an answer that comes once another model is open", () => {
  test("brings no findings of the first one's inputs", async () => {
    const { state, open, last, answer } = await opened();
    void state.run(1);
    const asked = last("test/run");
    await open("b:1");
    await answer(asked, { issues: [wrong] });
    assert.deepEqual([state.issues.value, state.heldBack.value], [[], 0]);
  });

  test("brings no values of the first one", async () => {
    const { state, open, last, answer } = await opened();
    void state.useExample();
    const asked = last("test/example");
    await open("b:1");
    await answer(asked, draftsOf("a:1", "[2]"));
    assert.equal(state.drafts.value?.tag, "b:1");
  });

  test("brings no failure of the first one", async () => {
    const { state, open, last, peer } = await opened();
    void state.restart();
    const { id } = last("test/restart");
    await open("b:1");
    peer.receive({ kind: "result", id, ok: false, error: wrong.error });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(state.failure.value, undefined);
  });
});

describe("what was typed a moment ago", () => {
  test("is told to the host before another method is chosen", async () => {
    const { state, posted } = await opened();
    state.edit("0", { json: "[7]" });
    void state.choose("transform");
    const told = posted.slice(-2);
    assert.deepEqual(
      told.map(({ name }) => name),
      ["test/draft", "test/method"],
    );
    assert.deepEqual(told[0]?.params, draftsOf("a:1", "[7]"));
  });

  test("is told to the host before the model is opened anew", async () => {
    const { state, posted } = await opened();
    state.edit("0", { json: "[7]" });
    void state.open("a:1");
    const told = posted.slice(-2);
    assert.deepEqual(
      told.map(({ name }) => name),
      ["test/draft", "test/snapshot"],
    );
    assert.deepEqual(told[0]?.params, draftsOf("a:1", "[7]"));
  });
});

test("a run that was held back says nothing of inputs that were typed on meanwhile, and leaves the focus there", async () => {
  const { state, last, answer } = await opened();
  void state.run(1);
  const asked = last("test/run");
  state.edit("0", { json: "[7]" });
  await answer(asked, { issues: [wrong] });
  assert.deepEqual([state.issues.value, state.heldBack.value], [[], 0]);
  state.close();
});

test("a run that starts late leaves the findings of what was typed meanwhile", async () => {
  const { state, last, answer } = await opened();
  void state.run(1);
  const asked = last("test/run");
  state.edit("0", { json: "[7" });
  state.flush();
  await answer(last("test/draft"), null);
  await answer(last("test/validate"), { issues: [wrong] });
  await answer(asked, { issues: [] });
  assert.deepEqual(state.issues.value, [wrong]);
});
