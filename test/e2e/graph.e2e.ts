import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Frame } from "playwright-core";
import { graphModel } from "../fixtures/onnxGraphModel";
import { axeViolations } from "./axe";
import { openRig, type Rig, shotsFolder, THEMES, type ThemeName } from "./rig";

const shots = shotsFolder("graph");
const NODES = 10_000;

/** An ONNX file of the Explorer: its graph is searched and gone through in the real window. */
suite("the graph of an ONNX model", () => {
  let rig: Rig;
  before(async () => {
    // Written before the window opens: the Explorer may not be watching yet when it is there.
    rig = await openRig((store) => {
      const folder = join(dirname(store), "work");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "encoder.onnx"), graphModel(NODES));
    });
    const { workbench } = rig;
    const editor = workbench.page.locator(".quick-input-list .monaco-list-row", { hasText: "Model File (Modelbench)" });
    // The first menu of a window may take the click that opens the list for one that closes it.
    for (let attempt = 0; attempt < 4 && !(await editor.isVisible()); attempt++) {
      await workbench.contextMenu(workbench.row(/^encoder\.onnx$/), "Open With...");
      await editor.waitFor({ timeout: 3000 }).catch(() => undefined);
    }
    await editor.click();
    await workbench.view().getByTestId("section-tab-graph").click();
    await workbench.view().getByTestId("graph-row").first().waitFor();
  });
  after(() => rig.close());

  const row = (text: RegExp) => rig.workbench.view().getByTestId("graph-row").filter({ hasText: text });
  const focused = (frame: Frame): Promise<string | undefined> => frame.evaluate("document.activeElement?.dataset.row");

  test("an operator is searched, and its node shows what it connects to", async () => {
    const view = rig.workbench.view();
    await view.getByTestId("graph-search").locator("input").fill("layers.2000 leakyrelu");
    await view.getByTestId("graph-count").getByText("1 of 10,003").waitFor();
    await row(/layers\.2000\/act/).click();
    await view.getByTestId("graph-attributes").getByText("0.1").waitFor();
    await view.getByTestId("graph-consumer").click();
    await view.getByTestId("graph-node-op").getByText("MatMul").waitFor();
    assert.equal(await focused(await rig.workbench.frame()), "8004");
    await rig.workbench.page.screenshot({ path: join(shots, "jumped.png") });
  });

  test("a subgraph is entered and left by keyboard", async () => {
    const { page } = rig.workbench;
    const view = rig.workbench.view();
    await page.keyboard.press("End");
    await row(/local\.Scale/).waitFor();
    for (let up = 0; up < 2; up++) await page.keyboard.press("ArrowUp");
    await view.getByTestId("graph-node-op").getByText("If").waitFor();
    await page.keyboard.press("Enter");
    await view.getByTestId("graph-crumbs").getByText("then_branch_graph").waitFor();
    await row(/head\/then_branch\/Mul/).waitFor();
    await view.getByTestId("graph-producer").getByText("LeakyRelu 9999").waitFor();
    await page.screenshot({ path: join(shots, "subgraph.png") });
    await page.keyboard.press("Backspace");
    await view.getByTestId("graph-node-op").getByText("If").waitFor();
    assert.equal(await focused(await rig.workbench.frame()), "10000");
  });

  test("without its extension Netron is not offered", async () => {
    assert.equal(await rig.workbench.view().getByTestId("graph-netron").count(), 0);
  });

  test("hidden and shown again, the place in the graph is the same", async () => {
    const { workbench } = rig;
    await workbench.command("File: New Untitled Text File");
    await workbench.command("View: Open Previous Recently Used Editor in Group");
    await workbench.page.keyboard.press("Enter");
    await workbench.view().getByTestId("graph-node-op").getByText("If").waitFor();
  });

  for (const theme of Object.keys(THEMES) as ThemeName[]) {
    test(`in ${theme} it is drawn for any width, and axe finds nothing`, async () => {
      await rig.setTheme(theme);
      for (const width of [280, 900, 1400]) {
        const frame = await rig.setPageWidth(width);
        await rig.workbench.view().getByTestId("graph-enter").first().waitFor();
        await rig.workbench.page.screenshot({ path: join(shots, `${theme}-${width}.png`) });
        assert.deepEqual(await axeViolations(frame), [], `${theme} ${width}`);
      }
    });
  }
});
