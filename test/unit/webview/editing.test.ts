import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { ModelbenchError } from "../../../src/base/errors";
import type { ModelFacts } from "../../../src/frameworks/modelFacts";
import type { EditModelInput } from "../../../src/store/editModelJob";
import { makeHost, REF } from "./pageHost";
import {
  closeScreens,
  inspectScreen,
  openDetails,
  startScreens,
  tabTo,
  textOf,
  unexpected,
  untilEqual,
  untilFocused,
  untilText,
} from "./pageScreens";
import { irisFacts } from "./sampleModel";

before(startScreens);
after(closeScreens);

/** A host whose model changes by its edits of labels, as the real one's does. */
function editable(facts: Partial<ModelFacts> = {}) {
  const seen: EditModelInput["edit"][] = [];
  let now: ModelFacts = { ...irisFacts, ...facts };
  const host = makeHost({
    jobs: {
      describeModel: () => now,
      "store.edit": ({ edit }: EditModelInput) => {
        seen.push(edit);
        const labels = new Map(now.labels);
        for (const [key, value] of Object.entries(edit.labels?.set ?? {})) labels.set(key, value);
        for (const key of edit.labels?.remove ?? []) labels.delete(key);
        now = { ...now, labels: [...labels] };
        return { tag: REF.tag, changed: true };
      },
    },
  });
  /** Somebody else writes the file. */
  const write = (changed: Partial<ModelFacts>): void => {
    now = { ...now, ...changed };
  };
  return { host, seen, write };
}

const field = (page: Page, testId: string) => page.getByTestId(testId).locator("input");

describe("labels", () => {
  test("of any length leave room for the button that edits them, in the narrowest side bar", async () => {
    const labels: [string, string][] = [
      ["stage", "prod"],
      ["owner", "Team Vision and Language"],
      ["cost_center", "4711"],
      ["release", "2026.6"],
    ];
    await using rig = await openDetails({ facts: { ...irisFacts, labels } }, { width: 280 });
    const box = await rig.page.getByTestId("edit-labels").boundingBox();
    assert.ok(box && box.x + box.width <= 280, JSON.stringify(box));
    await inspectScreen(rig, "dark-280-labels");
  });

  test("are edited in place with the keyboard alone; the focus goes in and comes back", async () => {
    const { host, seen } = editable();
    await using rig = await openDetails({}, { handlers: host.handlers });
    await tabTo(rig.page, "edit-labels");
    await rig.page.keyboard.press("Enter");
    await untilFocused(rig.page, "labels-0-key");
    await rig.page.keyboard.press("Tab");
    await rig.page.keyboard.press("Control+A");
    await rig.page.keyboard.type("audio");
    await rig.page.keyboard.press("Enter");
    await rig.page.getByTestId("form-labels").waitFor({ state: "detached" });
    assert.deepEqual(seen, [{ labels: { set: { owner: "audio" }, remove: [] } }]);
    await untilText(rig.page.getByTestId("labels"), /owner=audio/);
    await untilText(rig.page.getByTestId("edit-announcer"), /Labels saved\./);
    await untilFocused(rig.page, "edit-labels");
  });

  test("are added and removed, and Escape leaves them as they were", async () => {
    const { host, seen } = editable();
    await using rig = await openDetails({}, { handlers: host.handlers });
    await rig.page.getByTestId("edit-labels").click();
    await rig.page.getByTestId("labels-1-remove").click();
    await untilFocused(rig.page, "labels-add");
    await rig.page.keyboard.press("Escape");
    await rig.page.getByTestId("form-labels").waitFor({ state: "detached" });
    assert.deepEqual(seen, []);
    await rig.page.getByTestId("edit-labels").click();
    await rig.page.getByTestId("labels-1-remove").click();
    await rig.page.getByTestId("labels-add").click();
    await field(rig.page, "labels-1-key").fill("team");
    await field(rig.page, "labels-1-value").fill("<b>x</b>");
    await rig.page.getByTestId("edit-save").click();
    await rig.page.getByTestId("form-labels").waitFor({ state: "detached" });
    assert.deepEqual(seen, [{ labels: { set: { team: "<b>x</b>" }, remove: ["stage"] } }]);
  });

  test("that somebody else changed meanwhile are named before they are overwritten", async () => {
    const { host, seen, write } = editable();
    await using rig = await openDetails({}, { handlers: host.handlers });
    await rig.page.getByTestId("edit-labels").click();
    await field(rig.page, "labels-1-value").fill("test");
    write({
      labels: [
        ["owner", "bob"],
        ["stage", "prod"],
      ],
    });
    rig.peer.send("model/changed", { tag: REF.tag });
    await rig.page.getByTestId("edit-conflict").waitFor();
    await untilText(rig.page.getByTestId("edit-conflict"), /another program meanwhile: stage\. Saving/);
    assert.equal(await field(rig.page, "labels-0-value").inputValue(), "bob");
    assert.equal(await field(rig.page, "labels-1-value").inputValue(), "test");
    await inspectScreen(rig, "dark-1400-conflict");
    await rig.page.getByTestId("edit-save").click();
    await rig.page.getByTestId("form-labels").waitFor({ state: "detached" });
    assert.deepEqual(seen, [{ labels: { set: { stage: "test" }, remove: [] } }]);
  });

  test("leave the focus where the user puts it before they are drawn", async () => {
    const { host } = editable();
    await using rig = await openDetails({}, { handlers: host.handlers });
    const focused = await rig.page.evaluate(`(async () => {
      const find = (testId) => document.querySelector('[data-testid="' + testId + '"]');
      find("edit-labels").click();
      while (!find("labels-1-value")) await Promise.resolve();
      find("labels-1-value").focus();
      await new Promise((resolve) => setTimeout(resolve, 200));
      return document.activeElement.dataset.testid;
    })()`);
    assert.equal(focused, "labels-1-value");
  });

  test("that were typed survive the page's being thrown away", async () => {
    const first = editable();
    await using rig = await openDetails({}, { handlers: first.host.handlers });
    await rig.page.getByTestId("edit-labels").click();
    await field(rig.page, "labels-0-value").fill("half typed");
    const saved = await rig.saved();
    const second = editable();
    await using again = await openDetails({}, { handlers: second.host.handlers, saved });
    await again.page.getByTestId("form-labels").waitFor();
    assert.equal(await field(again.page, "labels-0-value").inputValue(), "half typed");
  });
});

