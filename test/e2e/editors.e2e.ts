import assert from "node:assert/strict";
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { exportModel } from "../../src/store/archive/exportModel";
import { ModelStore } from "../../src/store/modelStore";
import { modelYaml } from "../fixtures/hostileArchives";
import { rawMember, tarOf } from "../fixtures/rawTar";
import { axeViolations } from "./axe";
import { openRig, type Rig, shotsFolder, THEMES, type ThemeName } from "./rig";

const VECTORS = "test/fixtures/vectors";
const FILE_EDITOR = "Model File (Modelbench)";
const EVIL = "<img src=x onerror='globalThis.HOSTILE=1'><script>globalThis.HOSTILE=1</script>";
/** How long the list of editors may take to appear. */
const MENU_MS = 3_000;
const WIDTHS = [280, 1400] as const;
const shots = shotsFolder("editors");

/** A file of the Explorer, and what its editor has to say and shows first. */
const FILES = [
  {
    name: "digits.onnx",
    source: "media/sample-store/models/digits/v1/saved_model.onnx",
    says: "ONNX",
    offered: true,
    first: "overview",
  },
  {
    name: "adamw.msgpack",
    source: `${VECTORS}/flax/trainstate_adamw.msgpack`,
    says: "flax",
    offered: true,
    first: "tensors",
  },
  {
    name: "sklearn.pkl",
    source: `${VECTORS}/pickle/bentoml_sklearn.pkl`,
    says: "pickle",
    offered: true,
    first: "tensors",
  },
  {
    name: "raw.joblib",
    source: `${VECTORS}/pickle/joblib_raw.joblib`,
    says: "pickle",
    offered: true,
    first: "tensors",
  },
  {
    name: "bad.pkl",
    source: `${VECTORS}/pickle_hostile/global_reduce_p2.pkl`,
    says: "pickle",
    offered: true,
    first: "pickle",
  },
  { name: "objects.npy", source: `${VECTORS}/pickle/object_npy.npy`, says: "NumPy", offered: true, first: "tensors" },
  { name: "weights.safetensors", source: "", says: "safetensors", offered: false, first: "tensors" },
] as const;

/** One small tensor under a name and with metadata that a careless page would run. */
function hostileSafetensors(): Buffer {
  const tensors = { [EVIL]: { dtype: "F32", shape: [2], data_offsets: [0, 8] } };
  const header = Buffer.from(JSON.stringify({ __metadata__: { [EVIL]: EVIL }, ...tensors }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(8)]);
}

function hostileArchive(): Buffer {
  const yaml = modelYaml()
    .toString()
    .replace("labels: {}", `labels:\n  k: ${JSON.stringify(EVIL)}`);
  const member = rawMember({
    name: "<img src=x onerror='globalThis.HOSTILE=1'>.safetensors",
    content: hostileSafetensors(),
  });
  return tarOf(rawMember({ name: "model.yaml", content: Buffer.from(yaml) }), member);
}

