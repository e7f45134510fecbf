import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  closeScreens,
  inspectScreen,
  type OpenFile,
  openFile,
  startScreens,
  tabTo,
  textOf,
  unexpected,
  untilText,
} from "./pageScreens";

const VECTORS = join(process.cwd(), "test/fixtures/vectors");

before(startScreens);
after(closeScreens);

async function openPickle(file: string, options: Parameters<typeof openFile>[1] = {}): Promise<OpenFile> {
  const opened = await openFile(join(VECTORS, file), options);
  await opened.rig.page.getByTestId("section-tab-pickle").click();
  await opened.rig.page.getByTestId("pickle").waitFor();
  return opened;
}

test("a pickle's verdict is in words, with what it means, its imports by class, its calls and where they are", async () => {
  await using file = await openPickle("pickle_hostile/payload_then_garbage.pkl");
  const { page } = file.rig;
  assert.equal(await textOf(page.getByTestId("pickle-verdict")), "Calls dangerous functions");
  await untilText(page.getByTestId("pickle-dangerous"), /Dangerous \(1\)\s+os\.getpid byte 14/);
  await untilText(page.getByTestId("pickle-calls"), /os\.getpid is called \(REDUCE\)\.\s+byte 16/);
  await untilText(page.getByTestId("pickle-findings"), /0xff is not an opcode\.\s+byte 17/);
  assert.doesNotMatch(await textOf(page.locator("body")), /\bsafe\b/i);
  assert.deepEqual(unexpected(file.rig), []);
});

test("a long list is searched with the keyboard, and a group is folded with it", async () => {
  await using file = await openPickle("pickle/bentoml_pipeline.pkl");
  const { page } = file.rig;
  assert.equal(await textOf(page.getByTestId("pickle-verdict")), "Imports we do not know (5)");
  await tabTo(page, "pickle-search");
  await page.keyboard.type("FOREST");
  await page.getByTestId("pickle-shown").getByText("2 of").waitFor();
  await untilText(page.getByTestId("pickle-unknown"), /sklearn\.ensemble\._forest\.RandomForestClassifier/);
  assert.equal(await page.getByTestId("pickle-allowed").count(), 0);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.getByTestId("pickle-unknown").getAttribute("open"), null);
});

for (const theme of ["dark", "light", "contrast"] as const) {
  for (const width of [280, 1400]) {
    test(`${theme}, ${width} px: a pickle without an accessibility violation or a sideways scroll`, async () => {
      await using file = await openPickle("pickle/bentoml_instance.pkl", { theme, width });
      await inspectScreen(file.rig, `${theme}-${width}-pickle`);
    });
  }
}
