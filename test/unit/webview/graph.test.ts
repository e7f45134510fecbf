import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { graphModel } from "../../fixtures/onnxGraphModel";
import { tempFolder } from "../store/storeKit";
import {
  closeScreens,
  inspectScreen,
  type OpenFile,
  openFile,
  startScreens,
  tabTo,
  unexpected,
  until,
  untilDrawn,
  untilFocused,
} from "./pageScreens";

const { path: folder, remove } = tempFolder();
const small = join(folder, "small.onnx");
const large = join(folder, "large.onnx");
const LARGE = 100_000;

before(async () => {
  writeFileSync(small, graphModel(40));
  writeFileSync(large, graphModel(LARGE));
  await startScreens();
});
after(async () => {
  await closeScreens();
  remove();
});

async function openGraph(path: string, options: Parameters<typeof openFile>[1] = {}): Promise<OpenFile> {
  const file = await openFile(path, options);
  await file.rig.page.getByTestId("section-tab-graph").click();
  await file.rig.page.getByTestId("graph-row").first().waitFor();
  return file;
}

function row(page: Page, text: RegExp) {
  return page.getByTestId("graph-row").filter({ hasText: text });
}

async function search(page: Page, query: string): Promise<void> {
  await page.getByTestId("graph-search").locator("input").fill(query);
}

test("a search finds nodes by what they are, and a badge shows one operator alone", async () => {
  await using file = await openGraph(small);
  const { page } = file.rig;
  await search(page, "layers.3 matmul");
  await page.getByTestId("graph-count").getByText("1 of 43").waitFor();
  assert.match((await row(page, /MatMul/).textContent()) ?? "", /12MatMul\/encoder\/layers\.3\/MatMul/);
  await search(page, "nothing like it");
  await page.getByTestId("graph-clear").click();
  await page.getByTestId("graph-op").filter({ hasText: "LeakyRelu" }).click();
  await page.getByTestId("graph-count").getByText("10 of 43").waitFor();
  assert.equal(await row(page, /MatMul/).count(), 0);
  const attributes = page.getByTestId("graph-attributes");
  assert.match((await attributes.textContent()) ?? "", /alpha float0\.1$/);
  assert.deepEqual(unexpected(file.rig), []);
});

test("a click on the row that is chosen already does not call the focus back when the table is scrolled", async () => {
  await using file = await openGraph(small);
  const { page } = file.rig;
  await page.getByTestId("graph-row").first().click();
  await page.getByTestId("graph-search").locator("input").focus();
  await page.evaluate(`document.querySelector('[data-testid="graph-row"]').closest('[role="grid"]').scrollTop = 600`);
  await page.locator('[data-row="35"]').waitFor();
  await untilDrawn(page);
  await untilFocused(page, "graph-search");
});

test("subgraphs and functions are entered and left with the keyboard alone, and the place is kept", async () => {
  await using file = await openGraph(small);
  const { page } = file.rig;
  await page.getByTestId("graph-search").locator("input").focus();
  await tabTo(page, "graph-row");
  await page.keyboard.press("ArrowDown");
  await page.getByTestId("graph-search").locator("input").focus();
  await page.keyboard.press("ArrowDown");
  await until(page, "document.activeElement?.dataset.row === '1'");
  await page.keyboard.press("End");
  await page.getByTestId("graph-node-op").getByText("local.Scale").waitFor();
  await page.keyboard.press("Enter");
  await page.getByTestId("graph-crumbs").getByText("local.Scale").waitFor();
  await row(page, /Mul.*x, factor/).waitFor();
  await untilFocused(page, "graph-row");
  await page.keyboard.press("Backspace");
  await page.getByTestId("graph-node-op").getByText("local.Scale").waitFor();
  await until(page, "document.activeElement?.dataset.row === '42'");
  for (const key of ["ArrowUp", "ArrowUp", "Enter"]) await page.keyboard.press(key);
  await page.getByTestId("graph-crumbs").getByText("then_branch_graph").waitFor();
  await page.getByTestId("graph-node-op").getByText("Mul").waitFor();
  await page.getByTestId("graph-producer").first().waitFor();
  // What the branch takes from around it leads out of it.
  await page.getByTestId("graph-producer").first().click();
  await page.getByTestId("graph-node-op").getByText("LeakyRelu").waitFor();
  await until(page, "document.activeElement?.dataset.row === '39'");
});

test("inputs and outputs of a node lead to where they come from and go", async () => {
  await using file = await openGraph(small);
  const { page } = file.rig;
  await row(page, /layers\.1\/MatMul/).click();
  const node = page.getByTestId("graph-node");
  await node.getByText("float32 [2, 2]").waitFor();
  assert.match((await node.textContent()) ?? "", /winitializer|w float32 \[2, 2\]initializer/);
  await page.getByTestId("graph-consumer").click();
  await page.getByTestId("graph-node-op").getByText("Add").waitFor();
  await page.getByTestId("graph-table-values").click();
  await row(page, /is_training.*bool.*\[\]/).waitFor();
  await page.getByTestId("graph-table-graphs").click();
  await row(page, /else_branch_graph.*If 40/).dblclick();
  await page.getByTestId("graph-crumbs").getByText("else_branch_graph").waitFor();
});

test("a graph of 100,000 nodes is walked through without being sent whole", async () => {
  await using file = await openGraph(large);
  const { page } = file.rig;
  assert.equal(await page.getByTestId("graph-table").getAttribute("aria-rowcount"), String(LARGE + 4));
  assert.ok((await page.getByTestId("graph-row").count()) < 100);
  await row(page, /layers\.0\/MatMul/).click();
  await page.keyboard.press("End");
  await row(page, /local\.Scale/).waitFor();
  await page.keyboard.press("Home");
  await row(page, /layers\.0\/MatMul/).waitFor();
  await page.evaluate(`document.querySelector("[data-testid=graph-table]").scrollTop = 24 * 50_000`);
  await row(page, /layers\.12500\/MatMul/).waitFor();
  await search(page, "layers.24999/act");
  await page.getByTestId("graph-count").getByText("1 of 100,003").waitFor();
});

test("Netron is opened with the file", async () => {
  await using file = await openGraph(small);
  await file.rig.page.getByTestId("graph-netron").click();
  for (let tries = 0; file.commands.length === 0 && tries < 100; tries++) await file.rig.page.waitForTimeout(20);
  assert.deepEqual(file.commands, [`netron ${small}`]);
});

test("the section fits every width and theme", async () => {
  for (const theme of ["dark", "light", "contrast"] as const) {
    for (const width of [280, 700, 1400]) {
      await using file = await openGraph(small, { theme, width });
      const { page } = file.rig;
      await row(page, /layers\.0\/MatMul/).click();
      await page.getByTestId("graph-producer").or(page.getByTestId("graph-consumer")).first().waitFor();
      await inspectScreen(file.rig, `${theme}-${width}-graph`);
      await row(page, /layers\.0\/MatMul/).focus();
      await page.keyboard.press("End");
      await page.getByTestId("graph-node-op").getByText("local.Scale").waitFor();
      await page.keyboard.press("ArrowUp");
      await page.getByTestId("graph-node-op").getByText("Constant").waitFor();
      await inspectScreen(file.rig, `${theme}-${width}-graph-end`);
    }
  }
});
