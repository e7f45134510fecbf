import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { noHandlers } from "../../../src/extension/page/noHandlers";
import type { SaveSeed } from "../../../webview/protocol/views";
import { closeScreens, openSaveForm, startScreens, until, untilDrawn, untilEqual, untilText } from "./pageScreens";

before(startScreens);
after(closeScreens);

const seedOf = (module: string): SaveSeed => ({
  name: "iris",
  version: "",
  module,
  modules: ["bentoml.onnx", ""].map((one) => ({ module: one, text: one === "" ? "Files as they are" : one })),
  files: [],
  labels: [],
  metadata: [],
  methods: [],
});

/** The form of a host that drafts the files as they are when it is told to, and anything else at once. */
async function openSlow() {
  const submitted: string[] = [];
  const asked: string[] = [];
  let checks = 0;
  let [draft, fail] = [(): void => undefined, (): void => undefined];
  const plain = new Promise<SaveSeed>((resolve, reject) => {
    draft = () => resolve(seedOf(""));
    fail = () => reject(new Error("The file is gone."));
  });
  // It may fail before anybody asks for it.
  plain.catch(() => undefined);
  const handlers = {
    ...noHandlers,
    "save/validate": async () => {
      checks += 1;
      return { issues: [] };
    },
    "save/module": async ({ module }: { module: string }) => {
      asked.push(module);
      return module === "" ? plain : seedOf(module);
    },
    "save/submit": async ({ module }: { module: string }) => {
      submitted.push(module);
      return { issues: [] };
    },
  };
  const form = await openSaveForm({ handlers: () => handlers });
  const { page } = form.rig;
  const choose = async (name: string): Promise<void> => {
    await page.getByTestId("save-module").click();
    await page.getByRole("option", { name }).click();
  };
  const untilShown = (module: string): Promise<void> =>
    until(page, `document.querySelector('[data-testid="save-module"]').value === ${JSON.stringify(`m:${module}`)}`);
  const untilCanSave = (can: boolean): Promise<void> =>
    until(page, `document.querySelector('[data-testid="save-submit"]').disabled === ${!can}`);
  return {
    form,
    page,
    submitted,
    asked,
    checks: () => checks,
    draft: () => draft(),
    fail: () => fail(),
    choose,
    untilShown,
    untilCanSave,
  };
}

test("a form is not saved as the module before while another one is being taken", async () => {
  const { form, page, submitted, draft, choose, untilShown, untilCanSave } = await openSlow();
  await using _ = form;
  await choose("Files as they are");
  await untilCanSave(false);
  draft();
  await untilCanSave(true);
  await untilShown("");
  await page.getByTestId("save-submit").click();
  await untilEqual(() => submitted, [""]);
});

test("whoever goes back to the module that is shown saves that one as it is, though another is drafted later", async () => {
  const { form, page, submitted, asked, draft, choose, untilShown, untilCanSave } = await openSlow();
  await using _ = form;
  await choose("Files as they are");
  await choose("bentoml.onnx");
  await untilCanSave(true);
  draft();
  await new Promise((resolve) => setImmediate(resolve));
  await untilShown("bentoml.onnx");
  await page.getByTestId("save-submit").click();
  await untilEqual(() => submitted, ["bentoml.onnx"]);
  assert.deepEqual(asked, [""], "its methods are not drafted again, and stay as they were set");
});

test("a module that cannot be taken is not shown as chosen, and the reason is told", async () => {
  const { form, page, checks, fail, choose, untilShown, untilCanSave } = await openSlow();
  await using _ = form;
  await choose("Files as they are");
  await untilCanSave(false);
  fail();
  await untilCanSave(true);
  await untilShown("bentoml.onnx");
  const told = page.getByTestId("save-issues");
  await untilText(told, /The file is gone\./);
  assert.doesNotMatch(await told.innerText(), /Failure|Error/, "the name of a class is no word for the user");
  // What is found wrong with the values, which is nothing, is no answer to that.
  await untilEqual(checks, 1);
  await untilDrawn(page);
  await untilText(told, /The file is gone\./);
});
