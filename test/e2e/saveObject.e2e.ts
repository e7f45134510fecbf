import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Locator } from "playwright-core";
import { axeViolations } from "./axe";
import { realList } from "./bentoml";
import { openRig, type Rig, shotsFolder, type ThemeName } from "./rig";

/** The interpreter with the real frameworks. */
const PYTHON = join(process.cwd(), ".tools/venv/bin/python");

/** What starting Python, importing scikit-learn and training takes on a busy machine. */
const COLD_MS = 60_000;

const THEMES: readonly ThemeName[] = ["light", "highContrast"];
const WIDTHS = [280, 1100] as const;

const SCRIPT = `"""Trains a classifier of irises."""

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

flowers, kinds = load_iris(return_X_y=True)
classifier = LogisticRegression(max_iter=500).fit(flowers, kinds)
`;

const FLOWERS = "[[5.9, 3.0, 5.1, 1.8], [5.1, 3.5, 1.4, 0.2]]";

/** One window: every step starts from what the one before left. */
suite("an object of the user's own Python file, in the real window", () => {
  let rig: Rig;
  let commit = "";

  before(async () => {
    rig = await openRig(undefined, { env: { VIRTUAL_ENV: dirname(dirname(PYTHON)) } });
    const script = join(rig.folder, "train.py");
    writeFileSync(script, SCRIPT);
    git("init", "--initial-branch=trunk");
    git("add", "train.py");
    git("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--message=Train");
    commit = git("rev-parse", "HEAD").trim();
    appendFileSync(script, "# Not committed.\n");
  });
  after(() => rig.close());

  const byId = (id: string): Locator => rig.workbench.view().getByTestId(id);
  const shoot = (name: string) =>
    rig.workbench.page.screenshot({ path: join(shotsFolder("saveObject"), `${name}.png`) });
  const git = (...args: string[]) => execFileSync("git", args, { cwd: rig.folder, encoding: "utf8", stdio: "pipe" });

  /** Answers an input box, once it is the one with this title. */
  async function answer(title: string, text: string | undefined): Promise<void> {
    const { page } = rig.workbench;
    await page.locator(".quick-input-widget:not(.hidden) .quick-input-title", { hasText: title }).waitFor();
    if (text !== undefined) await rig.workbench.quickInput().fill(text);
    await rig.workbench.quickInput().press("Enter");
  }

  /** Opens the file as from its name, with the caret in its last line. */
  async function openFile(name: string): Promise<void> {
    const { page } = rig.workbench;
    await page.keyboard.press("Control+p");
    await rig.workbench.quickInput().fill(name);
    await rig.workbench.pick(name);
    await page.locator(".editor-instance .view-lines", { hasText: "LogisticRegression" }).click();
    await page.keyboard.press("Control+End");
  }

  test("is made from the open file, after one has seen what runs where", async () => {
    const { workbench } = rig;
    await workbench.openContainer("Modelbench");
    await openFile("train.py");
    await workbench.command("Modelbench: Save Object to Store…");
    await workbench.page.locator(".quick-input-title", { hasText: "Object to save" }).waitFor();
    assert.equal(await workbench.quickInput().inputValue(), "train:classifier");
    await answer("Object to save", undefined);
    await workbench.pick("Custom objects");
    await answer("Custom object", "names = load_iris().target_names.tolist()");
    await workbench.page.locator(".quick-input-list .monaco-list-row", { hasText: "names = load_iris()" }).waitFor();
    await shoot("choice");
    await workbench.pick("Go On…");
    const question = workbench.page.locator(".monaco-dialog-box");
    await question.waitFor();
    const told = (await question.textContent()) ?? "";
    for (const said of ["Run train.py in Your Python?", join(rig.folder, "train.py"), "train:classifier", PYTHON]) {
      assert.ok(told.includes(said), `${said} in ${told}`);
    }
    await shoot("question");
    await workbench.dialog("Run and Save");
    await byId("save-submit").waitFor({ timeout: COLD_MS });
    assert.equal(await byId("save-name").locator("input").inputValue(), "classifier");
    await byId("save-version").locator("input").fill("first");
    await shoot("form");
    await byId("save-submit").click();
    await workbench.notification("classifier:first saved.").waitFor();
    await workbench.row(/^firstlatest/).waitFor();
  });

  test("is a model of the real BentoML, which answers with it as the script's own object does", () => {
    assert.deepEqual(realList(rig.store), ["classifier:first"]);
    const env = { ...process.env, BENTOML_HOME: rig.store, BENTOML_DO_NOT_TRACK: "True" };
    const ask = (code: string) => execFileSync(PYTHON, ["-c", code], { cwd: rig.folder, env, encoding: "utf8" }).trim();
    const line = `print(bentoml.sklearn.load_model("classifier:first").predict_proba(${FLOWERS}).tolist())`;
    assert.equal(
      ask(`import bentoml; ${line}`),
      ask(`import train; print(train.classifier.predict_proba(${FLOWERS}).tolist())`),
    );
    const names = 'print(bentoml.models.get("classifier").custom_objects["names"])';
    assert.equal(ask(`import bentoml; ${names}`), "['setosa', 'versicolor', 'virginica']");
  });

  test("says in its details which script of which commit made it, and what was not committed", async () => {
    await rig.workbench.row(/^firstlatest/).click();
    await byId("made-from").waitFor();
    const made = await byId("made-from").innerText();
    for (const said of ["train:classifier", "train.py", "unchanged", commit.slice(0, 10), "trunk"]) {
      assert.ok(made.includes(said), `${said} in ${made}`);
    }
    assert.match(await byId("made-dirty").innerText(), /changes that were not committed/);
    await byId("version-scikit-learn").waitFor();
  });

  test("has its custom objects loaded from there, once its code is allowed", async () => {
    await byId("load-objects").click();
    await rig.workbench.page.locator(".monaco-dialog-box", { hasText: "classifier:first" }).waitFor();
    await rig.workbench.dialog("Allow This Code");
    await byId("object-names").filter({ hasText: "'virginica'" }).waitFor({ timeout: COLD_MS });
    assert.match(await byId("object-names").innerText(), /names\s+list/);
  });

  for (const theme of THEMES) {
    for (const width of WIDTHS) {
      test(`looks as it should and has no accessibility violation, ${theme}, ${width} px`, async () => {
        await rig.setTheme(theme);
        const frame = await rig.setPageWidth(width);
        for (const part of ["made-from", "custom-objects"]) {
          await byId(part).evaluate((element) => element.scrollIntoView());
          await shoot(`${part}-${theme}-${width}`);
        }
        assert.equal(await frame.evaluate("document.documentElement.scrollWidth - innerWidth"), 0);
        assert.deepEqual(await axeViolations(frame), []);
      });
    }
  }
});