test("where there is nothing to edit yet, a row waits to be filled in", async () => {
  const { host, seen } = editable({ labels: [] });
  await using rig = await openDetails({}, { handlers: host.handlers });
  await rig.page.getByTestId("edit-labels").click();
  await untilFocused(rig.page, "labels-0-key");
  await rig.page.getByTestId("edit-save").click();
  await rig.page.getByTestId("form-labels").waitFor({ state: "detached" });
  assert.deepEqual(seen, []);
});

test("a value that is no JSON is named at its row, and nothing is written", async () => {
  const { host, seen } = editable();
  await using rig = await openDetails({}, { handlers: host.handlers });
  await rig.page.getByTestId("edit-metadata").click();
  await field(rig.page, "metadata-0-value").fill("0.97 percent");
  await rig.page.getByTestId("edit-save").click();
  await rig.page.getByTestId("metadata-0-error").waitFor();
  assert.deepEqual(seen, []);
  await inspectScreen(rig, "dark-1400-metadata-issue");
  await field(rig.page, "metadata-0-value").fill("12345678901234567890");
  await rig.page.getByTestId("edit-save").click();
  await rig.page.getByTestId("form-metadata").waitFor({ state: "detached" });
  assert.deepEqual(seen, [{ metadata: { set: { accuracy: "12345678901234567890" }, remove: [] } }]);
});

test("a file that cannot be written keeps the form with what was typed, and says why", async () => {
  const refused = new ModelbenchError("store.access", "The store is on a read-only disk.", { remedy: "Copy it." });
  const host = makeHost({
    jobs: {
      "store.edit": () => {
        throw refused;
      },
    },
  });
  await using rig = await openDetails({}, { handlers: host.handlers });
  await rig.page.getByTestId("edit-labels").click();
  await field(rig.page, "labels-0-value").fill("x");
  await rig.page.getByTestId("edit-save").click();
  await rig.page.getByTestId("edit-failure").waitFor();
  await untilText(rig.page.getByTestId("edit-failure"), /read-only disk\.\s+Copy it\./);
  assert.equal(await field(rig.page, "labels-0-value").inputValue(), "x");
});

