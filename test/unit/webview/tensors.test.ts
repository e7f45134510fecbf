import assert from "node:assert/strict";
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import type { Jobs } from "../../../src/base/ports";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { oddTensors, writeSafetensors } from "../../fixtures/oddTensors";
import { tempFolder } from "../store/storeKit";
import {
  closeScreens,
  inspectScreen,
  openFile,
  startScreens,
  tabTo,
  textOf,
  unexpected,
  until,
  untilDrawn,
  untilEqual,
  untilFocused,
  untilText,
} from "./pageScreens";

const { path: folder, remove } = tempFolder();
const odd = join(folder, "odd.safetensors");

before(async () => {
  writeSafetensors(odd, oddTensors);
  await startScreens();
});
after(async () => {
  await closeScreens();
  remove();
});

/** The tensors of a file, listed. */
async function openTensors(
  path: string,
  ...rest: Parameters<typeof openFile> extends [string, ...infer R] ? R : never
) {
  const file = await openFile(path, ...rest);
  await file.rig.page.getByTestId("section-tab-tensors").click();
  await file.rig.page.getByTestId("tensor-line").first().waitFor();
  return file;
}

async function choose(page: Page, label: string): Promise<void> {
  await page.getByTestId("tensors-search").locator("input").fill(label);
  await page
    .getByTestId("tensor-line")
    .filter({ hasText: label.split(".").at(-1) ?? "" })
    .last()
    .click();
  await page.getByTestId("tensor-name").getByText(label, { exact: true }).waitFor();
}

/** The texts of the cells that are drawn, as soon as they are there. */
async function cellsOf(page: Page): Promise<string[]> {
  const cells = page.getByTestId("slice").getByRole("gridcell");
  await cells.first().waitFor();
  await until(
    page,
    `![...document.querySelectorAll('[data-testid="slice"] [role="gridcell"]')].some((c) => c.textContent === "…")`,
  );
  return cells.allTextContents();
}

describe("the list", () => {
  test("groups tensors by their names, with what is in each group, and finds them by name, type and shape", async () => {
    await using file = await openTensors(odd);
    const { page } = file.rig;
    await untilText(page.getByTestId("tensors-count"), /^9 of 9 · 527 parameters · 2\.08 KiB$/);
    const lines = await page.getByTestId("tensor-line").allTextContents();
    assert.match(lines[0] ?? "", /encoder\.layers512 parameters/);
    assert.match(
      (await page.getByTestId("tensor-line").first().getAttribute("title")) ?? "",
      /4 tensors, 512 parameters/,
    );
    await page.getByTestId("tensors-search").locator("input").fill("f32 [4, 3");
    await page.getByTestId("tensors-count").getByText("1 of 9").waitFor();
    await page.getByTestId("tensors-search").locator("input").fill("nowhere");
    await page.getByTestId("tensors-nothing").waitFor();
    await page.getByTestId("tensors-search").locator("input").fill("");
    await page.getByTestId("tensors-flat").click();
    await page.getByTestId("tensor-line").filter({ hasText: "encoder.layers.0.conv.weight" }).waitFor();
    await page.getByTestId("tensors-order").click();
    await page.getByTestId("tensors-order").getByText("By size").click();
    await page.getByTestId("tensor-line").first().getByText("encoder.layers.0.conv.weight").waitFor();
    assert.deepEqual(unexpected(file.rig), []);
  });

  test("is walked, opened and searched by keys alone", async () => {
    await using file = await openTensors(odd);
    const { page } = file.rig;
    const active = (): Promise<string> =>
      page.evaluate(
        `document.getElementById(document.activeElement.getAttribute("aria-activedescendant")).textContent`,
      );
    await tabTo(page, "tensors-tree");
    await page.keyboard.press("End");
    assert.match(await active(), /^scale/);
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowLeft");
    await until(page, `document.querySelector('[role="treeitem"]').getAttribute("aria-expanded") === "false"`);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    assert.match(await active(), /^▾0\.conv/);
    await page.keyboard.type("bi");
    assert.match(await active(), /^bias/);
    await page.keyboard.press("Enter");
    await page.getByTestId("tensor-name").getByText("encoder.layers.0.conv.bias").waitFor();
    await untilFocused(page, "tensors-tree");
  });
});

