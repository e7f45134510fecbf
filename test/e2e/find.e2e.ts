import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, suite, test } from "node:test";
import type { Locator } from "playwright-core";
import { yamlOf } from "../fixtures/modelYaml";
import { openRig, type Rig, shotsFolder, THEMES, type ThemeName } from "./rig";

const ONNX = "media/sample-store/models/iris_clf/v1/saved_model.onnx";

const MODELS_LIST = ".sidebar .pane-body .tree-explorer-viewlet-tree-view .monaco-list";

/** Runs in the page: what the browser tells the window when a file of the system is dropped on a list. */
const DROP_FILE = `({ bytes, name, list }) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0))], name));
  const row = document.querySelector(list).querySelector(".monaco-list-row");
  const { left, top } = row.getBoundingClientRect();
  const at = { clientX: left + 80, clientY: top + 8 };
  const init = { ...at, bubbles: true, cancelable: true, composed: true, dataTransfer: data };
  for (const type of ["dragenter", "dragover", "drop"]) row.dispatchEvent(new DragEvent(type, init));
}`;

/** Name, version, framework, label `stage` and day of June of every version in the store. */
const VERSIONS = [
  ["iris", "v1", "bentoml.onnx", "prod", 1],
  ["iris", "v2", "bentoml.onnx", "dev", 2],
  ["digits", "k1", "bentoml.flax", "prod", 3],
  ["digits", "k2", "bentoml.flax", "dev", 4],
  ["spam", "a", "bentoml.sklearn", undefined, 5],
] as const;

function fill(store: string): void {
  for (const [name, version, module, stage, day] of VERSIONS) {
    const folder = join(store, "models", name, version);
    mkdirSync(folder, { recursive: true });
    const yaml = yamlOf(name, version, `2026-06-0${day}T12:00:00+00:00`)
      .replace(/^module:.*$/m, `module: ${module}`)
      .replace(/^labels:.*$/m, stage === undefined ? "labels: {}" : `labels:\n  stage: ${stage}`);
    writeFileSync(join(folder, "model.yaml"), yaml);
    copyFileSync(ONNX, join(folder, "saved_model.onnx"));
    writeFileSync(join(store, "models", name, "latest"), version);
  }
}

