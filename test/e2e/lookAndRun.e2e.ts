import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, suite, test } from "node:test";
import { runPython, type SavedByPython } from "./bentoml";
import { type Hands, keyboard, mouse, settingsFor } from "./hands";
import { openRig, type Rig, shotsFolder } from "./rig";

const ONNX = join(process.cwd(), "media/sample-store/models/iris_clf/v1/saved_model.onnx");
const VALUES = ["6.3", "3.3", "6.0", "2.5"];
/** What the page waits for after the last key before the host keeps what was typed, with room for a busy machine. */
const KEPT_MS = 1_500;

for (const handsOf of [mouse, keyboard]) {
  /** One window: every step starts from what the one before left. */
  suite(`look at what a real BentoML saves, and run it, ${handsOf.name}`, () => {
    let rig: Rig;
    let hands: Hands;
    const saved: SavedByPython[] = [];
    before(async () => {
      rig = await openRig(undefined, { settings: settingsFor(handsOf) });
      hands = handsOf(rig.workbench);
    });
    after(() => rig.close());
    afterEach(async (context) => {
      const name = `${handsOf.name}-${context.name}`.replace(/\W+/g, "-").slice(0, 80);
      await rig.workbench.page.screenshot({ path: join(shotsFolder("look"), `${name}.png`) });
    });
    const versionOf = (tag = ""): string => tag.split(":")[1] ?? "";
    const shownRows = async (): Promise<string[]> =>
      rig.workbench.page.locator(".sidebar .pane-body .monaco-list-row .label-name").allTextContents();

    test("three versions saved while the window is open show up by themselves, within a second", async (t) => {
      const { workbench } = rig;
      await hands.openModels();
      const delays: number[] = [];
      for await (const version of runPython("savePetals.py", rig.store, [ONNX, ...VALUES])) {
        saved.push(version);
        await workbench.row(new RegExp(`^${versionOf(version.tag)}`)).waitFor();
        delays.push(Date.now() - version.atMs);
      }
      assert.equal(saved.length, 3);
      t.diagnostic(`rows after ${delays.join(", ")} ms`);
      assert.ok(Math.min(...delays) < 1_000, `${delays} ms`);
    });

    test("a filter leaves the versions with the label, sorted by size", async () => {
      const { workbench } = rig;
      await workbench.ask("Modelbench: Filter Models…", "stage=dev");
      await workbench.row(new RegExp(`^${versionOf(saved[1]?.tag)}`)).waitFor({ state: "detached" });
      await workbench.command("Modelbench: Sort By…");
      await hands.pick("Largest first");
      await workbench.page.waitForTimeout(500);
      assert.deepEqual(await shownRows(), ["petals", versionOf(saved[0]?.tag), versionOf(saved[2]?.tag)]);
    });

    test("the run answers what Python answers", async () => {
      const { workbench } = rig;
      await hands.open(new RegExp(`^${versionOf(saved[0]?.tag)}`));
      const view = workbench.view();
      await view
        .getByTestId("tag")
        .filter({ hasText: saved[0]?.tag ?? "-" })
        .waitFor();
      await hands.section("test");
      for (const [i, value] of VALUES.entries()) await hands.enter(`cell-input-${i}`, value);
      await hands.run();
      await view.getByTestId("output-probabilities").waitFor();
      const shown = await view.getByTestId("output-probabilities").textContent();
      for (const value of saved[0]?.answer[0] ?? []) {
        assert.ok(shown?.includes(value.toPrecision(6)), `${shown} lacks ${value}`);
      }
    });

    test("the window loaded again shows the same tab, the same inputs and the same answer", async () => {
      const { workbench } = rig;
      await workbench.page.waitForTimeout(KEPT_MS);
      await workbench.reload();
      const view = workbench.view();
      await view
        .getByTestId("tag")
        .filter({ hasText: saved[0]?.tag ?? "-" })
        .waitFor();
      await view.getByTestId("output-probabilities").waitFor();
      for (const [i, value] of VALUES.entries()) {
        assert.equal(Number(await view.getByTestId(`cell-input-${i}`).inputValue()), Number(value));
      }
    });
  });
}