test("the batching of a method is edited where it is shown, and methods come and go", async () => {
  const { host, seen } = editable();
  await using rig = await openDetails({}, { handlers: host.handlers });
  await rig.page.getByTestId("section-tab-signatures").click();
  await rig.page.getByTestId("edit-signatures").click();
  await rig.page.getByTestId("edit-batchable-0").click();
  await rig.page.getByTestId("signatures-add").click();
  await field(rig.page, "signatures-1-key").fill("predict proba");
  await rig.page.getByTestId("edit-axis-out-1").fill("1");
  await rig.page.getByTestId("edit-save").click();
  await rig.page.getByTestId("signatures-1-error").waitFor();
  await inspectScreen(rig, "dark-1400-signatures-form");
  await field(rig.page, "signatures-1-key").fill("predict_proba");
  await rig.page.getByTestId("edit-save").click();
  await rig.page.getByTestId("form-signatures").waitFor({ state: "detached" });
  const set = {
    run: { batchable: false, batchDim: [0, 0] },
    predict_proba: { batchable: false, batchDim: [0, 1] },
  };
  assert.deepEqual(seen, [{ signatures: { set, remove: [] } }]);
});

test("release notes are plain text with their line breaks, and load nothing", async () => {
  const notes = "# First\n<img src=http://127.0.0.1:2/x onerror=alert(1)>\n[link](http://127.0.0.1:2)";
  const { host, seen } = editable({ stored: { ...irisFacts.stored, release: "2.1", notes } });
  await using rig = await openDetails({}, { handlers: host.handlers });
  assert.equal(await textOf(rig.page.getByTestId("notes")), notes);
  assert.equal(await textOf(rig.page.getByTestId("release")), "2.1");
  assert.equal(await rig.page.locator("img, a[href]").count(), 0);
  await rig.page.getByTestId("edit-notes").click();
  await rig.page.getByTestId("notes-text").locator("textarea").fill("Better.\nFaster.");
  await rig.page.getByTestId("edit-save").click();
  await rig.page.getByTestId("form-notes").waitFor({ state: "detached" });
  assert.deepEqual(seen, [{ metadata: { set: { notes: '"Better.\\nFaster."' }, remove: [] } }]);
  assert.deepEqual(unexpected(rig), []);
});

test("a command that edits a part opens the page with its form and the focus in it", async () => {
  const start = { subject: { kind: "details", ...REF }, section: "signatures", edit: "signatures" } as const;
  await using rig = await openDetails({}, { start });
  await rig.page.getByTestId("form-signatures").waitFor();
  await untilFocused(rig.page, "signatures-0-key");
  await untilFocused(rig.page, "signatures-0-key");
});

describe("files", () => {
  const verified = (result: unknown) => makeHost({ jobs: { "store.verify": () => result } });

  test("that are as they were saved are told to be, when somebody asks", async () => {
    await using rig = await openDetails({}, { handlers: verified({ checked: true, problems: [] }).handlers });
    await rig.page.getByTestId("verify").click();
    await rig.page.getByTestId("verified").waitFor();
    await untilText(rig.page.getByTestId("verified"), /Every file is as it was saved\./);
  });

  test("are checked to the end, also when the model is read again meanwhile, but not when they are others", async () => {
    const ends: (() => void)[] = [];
    let facts = irisFacts;
    let readings = 0;
    const { handlers } = makeHost({
      jobs: {
        "store.verify": () => new Promise((end) => ends.push(() => end({ checked: true, problems: [] }))),
        describeModel: () => {
          readings += 1;
          return facts;
        },
      },
    });
    await using rig = await openDetails({}, { handlers });
    const again = async (): Promise<void> => {
      const before = readings;
      rig.peer.send("model/changed", { tag: REF.tag });
      await untilEqual(() => readings > before, true);
      await rig.page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))");
    };
    await rig.page.getByTestId("verify").click();
    await rig.page.getByTestId("verify-cancel").waitFor();
    // As when another version of its name is saved.
    facts = { ...irisFacts, labels: [["stage", "prod"]] };
    await again();
    await rig.page.getByText("prod").first().waitFor();
    assert.equal(await rig.page.getByTestId("verify-cancel").count(), 1);
    ends.shift()?.();
    await rig.page.getByTestId("verified").waitFor();
    await rig.page.getByTestId("verify").click();
    await rig.page.getByTestId("verify-cancel").waitFor();
    facts = { ...irisFacts, files: irisFacts.files.map((file) => ({ ...file, bytes: file.bytes + 1 })) };
    await again();
    await rig.page.getByTestId("verify-cancel").waitFor({ state: "detached" });
    assert.equal(await rig.page.getByTestId("verified").count(), 0);
  });

  test("that nobody recorded are not called good", async () => {
    await using rig = await openDetails({}, { handlers: verified({ checked: false, problems: [] }).handlers });
    await rig.page.getByTestId("verify").click();
    await untilText(rig.page.getByTestId("verified"), /Nothing was recorded of this model/);
  });

  test("that changed are named, with the way to mend them", async () => {
    const detail =
      "/home/me/bentoml/models/iris_clf/v2/saved_model.onnx differs from what was saved at bytes 4096 to 8191.";
    const problems = [{ kind: "file.changed", tag: REF.tag, path: "saved_model.onnx", detail }];
    const host = verified({ checked: true, problems });
    await using rig = await openDetails({}, { handlers: host.handlers });
    await rig.page.getByTestId("verify").click();
    await rig.page.getByTestId("changed").waitFor();
    await untilText(rig.page.getByTestId("changed"), /bytes 4096 to 8191/);
    await inspectScreen(rig, "dark-1400-changed");
    await rig.page.getByTestId("verify-repair").click();
    await untilEqual(() => host.commands, ["repairModel"]);
  });
});

