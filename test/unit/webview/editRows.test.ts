import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { editIssues, modelEdit } from "../../../src/extension/page/modelEdit";
import type { EditInput, EditPart } from "../../../webview/protocol/views";
import { rebase } from "../../../webview/ui/editRows";
import { t } from "../extension/fakes";

const rows = (values: Record<string, string>) => Object.entries(values).map(([key, value]) => ({ key, value }));
const input = (part: EditPart, base: Record<string, string>, entries: Record<string, string>): EditInput => ({
  part,
  base: rows(base),
  entries: rows(entries),
});

describe("what a form writes", () => {
  test("only what the user changed, added and removed", () => {
    const edit = modelEdit(input("labels", { a: "1", b: "2", c: "3" }, { a: "1", b: "two", d: "4" }));
    assert.deepEqual(edit, { labels: { set: { b: "two", d: "4" }, remove: ["c"] } });
  });

  test("metadata stays the JSON that was typed, digit for digit", () => {
    const edit = modelEdit(input("metadata", { x: "1" }, { x: "12345678901234567890", y: "1.0" }));
    assert.deepEqual(edit, { metadata: { set: { x: "12345678901234567890", y: "1.0" }, remove: [] } });
  });

  test("notes are a label and a metadata text, and go when they are emptied", () => {
    const edit = modelEdit(input("notes", { release: "1.0", notes: "Old" }, { release: "", notes: 'New\n"line"' }));
    assert.deepEqual(edit, {
      labels: { set: {}, remove: ["release"] },
      metadata: { set: { notes: '"New\\n\\"line\\""' }, remove: [] },
    });
  });

  test("signatures are read from what the page made of them, and nothing else", () => {
    const value = JSON.stringify({ batchable: true, batchDim: [0, 1] });
    const edit = modelEdit(input("signatures", { run: value }, { predict: value }));
    assert.deepEqual(edit, {
      signatures: { set: { predict: { batchable: true, batchDim: [0, 1] } }, remove: ["run"] },
    });
    const bad = { run: '{"batchable":true,"batchDim":[0,99]}', "no name": value, x: "{}" };
    assert.deepEqual(
      editIssues(t, input("signatures", {}, bad)).map(({ field }) => field),
      ["signatures.0", "signatures.1", "signatures.2"],
    );
  });

  test("an empty key, a repeated one and what is no JSON are named at their row", () => {
    const entries = [...rows({ "": "x", a: "1" }), ...rows({ a: "2", b: "nope" })];
    assert.deepEqual(
      editIssues(t, { part: "metadata", base: [], entries }).map(({ field }) => field),
      ["metadata.0", "metadata.2", "metadata.3"],
    );
    assert.deepEqual(editIssues(t, { part: "labels", base: [], entries: rows({ "": "" }) }), []);
  });
});

describe("a file that somebody else wrote while the form was open", () => {
  const base = { stage: "dev", owner: "ann", gone: "1" };

  test("rows that were left alone follow the file: changed, added and removed ones", () => {
    const open = input("labels", base, { ...base, mine: "x" });
    const { input: next, conflicts } = rebase(open, rows({ stage: "prod", owner: "ann", more: "2" }));
    assert.deepEqual(conflicts, []);
    assert.deepEqual(next.entries, rows({ stage: "prod", owner: "ann", mine: "x", more: "2" }));
    assert.deepEqual(modelEdit(next), { labels: { set: { mine: "x" }, remove: [] } });
  });

  test("what both changed stays as typed and is named", () => {
    const open = input("labels", base, { stage: "test", owner: "ann" });
    const { input: next, conflicts } = rebase(open, rows({ stage: "prod", owner: "bob", gone: "2" }));
    assert.deepEqual(conflicts, ["stage", "gone"]);
    assert.deepEqual(modelEdit(next), { labels: { set: { stage: "test" }, remove: ["gone"] } });
  });

  test("both having made the same change is no conflict", () => {
    const { input: next, conflicts } = rebase(
      input("labels", base, { stage: "prod", owner: "ann" }),
      rows({ stage: "prod", owner: "ann" }),
    );
    assert.deepEqual([conflicts, modelEdit(next)], [[], { labels: { set: {}, remove: [] } }]);
  });
});
