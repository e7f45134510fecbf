import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { axeViolations } from "./axe";
import { openRig, picturesFolder, type Rig, shotsFolder, THEMES, type ThemeName } from "./rig";

const WIDTHS = [280, 1400] as const;

/** What reaches beyond the right edge of the frame and makes the page scroll sideways. */
const TOO_WIDE = `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("main *")]
  .filter((element) => element.getBoundingClientRect().right > innerWidth)
  .map((element) => element.tagName + "." + element.className + " " + element.textContent.slice(0, 40))`;

/** Every screen of the page, and how one gets to it from any other. */
const screens: Readonly<Record<string, (rig: Rig) => Promise<void>>> = {
  overview: (rig) => showSection(rig, "overview", "about"),
  signatures: (rig) => showSection(rig, "signatures", "signature-run"),
  test: (rig) => showSection(rig, "test", "class-label"),
  issues: async (rig) => {
    await showSection(rig, "test", "cell-input-0");
    await rig.workbench.view().getByTestId("cell-input-0").fill("a lot");
    await rig.workbench.view().getByTestId("issues").getByText("a lot").first().waitFor();
  },
  save: async (rig) => {
    await rig.workbench.command("Modelbench: Save Model from File…");
    await rig.workbench.fileDialog(join(rig.folder, "petals.onnx"));
    await rig.workbench.view().getByTestId("save-submit").waitFor();
  },
};

async function showSection({ workbench }: Rig, section: string, testId: string): Promise<void> {
  await workbench.view().getByTestId(`section-tab-${section}`).click();
  await workbench.view().getByTestId(testId).waitFor();
}

suite("the page", () => {
  let rig: Rig;
  before(async () => {
    rig = await openRig();
    copyFileSync("media/sample-store/models/iris_clf/v1/saved_model.onnx", join(rig.folder, "petals.onnx"));
    const { workbench } = rig;
    await workbench.openSampleStore();
    await workbench.testModel(workbench.row(/^v2latest/), "iris_clf");
    await workbench.view().getByTestId("run").click();
    await workbench.view().getByTestId("class-label").waitFor();
    await workbench.page.keyboard.press("Control+B");
  });
  after(() => rig.close());

  for (const [name, show] of Object.entries(screens)) {
    test(`has no accessibility violation in ${name}, and nothing wider than itself`, async (t) => {
      await show(rig).finally(() =>
        rig.workbench.page.screenshot({ path: join(shotsFolder("appearance"), `${name}.png`) }),
      );
      for (const theme of Object.keys(THEMES) as ThemeName[]) {
        await rig.setTheme(theme);
        for (const width of WIDTHS) {
          await t.test(`${theme}, ${width} px`, () => look(rig, name, theme, width));
        }
      }
    });
  }
});

/** Takes the picture first, so that there is one to look at when something is wrong. */
async function look(rig: Rig, name: string, theme: ThemeName, width: number): Promise<void> {
  const frame = await rig.setPageWidth(width);
  const { page } = rig.workbench;
  await page.screenshot({ path: join(shotsFolder("appearance"), `${name}-${theme}-${width}.png`) });
  const pictures = picturesFolder();
  if (pictures && name === "overview" && theme === "dark" && width === 1400) {
    await page.screenshot({ path: join(pictures, "overview.png") });
  }
  assert.deepEqual(await axeViolations(frame), []);
  assert.deepEqual(await frame.evaluate<string[]>(TOO_WIDE), []);
}
