import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { openRig, type Rig } from "./rig";

/** What the page waits for after the last key before the host keeps what was typed, with room for a busy machine. */
const KEPT_MS = 1_500;

suite("a window that is loaded again", () => {
  let rig: Rig;
  before(async () => {
    rig = await openRig();
    const { workbench } = rig;
    await workbench.openSampleStore();
    await workbench.testModel(workbench.row(/^v2latest/), "iris_clf");
    await workbench.view().getByTestId("run").waitFor();
  });
  after(() => rig.close());

  test("shows the same tab with what was typed, the answer to it and the history", async () => {
    const { workbench } = rig;
    await workbench.view().getByTestId("cell-input-2").fill("1.4");
    await workbench.page.keyboard.press("Control+Enter");
    await workbench.view().getByTestId("class-label").filter({ hasText: "setosa" }).waitFor();
    await workbench.page.waitForTimeout(KEPT_MS);
    await workbench.reload();
    const view = workbench.view();
    await view.getByTestId("class-label").filter({ hasText: "setosa" }).waitFor();
    assert.equal(await view.getByTestId("cell-input-2").inputValue(), "1.4");
    assert.equal(await view.getByTestId("section-tab-test").getAttribute("aria-selected"), "true");
    assert.equal(await view.getByTestId("history-item").count(), 1);
  });

  test("runs again from the keyboard, with a model that was not loaded any more", async () => {
    const { workbench } = rig;
    const view = workbench.view();
    await view.getByTestId("cell-input-2").fill("5.9");
    await workbench.page.keyboard.press("Control+Enter");
    await view.getByTestId("class-label").filter({ hasText: "virginica" }).waitFor();
    assert.equal(await view.getByTestId("history-item").count(), 2);
  });

  test("shows in the status bar that a model is loaded, which leads to where it is unloaded", async () => {
    const { workbench } = rig;
    const item = workbench.page.locator(".statusbar-item", { hasText: "1 model loaded" });
    await item.click();
    await workbench.rowAction(workbench.row(/^iris_clf:v2/), "Unload Model");
    await item.waitFor({ state: "detached" });
  });

  test("Stop ends a long run", async () => {
    const { workbench } = rig;
    const view = workbench.view();
    await view.getByTestId("input-input-tab-generate").click();
    await view.getByTestId("dim-input-0").fill("1000000");
    await view.getByTestId("run").click();
    await view.getByTestId("progress").getByText("Running").waitFor();
    await view.getByTestId("stop").click();
    await view.getByTestId("cancelled").waitFor();
  });
});
