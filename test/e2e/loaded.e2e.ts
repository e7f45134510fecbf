import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Locator } from "playwright-core";
import { openRig, type Rig, shotsFolder, THEMES, type ThemeName } from "./rig";

/** How long a process may live after its window was loaded anew. */
const ORPHAN_MS = 3_000;

const RELOADS = process.env["MODELBENCH_SOAK"] ? 50 : 3;

/** What a busy machine takes to have the extension running again. */
const RELOADED_MS = 60_000;

/** One window: every step starts from what the one before left. */
suite("the view of loaded models", () => {
  let rig: Rig;
  before(async () => {
    rig = await openRig();
    const { workbench } = rig;
    await workbench.openSampleStore();
    await workbench.row(/^v2latest/).waitFor();
  });
  after(() => rig.close());

  const iris = (): Locator => rig.workbench.row(/^iris_clf:v2/);
  const digits = (): Locator => rig.workbench.row(/^digits:v1/);
  const shoot = (name: string) =>
    rig.workbench.page.screenshot({ path: join(shotsFolder("loaded"), `${name.replace(/\W+/g, "-")}.png`) });

  /** The processes of models in this rig, and no other's. */
  function runners(): number[] {
    const home = dirname(rig.store);
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && textOf(`/proc/${name}/cmdline`).includes(home))
      .filter((name) => textOf(`/proc/${name}/cmdline`).includes("runner.cjs"))
      .map(Number);
  }

  /** Waits until just so many processes of models are there; answers with them. */
  async function untilRunners(count: number, withinMs = 20_000): Promise<number[]> {
    for (const deadline = Date.now() + withinMs; Date.now() < deadline; ) {
      if (runners().length === count) break;
      await rig.workbench.page.waitForTimeout(50);
    }
    assert.equal(runners().length, count);
    return runners();
  }

  async function load(tag: string): Promise<void> {
    const { workbench } = rig;
    await workbench.command("Modelbench: Load Model…");
    await workbench.page.locator(".quick-input-title", { hasText: "Load which model?" }).waitFor();
    await workbench.pick(tag);
  }

  test("is folded at first, and says in words that nothing is loaded", async () => {
    const { page } = rig.workbench;
    const header = page.locator(".sidebar .pane-header", { hasText: "Loaded Models" });
    assert.equal(await header.getAttribute("aria-expanded"), "false");
    await header.click();
    await rig.workbench.welcomeButton("Load Model…").waitFor();
    await shoot("empty");
  });

  test("lists both models that were loaded, with state, memory and device, in words for a screen reader", async () => {
    const { workbench } = rig;
    await workbench.contextMenu(workbench.row(/^v2latest/), "Load Model…");
    await iris()
      .filter({ hasText: /MiB · unloads/ })
      .waitFor();
    const header = workbench.page.locator(".sidebar .pane-header", { hasText: "Loaded Models" });
    await header.hover();
    await header.locator('.action-label[aria-label^="Load Model"]').click();
    await workbench.pick("digits:v1");
    await digits()
      .filter({ hasText: /MiB · unloads/ })
      .waitFor();
    assert.match((await iris().textContent()) ?? "", /\d+ MiB · unloads in (9|10) min · cpu · 0 answered/);
    const spoken = (await digits().getAttribute("aria-label")) ?? "";
    assert.match(
      spoken,
      /digits:v1, ready, \d+ MiB of memory, unloads in (9|10) minutes, device: cpu, 0 requests answered/,
    );
    await untilRunners(2);
    await workbench.page.locator(".statusbar-item", { hasText: "2 models loaded" }).waitFor();
  });

  for (const theme of Object.keys(THEMES) as ThemeName[]) {
    test(`looks as it should in ${theme}`, async () => {
      await rig.setTheme(theme);
      await iris().hover();
      await shoot(theme);
    });
  }

  test("opens the test of a model by a click, and counts the request that was answered", async () => {
    const { workbench } = rig;
    await iris().click();
    await workbench.view().getByTestId("run").click();
    await workbench.view().getByTestId("class-label").waitFor();
    await iris().filter({ hasText: "1 answered" }).waitFor();
    await shoot("answered");
  });

  test("restarts one model in a process of its own anew, and leaves the other alone", async () => {
    const { workbench } = rig;
    const before = await untilRunners(2);
    await workbench.rowAction(iris(), "Restart Model");
    await iris().filter({ hasText: "0 answered" }).waitFor();
    const both = await untilRunners(2);
    assert.equal(both.filter((pid) => before.includes(pid)).length, 1);
  });

  test("says why a model failed whose process is killed again and again, and a restart brings it back", async () => {
    const { workbench } = rig;
    await workbench.command("Modelbench: Unload All Models");
    await untilRunners(0);
    await load("iris_clf:v2");
    await iris().filter({ hasText: "unloads" }).waitFor();
    const failed = iris().filter({ hasText: "failed: the runner process was killed from outside" });
    while (!(await failed.isVisible())) {
      for (const pid of runners()) process.kill(pid, "SIGKILL");
      await workbench.page.waitForTimeout(100);
    }
    await workbench.page.locator(".statusbar-item", { hasText: "loaded" }).waitFor({ state: "detached" });
    await shoot("failed");
    await workbench.rowAction(iris(), "Restart Model");
    await iris().filter({ hasText: "unloads" }).waitFor();
    await load("digits:v1");
    await digits().filter({ hasText: "unloads" }).waitFor();
    await untilRunners(2);
  });

  test("unloads one model by keys alone", async () => {
    const { workbench } = rig;
    const { page } = workbench;
    await workbench.command("Modelbench: Focus on Loaded Models View");
    await page.locator(".sidebar .monaco-list:focus-within", { hasText: /iris_clf:v2/ }).waitFor();
    await page.keyboard.press("Home");
    const focused = page.locator(".sidebar .monaco-list:focus-within .monaco-list-row.focused");
    if (!(await focused.textContent())?.startsWith("digits")) await page.keyboard.press("ArrowDown");
    await focused.filter({ hasText: /^digits/ }).waitFor();
    await page.keyboard.press("Delete");
    await digits().waitFor({ state: "detached" });
    await iris().waitFor();
    await untilRunners(1);
  });

  test("unloads all of them", async () => {
    const { workbench } = rig;
    await load("digits:v1");
    await digits().waitFor();
    await workbench.command("Modelbench: Unload All Models");
    await workbench.welcomeButton("Load Model…").waitFor();
    await workbench.page.locator(".statusbar-item", { hasText: "loaded" }).waitFor({ state: "detached" });
    await untilRunners(0);
  });

  for (let round = 1; round <= RELOADS; round++) {
    test(`leaves no process behind when the window is loaded anew, time ${round}`, async () => {
      const { workbench } = rig;
      // The rows of the models come when the extension is there again.
      await workbench.row(/^v2latest/).waitFor({ timeout: RELOADED_MS });
      await load("iris_clf:v2");
      await load("digits:v1");
      await digits().filter({ hasText: "unloads" }).waitFor();
      await untilRunners(2);
      await workbench.reload();
      await untilRunners(0, ORPHAN_MS);
    });
  }
});

/** What a file says; nothing when it is gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
