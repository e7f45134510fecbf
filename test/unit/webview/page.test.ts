import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { ModelbenchError } from "../../../src/base/errors";
import type { ModelFacts } from "../../../src/frameworks/modelFacts";
import { STATE_SCHEMA } from "../../../webview/protocol/savedState";
import { type HostOptions, makeHost, REF } from "./pageHost";
import type { RigOptions } from "./pageRig";
import {
  closeScreens,
  inspectScreen,
  openDetails,
  openSaveForm,
  openTest,
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
import { irisAnswer, irisFacts, output } from "./sampleModel";

let bundle: RigOptions["bundle"];

before(async () => {
  bundle = await startScreens();
});
after(closeScreens);

describe("the story", () => {
  test("Run works untouched: the example is filled in, the answer has its class name and timing", async () => {
    await using rig = await openTest();
    await rig.page.getByTestId("run").click();
    await rig.page.getByTestId("class-label").waitFor();
    assert.equal(await textOf(rig.page.getByTestId("class-label")), "virginica");
    assert.equal(await textOf(rig.page.getByTestId("value-label")), "2");
    await untilText(
      rig.page.getByTestId("timing"),
      /^queue 0\.21 · batch 0\.08 · run 2\.6 ms · rode in batch #1 of 1 row · cpu$/,
    );
    await untilText(rig.page.getByTestId("top-probabilities-0"), /virginica\s+0\.9\s+90\.0%/);
    await untilText(rig.page.getByTestId("announcer"), /Run finished\. label: 2 virginica/);
  });

  test("works with the keyboard alone, from the first tab to the answer and back to the inputs", async () => {
    await using rig = await openDetails();
    const { keyboard } = rig.page;
    await tabTo(rig.page, "section-tab-overview");
    await keyboard.press("ArrowRight");
    await keyboard.press("ArrowRight");
    await tabTo(rig.page, "cell-x-0");
    await keyboard.press("ArrowRight");
    await keyboard.press("ArrowRight");
    await untilFocused(rig.page, "cell-x-2");
    await keyboard.type("1.2");
    await keyboard.press("Control+Enter");
    await rig.page.getByTestId("class-label").waitFor();
    assert.equal(await textOf(rig.page.getByTestId("class-label")), "setosa");
    await keyboard.press("Home");
    await keyboard.press("Home");
    await untilFocused(rig.page, "cell-x-0");
  });

  test("eight requests at once each name the batch they rode in", async () => {
    await using rig = await openTest();
    await rig.page.getByTestId("send").click();
    await rig.page.getByTestId("replies-tab-table").click();
    await rig.page.getByTestId("reply-7").getByText("#1").waitFor();
    const rows = await rig.page.getByTestId("replies").locator("tbody tr").allInnerTexts();
    assert.equal(rows.length, 8);
    for (const row of rows) assert.match(row, /2 virginica\s+#1: 8 rows from 8 requests/);
    await rig.page.getByTestId("show-reply-3").click();
    assert.equal(await textOf(rig.page.getByTestId("value-label")), "2");
  });

  test("typing is checked in the form at once and by the host soon after, and a wrong input is not sent", async () => {
    const host = makeHost();
    await using rig = await openTest({}, { handlers: host.handlers });
    await rig.page.getByTestId("cell-x-1").fill("3,0");
    await untilText(rig.page.getByTestId("issues"), /x: row 1, column 2: “3,0” is not a number/);
    await rig.page.getByTestId("run").click();
    await untilFocused(rig.page, "issues");
    assert.equal(host.opened.flatMap(({ runs }) => runs).length, 0);
    await rig.page.getByTestId("input-x-tab-json").click();
    await rig.page.getByTestId("json-x").locator("textarea").fill("[[1, 2, 3]]");
    await rig.page.getByTestId("input-x-error").waitFor();
    await untilText(rig.page.getByTestId("input-x-error"), /^expected float32 \[.*, 4\], got \[1, 3\]/);
    await rig.page.getByTestId("json-x").locator("textarea").fill("[[1, 2, 3, 4]]");
    await rig.page.getByTestId("input-x-error").waitFor({ state: "detached" });
    await rig.page.getByTestId("input-x-tab-form").click();
    assert.equal(await rig.page.getByTestId("cell-x-3").inputValue(), "4");
  });

  test("a run that was held back takes the focus once, not each time its tab is shown", async () => {
    await using rig = await openDetails();
    await rig.page.getByTestId("section-tab-test").click();
    await rig.page.getByTestId("cell-x-1").fill("3,0");
    await rig.page.getByTestId("run").click();
    await untilFocused(rig.page, "issues");
    await rig.page.getByTestId("section-tab-overview").click();
    await rig.page.getByTestId("issues").waitFor({ state: "detached" });
    await rig.page.getByTestId("section-tab-test").click();
    await rig.page.getByTestId("issues").waitFor();
    await untilDrawn(rig.page);
    await untilFocused(rig.page, "section-tab-test");
  });

  test("cells pasted from a spreadsheet fill the grid and add rows", async () => {
    await using rig = await openTest();
    await rig.page.getByTestId("cell-x-0").focus();
    await rig.page.evaluate(`{
      const data = new DataTransfer();
      data.setData("text/plain", "5.1\\t3.5\\t1.4\\t0.2\\r\\n6.2\\t2.9\\t4.3\\t1.3\\r\\n");
      document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }`);
    assert.equal(await rig.page.getByTestId("cell-x-7").inputValue(), "1.3");
    assert.equal(await rig.page.getByTestId("dim-x-0").inputValue(), "2");
    await rig.page.getByTestId("run").click();
    await rig.page.getByTestId("output-label").getByText("1 versicolor").waitFor();
    await untilText(rig.page.getByTestId("output-label"), /0 setosa/);
  });

  test("Stop answers at once, and the inputs of a past run come back", async () => {
    let isSlow = true;
    const answer: typeof irisAnswer = async (...args) => {
      if (isSlow) await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
      return irisAnswer(...args);
    };
    await using rig = await openTest({ answer });
    await rig.page.getByTestId("run").click();
    await rig.page.getByTestId("progress").getByText("Running").waitFor();
    await rig.page.getByTestId("stop").click();
    await rig.page.getByTestId("cancelled").waitFor();
    isSlow = false;
    await rig.page.getByTestId("cell-x-2").fill("1");
    await rig.page.getByTestId("run").click();
    await rig.page.getByTestId("class-label").waitFor();
    assert.equal(await textOf(rig.page.getByTestId("class-label")), "setosa");
    await rig.page.getByTestId("reuse").nth(1).click();
    await until(rig.page, `document.querySelector('[data-testid="cell-x-2"]').value === "5.1"`);
  });

  test("the method and pattern lists show what is chosen, also when it is not their first option", async () => {
    const method = irisFacts.signatures["run"];
    assert.ok(method);
    const facts: ModelFacts = { ...irisFacts, signatures: { predict: method, run: method } };
    const host = makeHost({ facts });
    (await host.models.test(REF)).choose("run", undefined);
    await using rig = await openTest({}, { handlers: host.handlers });
    const shows = (id: string, text: string): Promise<void> =>
      until(
        rig.page,
        `document.querySelector('[data-testid="${id}"]').shadowRoot.querySelector(".selected-value").textContent.includes("${text}")`,
      );
    await shows("method", "run");
    await rig.page.getByTestId("input-x-tab-generate").click();
    await shows("pattern-x", "normal");
    await rig.page.getByTestId("pattern-x").click();
    await rig.page.getByTestId("pattern-x").getByText("zeros").click();
    await shows("pattern-x", "zeros");
    await rig.page.getByTestId("run").click();
    await rig.page.getByTestId("class-label").waitFor();
    assert.equal(await textOf(rig.page.getByTestId("class-label")), "setosa");
  });
});

test("a request that was cut into batches says so, and the values are cut to what a table can bear", async () => {
  await using rig = await openTest();
  await rig.page.getByTestId("input-x-tab-generate").click();
  await rig.page.getByTestId("dim-x-0").fill("100");
  await rig.page.getByTestId("run").click();
  await rig.page.getByTestId("timing").waitFor();
  await untilText(rig.page.getByTestId("timing"), /split into 4 batches of up to 32 rows/);
});

test("long options are folded, and open to JSON over lines", async () => {
  const specs = JSON.stringify({ run: [{ name: "input", type: { shape: [null, 28, 28, 1], dtype: "float32" } }, 1] });
  await using rig = await openDetails({ facts: { ...irisFacts, options: [["input_specs", specs]] } });
  const options = rig.page.getByTestId("options");
  assert.equal(await options.locator("pre").isVisible(), false);
  await options.locator("summary").click();
  await untilText(options.locator("pre"), /^\{\n {2}"run": \[\n/);
  await inspectScreen(rig, "dark-1400-options");
});

test("a long text is folded to its beginning and its length, and opens by keyboard", async () => {
  const text = Array.from({ length: 700 }, (_, i) => `word${i}`).join(" ");
  await using rig = await openDetails({
    facts: {
      ...irisFacts,
      metadata: [
        ["card", text],
        ["dataset", "iris, 150 rows"],
      ],
    },
  });
  const metadata = rig.page.getByTestId("metadata");
  await untilText(metadata.locator("summary"), new RegExp(`^word0 word1 .*… ${text.length} characters$`));
  assert.ok(!(await textOf(metadata)).includes("word699"), "the end is folded away");
  await untilText(metadata, /iris, 150 rows/);
  await metadata.locator("summary").focus();
  await rig.page.keyboard.press("Enter");
  assert.ok((await textOf(metadata)).includes(text));
  await inspectScreen(rig, "dark-1400-long-text");
});

describe("what cannot run", () => {
  test("a model that needs Python says so and has no Run to press", async () => {
    const reason = "needs your Python: not in this version";
    const refusal = () => ({ code: "run.unsupported", reason, remedy: undefined }) as const;
    await using rig = await openTest({ refusal });
    await untilText(rig.page.getByTestId("refusal"), /iris_clf:v2 needs your Python: not in this version\./);
    assert.equal(await rig.page.getByTestId("run").count(), 0);
    await inspectScreen(rig, "dark-1400-refusal");
  });

  test("a model with a broken model.yaml shows the failure, its path and the way to the file", async () => {
    const path = "/home/me/bentoml/models/iris_clf/v2/model.yaml";
    const facts = new ModelbenchError("yaml.invalid", "model.yaml, line 3: expected a mapping.", { path });
    const host = makeHost({ facts });
    await using rig = await openDetails({}, { handlers: host.handlers });
    await untilText(rig.page.getByTestId("broken"), /line 3: expected a mapping\.\n+.*model\.yaml/);
    await inspectScreen(rig, "dark-1400-broken");
    await rig.page.getByTestId("open-yaml").click();
    await untilEqual(() => host.openedTexts, [path]);
  });

  test("outputs that cannot be fetched are named with the cure", async () => {
    const host = makeHost({ answer: async () => [output("label", "int64", [1], new BigInt64Array([1n]))] });
    await using rig = await openTest({}, { handlers: host.handlers });
    host.unfetchable.push({ name: "probability", reason: "it is a sequence of maps; export with zipmap=False." });
    await rig.page.getByTestId("run").click();
    const note = rig.page.getByTestId("unfetchable-probability");
    await note.waitFor();
    await untilText(note, /probability is not shown: .*zipmap=False/);
  });
});

test("numbers arrive exactly: 64-bit integers, float32, NaN, infinities and negative zero", async () => {
  const answer: HostOptions["answer"] = async () => [
    output("big", "int64", [3], new BigInt64Array([9223372036854775807n, -9007199254740993n, 0n])),
    output("odd", "float64", [4], new Float64Array([Number.NaN, Number.POSITIVE_INFINITY, -0, 0.1])),
    output("short", "float32", [1], new Float32Array([5.9])),
    output("words", "string", [2], ['<img src=x onerror="alert(1)">', "naïve ✓"]),
  ];
  await using rig = await openTest({ answer });
  await rig.page.getByTestId("run").click();
  await rig.page.getByTestId("output-big").waitFor();
  await rig.page.getByTestId("output-0-big-tab-raw").click();
  assert.equal(await textOf(rig.page.getByTestId("raw-big")), "[9223372036854775807, -9007199254740993, 0]");
  await rig.page.getByTestId("output-0-odd-tab-raw").click();
  assert.equal(await textOf(rig.page.getByTestId("raw-odd")), '["NaN", "Infinity", "-0", 0.1]');
  assert.equal(await textOf(rig.page.getByTestId("value-short")), "5.9");
  await untilText(rig.page.getByTestId("output-words"), /<img src=x onerror="alert\(1\)">/);
});

test("a large result draws only what is seen, reads the rest when it is seen, and moves by keyboard", async () => {
  const numbers = Float32Array.from({ length: 24_000 }, (_, index) => index);
  await using rig = await openTest({ answer: async () => [output("wide", "float32", [6_000, 4], numbers)] });
  await rig.page.getByTestId("run").click();
  const grid = rig.page.getByTestId("matrix-wide");
  await grid.waitFor();
  assert.equal(await grid.getAttribute("aria-rowcount"), "6001");
  assert.ok((await grid.getByRole("gridcell").count()) < 150);
  await grid.getByRole("gridcell").first().click();
  await rig.page.keyboard.press("ArrowDown");
  await rig.page.keyboard.press("ArrowRight");
  await until(rig.page, `document.activeElement.textContent === "5"`);
  await rig.page.keyboard.press("Control+End");
  await until(rig.page, `document.activeElement.textContent === "23999"`);
  await inspectScreen(rig, "dark-1400-matrix");
});

test("hostile texts in every place stay texts and load nothing", async () => {
  const evil = `<img src="http://127.0.0.1:2/x" onerror="globalThis.HOSTILE=1"><script>globalThis.HOSTILE=1</script>`;
  const method = irisFacts.signatures["run"];
  assert.ok(method);
  const [input] = method.inputs;
  assert.ok(input);
  const facts: ModelFacts = {
    ...irisFacts,
    framework: "onnx",
    module: evil,
    path: evil,
    labels: [[evil, evil]],
    metadata: [[evil, evil]],
    context: [[evil, evil]],
    options: [[evil, evil]],
    files: [{ path: evil, bytes: 1 }],
    signatures: { [evil]: { ...method, inputs: [{ ...input, shape: ["<b>N</b>", 4] }] } },
    classes: [evil, evil, evil],
    examples: {},
    warnings: [{ code: "x", message: evil }],
    broken: { code: "format.corrupt", message: evil, remedy: evil, path: evil },
  };
  const answer = async (): Promise<never> => {
    throw new ModelbenchError("run.failed", evil, { remedy: evil });
  };
  await using rig = await openDetails({ facts, answer });
  for (const section of ["overview", "signatures", "test"]) {
    await rig.page.getByTestId(`section-tab-${section}`).click();
    await untilText(rig.page.locator("main"), /<img src="http/);
  }
  await rig.page.getByTestId("run").click();
  await rig.page.getByTestId("failure").waitFor();
  assert.equal(await rig.page.evaluate("globalThis.HOSTILE"), undefined);
  assert.equal(await rig.page.locator("img, iframe, a[href]").count(), 0);
  assert.deepEqual(unexpected(rig), []);
});

test("the page remembers its tab, and forgets a state of another schema", async () => {
  await using rig = await openDetails();
  await rig.page.getByTestId("section-tab-signatures").click();
  await rig.page.getByTestId("signature-run").waitFor();
  const saved = await rig.saved();
  assert.deepEqual(saved, {
    schema: STATE_SCHEMA,
    store: "own",
    tag: "iris_clf:v2",
    section: "signatures",
    edit: null,
    tensors: null,
    graph: { graph: 0, table: "nodes", query: "", op: null, active: 0 },
  });
  await using again = await openDetails({}, { saved });
  await again.page.getByTestId("signature-run").waitFor();
  await using other = await openDetails({}, { saved: { schema: 99, tag: "iris_clf:v2", section: "signatures" } });
  await other.page.getByTestId("about").waitFor();
});

test("the save form sends what was entered, and names a field that cannot be saved", async () => {
  await using form = await openSaveForm();
  const { page } = form.rig;
  await page.getByTestId("metadata-add").click();
  await page.getByTestId("metadata-0-key").locator("input").fill("accuracy");
  await page.getByTestId("metadata-0-value").locator("input").fill("0.97 percent");
  await page.getByTestId("metadata-0-error").waitFor();
  await page.getByTestId("metadata-0-value").locator("input").fill("12345678901234567890");
  await page.getByTestId("labels-add").click();
  await page.getByTestId("labels-0-key").locator("input").fill("stage");
  await page.getByTestId("labels-0-value").locator("input").fill("dev");
  await page.getByTestId("save-batchable-run").click();
  await page.getByTestId("save-axis-out-run").fill("1");
  await page.getByTestId("save-submit").click();
  assert.deepEqual(await form.values, {
    module: "bentoml.onnx",
    name: "iris",
    version: undefined,
    labels: { stage: "dev" },
    metadata: { accuracy: "12345678901234567890" },
    signatures: { run: { batchable: true, batchDim: [0, 1] } },
  });
});

test("another module of the save form brings its own methods and keeps what was typed", async () => {
  await using form = await openSaveForm();
  const { page } = form.rig;
  await page.getByTestId("save-version").locator("input").fill("v7");
  await page.getByTestId("save-module").click();
  await page.getByRole("option", { name: "Files as they are" }).click();
  await page.getByTestId("save-method-run").waitFor({ state: "detached" });
  await page.getByTestId("save-submit").click();
  const values = await form.values;
  assert.deepEqual([values?.module, values?.version, values?.signatures], ["", "v7", {}]);
});

test("the page's bundle stays within its budget", () => {
  assert.ok(bundle.script.length <= 450_000, `${bundle.script.length} bytes`);
  assert.ok(gzipSync(bundle.script).length <= 130_000, `${gzipSync(bundle.script).length} bytes gzip`);
});
