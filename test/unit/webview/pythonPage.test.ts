import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { OutputView } from "../../../webview/protocol/views";
import { openMethod } from "../../fixtures/openMethod";
import { makeHost, REF } from "./pageHost";
import {
  closeScreens,
  openDetails,
  startScreens,
  tabTo,
  textOf,
  unexpected,
  until,
  untilFocused,
  untilText,
} from "./pageScreens";
import {
  jsonDraft,
  openScript,
  plainOutput,
  pythonTest,
  reply,
  type ScriptedPage,
  someConsent,
  someEngine,
  somePython,
} from "./scriptedPage";

before(startScreens);
after(closeScreens);

const one = { "0": jsonDraft("[[5.9, 3, 5.1, 1.8]]") };
const many = (count: number) => Array.from({ length: count }, () => reply({ batchRequests: count, batchSize: count }));

/** What the page asked under a name, last. */
function last({ asked }: ScriptedPage, name: string): unknown {
  return asked.filter((request) => request.name === name).at(-1)?.params;
}

/** Waits until the page has asked something. */
async function untilAsked(page: ScriptedPage, name: string): Promise<unknown> {
  for (let tries = 0; tries < 100 && last(page, name) === undefined; tries++) await page.page.waitForTimeout(20);
  return last(page, name);
}

describe("arguments of a method that declares none", () => {
  test("are named, added and removed by keyboard alone, and the focus stays where one works", async () => {
    await using opened = await openScript({}, one);
    const { page } = opened;
    await tabTo(page, "argument-add");
    await page.keyboard.press("Enter");
    await untilFocused(page, "argument-1-name");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("training");
    assert.equal(await textOf(page.getByTestId("argument-1").locator(".argument-kind")), "by name");
    await tabTo(page, "json-training");
    await page.keyboard.press("Control+a");
    await page.keyboard.type("false");
    await page.keyboard.press("Control+Enter");
    await untilAsked(opened, "test/run");
    const sent = opened.drafts();
    assert.deepEqual(
      Object.entries(sent).map(([name, { source, json }]) => [name, source, json]),
      [
        ["0", "json", "[[5.9, 3, 5.1, 1.8]]"],
        ["training", "json", "false"],
      ],
    );
    await page.getByTestId("argument-0-remove").focus();
    await page.keyboard.press("Enter");
    await untilFocused(page, "argument-1-name");
    await page.getByTestId("argument-1-remove").focus();
    await page.keyboard.press("Enter");
    await untilFocused(page, "argument-add");
    assert.deepEqual(unexpected(opened.rig), []);
  });

  test("a wrong name is said at its field and in the summary, and nothing is sent until it is mended", async () => {
    await using opened = await openScript({}, { ...one, training: jsonDraft("false") });
    const { page } = opened;
    const name = page.getByTestId("argument-1-name").locator("input");
    await name.fill("0");
    assert.equal(await textOf(page.getByTestId("argument-1-error")), "0 is given twice.");
    await page.getByTestId("run").click();
    await untilFocused(page, "issues");
    await untilText(page.getByTestId("issues"), /0: 0 is given twice\./);
    assert.equal(last(opened, "test/run"), undefined);
    await name.fill("no good");
    await untilText(page.getByTestId("argument-1-error"), /neither a position nor a name/);
    await name.fill("train");
    await page.getByTestId("argument-1-error").waitFor({ state: "detached" });
    await page.getByTestId("run").click();
    await untilAsked(opened, "test/run");
    assert.deepEqual(Object.keys(opened.drafts()), ["0", "train"]);
  });

  test("what the host says of a value stands at it, and of a name without a card in the summary", async () => {
    const error = { code: "input.shape", message: "`0`: not a list.", remedy: null, path: null };
    await using opened = await openScript({}, one, {
      issues: () => [
        { input: "0", error },
        { input: "rng", error: { ...error, message: "`rng`: expected a value." } },
      ],
    });
    await opened.page.getByTestId("run").click();
    await untilFocused(opened.page, "issues");
    assert.equal(await textOf(opened.page.getByTestId("argument-0-error")), "not a list.");
    await untilText(opened.page.getByTestId("issues"), /rng: expected a value\./);
  });

  test("JSON of even numbers can be a form, generated values have a shape, and both keep their type", async () => {
    await using opened = await openScript({}, one);
    const { page } = opened;
    await page.getByTestId("argument-0-tab-form").click();
    await page.getByTestId("cell-0-2").fill("7.5");
    await page.getByTestId("argument-0-tab-json").click();
    assert.equal(await page.getByTestId("json-0").locator("textarea").inputValue(), "[[5.9, 3, 7.5, 1.8]]");
    await page.getByTestId("json-0").locator("textarea").fill('{"a": 1}');
    assert.equal(await page.getByTestId("argument-0-tab-form").getAttribute("aria-disabled"), "true");
    await page.getByTestId("argument-0-tab-form").dispatchEvent("click");
    await page.getByTestId("json-0").waitFor();
    await page.getByTestId("argument-0-as").click();
    await page.getByTestId("argument-0-as").getByText("list").click();
    await page.getByTestId("argument-0-dtype").waitFor({ state: "detached" });
    await page.getByTestId("argument-0-tab-generate").click();
    await page.getByTestId("argument-0-dtype").click();
    await page.getByTestId("argument-0-dtype").getByText("int32", { exact: true }).click();
    const shape = page.getByTestId("argument-0-shape").locator("input");
    await shape.fill("2 by 4");
    await untilText(page.getByTestId("argument-0-error"), /“2 by 4” is not a shape/);
    await shape.fill("2, 4");
    await page.getByTestId("run").click();
    await untilAsked(opened, "test/run");
    const { source, dims, as, dtype } = opened.drafts()["0"] ?? jsonDraft("");
    assert.deepEqual({ source, dims, as, dtype }, { source: "generate", dims: [2, 4], as: "list", dtype: "int32" });
  });

  test("Use Example brings the arguments back", async () => {
    await using opened = await openScript({}, one);
    await opened.page.getByTestId("argument-add").click();
    await opened.page.getByTestId("argument-1").waitFor();
    await opened.page.getByTestId("argument-0-name").locator("input").fill("x y");
    await opened.page.getByTestId("use-example").click();
    await opened.page.getByTestId("argument-1").waitFor({ state: "detached" });
    // A field draws itself a moment after what is around it.
    const shown = `document.querySelector("[data-testid='argument-0-name']").shadowRoot.querySelector("input").value`;
    await until(opened.page, `${shown} === "0"`);
    assert.equal(await opened.page.getByTestId("argument-0-error").count(), 0);
  });
});

