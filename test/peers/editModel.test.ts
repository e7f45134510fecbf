import assert from "node:assert/strict";
import { after, test } from "node:test";
import { dumpPyYaml } from "../../src/formats/pyYaml";
import { editModelInfo, type ModelEdit, retagModelInfo } from "../../src/store/modelYaml/editModelInfo";
import { parseModelInfo } from "../../src/store/modelYaml/modelInfo";
import { fc } from "../fixtures/fastCheck";
import { anyValue } from "./arbitraries";
import { Oracle } from "./oracle";

const oracle = new Oracle();
after(() => oracle.dispose());

const LABELS = [
  "labels: {}",
  "labels: {} # none yet",
  "labels:\n  owner: vision\n  stage: dev # for now",
  "labels:\n    'owner': \"vis\\xE9on\"\n    # between\n    a b: yes please\n\n    stage:\n      long text over\n      two lines",
  "labels: {owner: vision, stage: 'dev'}",
  "labels: {\n  owner: vision, # who\n  stage: dev,\n  }",
  "labels:\n  stage: |\n    a block\n    of text\n  owner: >+\n    folded\n\n",
  "labels:\n  stage: dev\n  owner: |+\n    kept\n\n",
  "labels:\n  1: one\n  owner: true\n  stage: ~",
  "labels: &x\n  owner: vision",
  "labels:\n  <<: *y\n  stage: dev",
  "labels: !!map\n  owner: vision",
  "labels:\n  ? owner\n  : vision\n  stage:",
];
const METADATA = [
  "metadata: {}",
  "metadata:\n  acc: 0.97\n  classes:\n  - a\n  - b\n  notes: 'one\n\n    two'\n  raw: !!binary |\n    aGVsbG8=\n  day: 2026-01-02",
  "metadata:\n    acc: 1.0 # best\n    nested:\n        deep: [1, {a: b}]\n        # inside\n        other: x\n    1: one\n    notes: |\n      first\n      second",
  "metadata: {acc: .nan, classes: [a, 'b, c'], notes: \"x\\ty\"}",
  "metadata: [[acc, 1], [notes, old]]",
  "metadata: *x",
  "metadata:\n  acc: &x1 {a: 1}\n  notes: *x1\n  classes:\n  - *x1",
  "metadata: &y\n  acc: some\n  notes: more",
];
const SIGNATURES = [
  "signatures: {}",
  "",
  "signatures:\n  run:\n    batchable: true\n    batch_dim: &id001\n    - 0\n    - 0\n  other:\n    batchable: true\n    batch_dim: *id001\n  third:\n    batchable: true\n    batch_dim: *id001",
  "signatures:\n  run: &id001\n    batchable: yes\n    batch_dim: [0, 0] # both\n    input_spec: {a: 1}\n  other: *id001",
  "signatures: {run: {batchable: false}, other: {batchable: true, batch_dim: [1, 0]}}",
  "signatures:\n    run:\n        # what it is\n        batchable: false\n        unknown: {x: [1]}\n    'other':   {}",
];
const REST = [
  "name: m",
  "version: v1",
  "module: ''",
  "context:\n  framework_name: ''\n  framework_versions: {}",
  "api_version: v1",
  "creation_time: '2026-01-02T03:04:05.000006+00:00'",
  "unknown: {kept: [1, 2]} # as it is",
];

/** One section a string, each a key of the first level; a comment or an empty line may stand in front. */
const sections = fc
  .record({
    labels: fc.constantFrom(...LABELS),
    metadata: fc.constantFrom(...METADATA),
    signatures: fc.constantFrom(...SIGNATURES),
    options: fc.oneof(
      fc.constant(new Map()),
      anyValue.map((value) => new Map([["any", value]])),
    ),
    comments: fc.array(fc.constantFrom("", "", "# a comment\n", "\n", "  # an indented one\n"), {
      minLength: 11,
      maxLength: 11,
    }),
    order: fc.shuffledSubarray([...Array(11).keys()], { minLength: 11 }),
    isShuffled: fc.boolean(),
  })
  .map(({ labels, metadata, signatures, options, comments, order, isShuffled }) => {
    // What an alias names must stand in front of it.
    const [first, second] = labels.includes("*y") ? [metadata, labels] : [labels, metadata];
    const written = dumpPyYaml(new Map([["options", options]])).trimEnd();
    const isNamed = /[*&]id00/.test(written) && signatures.includes("id001");
    const [head, tail] = [REST.slice(0, 3), [isNamed ? "options: {}" : written, ...REST.slice(3)]];
    const parts = [...head, first, second, ...tail, signatures];
    const isLinked = /[*&][xy]/.test(parts.join());
    const sorted = isShuffled && !isLinked ? order.map((i) => parts[i] ?? "") : parts;
    return sorted.flatMap((part, i) => (part === "" ? [] : [`${comments[i] ?? ""}${part}\n`]));
  });

