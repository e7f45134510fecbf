import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { runBrokenFacts } from "../../../src/frameworks/brokenFacts";
import { runDescribeModel } from "../../../src/frameworks/modelFacts";
import { runEditModel } from "../../../src/store/editModelJob";
import { runPinModel } from "../../../src/store/pins";
import { plant, tempFolder, yamlOf } from "../store/storeKit";

let folder: ReturnType<typeof tempFolder>;
let version: string;
beforeEach(() => {
  folder = tempFolder();
  version = plant(folder.path, "a", "v1");
});
afterEach(() => folder.remove());

const tag = { name: "a", version: "v1" };
const factsOf = () => runDescribeModel({ home: folder.path, tag: "a:v1" });

/** Puts these lines in place of `metadata: {}`. */
function writeMetadata(...lines: string[]): void {
  const text = yamlOf("a", "v1").replace("metadata: {}", ["metadata:", ...lines].join("\n"));
  writeFileSync(join(version, "model.yaml"), text);
}

test("arguments of methods are offered where the options have a place for them, and not elsewhere", async () => {
  const write = (module: string, options: string) =>
    writeFileSync(
      join(version, "model.yaml"),
      yamlOf("a", "v1")
        .replace(/^module: .*$/m, `module: ${module}`)
        .replace(/^options: .*$/m, `options: ${options}`),
    );
  const partial = async () => (await factsOf()).stored.partialKwargs;
  write("bentoml.picklable_model", "{partial_kwargs: {predict: {top: 1.0, at: 2024-01-01}, other: {a: [1]}}}");
  assert.deepEqual(await partial(), [
    ["predict", null],
    ["other", '{"a": [1]}'],
  ]);
  write("bentoml._internal.frameworks.flax", "{}");
  assert.deepEqual(await partial(), []);
  write("bentoml.sklearn", "{}");
  assert.equal(await partial(), null);
  write("''", "{partial_kwargs: {}}");
  assert.deepEqual(await partial(), []);
});

test("custom objects that cannot be told keep nobody from seeing the rest", async () => {
  writeFileSync(join(version, "custom_objects.pkl"), "\x80\x04}");
  assert.equal((await factsOf()).stored.customObjects, null);
  // A dict of "a" and a list.
  writeFileSync(
    join(version, "custom_objects.pkl"),
    Buffer.from("80047d8c0161945d9473942e".replace("9473942e", "73942e"), "hex"),
  );
  assert.deepEqual((await factsOf()).stored.customObjects, [{ name: "a", type: "list" }]);
});

test("metadata is offered as JSON that means the same again, and not where JSON has no word for it", async () => {
  writeMetadata(
    "  whole: 1.0",
    "  count: 12345678901234567890",
    '  text: "1"',
    "  nested: {a: [1, 2.0, true], b: {c: x}}",
    "  day: 2024-01-01",
    "  odd: .nan",
    "  raw: !!binary aGk=",
    "  within: [1, 2024-01-01]",
  );
  const { stored } = await factsOf();
  assert.deepEqual(stored.metadataJson, [
    ["whole", "1.0"],
    ["count", "12345678901234567890"],
    ["text", '"1"'],
    ["nested", '{"a": [1, 2.0, true], "b": {"c": "x"}}'],
    ["day", null],
    ["odd", null],
    ["raw", null],
    ["within", null],
  ]);
  const set = Object.fromEntries(stored.metadataJson.flatMap(([key, json]) => (json === null ? [] : [[key, json]])));
  const { changed } = await runEditModel({ home: folder.path, tag, edit: { metadata: { set, remove: [] } } });
  assert.equal(changed, false);
});

test("release notes are the label and the text, and nothing that is no text", async () => {
  writeMetadata("  notes: |", "    First line.", "    <b>Second</b> line.");
  const edit = { labels: { set: { release: "1.2" }, remove: [] } };
  await runEditModel({ home: folder.path, tag, edit });
  const { stored } = await factsOf();
  assert.deepEqual([stored.release, stored.notes], ["1.2", "First line.\n<b>Second</b> line.\n"]);
  writeMetadata("  notes: [1]");
  assert.equal((await factsOf()).stored.notes, "");
});

test("the pin of a version is told with it", async () => {
  assert.equal((await factsOf()).stored.pinned, false);
  await runPinModel({ home: folder.path, tag, pinned: true });
  assert.equal((await factsOf()).stored.pinned, true);
});

test("a model.yaml that cannot be read is shown with its line, its column and every file's size", async () => {
  writeFileSync(join(version, "model.yaml"), "name: a\nversion: v1\nlabels: {stage: [dev}\n");
  mkdirSync(join(version, "more"));
  writeFileSync(join(version, "more/x"), "12345");
  const facts = await runBrokenFacts({ home: folder.path, tag });
  assert.deepEqual(facts.fault, { line: 3, column: 21, text: "labels: {stage: [dev}", at: 20 });
  assert.deepEqual(
    facts.files.map(({ path }) => path),
    ["model.yaml", "more/x", "weights.bin"],
  );
  assert.equal(facts.files[1]?.bytes, 5);
  assert.equal(facts.moreFiles, 0);
});

test("of a long line only the part around the fault is shown, and what is no text has no line", async () => {
  writeFileSync(join(version, "model.yaml"), `name: "${"x".repeat(5000)}" }\n`);
  const facts = await runBrokenFacts({ home: folder.path, tag });
  assert.ok((facts.fault?.text.length ?? 999) <= 200, JSON.stringify(facts.fault));
  assert.ok(facts.fault?.text.endsWith("}"));
  writeFileSync(join(version, "model.yaml"), Buffer.from([0x6e, 0xff, 0xfe]));
  assert.equal((await runBrokenFacts({ home: folder.path, tag })).fault, undefined);
});