describe("consent", () => {
  test("is asked for before anything runs: Run says why it cannot, and leads to the decision", async () => {
    await using opened = await openScript({ python: somePython, consent: someConsent }, one);
    const { page } = opened;
    const run = page.getByTestId("run");
    assert.equal(await run.getAttribute("aria-label"), "Run: not before its code is allowed");
    assert.equal(await textOf(page.getByTestId("blocked")), "Its code has not been allowed.");
    await page.getByTestId("use-example").focus();
    await page.keyboard.press("Control+Enter");
    await untilFocused(page, "allow");
    assert.equal(last(opened, "test/run"), undefined);
    const card = await textOf(page.getByTestId("consent"));
    assert.match(card, /1f0c77ab52d4\s/);
    assert.match(card, /Imports we do not know \(3\)/);
    assert.match(card, /imported from \/home\/me\/Downloads\/petals-v3\.bentomodel/);
    assert.doesNotMatch(await textOf(page.locator("body")), /\bsafe/i);
    assert.doesNotMatch(card, /petals\.features\.Clip/);
    await page.getByTestId("consent-more").focus();
    await page.keyboard.press("Enter");
    await untilText(page.getByTestId("consent"), /and 6 more\s+petals\.features\.Scaler\s+petals\.features\.Clip/);
    await page.getByTestId("copy-digest").click();
    assert.deepEqual(await untilAsked(opened, "text/copy"), { text: someConsent.digest });
    await page.getByTestId("allow").focus();
    await page.keyboard.press("Enter");
    await untilAsked(opened, "test/allow");
    opened.show({ consent: { ...someConsent, state: "given" } });
    await untilFocused(page, "run");
    await page.keyboard.press("Enter");
    await untilAsked(opened, "test/run");
  });

  test("takes the focus when Run was pressed beside the model's name, before its card was there", async () => {
    const { handlers } = makeHost();
    const test = { ...pythonTest, tag: REF.tag, consent: someConsent };
    const snapshot = { test, drafts: { tag: REF.tag, method: "predict", drafts: one } };
    await using rig = await openDetails(
      {},
      {
        handlers: (by) => ({ ...handlers(by), "test/snapshot": async () => snapshot }),
      },
    );
    await rig.page.getByTestId("head-run").click();
    await untilFocused(rig.page, "allow");
  });

  test("that was given is one line, and can be taken back", async () => {
    await using opened = await openScript({ consent: { ...someConsent, state: "byName" } }, one);
    await untilText(opened.page.getByTestId("consent-given"), /save under this name are allowed/);
    await opened.page.getByTestId("revoke").click();
    await untilAsked(opened, "test/revoke");
    opened.show({ consent: { ...someConsent, isIsolated: false } });
    await untilFocused(opened.page, "allow");
    await untilText(opened.page.getByTestId("consent"), /can do whatever you can/);
  });
});

