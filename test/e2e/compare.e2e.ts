import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { msgpackSerialize } from "../../src/formats/flaxMsgpack/serialization";
import type { FlaxTree } from "../../src/formats/flaxMsgpack/tree";
import { yamlOf } from "../fixtures/modelYaml";
import { addModel, floats } from "../fixtures/onnxParts";
import { axeViolations } from "./axe";
import { openRig, type Rig, shotsFolder, type ThemeName } from "./rig";

const array = (values: readonly number[]): FlaxTree => ({
  kind: "ndarray",
  dtype: "float32",
  shape: [values.length],
  data: new Uint8Array(Float32Array.from(values).buffer),
});

/** Weights of one training run: a change makes all of them another one. */
function weights(change: number): Uint8Array {
  const layer = (size: number, by: number): FlaxTree =>
    new Map([
      ["kernel", array(Array.from({ length: size }, (_, i) => Math.sin(i) + by))],
      ["bias", array(Array.from({ length: 8 }, (_, i) => i / 10 + by / 10))],
    ]);
  const members: [string, FlaxTree][] = Array.from({ length: 12 }, (_, i) => [`Dense_${i}`, layer(64, change * i)]);
  const head: [string, FlaxTree] = [change === 0 ? "head" : "classifier", new Map([["kernel", array([1, 2, 3])]])];
  return msgpackSerialize(
    new Map<string, FlaxTree>([
      ["params", new Map([...members, head])],
      ["step", BigInt(1000 + change * 100)],
    ]),
  );
}

/** A repository with a model in its first commit that has another weight now. */
function changedModel(folder: string): void {
  mkdirSync(folder);
  const git = (...args: string[]): void => {
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd: folder });
  };
  writeFileSync(join(folder, "add.onnx"), addModel());
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "first");
  const changed = Buffer.from(addModel());
  floats(1, 2, 4).copy(changed, changed.indexOf(floats(1, 2, 3)));
  writeFileSync(join(folder, "add.onnx"), changed);
}

/** What two versions and two commits differ by, in one window. */
suite("comparing in the real window", () => {
  let rig: Rig;
  before(async () => {
    const settings = { "git.enabled": true, "git.openRepositoryInParentFolders": "never" };
    rig = await openRig(
      (store) => {
        for (const [version, day, change] of [
          ["v1", 1, 0],
          ["v2", 2, 1],
        ] as const) {
          const folder = join(store, "models/mnist", version);
          mkdirSync(folder, { recursive: true });
          const yaml = yamlOf("mnist", version, `2024-01-0${day}T00:00:00+00:00`);
          writeFileSync(
            join(folder, "model.yaml"),
            yaml.replace("labels: {}", `labels:\n  stage: ${change === 0 ? "dev" : "prod"}`),
          );
          writeFileSync(join(folder, "saved_model.msgpack"), weights(change));
        }
        writeFileSync(join(store, "models/mnist/latest"), "v2");
        // The folder that the window will open.
        changedModel(join(store, "../work"));
      },
      { settings },
    );
    await rig.workbench.openContainer("Modelbench");
    await rig.workbench.row(/^v2/).waitFor();
  });
  after(() => rig.close());
  const shot = (name: string) => rig.workbench.page.screenshot({ path: join(shotsFolder("compare"), `${name}.png`) });

  test("a version is selected, compared with another one, and the largest change comes first", async () => {
    await rig.workbench.contextMenu(rig.workbench.row(/^v1/), "Select Model for Compare");
    await rig.workbench.contextMenu(rig.workbench.row(/^v2/), "Compare Model with Selected");
    const view = rig.workbench.view();
    await view.getByTestId("compare-row-0").filter({ hasText: "params/Dense_11/kernel" }).waitFor();
    await view.getByTestId("compare-facts").filter({ hasText: "Label stage" }).waitFor();
    await view.getByTestId("compare-verdict").filter({ hasText: "1 moved" }).waitFor();
    await shot("two-versions");
  });

  test("by keys alone a tensor is chosen and its steps are counted", async () => {
    const { page } = rig.workbench;
    const view = rig.workbench.view();
    await view.getByTestId("compare-row-0").focus();
    await page.keyboard.press("ArrowDown");
    await view.getByTestId("compare-details").filter({ hasText: "Dense_10/kernel" }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await view.getByTestId("compare-ulp-table").waitFor();
    await shot("steps");
  });

  test("it can be looked at in every theme and at any width", async () => {
    for (const theme of ["light", "dark", "highContrast", "highContrastLight"] satisfies ThemeName[]) {
      await rig.setTheme(theme);
      for (const width of [280, 900]) {
        const frame = await rig.setPageWidth(width);
        await shot(`${theme}-${width}`);
        assert.deepEqual(await axeViolations(frame), [], `${theme} ${width}`);
      }
    }
  });

  test("two selected versions are compared, and one with the version before it", async () => {
    const { page } = rig.workbench;
    await rig.setTheme("dark");
    await page.setViewportSize({ width: 1400, height: 900 });
    await rig.workbench.command("View: Close All Editors");
    await rig.workbench.row(/^v1/).click();
    await rig.workbench.row(/^v2/).click({ modifiers: ["ControlOrMeta"] });
    await rig.workbench.contextMenu(rig.workbench.row(/^v2/), "Compare Selected Models");
    await page.locator(".tab.active", { hasText: "mnist:v1 ↔ mnist:v2" }).waitFor();
    await rig.workbench.view().getByTestId("compare-row-0").waitFor();
    await rig.workbench.command("View: Close All Editors");
    await rig.workbench.command("Modelbench: Compare with Previous Version");
    await rig.workbench.pick("mnist:v2");
    await page.locator(".tab.active", { hasText: "mnist:v1 ↔ mnist:v2" }).waitFor();
    await rig.workbench.view().getByTestId("compare-row-0").waitFor();
  });

  test("Source Control shows what changed in a model file", async () => {
    const { page } = rig.workbench;
    await rig.workbench.command("View: Close All Editors");
    await page.keyboard.press("Control+Shift+G");
    const row = page.locator(".scm-view .monaco-list-row", { hasText: "add.onnx" });
    await row.waitFor();
    await rig.workbench.contextMenu(row, "Show What Changed");
    await page.locator(".tab.active", { hasText: "add.onnx (What Changed)" }).waitFor();
    await page.locator(".monaco-diff-editor .modified .view-line", { hasText: /^w\s+float32\s\[3\]/ }).waitFor();
    await shot("what-changed");
  });
});