suite("editors of model files", () => {
  let rig: Rig;
  before(async () => {
    rig = await openRig((store) =>
      cpSync("media/sample-store/models/digits", join(store, "models/digits"), { recursive: true }),
    );
    for (const { name, source } of FILES) {
      if (source === "") writeFileSync(join(rig.folder, name), hostileSafetensors());
      else copyFileSync(source, join(rig.folder, name));
    }
    const destination = join(rig.folder, "digits.bentomodel");
    await exportModel(new ModelStore(rig.store), { tag: "digits:v1", destination });
    writeFileSync(join(rig.folder, "hostile.tar"), hostileArchive());
  });
  after(() => rig.close());

  const file = (name: string) => rig.workbench.row(new RegExp(`^${name.replace(".", "\\.")}$`));

  /** The first menu of a window may take the click that opens the list for one that closes it. */
  async function openWith(name: string): Promise<void> {
    const choice = rig.workbench.page.locator(".quick-input-list .monaco-list-row", { hasText: FILE_EDITOR });
    for (let attempt = 0; attempt < 3 && !(await choice.isVisible()); attempt++) {
      await rig.workbench.contextMenu(file(name), "Open With...");
      await choice.waitFor({ timeout: MENU_MS }).catch(() => undefined);
    }
    await choice.click();
  }

  async function open(name: string, offered: boolean): Promise<void> {
    const { workbench } = rig;
    await workbench.command("View: Close All Editors");
    // An import shows the models; this shows the files again.
    await workbench.command("View: Show Explorer");
    if (offered) await openWith(name);
    else await file(name).dblclick();
    await workbench.view().getByTestId("file-name").getByText(name).waitFor();
  }

  for (const { name, says, offered, first } of FILES) {
    test(`${name} opens from the Explorer ${offered ? "with" : "in"} our editor`, async () => {
      await open(name, offered);
      const view = rig.workbench.view();
      await view.getByTestId("file-format").getByText(says).waitFor();
      await view.locator(`[data-testid=section-tab-${first}][aria-selected="true"]`).waitFor();
      await rig.workbench.page.screenshot({ path: join(shots, `${name}.png`) });
    });
  }

  test("an archive is looked into and imported from its editor; nothing is written before", async () => {
    await open("digits.bentomodel", false);
    const view = rig.workbench.view();
    await view.locator('[data-testid=archive-state][data-state="done"]').waitFor();
    await view.getByTestId("member").getByText("saved_model.onnx").waitFor();
    await view.getByTestId("archive-model").getByText("digits:v1").waitFor();
    await view.getByTestId("member-tensors").click();
    await view.getByTestId("member-list").getByText("hidden.weight").waitFor();
    assert.deepEqual(readdirSync(rig.store), ["models"]);
    await view.getByTestId("file-import").click();
    await rig.workbench.acceptPreview();
    await rig.workbench.pick("New Version");
    await rig.workbench.notification(/digits:v1 imported as digits:/).waitFor();
  });

  test("Save as Model from the editor shows what BentoML will load it with, and lets it change", async () => {
    await open("sklearn.pkl", true);
    const { workbench } = rig;
    await workbench.view().getByTestId("file-save").click();
    const form = workbench.view();
    await form.getByTestId("save-module").waitFor();
    await form.getByTestId("save-method-predict").waitFor();
    await form.getByTestId("save-module").click();
    await form.getByRole("option", { name: "bentoml.picklable_model" }).click();
    await form.getByTestId("save-method-__call__").waitFor();
    await workbench.page.screenshot({ path: join(shots, "save.png") });
    await form.getByTestId("save-version").locator("input").fill("v1");
    await form.getByTestId("save-submit").click();
    await workbench.notification("sklearn:v1 saved.").waitFor();
    const saved = join(rig.store, "models/sklearn/v1");
    assert.match(readFileSync(join(saved, "model.yaml"), "utf8"), /^module: bentoml\.picklable_model$/m);
    assert.ok(existsSync(join(saved, "saved_model.pkl")));
  });

  test("a file that is deleted and comes back says so, and is read again", async () => {
    await open("digits.onnx", true);
    const view = rig.workbench.view();
    const path = join(rig.folder, "digits.onnx");
    const bytes = readFileSync(path);
    rmSync(path);
    await view.getByTestId("file-gone").waitFor();
    writeFileSync(path, bytes);
    await view.getByTestId("file-gone").waitFor({ state: "detached" });
    await view.getByTestId("methods").getByText("pixels").waitFor();
  });

  test("an editor is where it was after the window was loaded anew", async () => {
    await open("digits.onnx", true);
    await rig.workbench.view().getByTestId("section-tab-tensors").click();
    await rig.workbench.reload();
    const view = rig.workbench.view();
    await view.getByTestId("file-name").getByText("digits.onnx").waitFor();
    await view.locator('[data-testid=section-tab-tensors][aria-selected="true"]').waitFor();
  });

  test("names and values of a hostile file are text in a real browser", async () => {
    const { workbench } = rig;
    await open("weights.safetensors", false);
    await workbench.view().getByTestId("section-tab-overview").click();
    await workbench.view().getByTestId("metadata").getByText(EVIL).first().waitFor();
    await workbench.view().getByTestId("section-tab-tensors").click();
    await workbench.page.screenshot({ path: join(shots, "hostile-tensors.png") });
    const inFile = await workbench.frame();
    assert.equal(await inFile.evaluate("globalThis.HOSTILE"), undefined);
    assert.equal(await inFile.evaluate("document.querySelectorAll('img, body script:not([nonce])').length"), 0);
    await workbench.command("View: Close All Editors");
    await workbench.command("View: Show Explorer");
    await workbench.contextMenu(file("hostile.tar"), "Look into Archive…");
    await workbench.view().getByTestId("labels").getByText(EVIL).waitFor();
    await workbench.view().getByTestId("member-tensors").click();
    await workbench.view().getByTestId("member-list").getByText(EVIL).waitFor();
    const inArchive = await workbench.frame();
    assert.equal(await inArchive.evaluate("globalThis.HOSTILE"), undefined);
    assert.equal(await workbench.page.evaluate("globalThis.HOSTILE"), undefined);
    assert.deepEqual(
      rig.refused.filter((address) => !/gallery|open-vsx|marketplace/.test(address)),
      [],
    );
  });

  for (const name of ["digits.onnx", "digits.bentomodel"]) {
    test(`${name}: no accessibility violation in any theme and width`, async (t) => {
      await open(name, name === "digits.onnx");
      await rig.workbench.page.keyboard.press("Control+B");
      for (const theme of Object.keys(THEMES) as ThemeName[]) {
        await rig.setTheme(theme);
        for (const width of WIDTHS) {
          await t.test(`${theme}, ${width} px`, async () => {
            const frame = await rig.setPageWidth(width);
            await rig.workbench.page.screenshot({ path: join(shots, `${name}-${theme}-${width}.png`) });
            assert.deepEqual(await axeViolations(frame), []);
            assert.equal(await frame.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
          });
        }
      }
      await rig.workbench.page.setViewportSize({ width: 1400, height: 900 });
      await rig.workbench.page.keyboard.press("Control+B");
    });
  }
});