describe("values", () => {
  test("a tensor of four axes is sliced with the keyboard alone", async () => {
    await using file = await openTensors(odd);
    const { page } = file.rig;
    await tabTo(page, "tensors-tree");
    await page.keyboard.type("we");
    await page.keyboard.press("Enter");
    await page.getByTestId("tensor-name").getByText("encoder.layers.0.conv.weight").waitFor();
    assert.equal((await cellsOf(page))[0], "-100.5");
    await tabTo(page, "axis-0-slider");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await tabTo(page, "axis-1-number");
    await page.keyboard.press("ArrowUp");
    await until(page, `document.querySelector('[data-testid="slice-place"]').textContent.startsWith("[2, 1, 0, 0]")`);
    assert.equal((await cellsOf(page))[0], String(2 * 90 + 30 - 100.5));
    await tabTo(page, "axis-rows");
    await untilFocused(page, "axis-rows");
  });

  test("axes can be exchanged and chosen, and a cell is gone to", async () => {
    await using file = await openTensors(odd);
    const { page } = file.rig;
    await choose(page, "encoder.layers.0.conv.weight");
    await page.getByTestId("axis-rows").click();
    await page.getByTestId("axis-rows").getByText("axis 3 (6)").click();
    await until(page, `document.querySelector('[data-testid="slice"]').getAttribute("aria-rowcount") === "7"`);
    await page.getByTestId("goto-row").fill("5");
    await page.getByTestId("goto-column").fill("4");
    await page.keyboard.press("Enter");
    await until(page, `document.activeElement.textContent === "${29 - 100.5}"`);
    assert.equal(await textOf(page.getByTestId("slice-place")), `[0, 0, 4, 5] = ${29 - 100.5}`);
  });

  test("arrive exactly: NaN, infinities, negative zero, 64-bit integers, bfloat16 and float16", async () => {
    await using file = await openTensors(odd);
    const { page } = file.rig;
    await choose(page, "head.odd");
    assert.deepEqual(await cellsOf(page), ["NaN", "Infinity", "-Infinity", "-0", "0.30000000000000004", "1e+300"]);
    await untilText(page.getByTestId("stats-figures"), /NaN\s+1\s+±Inf\s+2\s+Zeros\s+1/);
    await choose(page, "head.big");
    assert.deepEqual(await cellsOf(page), ["9223372036854775807", "-9007199254740993", "0"]);
    await untilText(page.getByTestId("stats-figures"), /Min\s+-9007199254740993\s+Max\s+9223372036854775807/);
    await choose(page, "head.brain");
    assert.deepEqual(await cellsOf(page), ["0.1", "-0", "NaN", "Infinity", "9e-41"]);
    assert.equal(await textOf(page.getByTestId("slice-place")), "[0] = 0.10009765625");
    await choose(page, "encoder.layers.10.conv.weight");
    assert.deepEqual(await cellsOf(page), ["0.1", "-Infinity", "NaN", "6e-8"]);
  });

  test("a scalar, a tensor without elements and leaves that are no arrays each have their form", async () => {
    await using file = await openTensors(odd);
    const { page } = file.rig;
    await choose(page, "scale");
    assert.deepEqual(await cellsOf(page), ["0.25"]);
    await choose(page, "head.empty");
    await untilText(page.getByTestId("tensor-empty"), /\[0, 4\] has no elements/);
    await using scalars = await openTensors(resolve("test/fixtures/vectors/flax/scalars.msgpack"));
    const lines = scalars.rig.page.getByTestId("tensor-line");
    assert.ok((await lines.count()) > 5);
    await lines.filter({ hasText: /str/ }).first().click();
    await scalars.rig.page.getByTestId("leaf-value").waitFor();
    assert.notEqual(await textOf(scalars.rig.page.getByTestId("leaf-value")), "…");
  });

  test("a file cut while it is open says so, and is read again when it is whole", async () => {
    const path = join(folder, "cut.safetensors");
    writeSafetensors(path, oddTensors);
    await using file = await openTensors(path);
    const { page } = file.rig;
    await choose(page, "head.odd");
    await cellsOf(page);
    truncateSync(path, 600);
    await choose(page, "encoder.layers.0.conv.weight").catch(() => undefined);
    const failed = page.locator(
      '[data-testid="slice-error"], [data-testid="content-error"], [data-testid="file-broken"], [data-testid="tensors-error"]',
    );
    await failed.first().waitFor();
    copyFileSync(odd, path);
    await page
      .getByTestId(/-retry$/)
      .first()
      .click();
    await page.getByTestId("section-tab-tensors").click();
    await choose(page, "head.big");
    assert.equal((await cellsOf(page))[0], "9223372036854775807");
  });
});