describe("Python and engine", () => {
  test("no Python is a problem with its remedy, one that lacks packages a line to copy", async () => {
    const command = "/usr/bin/python3 -m pip install flax";
    const problem = { code: "python.missing", message: "None found.", remedy: "Install Python.", path: null };
    await using opened = await openScript({ python: { ...somePython, interpreter: null, problem } }, one);
    const { page } = opened;
    await untilText(page.getByTestId("python-missing"), /None found\.\s+Install Python\./);
    assert.equal(
      await page.getByTestId("run").getAttribute("aria-label"),
      "Run: not before there is a Python to run it in",
    );
    await page.getByTestId("choose-python").click();
    await untilAsked(opened, "test/interpreter");
    opened.show({ python: { ...somePython, lacking: ["flax"], command } });
    await page.getByTestId("copy-python-command").click();
    assert.deepEqual(await untilAsked(opened, "text/copy"), { text: command });
    await page.getByTestId("run").click();
    await untilAsked(opened, "test/run");
  });

  test("settings go to the host one by one and whole, numbers when the field is left", async () => {
    await using opened = await openScript({ engine: someEngine }, one);
    const { page } = opened;
    await untilText(page.getByTestId("engine-summary"), /Load settings · Threads in an operator: 4/);
    await page.getByTestId("engine-summary").click();
    const field = page.getByTestId("engine-concurrency").locator("input");
    await field.fill("many");
    await page.getByTestId("engine-concurrency-error").waitFor();
    await field.press("Enter");
    await field.fill("4");
    assert.equal(last(opened, "test/engine"), undefined, "not on the way to it");
    await field.press("Enter");
    const settings = { threads: "4", concurrency: "4", optimization: "" };
    assert.deepEqual(await untilAsked(opened, "test/engine"), { tag: "petals:v3", device: "auto", settings });
    await page.getByTestId("device").click();
    await page.getByTestId("device").getByText("CPU", { exact: true }).click();
    await until(page, `document.querySelector('[data-testid="device"]').value === "cpu"`);
    const before = { threads: "4", concurrency: "", optimization: "" };
    assert.deepEqual(last(opened, "test/engine"), { tag: "petals:v3", device: "cpu", settings: before });
    opened.show({ phase: "running" });
    await until(page, `document.querySelector('[data-testid="device"]').disabled`);
    await until(page, `document.querySelector('[data-testid="engine-threads"]').disabled`);
  });

  test("loading says that Python starts, and a long failure is folded to its beginning", async () => {
    await using opened = await openScript({ python: somePython, phase: "loading" }, one);
    await untilText(opened.page.getByTestId("progress"), /Starting Python and loading the model…/);
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i}`).join("\n");
    const error = { code: "run.failed", message: `ValueError: no\n${lines}`, remedy: null, path: null };
    opened.show({ phase: "failed", error });
    const box = opened.page.getByTestId("failure");
    await box.waitFor();
    assert.ok(!(await textOf(box)).includes("line 29"));
    await box.locator("summary").click();
    assert.ok((await textOf(box)).includes("line 29"));
  });

  test("what ran where stands under the result", async () => {
    await using opened = await openScript({ engine: someEngine, phase: "done", replies: [reply()] }, one);
    await untilText(opened.page.getByTestId("fallbacks"), /CUDA is not used/);
    await untilText(opened.page.getByTestId("loaded-summary"), /Device cpu · .*scikit-learn 1\.7\.2/);
  });
});

test("values that are no arrays: JSON to copy, a table by keyboard, and what is cut is said", async () => {
  const rows = Array.from({ length: 100 }, (_, i) => [`<b>${i}</b>`, i === 98 ? null : i / 3]);
  const outputs = [
    plainOutput("whole", { kind: "json", text: '{"n": 12345678901234567890}', isWhole: true }),
    plainOutput("part", { kind: "json", text: "[1,\n 2", isWhole: false }),
    plainOutput("frame", { kind: "table", columns: ["text", "third"], rows, count: 12_000 }),
    plainOutput("none", { kind: "table", columns: ["a", "b"], rows: [], count: 0 }),
  ];
  await using opened = await openScript({ phase: "done", replies: [reply({ outputs })] }, one);
  const { page } = opened;
  assert.equal(await textOf(page.getByTestId("plain-whole")), '{"n": 12345678901234567890}');
  assert.equal(await page.getByTestId("cut-whole").count(), 0);
  await untilText(page.getByTestId("cut-part"), /beginning/);
  await page.getByTestId("copy-whole").click();
  assert.deepEqual(await untilAsked(opened, "text/copy"), { text: '{"n": 12345678901234567890}' });
  assert.equal(await textOf(page.getByTestId("plain-head-frame")), "table, 12,000 rows, 2 columns");
  assert.equal(await textOf(page.getByTestId("cut-frame")), "The first 100 of 12,000 rows.");
  const grid = page.getByTestId("table-frame");
  assert.deepEqual(await grid.getByRole("columnheader").allInnerTexts(), ["Row", "text", "third"]);
  await grid.getByRole("gridcell").first().click();
  await page.keyboard.press("Control+End");
  await until(page, `document.activeElement.textContent === "33" && document.activeElement.title === "33"`);
  await page.keyboard.press("ArrowUp");
  await until(page, `document.activeElement.textContent === "null" && document.activeElement.title === "missing"`);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Home");
  await until(page, `document.activeElement.textContent === "<b>99</b>"`);
  await untilText(page.getByTestId("output-none"), /Empty: columns a, b, no rows\./);
});

test("rows of a table that did not come with the reply come when they are seen, however few an answer brings", async () => {
  const rowsFrom = (start: number, count: number) => Array.from({ length: count }, (_, i) => [start + i]);
  const frameOf = (start: number, count: number): OutputView =>
    plainOutput("frame", { kind: "table", columns: ["n"], count: 5_000, rows: rowsFrom(start, count) });
  const frame = { ...frameOf(0, 50), pageable: true };
  const readRows = (start: number): OutputView => frameOf(start, 3);
  await using opened = await openScript({ phase: "done", replies: [reply({ outputs: [frame] })] }, one, { readRows });
  const { page } = opened;
  const grid = page.getByTestId("table-frame");
  assert.equal(await grid.getAttribute("aria-rowcount"), "5001");
  assert.equal(await page.getByTestId("cut-frame").count(), 0);
  await grid.getByRole("gridcell").first().click();
  await page.keyboard.press("Control+End");
  await until(page, `document.activeElement.textContent === "4999"`);
});

describe("several replies", () => {
  test("are a picture with its words, a bar leads to its reply, and so do the keys", async () => {
    const outputs = (n: number) => [plainOutput("n", { kind: "json", text: String(n), isWhole: true })];
    const replies = many(8).map((one, i) => ({ ...one, outputs: outputs(i), queueMs: i < 4 ? 0.5 : 2 }));
    await using opened = await openScript({ phase: "done", replies }, one);
    const { page } = opened;
    const words = "8 requests in 1 batch of 8 rows; queue 0.5 to 2 ms, run 2.6 ms.";
    assert.equal(await page.getByTestId("batches").getAttribute("aria-label"), words);
    assert.equal(await textOf(page.getByTestId("batches-summary")), words);
    await page.locator(".batches-hit").nth(5).click();
    assert.equal(await textOf(page.getByTestId("plain-n")), "5");
    await page.getByTestId("reply-next").focus();
    await page.keyboard.press("Enter");
    assert.equal(await textOf(page.getByTestId("reply-at")), "Reply 7 of 8");
    assert.equal(await textOf(page.getByTestId("plain-n")), "6");
    const widths: number[] = await page.evaluate(
      `[...document.querySelectorAll(".batches-row .batches-queue")].map((bar) => bar.getBoundingClientRect().width)`,
    );
    assert.equal(widths.length, 8);
    assert.ok(Math.abs((widths[7] ?? 0) / (widths[0] ?? 1) - 4) < 0.05, `one scale of time: ${widths}`);
    await page.getByTestId("replies-tab-table").click();
    await untilText(page.getByTestId("reply-0"), /0\s+#1: 8 rows from 8 requests\s+0\.5\s+2\.6\s+3\.2/);
  });

  test("one that failed and one that waits are marked, and others in a batch are mentioned", async () => {
    const error = { code: "run.late", message: "Refused.", remedy: null, path: null };
    const replies = [reply({ batchRequests: 3, batchSize: 3 }), reply({ error }), null];
    await using opened = await openScript({ phase: "running", replies, copies: 3 }, one);
    assert.equal(
      await textOf(opened.page.getByTestId("batches-summary")),
      "1 request in 1 batch of 3 rows; queue 0.2 ms, run 2.6 ms; 1 failed; 1 waiting. Other callers rode along in them.",
    );
  });

  test("a single one that was not cut has no picture, one that was cut has", async () => {
    await using opened = await openScript({ phase: "done", replies: [reply()], methods: [openMethod] }, one);
    await opened.page.getByTestId("timing").waitFor();
    assert.equal(await opened.page.getByTestId("batches").count(), 0);
    opened.show({ replies: [reply({ batches: 4, batchId: 7, batchSize: 32 })] });
    await opened.page.getByTestId("batches").waitFor();
    await untilText(opened.page.getByTestId("batches-summary"), /1 request in 4 batches of up to 32 rows/);
    assert.equal(await opened.page.locator(".batches-block").count(), 4);
  });
});
