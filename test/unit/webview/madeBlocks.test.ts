import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import type { EditModelInput } from "../../../src/store/editModelJob";
import type { LoadedObjectsView } from "../../../webview/protocol/madeViews";
import type { ConsentView } from "../../../webview/protocol/views";
import { fakePython } from "../extension/fakePython";
import { makeHost, REF } from "./pageHost";
import {
  closeScreens,
  inspectScreen,
  openDetails,
  startScreens,
  textOf,
  unexpected,
  untilFocused,
  untilText,
} from "./pageScreens";
import { irisFacts } from "./sampleModel";
import { someConsent } from "./scriptedPage";

before(startScreens);
after(closeScreens);

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

const MADE = {
  ...irisFacts,
  madeWith: [["python", "3.11.7"] as const],
  provenance: {
    expression: "train:model",
    script: { path: "/work/iris/src/train.py", state: "changed" },
    git: {
      folder: "/work/iris",
      commit: COMMIT,
      branch: "main",
      isDirty: true,
      remote: "https://example.org/iris.git",
      script: "src/train.py",
    },
    data: [
      { path: "/work/iris/iris.csv", state: "same" },
      { path: "/work/iris/more.csv", state: "missing" },
    ],
  },
  stored: {
    ...irisFacts.stored,
    customObjects: [
      { name: "classes", type: "list" },
      { name: "_module", type: "" },
    ],
    partialKwargs: [["predict", '{"top": 3}'] as const],
  },
} as const;

test("what made a model, what changed since and what was saved with it can be read", async () => {
  const python = { python: fakePython({ settings: { interpreter: process.execPath, paths: [], preload: [] } }) };
  const compared = [
    { name: "python", saved: "3.11.7", now: "3.11.7" },
    { name: "flax", saved: "0.12.8", now: "0.10.0" },
    { name: "jax", saved: "0.10.2", now: null },
  ];
  const jobs = { describeModel: () => MADE, compareVersions: () => compared };
  await using rig = await openDetails({ python, jobs }, { width: 900 });
  const { page } = rig;
  const made = await textOf(page.getByTestId("made-from"));
  for (const text of ["train:model", "src/train.py", "changed since", COMMIT.slice(0, 10), "main", "no longer there"]) {
    assert.ok(made.includes(text), `${text} in ${made}`);
  }
  await untilText(page.getByTestId("made-dirty"), /not committed/);
  await untilText(page.getByTestId("custom-objects"), /classes.*list.*_module.*own module.*cannot tell/s);
  await untilText(page.getByTestId("partial-kwargs"), /predict/);
  assert.equal(await textOf(page.getByTestId("versions-summary")), "2 of 3 differ");
  await untilText(page.getByTestId("version-flax"), /0\.12\.8.*0\.10\.0 \(differs\)/s);
  await untilText(page.getByTestId("version-jax"), /not installed/);
  await inspectScreen(rig, "dark-900-made");
  assert.deepEqual(unexpected(rig), []);
});

test("a model of which nothing is noted has none of these parts", async () => {
  await using rig = await openDetails({ facts: irisFacts });
  for (const part of ["made-from", "versions", "custom-objects", "part-partialKwargs"]) {
    assert.equal(await rig.page.getByTestId(part).count(), 0, part);
  }
});

test("arguments of methods are edited as JSON objects, and anything else is told at its row", async () => {
  const edits: EditModelInput["edit"][] = [];
  const host = makeHost({
    jobs: {
      describeModel: () => MADE,
      "store.edit": ({ edit }: EditModelInput) => {
        edits.push(edit);
        return { tag: REF.tag, changed: true };
      },
    },
  });
  await using rig = await openDetails({}, { handlers: host.handlers });
  const { page } = rig;
  await page.getByTestId("edit-partialKwargs").click();
  const value = page.getByTestId("partialKwargs-0-value").locator("input");
  await value.fill("[3]");
  await page.getByTestId("edit-save").click();
  await page.getByTestId("partialKwargs-0-error").waitFor();
  assert.deepEqual(edits, []);
  await value.fill('{"top": 5}');
  await page.getByTestId("edit-save").click();
  await page.getByTestId("form-partialKwargs").waitFor({ state: "detached" });
  assert.deepEqual(edits, [{ partialKwargs: { set: { predict: '{"top": 5}' }, remove: [] } }]);
});

describe("custom objects of a model that runs in Python", () => {
  const loaded = [
    { name: "classes", type: "list", repr: "['setosa', 'virginica']" },
    { name: "_module", type: `${"petals.features.".repeat(6)}Net`, repr: `Net(${"width=4, ".repeat(220)}…` },
  ];

  /** The details of a model whose host answers so when it is to load them, in order. */
  async function openWith(answers: (() => Promise<LoadedObjectsView | null>)[], consent: ConsentView | null) {
    const facts = { ...irisFacts, stored: MADE.stored };
    const host = makeHost({ facts });
    let asked = 0;
    const rig = await openDetails(
      {},
      {
        width: 280,
        handlers: (page) => {
          const real = host.handlers(page);
          return {
            ...real,
            "test/snapshot": async (...args) => {
              const { drafts, test } = await real["test/snapshot"](...args);
              return { drafts, test: { ...test, consent } };
            },
            "model/objects": async () => answers[asked++]?.() ?? null,
          };
        },
      },
    );
    return { rig, asked: () => asked, [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose]() };
  }

  const failure = new ModelbenchError("python.module", "iris_clf:v2 needs the Python module petals.", {
    remedy: "Add its folder to the setting modelbench.python.paths.",
  });

  test("say what they are once they are loaded, which refusing and failing leave to be tried again", async () => {
    let finish: (value: LoadedObjectsView) => void = () => undefined;
    const slow = () =>
      new Promise<LoadedObjectsView>((resolve) => {
        finish = resolve;
      });
    const answers = [async () => null, () => Promise.reject(failure), slow, slow];
    await using opened = await openWith(answers, someConsent);
    const { page } = opened.rig;
    const load = page.getByTestId("load-objects");
    await load.focus();
    await page.keyboard.press("Enter");
    await untilFocused(page, "load-objects");
    assert.equal(opened.asked(), 1);
    await page.keyboard.press("Enter");
    const box = await textOf(page.getByTestId("objects-error").filter({ hasText: "petals" }));
    assert.match(box, /needs the Python module petals.*modelbench\.python\.paths/s);
    await inspectScreen(opened.rig, "dark-280-objects-failed");
    await untilFocused(page, "load-objects");
    await page.keyboard.press("Enter");
    await untilFocused(page, "stop-objects");
    assert.equal(await page.getByTestId("objects-error").count(), 0);
    await page.keyboard.press("Enter");
    await untilFocused(page, "load-objects");
    await page.keyboard.press("Enter");
    await untilFocused(page, "stop-objects");
    finish(loaded);
    await untilFocused(page, "objects-loaded");
    await untilText(page.getByTestId("object-classes"), /classes.*list.*'virginica'/s);
    await untilText(page.getByTestId("object-_module"), /own module.*features\.Net.*width=4/s);
    assert.equal(await load.count(), 0);
    await inspectScreen(opened.rig, "dark-280-objects-loaded");
    // What they were is not what a changed model has.
    opened.rig.peer.send("model/changed", { tag: REF.tag });
    await load.waitFor();
    await untilText(page.getByTestId("custom-objects"), /nothing was loaded/);
  });

  test("cannot be loaded where no code may run", async () => {
    await using opened = await openWith([], null);
    await untilText(opened.rig.page.getByTestId("custom-objects"), /classes/);
    assert.equal(await opened.rig.page.getByTestId("load-objects").count(), 0);
  });
});