describe("taking values out", () => {
  test("a selection is copied as CSV, a slice as JSON, a whole tensor is saved as .npy", async () => {
    const target = join(folder, "weight.npy");
    await using file = await openTensors(odd, {}, {}, () => target);
    const { page } = file.rig;
    await choose(page, "encoder.layers.0.conv.weight");
    await cellsOf(page);
    await page.getByTestId("slice").getByRole("gridcell").first().click();
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Shift+ArrowDown");
    await page.getByTestId("export-size").getByText("2 × 2").waitFor();
    await page.getByTestId("export-copy").click();
    await page
      .getByTestId("export-done")
      .getByText(/Copied/)
      .waitFor();
    assert.deepEqual(file.copied, ["-100.5,-99.5\r\n-94.5,-93.5\r\n"]);
    await page.getByTestId("export-scope").click();
    await page.getByTestId("export-scope").getByText("Whole tensor").click();
    await page.getByTestId("export-format").click();
    await page.getByTestId("export-format").getByText("NPY").click();
    await page.getByTestId("export-save").click();
    await page
      .getByTestId("export-done")
      .getByText(/Saved weight\.npy/)
      .waitFor();
    assert.match(readFileSync(target).toString("latin1"), /'<f4'.*\(4, 3, 5, 6\)/);
  });

  test("a save that is dismissed says nothing, one that fails says why", async () => {
    let target: string | undefined;
    await using file = await openTensors(odd, {}, {}, () => target);
    const { page } = file.rig;
    await choose(page, "scale");
    await page.getByTestId("export-save").click();
    await until(page, `document.querySelector('[data-testid="export-done"]').textContent === ""`);
    target = join(folder, "no", "such", "folder.csv");
    await page.getByTestId("export-save").click();
    await page.getByTestId("export-error").waitFor();
  });
});

test("a click on the cell that is active already does not call the focus back when the values are scrolled", async () => {
  const path = join(folder, "tall.safetensors");
  writeSafetensors(path, { tall: ["I32", [400, 2], Int32Array.from({ length: 800 }, (_, i) => i)] });
  await using file = await openTensors(path);
  const { page } = file.rig;
  await choose(page, "tall");
  await cellsOf(page);
  await page.getByTestId("slice").getByRole("gridcell").first().click();
  await page.getByTestId("tensors-search").locator("input").focus();
  await page.evaluate(`document.querySelector('[data-testid="slice"]').scrollTop = 4000`);
  await page.getByTestId("slice").getByRole("gridcell", { name: "400", exact: true }).waitFor();
  await untilDrawn(page);
  await untilFocused(page, "tensors-search");
});

