import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import {
  closeScreens,
  inspectScreen,
  openDetails,
  openSaveForm,
  openTest,
  startScreens,
  unexpected,
} from "./pageScreens";

before(startScreens);
after(closeScreens);

for (const theme of ["dark", "light", "contrast"] as const) {
  for (const width of [280, 1400]) {
    test(`${theme}, ${width} px: every screen without an accessibility violation or a sideways scroll`, async () => {
      await using rig = await openDetails({}, { theme, width });
      for (const section of ["overview", "signatures", "test"]) {
        await rig.page.getByTestId(`section-tab-${section}`).click();
        await inspectScreen(rig, `${theme}-${width}-${section}`);
      }
      await rig.page.getByTestId("run").click();
      await rig.page.getByTestId("class-label").waitFor();
      await inspectScreen(rig, `${theme}-${width}-result`);
      await rig.page.getByTestId("send").click();
      await rig.page.getByTestId("replies-tab-table").click();
      await rig.page.getByTestId("reply-7").getByText("#2: ").waitFor();
      await inspectScreen(rig, `${theme}-${width}-replies`);
      await rig.page.getByTestId("cell-x-0").fill("five");
      await rig.page.getByTestId("input-x-error").waitFor();
      await inspectScreen(rig, `${theme}-${width}-issue`);
      assert.deepEqual(unexpected(rig), []);
    });

    test(`${theme}, ${width} px: the test view, a failure and the save form`, async () => {
      const answer = async (): Promise<never> => {
        const remedy = "Restart the model and run again.";
        throw new ModelbenchError("worker.died", "The process of iris_clf:v2 ended with signal SIGSEGV.", { remedy });
      };
      await using rig = await openTest({ answer }, { theme, width, height: 500 });
      await inspectScreen(rig, `${theme}-${width}-view`);
      await rig.page.getByTestId("run").click();
      await rig.page.getByTestId("crash").waitFor();
      await inspectScreen(rig, `${theme}-${width}-crash`);
      await using form = await openSaveForm({ theme, width });
      await form.rig.page.getByTestId("save-name").locator("input").fill("no good");
      await form.rig.page.getByTestId("save-name-error").waitFor();
      await inspectScreen(form.rig, `${theme}-${width}-save`);
    });
  }
}
