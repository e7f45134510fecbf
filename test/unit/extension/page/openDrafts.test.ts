import assert from "node:assert/strict";
import { test } from "node:test";
import {
  mendDrafts,
  missingFiles,
  placedIssues,
  startingDrafts,
  toInputs,
} from "../../../../src/extension/page/draftInputs";
import { TestDrafts } from "../../../../src/extension/page/testDrafts";
import { type Draft, type Drafts, draftsSchema } from "../../../../webview/protocol/views";
import { failsWith } from "../../../fixtures/failures";
import { openMethod as open } from "../../../fixtures/openMethod";
import { t } from "../fakes";

const reading = { pathOf: (id: string) => (id === "known" ? "/tmp/x.npy" : undefined), numbers: "float32" } as const;

function draft(change: Partial<Draft> = {}): Draft {
  return { ...(startingDrafts(open, {})["0"] as Draft), ...change };
}

function sent(change: Partial<Draft>): unknown {
  return toInputs(open, { x: draft(change) }, reading)["x"];
}

test("an open method starts with the arguments of its example, else with one that can be run", () => {
  const drafts = startingDrafts(open, { scale: "2.0", 0: "[[5.9, 3.0]]" });
  assert.deepEqual(
    Object.entries(drafts).map(([name, { source, json }]) => [name, source, json]),
    [
      ["0", "json", "[[5.9, 3.0]]"],
      ["scale", "json", "2.0"],
    ],
  );
  assert.deepEqual(toInputs(open, startingDrafts(open, {}), reading), {
    0: { kind: "text", text: "[[0]]", form: { numbers: "float32" } },
  });
  assert.ok(draftsSchema.safeParse(drafts).success);
});

test("the user's arguments stay what they are, none at all included", () => {
  const starting = startingDrafts(open, {});
  const own: Drafts = { threshold: draft({ json: "0.5" }) };
  assert.deepEqual(mendDrafts(open, own, starting), own);
  assert.deepEqual(mendDrafts(open, {}, starting), {});
  assert.deepEqual(mendDrafts(open, undefined, starting), starting);
});

test("an argument is sent with what its JSON becomes", () => {
  assert.deepEqual(sent({ json: '{"a": 1.0}' }), { kind: "text", text: '{"a": 1.0}', form: { numbers: "float32" } });
  assert.deepEqual(sent({ as: "dataframe", dtype: "int64" }), {
    kind: "text",
    text: "[[0]]",
    form: { as: "dataframe", dtype: "int64", numbers: "float32" },
  });
  assert.deepEqual(sent({ source: "form", dims: [1, 2], cells: ["1", "2.5"] }), {
    kind: "text",
    text: "[[1, 2.5]]",
    form: { numbers: "float32" },
  });
  assert.deepEqual(sent({ source: "form", dims: [2], cells: ["a", "1"], dtype: "string" }), {
    kind: "text",
    text: '["a", "1"]',
    form: { dtype: "string", numbers: "float32" },
  });
  assert.deepEqual(sent({ source: "generate", dims: [2, 3], pattern: "ones", dtype: "float64" }), {
    kind: "generate",
    pattern: "ones",
    seed: 42,
    dims: [2, 3],
    form: { dtype: "float64", numbers: "float32" },
  });
  const file = { id: "known", name: "x.npy", bytes: 3 };
  assert.deepEqual(sent({ source: "file", file }), { kind: "file", path: "/tmp/x.npy", form: { numbers: "float32" } });
  failsWith("input.dtype", () => sent({ dtype: "float33" }));
});

test("a file that was not chosen is missing, and what it leaves out is no finding", () => {
  const drafts = { 0: draft({ source: "file" }), 1: draft() };
  const missing = missingFiles(open, drafts, reading.pathOf, t).map(({ input }) => input);
  assert.deepEqual(missing, ["0"]);
  const inputs = toInputs(open, drafts, reading, missing);
  assert.deepEqual(Object.keys(inputs), ["1"]);
  const gap = { input: "0", error: { code: "input.notFound", message: "", remedy: null, path: null } };
  assert.deepEqual(placedIssues([gap], open, inputs, missing), []);
  assert.deepEqual(placedIssues([gap], open, inputs, []), [{ ...gap, input: "1" }]);
  assert.deepEqual(placedIssues([{ ...gap, input: "1" }], open, inputs, missing), [{ ...gap, input: "1" }]);
});

test("the arguments of a method outlive the window with their names", () => {
  const model = { tag: "clf:v1", methods: [open], examples: {}, numbers: "float64" } as const;
  const drafts = new TestDrafts(model, undefined);
  drafts.put("predict", { 0: draft(), scale: draft({ json: "2.0" }) });
  const after = new TestDrafts(model, drafts.kept());
  assert.deepEqual(Object.keys(after.state().drafts), ["0", "scale"]);
  assert.equal(after.reading.numbers, "float64");
});
