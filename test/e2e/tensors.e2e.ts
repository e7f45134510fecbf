import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, suite, test } from "node:test";
import { yamlOf } from "../fixtures/modelYaml";
import { oddTensors, writeSafetensors } from "../fixtures/oddTensors";
import { axeViolations } from "./axe";
import { openRig, picturesFolder, type Rig, shotsFolder, THEMES, type ThemeName } from "./rig";

/** Keys pressed at most on the way to a control. */
const MANY = 60;

/** What a person does who wants to see the values in a model's files; each step starts from the one before. */
suite("the tensors of a model, in the real window", () => {
  let rig: Rig;
  before(async () => {
    rig = await openRig((store) => {
      const folder = join(store, "models/odd/v1");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "model.yaml"), yamlOf("odd", "v1"));
      writeFileSync(join(store, "models/odd/latest"), "v1");
      writeSafetensors(join(folder, "model.safetensors"), oddTensors);
    });
    await rig.workbench.openContainer("Modelbench");
    await rig.workbench.row(/^v1/).waitFor();
  });
  after(() => rig.close());
  const shot = (name: string) => rig.workbench.page.screenshot({ path: join(shotsFolder("tensors"), `${name}.png`) });
  afterEach(async (context) => {
    await shot(context.name.replace(/\W+/g, "-"));
  });
  const view = () => rig.workbench.view();

  /** Presses a key until a control of the page has the focus. */
  async function walkTo(testId: string, key = "Tab"): Promise<void> {
    const control = view().getByTestId(testId);
    await control.waitFor();
    for (let i = 0; i < MANY; i++) {
      if (await control.evaluate((element) => element.matches(":focus-within"))) return;
      await rig.workbench.page.keyboard.press(key);
      await rig.workbench.page.waitForTimeout(40);
    }
    throw new Error(`no key leads to ${testId}`);
  }

  /** Chooses a tensor in the tree by typing the beginning of its line. */
  async function find(query: string, name: string): Promise<void> {
    const search = view().getByTestId("tensors-search").locator("input");
    await search.fill(query);
    await view().getByTestId("tensors-tree").focus();
    await rig.workbench.page.keyboard.press("End");
    await rig.workbench.page.keyboard.press("Enter");
    await view().getByTestId("tensor-name").getByText(name, { exact: true }).waitFor();
  }

  test("a tensor of four axes is opened and sliced with the keyboard alone", async () => {
    const { keyboard } = rig.workbench.page;
    await rig.workbench.row(/^v1/).click();
    await view().getByTestId("section-tab-tensors").waitFor();
    await walkTo("section-tab-overview");
    await keyboard.press("ArrowRight");
    await keyboard.press("ArrowRight");
    await walkTo("tensors-tree");
    await keyboard.type("we");
    await keyboard.press("Enter");
    await view().getByTestId("slice-place").getByText("[0, 0, 0, 0] = -100.5").waitFor();
    await walkTo("axis-0-slider");
    await keyboard.press("ArrowRight");
    await keyboard.press("ArrowRight");
    await walkTo("axis-1-number");
    await keyboard.press("ArrowUp");
    await view().getByTestId("slice-place").getByText("[2, 1, 0, 0] = 109.5").waitFor();
    await walkTo("goto-row");
    await keyboard.type("4");
    await keyboard.press("Enter");
    await view().locator('[data-testid="slice"] [role="gridcell"]:focus', { hasText: "133.5" }).waitFor();
    await keyboard.press("End");
    await view().getByTestId("slice-place").getByText("[2, 1, 4, 5] = 138.5").waitFor();
  });

  test("statistics are there for a small one, and the heat map is drawn", async () => {
    await view().getByTestId("histogram").waitFor();
    assert.match(await view().getByTestId("stats-figures").innerText(), /Min\s+-100\.5\s+Max\s+258\.5/);
    await view().getByTestId("tensor-heat").click();
    await view().getByTestId("heat-map").waitFor();
  });

  test("NaN, infinities, negative zero, 64-bit integers and bfloat16 are exact", async () => {
    const cells = () => view().getByTestId("slice").getByRole("gridcell");
    await find("head.odd", "head.odd");
    await cells().getByText("0.30000000000000004").waitFor();
    assert.deepEqual((await cells().allTextContents()).slice(0, 4), ["NaN", "Infinity", "-Infinity", "-0"]);
    await shot("odd");
    await find("head.big", "head.big");
    await cells().getByText("9223372036854775807").waitFor();
    assert.equal(await cells().nth(1).textContent(), "-9007199254740993");
    await find("head.brain", "head.brain");
    await view().getByTestId("slice-place").getByText("[0] = 0.10009765625").waitFor();
  });

  test("a whole tensor is exported to a file that the save dialog names", async () => {
    await find("layers.0.conv.weight", "encoder.layers.0.conv.weight");
    await view().getByTestId("export-scope").click();
    await view().getByTestId("export-scope").getByText("Whole tensor").click();
    await view().getByTestId("export-format").click();
    await view().getByTestId("export-format").getByText("NPY").click();
    await view().getByTestId("export-save").click();
    const target = join(rig.folder, "weight.npy");
    await rig.workbench.fileDialog(target);
    await view()
      .getByTestId("export-done")
      .getByText(/Saved weight\.npy/)
      .waitFor();
    assert.ok(existsSync(target));
    assert.match(readFileSync(target).toString("latin1"), /\(4, 3, 5, 6\)/);
  });

  test("the page finds its tensor and slice again after the window was loaded anew", async () => {
    await view().getByTestId("axis-0-number").fill("3");
    await view()
      .getByTestId("slice-place")
      .getByText(/^\[3, 0, 0, 0\]/)
      .waitFor();
    await rig.workbench.page.waitForTimeout(500);
    await rig.workbench.reload();
    await view()
      .getByTestId("slice-place")
      .getByText(/^\[3, 0, 0, 0\]/)
      .waitFor();
  });

  for (const theme of Object.keys(THEMES) as ThemeName[]) {
    test(`has no accessibility violation and nothing too wide, ${theme}`, async () => {
      await rig.setTheme(theme);
      for (const width of [280, 1400]) {
        const frame = await rig.setPageWidth(width);
        await shot(`${theme}-${width}`);
        const pictures = picturesFolder();
        if (pictures && theme === "dark" && width === 1400) {
          copyFileSync(join(shotsFolder("tensors"), "dark-1400.png"), join(pictures, "tensors.png"));
        }
        assert.deepEqual(await axeViolations(frame), []);
        assert.equal(await frame.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
      }
    });
  }
});
