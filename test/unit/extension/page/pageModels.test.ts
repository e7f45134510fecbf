import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobKey } from "../../../../src/base/ports";
import { modelHandlers } from "../../../../src/extension/page/modelHandlers";
import { PageModels } from "../../../../src/extension/page/models";
import type { ModelRef } from "../../../../src/extension/services";
import { Sessions } from "../../../../src/extension/sessions";
import type { Draft } from "../../../../webview/protocol/views";
import { makeHost } from "../../webview/pageHost";
import { irisAnswer, irisFacts, ScriptedSession } from "../../webview/sampleModel";
import { fakePythonTests } from "../fakePython";
import { t } from "../fakes";

test("when the store moves, the model of the same tag there is read, once", async () => {
  let home = "/data/a";
  const asked: string[] = [];
  const sessions = new Sessions({
    open: (request) => new ScriptedSession(request, irisAnswer, []),
    maxLoaded: () => 2,
    idleMs: () => 0,
  });
  const jobs = {
    run: async <Input, Result>(_: JobKey<Input, Result>, input: Input): Promise<Result> => {
      asked.push((input as { home: string }).home);
      return irisFacts as Result;
    },
  };
  const models = new PageModels(
    {
      stores: { of: () => ({ home, pathOf: () => `${home}/models/iris_clf/v2` }) },
      catalog: { find: () => undefined, recheck: () => undefined, touched: () => undefined },
      jobs,
      trust: { refusal: () => undefined },
      settings: () => ({ maxBatchSize: 32 }),
      pythonTests: fakePythonTests(),
      t,
    },
    sessions,
    { get: () => undefined, update: async () => undefined },
  );
  const ref = { store: "own", tag: "iris_clf:v2" };
  const first = await models.test(ref);
  assert.equal(await models.test(ref), first);
  home = "/data/b";
  const [second, third] = await Promise.all([models.test(ref), models.test(ref)]);
  assert.notEqual(second, first);
  assert.equal(second, third);
  assert.deepEqual(asked, ["/data/a", "/data/b"]);
  models.dispose();
  await sessions.dispose();
});

test("a page that went on to another model while one was opened follows the model that it shows", async () => {
  let release = (): void => undefined;
  const slow = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { models } = makeHost({
    jobs: {
      describeModel: async ({ tag }: { tag: string }) => {
        if (tag === "slow:1") await slow;
        return irisFacts;
      },
    },
  });
  let ref = { store: "own", tag: "slow:1" };
  const followed: string[] = [];
  const handlers = modelHandlers({
    ref: () => ref,
    models,
    ui: { copy: async () => undefined, openText: async () => undefined, pickFiles: async () => undefined },
    t,
    command: async () => undefined,
    by: () => undefined,
    follow: (opened) => followed.push(opened.view().tag),
  });
  const { signal } = new AbortController();
  const first = handlers["test/snapshot"]({ tag: "slow:1" }, signal);
  ref = { store: "own", tag: "iris_clf:v2" };
  await handlers["test/snapshot"]({ tag: "iris_clf:v2" }, signal);
  release();
  await first;
  assert.deepEqual(followed, ["iris_clf:v2"]);
  models.dispose();
});

test("what was typed last is kept for its model, though the page is about another one, or one of that tag, by then", async () => {
  const { models } = makeHost({ jobs: { describeModel: () => irisFacts } });
  const [typedIn, other, namesake] = [
    { store: "own", tag: "iris_clf:v2" },
    { store: "own", tag: "other:1" },
    { store: "far", tag: "iris_clf:v2" },
  ] as const;
  for (const next of [other, namesake]) {
    let ref: ModelRef = typedIn;
    const handlers = modelHandlers({
      ref: () => ref,
      models,
      ui: { copy: async () => undefined, openText: async () => undefined, pickFiles: async () => undefined },
      t,
      command: async () => undefined,
      by: () => undefined,
      follow: () => undefined,
    });
    const { signal } = new AbortController();
    const { drafts } = await handlers["test/snapshot"]({ tag: typedIn.tag }, signal);
    ref = next;
    const [input = ""] = Object.keys(drafts.drafts);
    const seed = next === other ? 1_041 : 1_042;
    const typed = { ...drafts, drafts: { [input]: { ...(drafts.drafts[input] as Draft), seed } } };
    await handlers["test/draft"](typed, signal);
    assert.equal((await models.test(typedIn)).draftState().drafts[input]?.seed, seed);
    assert.notEqual((await models.test(next)).draftState().drafts[input]?.seed, seed);
  }
  models.dispose();
});

test("a model that could not be read does not take away the test that was opened for it since", async () => {
  let fail = (): void => undefined;
  const slow = new Promise<never>((_, reject) => {
    fail = () => reject(new Error("The model went away."));
  });
  let asked = 0;
  const { models } = makeHost({ jobs: { describeModel: () => (++asked === 1 ? slow : irisFacts) } });
  const ref = { store: "own", tag: "iris_clf:v2" };
  const first = models.test(ref);
  const forgotten = models.forget(ref);
  const second = await models.test(ref);
  fail();
  await assert.rejects(first, /went away/);
  await forgotten;
  assert.equal(await models.test(ref), second);
  models.dispose();
});
