import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, suite, test } from "node:test";
import { firstResult } from "./firstResult";
import { openRig, picturesFolder, type Rig, shotsFolder } from "./rig";

const ownOnnx = "media/sample-store/models/iris_clf/v1/saved_model.onnx";

/** The whole path once, in one window: every step starts from what the one before left. */
suite("from an empty window to a first result, and a model of one's own", () => {
  let rig: Rig;
  before(async () => {
    rig = await openRig();
    copyFileSync(ownOnnx, join(rig.folder, "petals.onnx"));
  });
  after(() => rig.close());
  afterEach(async (context) => {
    // One picture a step: what the person saw, also when it failed.
    await rig.workbench.page.screenshot({
      path: join(shotsFolder("story"), `${context.name.replace(/\W+/g, "-")}.png`),
    });
  });

  const ownVersions = (): string[] => {
    const folder = join(rig.store, "models/petals");
    return existsSync(folder) ? readdirSync(folder).filter((name) => name !== "latest") : [];
  };

  test("a newcomer gets a class name from the sample store without typing", async () => {
    const { answer, clicks, seconds } = await firstResult(rig.workbench.page, shotsFolder("first"), false);
    assert.equal(answer, "virginica");
    assert.ok(clicks <= 4, `${clicks} clicks`);
    assert.ok(seconds < 60, `${seconds} s`);
    const pictures = picturesFolder();
    if (pictures) copyFileSync(join(shotsFolder("first"), "answer.png"), join(pictures, "answer.png"));
  });

  test("the sample store shows both versions of iris_clf, the newer one as latest", async () => {
    await rig.workbench.row(/^v2latest/).waitFor();
    await rig.workbench.row(/^v1onnx/).waitFor();
  });

  test("the answer says how long it took and which batch it rode in", async () => {
    const timing = (await rig.workbench.view().getByTestId("timing").textContent()) ?? "";
    assert.match(timing, /queue .* batch .* run .*#1 of 1 row/);
  });

  test("the signature and the metadata are read without running anything", async () => {
    const { workbench } = rig;
    await workbench.row(/^v1onnx/).click();
    const view = workbench.view();
    await view.getByTestId("tag").filter({ hasText: "iris_clf:v1" }).waitFor();
    await view.getByTestId("section-tab-overview").click();
    await view.getByTestId("metadata").filter({ hasText: "virginica" }).waitFor();
    await view.getByTestId("section-tab-signatures").click();
    await view.getByTestId("signature-run").filter({ hasText: "float32" }).filter({ hasText: "[batch, 4]" }).waitFor();
  });

  test("eight requests at once form a batch, and each reply names the one it rode in", async () => {
    const view = rig.workbench.view();
    await view.getByTestId("section-tab-test").click();
    await view.getByTestId("run").click();
    await view.getByTestId("class-label").waitFor();
    await view.getByTestId("send").click();
    await view.getByTestId("batches").waitFor();
    await view.getByTestId("replies-tab-table").click();
    await view.getByTestId("reply-7").waitFor();
    const sizes = (await view.getByTestId("replies").textContent()) ?? "";
    assert.match(sizes, /#\d+/);
  });

  test("an .onnx file of one's own is saved as a model through one form", async () => {
    const { workbench } = rig;
    await workbench.command("Modelbench: Save Model from File…");
    await workbench.fileDialog(join(rig.folder, "petals.onnx"));
    const view = workbench.view();
    await view.getByTestId("save-version").locator("input").fill("first");
    await view.getByTestId("save-submit").click();
    await workbench.notification("petals:first saved.").waitFor();
    await workbench.row(/^firstlatest/).waitFor();
    const saved = readFileSync(join(rig.store, "models/petals/first/saved_model.onnx"));
    assert.deepEqual(saved, readFileSync(ownOnnx));
    assert.match(readFileSync(join(rig.store, "models/petals/first/model.yaml"), "utf8"), /module: bentoml\.onnx/);
  });

  test("it is exported from its context menu", async () => {
    const { workbench } = rig;
    await workbench.contextMenu(workbench.row(/^firstlatest/), "Export Model…");
    await workbench.pick(/^BentoML model\.bentomodel/);
    const target = join(rig.folder, "petals.bentomodel");
    await workbench.fileDialog(target, /^Export petals:first$/);
    await workbench.notification(/petals:first exported to/).waitFor();
    assert.deepEqual([...readFileSync(target).subarray(0, 5)], [0xfd, 0x37, 0x7a, 0x58, 0x5a]);
    assert.ok(statSync(target).size > statSync(ownOnnx).size);
  });

  test("it is deleted from its context menu after one question, and Undo in the notification brings it back", async () => {
    const { workbench } = rig;
    await workbench.contextMenu(workbench.row(/^firstlatest/), "Delete Model…");
    await workbench.dialog("Delete");
    await workbench.row(/^firstlatest/).waitFor({ state: "detached" });
    assert.deepEqual(ownVersions(), []);
    await workbench.notificationButton("petals:first deleted.", "Undo").click();
    await workbench.row(/^firstlatest/).waitFor();
    assert.deepEqual(ownVersions(), ["first"]);
    assert.equal(readFileSync(join(rig.store, "models/petals/latest"), "utf8"), "first");
  });

  test("it is deleted and brought back from the palette", async () => {
    const { workbench } = rig;
    await workbench.command("Modelbench: Delete Model…");
    await workbench.pick(/petals:first/);
    await workbench.page.keyboard.press("Enter");
    await workbench.dialog("Delete");
    await workbench.row(/^firstlatest/).waitFor({ state: "detached" });
    await workbench.command("Modelbench: Undo Delete");
    await workbench.row(/^firstlatest/).waitFor();
    assert.deepEqual(ownVersions(), ["first"]);
  });

  test("the archive is imported again beside it, as a new version", async () => {
    const { workbench } = rig;
    await workbench.command("Modelbench: Import Model…");
    await workbench.fileDialog(join(rig.folder, "petals.bentomodel"));
    await workbench.acceptPreview();
    await workbench.pick("New Version");
    await workbench.notification(/imported as petals:/).waitFor();
    assert.equal(ownVersions().length, 2);
  });

  test("what was imported answers like the model it came from", async () => {
    const { workbench } = rig;
    await workbench.notificationButton(/imported as/, "Open").click();
    const view = workbench.view();
    await view.getByTestId("tag").filter({ hasText: "petals:" }).waitFor();
    await view.getByTestId("section-tab-test").click();
    await view.getByTestId("run").click();
    await view.getByTestId("value-label").waitFor();
  });

  test("a change made by another program is in the tree without a refresh", async () => {
    const { workbench } = rig;
    const folder = join(rig.store, "models/petals/second");
    mkdirSync(folder);
    copyFileSync(ownOnnx, join(folder, "saved_model.onnx"));
    copyFileSync(join(rig.store, "models/petals/first/model.yaml"), join(folder, "model.yaml"));
    await workbench.row(/^second/).waitFor();
  });

  test("nothing outside the window's own server was asked for but VS Code's extension gallery", () => {
    const hosts = new Set(rig.refused.map((url) => new URL(url).host));
    hosts.delete("open-vsx.org");
    assert.deepEqual([...hosts], []);
  });
});
