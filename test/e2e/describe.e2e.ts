import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, suite, test } from "node:test";
import { yamlOf } from "../fixtures/modelYaml";
import { openRig, type Rig, shotsFolder } from "./rig";

/** What a person writes about a version, and what they tidy, in one window: each step starts from the one before. */
suite("labels, a broken file and old versions, in the real window", () => {
  let rig: Rig;
  const yaml = (version: string): string => join(rig.store, "models/iris", version, "model.yaml");
  before(async () => {
    rig = await openRig((store) => {
      for (const day of [1, 2, 3, 4]) {
        const folder = join(store, "models/iris", `v${day}`);
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, "model.yaml"), yamlOf("iris", `v${day}`, `2024-01-0${day}T00:00:00+00:00`));
        writeFileSync(join(folder, "weights.bin"), "w".repeat(1000 * day));
      }
      writeFileSync(join(store, "models/iris/latest"), "v4");
    });
    await rig.workbench.openContainer("Modelbench");
    await rig.workbench.row(/^v4/).waitFor();
  });
  after(() => rig.close());
  afterEach(async (context) => {
    const name = `${context.name.replace(/\W+/g, "-")}.png`;
    await rig.workbench.page.screenshot({ path: join(shotsFolder("describe"), name) });
  });
  const shot = (name: string) => rig.workbench.page.screenshot({ path: join(shotsFolder("describe"), `${name}.png`) });

  test("Edit Labels opens the page with its form, and Enter writes only that line", async () => {
    const { page } = rig.workbench;
    await rig.workbench.contextMenu(rig.workbench.row(/^v4/), "Edit Labels");
    const view = rig.workbench.view();
    await view.getByTestId("form-labels").waitFor();
    await view.getByTestId("labels-0-key").locator("input").fill("stage");
    await page.keyboard.press("Tab");
    await page.keyboard.type("prod");
    await shot("labels-form");
    await page.keyboard.press("Enter");
    await view.getByTestId("labels").filter({ hasText: "stage=prod" }).waitFor();
    const lines = readFileSync(yaml("v4"), "utf8").split("\n");
    assert.ok(lines.includes("  stage: prod"), lines.join("\n"));
  });

  test("what the file says now is on the page a moment later", async () => {
    writeFileSync(yaml("v4"), readFileSync(yaml("v4"), "utf8").replace("stage: prod", "stage: retired"));
    await rig.workbench.view().getByTestId("labels").filter({ hasText: "stage=retired" }).waitFor();
  });

  test("a broken model.yaml shows its line, and opens there", async () => {
    writeFileSync(yaml("v4"), readFileSync(yaml("v4"), "utf8").replace("options: {}", "options: {a: [1}"));
    const view = rig.workbench.view();
    await view.getByTestId("fault").filter({ hasText: "options: {a: [1}" }).waitFor();
    await shot("fault");
    await view.getByTestId("open-yaml").click();
    await rig.workbench.page.locator(".statusbar-item", { hasText: /Ln 6, Col 16/ }).waitFor();
    writeFileSync(yaml("v4"), yamlOf("iris", "v4", "2024-01-04T00:00:00+00:00"));
    await rig.workbench.row(/^v4latest/).waitFor();
  });

  test("Clean Up lists exactly what goes, moves it to the trash, and brings it back", async () => {
    const { page } = rig.workbench;
    await rig.workbench.command("Modelbench: Clean Up Old Versions");
    await page.locator(".quick-input-title", { hasText: "(1/3)" }).waitFor();
    await rig.workbench.pick("The newest one");
    await page.locator(".quick-input-title", { hasText: "(2/3)" }).waitFor();
    await rig.workbench.pick("Any age");
    await page.locator(".quick-input-title", { hasText: /Move 3 versions to the trash, .*KiB/ }).waitFor();
    await shot("clean-up-list");
    await page.keyboard.press("Enter");
    await rig.workbench.notificationButton("3 versions deleted.", "Undo").click();
    await rig.workbench.row(/^v1/).waitFor();
    assert.ok(readFileSync(yaml("v1"), "utf8").includes("version: v1"));
  });

  test("Check Store says what it found, each with what would be done", async () => {
    writeFileSync(join(rig.store, "models/iris/latest"), "gone");
    await rig.workbench.command("Modelbench: Check Store");
    await rig.workbench.page.locator(".quick-input-title", { hasText: "1 problem with My Store" }).waitFor();
    await shot("check-list");
    await rig.workbench.page.keyboard.press("Enter");
    await rig.workbench.notification("1 problem repaired.").waitFor();
    assert.equal(readFileSync(join(rig.store, "models/iris/latest"), "utf8"), "v4");
  });

  test("Import looks into archives first, and names what cannot be imported", async () => {
    const folder = join(rig.folder, "iris-v4");
    mkdirSync(folder);
    writeFileSync(join(folder, "model.yaml"), yamlOf("iris", "v4", "2024-01-04T00:00:00+00:00"));
    await rig.workbench.command("Modelbench: Import Model");
    await rig.workbench.fileDialog(join(folder, "model.yaml"));
    await rig.workbench.page.locator(".quick-input-title", { hasText: /Import 1 model/ }).waitFor();
    await shot("import-list");
    await rig.workbench.page.keyboard.press("Enter");
    await rig.workbench.page.locator(".quick-input-title", { hasText: "iris:v4 is in the store already" }).waitFor();
    await shot("import-conflict");
    await rig.workbench.pick("Replace");
    await rig.workbench.notification("the one it replaces is in the trash").waitFor();
    await rig.workbench.notificationButton("the one it replaces", "Undo").click();
    await rig.workbench.row(/^v4latest/).waitFor();
  });
});