describe("a model that cannot be read", () => {
  const path = "/home/me/bentoml/models/iris_clf/v2/model.yaml";
  const facts = new ModelbenchError("yaml.invalid", "Invalid YAML: expected ',' or ']' (line 3, column 21).", { path });
  const broken = {
    files: [
      { path: "model.yaml", bytes: 812 },
      { path: "saved_model.onnx", bytes: 5_137 },
    ],
    moreFiles: 3,
    sizeBytes: 5_949,
    fault: { line: 3, column: 21, text: "labels: {stage: [dev}", at: 20 },
  };

  test("shows line, column, the line itself and its files, and opens the file there", async () => {
    const host = makeHost({ facts, broken });
    await using rig = await openDetails({}, { handlers: host.handlers });
    await untilText(rig.page.getByTestId("fault"), /line 3, column 21\s+3 │ labels: \{stage: \[dev\}/);
    await untilText(rig.page.getByTestId("files"), /saved_model\.onnx\s+5\.02 KiB/);
    await untilText(rig.page.locator("main"), /and 3 more files/);
    assert.equal(await rig.page.getByTestId("edit-labels").count(), 0);
    await rig.page.getByTestId("open-yaml").click();
    assert.equal(await rig.page.getByTestId("broken-repair").count(), 0, "only a person can mend that line");
    await rig.page.getByTestId("broken-delete").click();
    await untilEqual(() => host.openedTexts, [`${path}:3:21`]);
    assert.deepEqual(host.commands, ["deleteModel"]);
  });

  for (const [theme, width] of [
    ["dark", 1400],
    ["light", 280],
    ["contrast", 1400],
    ["dark", 280],
  ] as const) {
    test(`${theme}, ${width} px: no violation and no sideways scroll`, async () => {
      await using rig = await openDetails({ facts, broken }, { theme, width });
      await inspectScreen(rig, `${theme}-${width}-unread`);
    });
  }
});

test("a version that is gone says so and offers what brings it back", async () => {
  const host = makeHost({ facts: new ModelbenchError("model.notFound", "Model 'iris_clf:v2' is not found.") });
  await using rig = await openDetails({}, { handlers: host.handlers });
  await rig.page.getByTestId("gone").waitFor();
  await inspectScreen(rig, "dark-1400-gone");
  await rig.page.getByTestId("gone-undo").click();
  await untilEqual(() => host.commands, ["undoDelete"]);
});

test("the head's buttons run the extension's commands", async () => {
  const host = makeHost();
  await using rig = await openDetails({}, { handlers: host.handlers });
  for (const name of ["unpin", "exportModel", "copyModel", "deleteModel"])
    await rig.page.getByTestId(`do-${name}`).click();
  await untilEqual(() => host.commands, ["unpin", "exportModel", "copyModel", "deleteModel"]);
});

for (const theme of ["dark", "light", "contrast"] as const) {
  for (const width of [280, 1400]) {
    test(`${theme}, ${width} px: every form without an accessibility violation or a sideways scroll`, async () => {
      const notes = "Trained on all of 2026.\n\n- Better on small petals\n- Same inputs";
      const stored = { ...irisFacts.stored, release: "2.1", notes };
      await using rig = await openDetails({ facts: { ...irisFacts, stored } }, { theme, width });
      for (const part of ["labels", "metadata", "notes"]) {
        await rig.page.getByTestId(`edit-${part}`).click();
        await rig.page.getByTestId(`form-${part}`).waitFor();
        await inspectScreen(rig, `${theme}-${width}-form-${part}`);
        await rig.page.getByTestId("edit-cancel").click();
      }
      await rig.page.getByTestId("section-tab-signatures").click();
      await rig.page.getByTestId("edit-signatures").click();
      await inspectScreen(rig, `${theme}-${width}-form-signatures`);
      assert.deepEqual(unexpected(rig), []);
    });
  }
}
