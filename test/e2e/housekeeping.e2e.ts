import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, suite, test } from "node:test";
import { treeOf } from "../unit/store/storeKit";
import { realList } from "./bentoml";
import { type Hands, keyboard, mouse, settingsFor } from "./hands";
import { openRig, type Rig, shotsFolder } from "./rig";

const SAMPLE = "media/sample-store/models/iris_clf";

/** Versions of two names, all copies of a sample; `latest` names the last. */
function fill(store: string): void {
  for (const [name, versions] of [
    ["iris", ["a1", "a2", "a3", "a4"]],
    ["lone", ["only"]],
  ] as const) {
    const home = ["--home", store];
    for (const version of versions) {
      const save = ["save", `${name}:${version}`, join(SAMPLE, "v1/saved_model.onnx"), "--label", "stage=dev"];
      execFileSync(process.execPath, ["dist/cli.cjs", ...save, ...home]);
    }
  }
}

for (const handsOf of [mouse, keyboard]) {
  /** One window: every step starts from what the one before left. */
  suite(`keep a store tidy, ${handsOf.name}`, () => {
    let rig: Rig;
    let hands: Hands;
    before(async () => {
      rig = await openRig(fill, { settings: settingsFor(handsOf) });
      hands = handsOf(rig.workbench);
      await hands.openModels();
      await rig.workbench.row(/^a4latest/).waitFor();
    });
    after(() => rig.close());
    afterEach((context) => shot(context.name));
    const shot = async (what: string): Promise<void> => {
      const name = `${handsOf.name}-${what}`.replace(/\W+/g, "-").slice(0, 90);
      await rig.workbench.page.screenshot({ path: join(shotsFolder("housekeeping"), `${name}.png`) });
    };
    const models = (): string => join(rig.store, "models");

    test("three versions are deleted after one question that names them and their sizes", async () => {
      const { workbench } = rig;
      const before = treeOf(models());
      await hands.select([/^a4/, /^a3/, /^a2/]);
      await workbench.page.keyboard.press("Delete");
      const question = workbench.page.locator(".monaco-dialog-box");
      for (const tag of ["iris:a4", "iris:a3", "iris:a2", "KiB"]) await question.filter({ hasText: tag }).waitFor();
      await shot("question");
      await hands.dialog("Delete");
      await workbench.row(/^a4/).waitFor({ state: "detached" });
      assert.deepEqual(realList(rig.store), ["iris:a1", "lone:only"]);
      assert.equal(readFileSync(join(models(), "iris/latest"), "utf8"), "a1");

      await hands.notification(/3 versions deleted/, "Undo");
      await workbench.row(/^a4latest/).waitFor();
      assert.deepEqual(treeOf(models()), before);
      assert.deepEqual(realList(rig.store), ["iris:a1", "iris:a2", "iris:a3", "iris:a4", "lone:only"]);
    });

    test("the question says when no version of a name will be left, and only that name goes", async () => {
      const { workbench } = rig;
      await hands.menu(/^only/, "Delete Model…");
      await workbench.page.locator(".monaco-dialog-box", { hasText: "No version of lone will be left" }).waitFor();
      await hands.dialog("Delete");
      await workbench.row(/^lone/).waitFor({ state: "detached" });
      assert.ok(!existsSync(join(models(), "lone")));
      assert.deepEqual(realList(rig.store), ["iris:a1", "iris:a2", "iris:a3", "iris:a4"]);
    });

    test("a store that cannot be written lists, and says why nothing is deleted", async (t) => {
      const readOnly = join(rig.folder, "..", "locked");
      if (!mountReadOnly(rig.store, readOnly)) return t.skip("userNamespaces: no file system can be mounted here");
      try {
        mkdirSync(join(rig.folder, ".vscode"));
        const settings = { "modelbench.storePath": readOnly };
        writeFileSync(join(rig.folder, ".vscode/settings.json"), JSON.stringify(settings));
        const { workbench } = rig;
        await hands.openModels();
        // The rows are drawn anew with this: a menu that was open on one would be gone.
        await workbench.page.locator(".sidebar .pane-header", { hasText: "read-only" }).waitFor();
        await workbench.row(/^a4latest/).waitFor();
        await hands.menu(/^a4/, "Delete Model…");
        await hands.dialog("Delete");
        await workbench.notification(/read-only/).waitFor();
        assert.ok(existsSync(join(readOnly, "models/iris/a4/model.yaml")));
      } finally {
        rmSync(join(rig.folder, ".vscode"), { recursive: true });
        spawnSync("umount", [readOnly]);
      }
    });
  });
}

/** A copy of a store on a disk that cannot be written; `false` where the machine lets nobody mount one. */
function mountReadOnly(store: string, at: string): boolean {
  mkdirSync(at, { recursive: true });
  if (spawnSync("mount", ["-t", "tmpfs", "tmpfs", at]).status !== 0) return false;
  cpSync(store, at, { recursive: true });
  return spawnSync("mount", ["-o", "remount,ro", at]).status === 0;
}
