import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Locator } from "playwright-core";
import { axeViolations } from "./axe";
import { runPython, type SavedByPython } from "./bentoml";
import { openRig, picturesFolder, type Rig, shotsFolder, THEMES, type ThemeName } from "./rig";

/** The interpreter with the real frameworks. */
const PYTHON = join(process.cwd(), ".tools/venv/bin/python");

/** What starting Python and importing jax takes on a busy machine. */
const COLD_MS = 60_000;

/** How long a process may live after its window was loaded anew. */
const ORPHAN_MS = 3_000;

const WIDTHS = { narrow: 280, wide: 1100 } as const;

interface Saved extends SavedByPython {
  readonly price?: number;
}

/** Models that the real BentoML saved; one window: every step starts from what the one before left. */
suite("models that run in Python, in the real window", () => {
  let rig: Rig;
  const saved = new Map<string, Saved>();

  before(async () => {
    rig = await openRig(undefined, { env: { VIRTUAL_ENV: dirname(dirname(PYTHON)) } });
    for await (const model of runPython("savePythonModels.py", rig.store, [])) {
      saved.set(model.tag.split(":")[0] ?? "", model);
    }
    assert.deepEqual([...saved.keys()], ["iris_forest", "price_rule", "digits_net"]);
    await rig.workbench.openContainer("Modelbench");
  });
  after(() => rig.close());

  const byId = (id: string): Locator => rig.workbench.view().getByTestId(id);
  const shoot = (name: string) => rig.workbench.page.screenshot({ path: join(shotsFolder("python"), `${name}.png`) });
  const versionOf = (name: string): string => saved.get(name)?.tag.split(":")[1] ?? "";

  /** Opens the test of a model's only version. */
  async function openTest(name: string): Promise<void> {
    const { workbench } = rig;
    await workbench.testModel(workbench.row(new RegExp(`^${versionOf(name)}`)), name);
    await byId("run").waitFor();
  }

  /** Answers the question whether a model's code may run, and says what it told. */
  async function answerQuestion(button: string): Promise<string> {
    await byId("allow").click();
    const question = rig.workbench.page.locator(".monaco-dialog-box");
    await question.waitFor();
    const told = (await question.textContent()) ?? "";
    await rig.workbench.dialog(button);
    await question.waitFor({ state: "detached" });
    return told;
  }

  /** Processes of Python in this rig. */
  function pythons(): string[] {
    const home = dirname(rig.store);
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((name) => {
        // The extension, and with it the worker, is installed below the rig's home.
        const line = textOf(`/proc/${name}/cmdline`);
        return line.includes(home) && line.includes("dist/python");
      });
  }

  const left = (pids: readonly string[]): number => pythons().filter((pid) => pids.includes(pid)).length;

  /** Waits until fewer than so many are there: a model that runs apart has several. */
  async function untilFewerPythons(count: number): Promise<void> {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline && pythons().length >= count; ) {
      await rig.workbench.page.waitForTimeout(100);
    }
    assert.ok(pythons().length < count, `${pythons().length} processes`);
  }

  test("nothing runs before it is allowed, and the card says what there is to decide", async () => {
    await openTest("iris_forest");
    await byId("consent").waitFor();
    assert.match((await byId("consent").textContent()) ?? "", /[0-9a-f]{8}/);
    assert.equal(await isDisabled(byId("run")), true);
    await byId("python-line").filter({ hasText: PYTHON }).waitFor();
    assert.deepEqual(pythons(), []);
    await shoot("consent-needed");
  });

  test("refused, it stays refused", async () => {
    const told = await answerQuestion("Do Not Allow");
    assert.match(told, /iris_forest/);
    await byId("consent").waitFor();
    assert.equal(await isDisabled(byId("run")), true);
    assert.deepEqual(pythons(), []);
  });

  for (const theme of Object.keys(THEMES) as ThemeName[]) {
    test(`the card looks as it should and has no accessibility violation, ${theme}`, async () => {
      await rig.setTheme(theme);
      for (const [name, width] of Object.entries(WIDTHS)) {
        const frame = await rig.setPageWidth(width);
        await shoot(`consent-${theme}-${name}`);
        assert.deepEqual(await axeViolations(frame), [], `${theme} ${name}`);
      }
    });
  }

  test("a forest of scikit-learn, allowed, answers as it does in Python, and says what ran where", async () => {
    await rig.setTheme("light");
    await answerQuestion("Allow This Code");
    await byId("consent-given").waitFor();
    await byId("run").click();
    await byId("class-output").filter({ hasText: "virginica" }).waitFor({ timeout: COLD_MS });
    await byId("loaded-summary").click();
    await byId("loaded-rows").filter({ hasText: PYTHON }).waitFor();
    assert.equal(pythons().length > 0, true);
    await shoot("sklearn");
  });

  test("eight requests form batches, whose picture shows who waited for whom", async () => {
    await byId("copies").locator("input").fill("8");
    await byId("send").click();
    await byId("reply-at").filter({ hasText: "8" }).waitFor();
    await shoot("batches");
    const pictures = picturesFolder();
    if (pictures) copyFileSync(join(shotsFolder("python"), "batches.png"), join(pictures, "python.png"));
  });

  test("an object's method takes arguments by name, and its answer is no array", async () => {
    await openTest("price_rule");
    await answerQuestion("Allow This Code");
    await byId("consent-given").waitFor();
    await byId("run").click();
    await byId("plain-output")
      .filter({ hasText: String(saved.get("price_rule")?.price) })
      .waitFor({ timeout: COLD_MS });
    await shoot("picklable");
  });

  test("a net of Flax answers what it answers in Python", async () => {
    await openTest("digits_net");
    await answerQuestion("Allow This Code");
    await byId("run").click();
    await byId("output-output").waitFor({ timeout: COLD_MS });
    const [wanted = []] = saved.get("digits_net")?.answer ?? [];
    await byId("output-0-output-tab-raw").click();
    const [shown = []] = JSON.parse((await byId("raw-output").textContent()) ?? "") as number[][];
    assert.equal(shown.length, wanted.length);
    for (const [i, value] of wanted.entries()) assert.ok(Math.abs(value - (shown[i] ?? Number.NaN)) < 1e-6, `${i}`);
    await shoot("flax");
  });

  test("what was allowed is listed, and taken back there", async () => {
    const { workbench } = rig;
    await workbench.command("Modelbench: Allowed Model Code…");
    await workbench.page.locator(".quick-input-list .monaco-list-row", { hasText: "price_rule" }).waitFor();
    await shoot("allowed");
    await workbench.page.keyboard.press("Escape");
    const before = pythons().length;
    await openTest("price_rule");
    await byId("revoke").click();
    await byId("consent").waitFor();
    await untilFewerPythons(before);
  });

  test("a changed byte asks again", async () => {
    appendFileSync(join(rig.store, "models/iris_forest", versionOf("iris_forest"), "saved_model.pkl"), "#");
    await openTest("iris_forest");
    await byId("consent").waitFor();
    assert.equal(await isDisabled(byId("run")), true);
  });

  test("no process outlives its window", async () => {
    const { workbench } = rig;
    await openTest("digits_net");
    await byId("run").click();
    await byId("output-output").waitFor({ timeout: COLD_MS });
    const before = pythons();
    assert.ok(before.length > 0);
    await workbench.reload();
    for (const deadline = Date.now() + ORPHAN_MS; Date.now() < deadline && left(before) > 0; ) {
      await workbench.page.waitForTimeout(50);
    }
    assert.equal(left(before), 0);
    // The page that comes back starts another one ahead, which is listed like any other.
    for (const deadline = Date.now() + COLD_MS; Date.now() < deadline && pythons().length === 0; ) {
      await workbench.page.waitForTimeout(100);
    }
    await workbench.page.locator(".statusbar-item", { hasText: "1 model loaded" }).waitFor();
  });

  test("no process is left once the models are unloaded", async () => {
    await rig.workbench.command("Modelbench: Unload All Models");
    await untilFewerPythons(1);
  });
});

/** As a screen reader tells it: the button keeps its place in the order of the Tab key. */
async function isDisabled(button: Locator): Promise<boolean> {
  return (await button.getAttribute("aria-disabled")) === "true" || (await button.getAttribute("disabled")) !== null;
}

/** What a file says; nothing when it is gone or another's. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
