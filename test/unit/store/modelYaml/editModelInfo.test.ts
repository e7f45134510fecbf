import assert from "node:assert/strict";
import { test } from "node:test";
import { editModelInfo, type ModelEdit } from "../../../../src/store/modelYaml/editModelInfo";
import { failsWith } from "../../../fixtures/failures";
import { yamlOf } from "../../../fixtures/modelYaml";

const BASE = yamlOf("m", "v1");

/** A file with other sections than the plain ones. */
function fileWith(sections: Readonly<Record<string, string>>): string {
  return Object.entries(sections).reduce((text, [key, section]) => text.replace(`${key}: {}`, section), BASE);
}

/** The section of a file after an edit; everything outside it must be as before. */
function edited(section: "labels" | "metadata" | "signatures" | "options", text: string, edit: ModelEdit): string {
  const before = fileWith({ [section]: text });
  const [head = "", tail = ""] = before.split(text);
  const result = editModelInfo(before, edit);
  assert.ok(result.startsWith(head) && result.endsWith(tail), result);
  return result.slice(head.length, result.length - tail.length);
}

test("a label is added, changed and removed in its own line, as PyYAML would write it", () => {
  const set = (key: string, value: string): ModelEdit => ({ labels: { set: { [key]: value }, remove: [] } });
  const label = (text: string, edit: ModelEdit) => edited("labels", text, edit);
  assert.equal(label("labels: {}", set("owner", "vision")), "labels:\n  owner: vision");
  assert.equal(label("labels: {} # none", set("owner", "1.0")), "labels: # none\n  owner: '1.0'");
  const two = "labels:\n  # who\n  'owner': vision # team\n  stage: dev";
  assert.equal(label(two, set("owner", "é: #")), "labels:\n  # who\n  'owner': \"\\xE9: #\" # team\n  stage: dev");
  assert.equal(label(two, set("b", "")), `${two}\n  b: ''`);
  const without = (...remove: string[]): ModelEdit => ({ labels: { set: {}, remove } });
  assert.equal(label(two, without("owner")), "labels:\n  # who\n  stage: dev");
  assert.equal(label(two, without("owner", "stage")), "labels: {}\n  # who");
  assert.equal(label(two, without("none")), two);
  assert.equal(label("labels:\n    a: 1\n", set("b", "2")), "labels:\n    a: 1\n    b: '2'\n");
});

test("arguments of methods are written into the options, exact, and other options stay", () => {
  const edit = (text: string, set: Record<string, string>, remove: string[] = []) =>
    edited("options", text, { partialKwargs: { set, remove } });
  const predict = { predict: '{"top": 3, "rate": 1.0, "names": ["a", null]}' };
  const written = "predict:\n      top: 3\n      rate: 1.0\n      names:\n      - a\n      - null";
  assert.equal(edit("options: {}", predict), `options:\n  partial_kwargs:\n    ${written}`);
  assert.equal(edit("options:\n  partial_kwargs: {}", predict), `options:\n  partial_kwargs:\n    ${written}`);
  const two = "options:\n  a: 1 # kept\n  partial_kwargs:\n    # who\n    predict:\n      top: 1\n    other: {b: 2}";
  assert.equal(
    edit(two, { predict: '{"top": 12345678901234567890}' }, ["none"]),
    two.replace("top: 1", "top: 12345678901234567890"),
  );
  assert.equal(
    edit(two, {}, ["other"]),
    "options:\n  a: 1 # kept\n  partial_kwargs:\n    # who\n    predict:\n      top: 1",
  );
  for (const json of ["3", "[1]", "{", '"a"', "null"]) {
    const failing = () => editModelInfo(BASE, { partialKwargs: { set: { predict: json }, remove: [] } });
    failsWith("usage", failing);
  }
});

test("flow style stays flow style, its comments and commas too", () => {
  const flow = "labels: {a: one, # first\n  b: two}";
  const edit = (labels: NonNullable<ModelEdit["labels"]>) => edited("labels", flow, { labels });
  assert.equal(edit({ set: { b: "x, y" }, remove: [] }), "labels: {a: one, # first\n  b: 'x, y'}");
  assert.equal(edit({ set: { c: "3" }, remove: [] }), "labels: {a: one, # first\n  b: two, c: '3'}");
  assert.equal(edit({ set: {}, remove: ["b"] }), "labels: {a: one, # first\n  }");
  assert.equal(edit({ set: {}, remove: ["a"] }), "labels: {# first\n  b: two}");
});

