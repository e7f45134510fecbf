import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, suite, test } from "node:test";
import { treeOf } from "../unit/store/storeKit";
import { type Hands, keyboard, mouse, settingsFor } from "./hands";
import { openRig, type Rig, shotsFolder } from "./rig";

const ONNX = "media/sample-store/models/iris_clf/v1/saved_model.onnx";
const GIB = 2 ** 30;

const cli = (home: string, ...args: string[]): void => {
  execFileSync(process.execPath, ["dist/cli.cjs", ...args, "--home", home]);
};

/** A small model, and one of a GiB whose weights take no room on the disk. */
function fill(store: string): void {
  cli(store, "save", "iris:i1", ONNX, "--label", "stage=dev");
  cli(store, "save", "big:b1", ONNX);
  writeFileSync(join(store, "models/big/b1/weights.bin"), "");
  truncateSync(join(store, "models/big/b1/weights.bin"), GIB);
}

for (const handsOf of [mouse, keyboard]) {
  /** One window: every step starts from what the one before left. */
  suite(`move models in and out, ${handsOf.name}`, () => {
    let rig: Rig;
    let hands: Hands;
    let exports: string;
    before(async () => {
      rig = await openRig(fill, { settings: settingsFor(handsOf) });
      hands = handsOf(rig.workbench);
      exports = join(rig.folder, "exports");
      mkdirSync(exports);
      await hands.openModels();
      await rig.workbench.row(/^i1/).waitFor();
    });
    after(() => rig.close());
    afterEach((context) => shot(context.name));
    const shot = async (what: string): Promise<void> => {
      const name = `${handsOf.name}-${what}`.replace(/\W+/g, "-").slice(0, 90);
      await rig.workbench.page.screenshot({ path: join(shotsFolder("move"), `${name}.png`) });
    };
    const version = (name: string): string => join(rig.store, "models", name);

    test("a version is exported, and what the command line exports is imported", async () => {
      const { workbench } = rig;
      await hands.menu(/^i1/, "Export Model…");
      await hands.pick("Zip archive");
      await workbench.fileDialog(join(exports, "iris.zip"), /^Export iris:i1$/);
      await workbench.notification(/iris:i1 exported/).waitFor();
      assert.equal(readFileSync(join(exports, "iris.zip")).subarray(0, 2).toString("latin1"), "PK");

      const before = treeOf(version("iris/i1"));
      cli(rig.store, "export", "iris:i1", join(rig.folder, "from-cli.bentomodel"));
      cli(rig.store, "delete", "iris:i1", "-y");
      await workbench.row(/^i1/).waitFor({ state: "detached" });
      await importByDialog("from-cli.bentomodel");
      await workbench.page.locator(".quick-input-list", { hasText: "iris:i1" }).waitFor();
      await shot("preview");
      await workbench.acceptPreview();
      await workbench.row(/^i1/).waitFor();
      assert.deepEqual(treeOf(version("iris/i1")), before);
    });

    test("a model that is there already is imported as a new version when the person says so", async () => {
      const { workbench } = rig;
      await importByDialog("from-cli.bentomodel");
      await workbench.acceptPreview();
      await hands.pick("New Version");
      await workbench.notification(/imported as iris:/).waitFor();
      assert.equal(readdirSync(version("iris")).filter((name) => name !== "latest").length, 2);
    });

    test("an export of a GiB that is cancelled on its way leaves no file", async () => {
      const { workbench } = rig;
      await hands.menu(/^b1/, "Export Model…");
      // Compressing takes long enough for a person to change their mind.
      await hands.pick("BentoML model, small");
      await workbench.fileDialog(join(exports, "big.bentomodel"), /^Export big:b1$/);
      await workbench.notification(/Exporting/).waitFor();
      await hands.notification(/Exporting/, "Cancel");
      await workbench.notification(/Exporting/).waitFor({ state: "detached" });
      const left = (): string[] => readdirSync(exports).filter((name) => name !== "iris.zip");
      for (const deadline = Date.now() + 2_000; left().length > 0 && Date.now() < deadline; ) {
        await workbench.page.waitForTimeout(100);
      }
      assert.deepEqual(left(), []);
    });

    test("an archive that is cut short is refused by its name and with the reason", async () => {
      const { workbench } = rig;
      const whole = readFileSync(join(rig.folder, "from-cli.bentomodel"));
      writeFileSync(join(rig.folder, "short.bentomodel"), whole.subarray(0, whole.length / 2));
      const before = treeOf(join(rig.store, "models/iris"));
      await importByDialog("short.bentomodel");
      await workbench.notification(/short\.bentomodel/).waitFor();
      const said = (await workbench.notification(/short\.bentomodel/).textContent()) ?? "";
      assert.match(said, /ends|short|damaged/i);
      assert.deepEqual(treeOf(join(rig.store, "models/iris")), before);
      assert.ok(
        !existsSync(join(rig.store, ".modelbench/staging")) ||
          readdirSync(join(rig.store, ".modelbench/staging")).length === 0,
      );
    });

    async function importByDialog(file: string): Promise<void> {
      await rig.workbench.command("Modelbench: Import Model…");
      await rig.workbench.fileDialog(join(rig.folder, file));
    }
  });
}