describe("large ones", () => {
  test("a tensor of two million rows draws what is seen and is gone to the end of", async () => {
    const path = join(folder, "long.safetensors");
    const rows = 2_000_000;
    writeSafetensors(path, { long: ["I32", [rows, 2], Int32Array.from({ length: rows * 2 }, (_, i) => i)] });
    await using file = await openTensors(path);
    const { page } = file.rig;
    await choose(page, "long");
    await page.getByTestId("stats-read").waitFor();
    await cellsOf(page);
    await page.getByTestId("slice").getByRole("gridcell").first().click();
    await page.keyboard.press("Control+End");
    await until(page, `document.activeElement.textContent === "${rows * 2 - 1}"`);
    assert.ok((await page.getByTestId("slice").getByRole("gridcell").count()) < 120);
    await page.keyboard.press("ArrowUp");
    await until(page, `document.activeElement.textContent === "${rows * 2 - 3}"`);
    await page.getByTestId("stats-read").click();
    await page.getByTestId("histogram").waitFor();
  });

  test("40,000 tensors are listed, searched and walked", async () => {
    const path = join(folder, "many.safetensors");
    const one = Float32Array.of(1);
    const names = Array.from({ length: 40_000 }, (_, i) => `block.${Math.floor(i / 100)}.unit.${i % 100}.w`);
    writeSafetensors(path, Object.fromEntries(names.map((name) => [name, ["F32", [1], one] as const])));
    await using file = await openTensors(path);
    const { page } = file.rig;
    await page.getByTestId("tensors-count").getByText("40,000 of 40,000").waitFor();
    await page.getByTestId("tensors-search").locator("input").fill("block.399.unit.99.");
    await page.getByTestId("tensors-count").getByText("1 of 40,000").waitFor();
    await page.getByTestId("tensors-search").locator("input").fill("");
    await page.getByTestId("tensors-flat").click();
    await page.getByTestId("tensors-tree").focus();
    await page.keyboard.press("End");
    await until(
      page,
      `[...document.querySelectorAll('[role="treeitem"]')].some((l) => l.textContent.includes("block.399.unit.99.w"))`,
    );
    assert.ok((await page.getByRole("treeitem").count()) < 80);
  });
});

for (const theme of ["dark", "light", "contrast"] as const) {
  for (const width of [280, 1400]) {
    test(`${theme}, ${width} px: values, heat map and odd values without an accessibility violation`, async () => {
      await using file = await openTensors(odd, { theme, width });
      const { page } = file.rig;
      await inspectScreen(file.rig, `${theme}-${width}-tensors-list`);
      await choose(page, "encoder.layers.0.conv.weight");
      await page.getByTestId("tensors-search").locator("input").fill("");
      await cellsOf(page);
      await page.getByTestId("tensor-heat").click();
      await page.getByTestId("heat-map").waitFor();
      await page.getByTestId("histogram").waitFor();
      await inspectScreen(file.rig, `${theme}-${width}-tensors`);
      await choose(page, "head.odd");
      await cellsOf(page);
      await page.getByTestId("histogram-table").click();
      await inspectScreen(file.rig, `${theme}-${width}-tensors-odd`);
      assert.deepEqual(unexpected(file.rig), []);
    });
  }
}

test("figures that were read stay as long as the file does, whatever makes the page look again", async () => {
  const path = join(folder, "busy.safetensors");
  copyFileSync(odd, path);
  const asked: string[] = [];
  const real = inProcessJobs();
  const jobs: Jobs = {
    run(job, input, options) {
      asked.push(job.name);
      return real.run(job, input, options);
    },
  };
  await using file = await openTensors(path, {}, { jobs });
  const { page, peer } = file.rig;
  const count = (name: string): number => asked.filter((one) => one === name).length;
  await choose(page, "head.odd");
  await page.getByTestId("stats-figures").waitFor();
  const before = count("tensor.statistics");
  const described = count("content.describe");
  // As when another version of a model's name is saved.
  peer.send("content/changed", {});
  await untilEqual(() => count("content.describe") > described, true);
  await untilDrawn(page);
  assert.equal(count("tensor.statistics"), before);
  writeFileSync(path, readFileSync(path));
  peer.send("content/changed", {});
  await untilEqual(() => count("tensor.statistics") > before, true);
});

test("what was looked at is there again after a reload, and a tensor that is gone is named", async () => {
  const path = join(folder, "kept.safetensors");
  writeSafetensors(path, oddTensors);
  const first = await openTensors(path);
  await choose(first.rig.page, "encoder.layers.0.conv.weight");
  await first.rig.page.getByTestId("axis-0-number").fill("3");
  await first.rig.page.getByTestId("slice-place").getByText("[3, 0, 0, 0]").waitFor();
  const saved = await first.rig.saved();
  await first[Symbol.asyncDispose]();
  await using again = await openFile(path, { saved });
  await again.rig.page.getByTestId("slice-place").getByText("[3, 0, 0, 0]").waitFor();
  const { scale, ...others } = oddTensors;
  assert.ok(scale);
  writeSafetensors(path, { only: scale, "head.odd": others["head.odd"] ?? scale });
  await using changed = await openFile(path, { saved });
  await changed.rig.page.getByTestId("tensor-lost").waitFor();
  writeFileSync(path, "");
});