test("metadata of every kind is written as PyYAML writes it, notes of several lines too", () => {
  const set = { notes: '"first\\n\\nsecond: yes\\n"', acc: "1.0", n: "10", list: '[1, {"a": []}]', empty: "{}" };
  assert.equal(
    edited("metadata", "metadata: {}", { metadata: { set, remove: [] } }),
    "metadata:\n  notes: 'first\n\n\n    second: yes\n\n    '\n  acc: 1.0\n  n: 10\n  list:\n  - 1\n  - a: []\n  empty: {}",
  );
  const block = "metadata:\n  notes: | # why\n    old\n    text\n\n  acc: 0.5";
  const short = { metadata: { set: { notes: '"new"' }, remove: [] } };
  assert.equal(edited("metadata", block, short), "metadata:\n  notes: new\n\n  acc: 0.5");
});

const SHARED = `signatures:
  run:
    batchable: true
    batch_dim: &id001
    - 0
    - 0
    input_spec: {a: 1} # kept
  other:
    batchable: true
    batch_dim: *id001
  third:
    batchable: true
    batch_dim: *id001`;

test("a shared batch_dim is written out where it is touched, and stays shared elsewhere", () => {
  const set = (method: string, batchable: boolean, dim: number): ModelEdit => ({
    signatures: { set: { [method]: { batchable, batchDim: [dim, 0] } }, remove: [] },
  });
  const sign = (edit: ModelEdit) => edited("signatures", SHARED, edit);
  assert.equal(
    sign(set("other", true, 1)),
    SHARED.replace("*id001\n  third", "\n    - 1\n    - 0\n  third").replace("batch_dim: \n", "batch_dim:\n"),
  );
  assert.equal(
    sign(set("run", true, 1)),
    SHARED.replace("batch_dim: &id001\n    - 0", "batch_dim:\n    - 1").replace("*id001", "&id001\n    - 0\n    - 0"),
  );
  assert.equal(
    sign({ signatures: { set: {}, remove: ["run", "third"] } }),
    "signatures:\n  other:\n    batchable: true\n    batch_dim: &id001\n    - 0\n    - 0",
  );
  assert.equal(sign(set("third", true, 0)), SHARED);
});

test("a method is added, and what else is known of one stays when its flags change", () => {
  const none = edited("signatures", "signatures: {}", {
    signatures: { set: { run: { batchable: true, batchDim: [0, 1] } }, remove: [] },
  });
  assert.equal(none, "signatures:\n  run:\n    batchable: true\n    batch_dim:\n    - 0\n    - 1");
  const row = "signatures:\n  run:\n    batchable: no # odd\n    unknown: [1]\n    batch_dim: [0, 1]";
  const edit = (batchable: boolean, out: number) =>
    edited("signatures", row, { signatures: { set: { run: { batchable, batchDim: [0, out] } }, remove: [] } });
  assert.equal(edit(true, 1), row.replace("no #", "true #"));
  assert.equal(edit(false, 0), "signatures:\n  run:\n    batchable: no # odd\n    unknown: [1]");
});

test("line breaks, a byte order mark and a missing last line break stay", () => {
  const edit: ModelEdit = { labels: { set: { a: "b" }, remove: [] }, signatures: { set: {}, remove: ["x"] } };
  const dos = `\ufeff${BASE.replaceAll("\n", "\r\n")}`;
  assert.equal(editModelInfo(dos, edit), dos.replace("labels: {}", "labels:\r\n  a: b"));
  const open = BASE.replace(/\n$/, "").replace("labels: {}\n", "").concat("\nlabels: {}");
  assert.equal(editModelInfo(open, edit), open.replace("labels: {}", "labels:\n  a: b"));
});

test("what BentoML would not take is refused, and the file with it", () => {
  const set = (json: string): ModelEdit => ({ metadata: { set: { k: json }, remove: [] } });
  failsWith("yaml.invalid", () => editModelInfo(BASE, set("null")));
  failsWith("usage", () => editModelInfo(BASE, set("text")));
  failsWith("yaml.invalid", () => editModelInfo(BASE.replace("labels: {}", "labels:"), set("1")));
});