const text = fc.oneof(
  fc.constantFrom(
    "prod",
    "",
    "a: b # c",
    "yes",
    "1",
    "0x1f",
    "line\nbreak",
    "  edge ",
    'it\'s "so"',
    "é\u{1f600}",
    "*a",
  ),
  fc.string({ unit: "grapheme", maxLength: 120 }),
);
const json = fc.oneof(
  fc.constantFrom(
    "1",
    "1.0",
    "[]",
    "{}",
    '"text"',
    "true",
    '{"a":{"b":[1,2.5,"x"]}}',
    '[["deep"],{"k":"v"}]',
    "12345678901234567890",
  ),
  text.map((value) => JSON.stringify(value)),
);
const name = fc.constantFrom(
  "owner",
  "stage",
  "notes",
  "acc",
  "1",
  "new key",
  "a b",
  "x".repeat(130),
  "key: odd",
  "classes",
);
const method = fc.constantFrom("run", "other", "third", "predict", "__call__");
const signature = fc.record({
  batchable: fc.boolean(),
  batchDim: fc.tuple(fc.integer({ min: -1, max: 2 }), fc.integer({ min: 0, max: 2 })),
});
const change = <T>(key: fc.Arbitrary<string>, value: fc.Arbitrary<T>) =>
  fc.record({
    set: fc.dictionary(key, value, { maxKeys: 3, noNullPrototype: true }),
    remove: fc.uniqueArray(key, { maxLength: 2 }),
  });
const edit: fc.Arbitrary<ModelEdit> = fc.oneof(
  fc.record({ labels: change(name, text) }),
  fc.record({ metadata: change(name, json) }),
  fc.record({ signatures: change(method, signature) }),
  fc.record({ labels: change(name, text), metadata: change(name, json), signatures: change(method, signature) }),
);

/** The document as one of the texts that a file may hold. */
function written(parts: readonly string[], lineBreak: string, hasMark: boolean, hasEnd: boolean): string {
  const whole = (hasMark ? "\ufeff" : "") + parts.join("");
  return (hasEnd ? whole : whole.replace(/\n$/, "")).replaceAll("\n", lineBreak);
}

test("an edited file means the old one with the edit applied, for PyYAML and for BentoML, and nothing else moves", async () => {
  const runs = fc.asyncProperty(
    sections,
    edit,
    fc.constantFrom("\n", "\n", "\r\n", "\r"),
    fc.boolean(),
    fc.boolean(),
    async (parts, wanted, lineBreak, hasMark, hasEnd) => {
      const before = written(parts, lineBreak, hasMark, hasEnd);
      try {
        parseModelInfo(before);
      } catch {
        return fc.pre(false);
      }
      const result = editModelInfo(before, wanted);
      const { value, error } = await oracle.ask<string[]>("edited", { before, after: result, edit: wanted });
      assert.deepEqual(value, [], `${error}\n${JSON.stringify(before)}\n${JSON.stringify(result)}`);
      assert.equal(editModelInfo(result, wanted), result, "the same edit again changes nothing");
      assert.equal(result.startsWith("\ufeff"), hasMark);
      if (lineBreak === "\r\n") assert.doesNotMatch(result, /[^\r]\n|\r[^\n]/);
      assertOthersStay(parts, lineBreak, wanted, result);
    },
  );
  await fc.assert(runs, { numRuns: 400 });
});

/** What stands outside the sections of an edit is there letter for letter; where aliases cross sections they may go. */
function assertOthersStay(parts: readonly string[], lineBreak: string, wanted: ModelEdit, result: string): void {
  if (/[*&][xy]/.test(parts.join(""))) return;
  for (const part of parts) {
    const key = /^(\w+):/m.exec(part)?.[1] ?? "";
    if (key in wanted) continue;
    assert.ok(result.includes(part.trimEnd().replaceAll("\n", lineBreak)), `${part} is not in ${result}`);
  }
}

test("another tag and time change three values and nothing else", async () => {
  const runs = fc.asyncProperty(sections, fc.constantFrom("\n", "\r\n"), async (parts, lineBreak) => {
    const before = written(parts, lineBreak, false, true);
    try {
      parseModelInfo(before);
    } catch {
      return fc.pre(false);
    }
    const result = retagModelInfo(before, { name: "other", version: "1.0" }, { epochMs: 1_700_000_000_123, micros: 0 });
    const lines = before
      .replace(/^name: m$/m, "name: other")
      .replace(/^version: v1$/m, "version: '1.0'")
      .replace(/^creation_time: .*[^\r\n]/m, "creation_time: '2023-11-14T22:13:20.123000+00:00'");
    assert.equal(result, lines);
    const { value } = await oracle.ask<{ tag: string }>("modelInfo", { text: result });
    assert.equal(value?.tag, "other:1.0");
  });
  await fc.assert(runs, { numRuns: 100 });
});