/** One window: every step starts from what the one before left. */
suite("finding and tidying in the models tree", () => {
  let rig: Rig;
  before(async () => {
    rig = await openRig(fill);
    await rig.workbench.openContainer("Modelbench");
    await rig.workbench.row(/^v2latest/).waitFor();
  });
  after(() => rig.close());
  afterEach(async (context) => {
    const name = context.name.replace(/\W+/g, "-").slice(0, 60);
    await rig.workbench.page.screenshot({ path: join(shotsFolder("find"), `${name}.png`) });
  });

  /** The labels of the rows in sight, with what stands beside them. */
  const rows = async (view = "Models"): Promise<string[]> => {
    const pane = rig.workbench.page.locator(`.sidebar .pane`, {
      has: rig.workbench.page.locator(`[aria-label^="${view}"]`),
    });
    const texts = await pane.locator(".monaco-list-row .monaco-icon-label").allTextContents();
    return texts.map((text) => text.replaceAll("\u00a0", " "));
  };
  const rowsBecome = async (...wanted: RegExp[]): Promise<void> => {
    let seen: string[] = [];
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
      seen = await rows();
      if (seen.length === wanted.length && seen.every((row, i) => wanted[i]?.test(row))) return;
      await rig.workbench.page.waitForTimeout(100);
    }
    assert.fail(`rows: ${JSON.stringify(seen)}`);
  };
  /** What an import is about to bring in. */
  const preview = (): Locator =>
    rig.workbench.page.locator(".quick-input-list .monaco-list-row", { hasText: "iris:v1" });
  const message = (): Locator => rig.workbench.page.locator(".sidebar .tree-explorer-viewlet-tree-view .message");

  test("a filter narrows the tree while it is typed, and says how much is left", async () => {
    const { workbench } = rig;
    const place = workbench.page.locator(".sidebar .pane-header", { hasText: "~/bentoml · from BENTOML_HOME" });
    await place.waitFor();
    // What is narrowed is brought into sight.
    await workbench.command("View: Toggle Primary Side Bar Visibility");
    await workbench.row(/^v2latest/).waitFor({ state: "hidden" });
    await workbench.command("Modelbench: Filter Models…");
    await workbench.quickInput().fill("stage=prod");
    await rowsBecome(/^digits1 of 2/, /^k1/, /^iris1 of 2/, /^v1onnx/);
    await message().filter({ hasText: "stage=prod: 2 of 5 versions" }).waitFor();
    await workbench.quickInput().press("Enter");
    await workbench.quickInput().waitFor({ state: "hidden" });
    await rowsBecome(/^digits1 of 2/, /^k1/, /^iris1 of 2/, /^v1onnx/);
  });

  test("a term that cannot be read is told while it is typed, and Escape keeps the filter before", async () => {
    const { workbench } = rig;
    await workbench.command("Modelbench: Filter Models…");
    await workbench.quickInput().fill("age<soon");
    await workbench.page.locator(".quick-input-message", { hasText: "Expected a time span" }).waitFor();
    await workbench.quickInput().fill("framework:sklearn");
    await rowsBecome(/^spam/, /^a(latest|sklearn)/);
    await workbench.quickInput().press("Escape");
    await rowsBecome(/^digits1 of 2/, /^k1/, /^iris1 of 2/, /^v1onnx/);
  });

  test("the filter and the selected row are there again after the window was loaded anew", async () => {
    const { workbench } = rig;
    await workbench.row(/^v1onnx/).click();
    await workbench.page.waitForTimeout(1_000);
    await workbench.reload();
    await rowsBecome(/^digits1 of 2/, /^k1/, /^iris1 of 2/, /^v1onnx/);
    await workbench.page.locator(".sidebar .monaco-list-row.selected", { hasText: /^v1onnx/ }).waitFor();
  });

  test("a filter that nothing fits offers to clear it", async () => {
    const { workbench } = rig;
    await workbench.command("Modelbench: Filter Models…");
    await workbench.quickInput().fill("stage=none");
    await workbench.quickInput().press("Enter");
    await workbench.row('nothing matches "stage=none"').waitFor();
    await workbench.page.screenshot({ path: join(shotsFolder("find"), "unmatched.png") });
    await workbench.row("Clear Filter").click();
    await workbench.row(/^v2latest/).waitFor();
  });

  test("versions stand under the values of a label, then under their names again", async () => {
    const { workbench } = rig;
    await workbench.command("Modelbench: Group By…");
    await workbench.pick("Label…");
    await workbench.pick(/^stage/);
    await rowsBecome(
      /^dev2/,
      /^digits:k2/,
      /^iris:v2/,
      /^prod2/,
      /^digits:k1/,
      /^iris:v1/,
      /^No label stage1/,
      /^spam:a/,
    );
    await workbench.page.screenshot({ path: join(shotsFolder("find"), "grouped.png") });
    await workbench.command("Modelbench: Group By…");
    await workbench.pick(/^Name/);
    await workbench.row(/^v2latest/).waitFor();
  });

  test("a pinned version says so and comes first", async () => {
    const { workbench } = rig;
    await workbench.contextMenu(workbench.row(/^v1onnx/), "Pin Model");
    await workbench.row(/^v1pinned/).waitFor();
    assert.ok(existsSync(join(rig.store, ".modelbench/pins/iris/v1")));
    const seen = await rows();
    assert.ok(seen.findIndex((row) => row.startsWith("v1")) < seen.findIndex((row) => row.startsWith("v2")), `${seen}`);
  });

  test("what is deleted shows in the trash and comes back from there", async () => {
    const { workbench } = rig;
    await workbench.contextMenu(workbench.row(/^a(latest|sklearn)/), "Delete Model…");
    await workbench.dialog("Delete");
    await workbench.row(/^spam/).waitFor({ state: "detached" });
    await workbench.page.locator(".sidebar .pane-header", { hasText: "Trash" }).click();
    await workbench.row(/^spam:a.*7 days left/).waitFor();
    await workbench.page.screenshot({ path: join(shotsFolder("find"), "trash.png") });
    await workbench.rowAction(workbench.row(/^spam:a/), "Restore Model");
    await workbench.row(/^a.*sklearn/).waitFor();
    const empty = workbench.page.locator(".sidebar .welcome-view-content", { hasText: "What you delete stays here" });
    await empty.waitFor();
  });

  test("an archive and a weights file dragged from the Explorer are imported and saved", async () => {
    const { workbench } = rig;
    const env = { ...process.env, BENTOML_HOME: rig.store };
    execFileSync(process.execPath, ["dist/cli.cjs", "export", "iris:v1", join(rig.folder, "iris.bentomodel")], { env });
    copyFileSync(ONNX, join(rig.folder, "petals.onnx"));
    await workbench.contextMenu(workbench.row(/^v1pinned/), "Delete Model…");
    await workbench.dialog("Delete");
    await workbench.row(/^v1/).waitFor({ state: "detached" });
    await dragToModels("iris.bentomodel");
    await preview().waitFor();
    await workbench.page.screenshot({ path: join(shotsFolder("find"), "dropped.png") });
    await workbench.page.keyboard.press("Enter");
    await workbench.row(/^v1/).waitFor();
    await dragToModels("petals.onnx");
    await workbench.view().getByTestId("save-submit").waitFor();
  });

  test("a file dropped from the system comes with its bytes, of which no copy stays", async () => {
    const { workbench } = rig;
    const copies = () => readdirSync(tmpdir()).filter((name) => name.startsWith("modelbench-drop-"));
    const before = copies();
    const bytes = readFileSync(join(rig.folder, "iris.bentomodel")).toString("base64");
    const file = { bytes, name: "from afar.bentomodel", list: MODELS_LIST };
    await workbench.page.evaluate(`(${DROP_FILE})(${JSON.stringify(file)})`);
    await preview().waitFor();
    await workbench.page.screenshot({ path: join(shotsFolder("find"), "dropped-from-the-system.png") });
    await workbench.page.keyboard.press("Escape");
    for (const deadline = Date.now() + 5_000; copies().length > before.length && Date.now() < deadline; ) {
      await workbench.page.waitForTimeout(100);
    }
    assert.deepEqual(copies(), before);
  });

  test("a version dragged to the Explorer is refused there, and stays where it is", async () => {
    const { workbench } = rig;
    const before = readdirSync(rig.folder).sort();
    await drag(
      workbench.row(/^v2latest/),
      `.activitybar .action-label[aria-label^="Explorer"]`,
      ".explorer-folders-view .monaco-list",
    );
    await workbench.page.waitForTimeout(1_000);
    await workbench.page.screenshot({ path: join(shotsFolder("find"), "dragged-out.png") });
    assert.deepEqual(readdirSync(rig.folder).sort(), before);
    assert.equal(readFileSync(join(rig.store, "models/iris/latest"), "utf8"), "v2");
    assert.ok(existsSync(join(rig.store, "models/iris/v2/model.yaml")));
    await workbench.openContainer("Modelbench");
    await workbench.row(/^v2latest/).waitFor();
  });

  test("rows, message and trash look right in every theme, narrow and wide", async () => {
    const { workbench } = rig;
    await workbench.command("Modelbench: Filter Models…");
    await workbench.quickInput().fill("age<2y stage=prod");
    await workbench.quickInput().press("Enter");
    await workbench.command("View: Close All Editors");
    await workbench.contextMenu(workbench.row(/^k1/), "Delete Model…");
    await workbench.dialog("Delete");
    await workbench.row(/^k1/).waitFor({ state: "detached" });
    for (const theme of Object.keys(THEMES) as ThemeName[]) {
      await rig.setTheme(theme);
      for (const width of [700, 1400]) {
        await workbench.page.setViewportSize({ width, height: 900 });
        await workbench.page.waitForTimeout(400);
        await workbench.page.screenshot({ path: join(shotsFolder("find"), `${theme}-${width}.png`) });
      }
    }
  });

  async function dragToModels(file: string): Promise<void> {
    const { workbench } = rig;
    await workbench.openContainer("Explorer");
    const row = workbench.page.locator(".explorer-folders-view .monaco-list-row", { hasText: file });
    await row.waitFor();
    await drag(row, `.activitybar .action-label[aria-label^="Modelbench"]`, MODELS_LIST);
  }

  /** With the mouse: a container opens while something is held over its icon. */
  async function drag(row: Locator, icon: string, list: string): Promise<void> {
    const { page } = rig.workbench;
    // The tooltip of the row that the pointer rests on would lie over the others.
    await page.mouse.move(900, 500);
    await page.keyboard.press("Escape");
    await row.hover();
    await page.mouse.down();
    const over = async (selector: string): Promise<void> => {
      const box = await page.locator(selector).first().boundingBox();
      assert.ok(box, selector);
      const y = box.y + Math.min(box.height / 2, 60);
      await page.mouse.move(box.x + box.width / 2 - 5, y - 5, { steps: 5 });
      await page.mouse.move(box.x + box.width / 2, y, { steps: 5 });
    };
    await over(icon);
    await page.waitForTimeout(1_500);
    await over(icon);
    await page.locator(list).first().waitFor();
    await over(list);
    await page.waitForTimeout(500);
    await over(list);
    await page.mouse.up();
  }
});
