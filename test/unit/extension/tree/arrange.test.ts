import assert from "node:assert/strict";
import { test } from "node:test";
import { Slice } from "../../../../src/base/slice";
import type { NameEntry, StoreSnapshot } from "../../../../src/extension/liveListing";
import { nodeId } from "../../../../src/extension/tree/treeModel";
import { summary } from "../fakes";
import { arranged, outline, treeState } from "./treeText";

function snapshot(names: ReadonlyMap<string, NameEntry>, phase: StoreSnapshot["phase"] = "ready"): StoreSnapshot {
  return { home: "/home/ann/bentoml", phase, error: undefined, names };
}

const big = new Map(
  Array.from({ length: 10_000 }, (_, i): [string, NameEntry] => {
    const model = summary(`model${i}:v1`, { creationMs: i, module: i % 2 === 0 ? "bentoml.onnx" : "bentoml.flax" });
    return [`model${i}`, { models: [model], broken: [] }];
  }),
);

test("10,000 names are put together in many slices, whatever they stand under", () => {
  for (const groupBy of ["name", "framework", "none", "label:stage"] as const) {
    // No time at all: whoever asks is told to let others run.
    const arrangement = arranged(treeState(new Map([["own", snapshot(big)]]), { groupBy }), new Slice(0));
    assert.equal(arrangement.shown, 10_000);
    assert.equal(arrangement.all, 10_000);
    assert.ok(arrangement.pauses >= 1_000, `${groupBy}: ${arrangement.pauses}`);
  }
});

test("names that are not read yet stand in the order of their folders' times", () => {
  const names = new Map<string, NameEntry>([
    ["old", { models: [], broken: [], pending: true, folderMs: 1_000 }],
    ["read", { models: [summary("read:v1", { creationMs: 2_000 })], broken: [] }],
    ["new", { models: [], broken: [], pending: true, folderMs: 3_000 }],
  ]);
  const arrangement = arranged(treeState(new Map([["own", snapshot(names, "named")]])));
  assert.deepEqual(outline(arrangement), ["own/new", "own/read", "  own/read/v1", "own/old"]);
  assert.equal(arrangement.pending, 2);
});

test("under a filter nothing is said to be missing while names are still to be read", () => {
  const names = new Map<string, NameEntry>([["a", { models: [], broken: [], pending: true }]]);
  const accepts = { text: "x", version: () => true, broken: () => true };
  const tops = (phase: StoreSnapshot["phase"], entries: ReadonlyMap<string, NameEntry>) =>
    arranged(treeState(new Map([["own", snapshot(entries, phase)]]), { accepts })).tops.map(nodeId);
  assert.deepEqual(tops("named", names), []);
  assert.deepEqual(tops("ready", new Map([["a", { models: [], broken: [] }]])), ["own?unmatched"]);
  assert.deepEqual(tops("ready", new Map()), []);
});

test("what a filter leaves is folded when it is much and unfolded when it is little", () => {
  const few = (count: number) => {
    const accepts = {
      text: "x",
      version: (_: string, model: { creationMs: number }) => model.creationMs < count,
      broken: () => false,
    };
    const [first] = arranged(treeState(new Map([["own", snapshot(big)]]), { accepts })).tops;
    return first?.kind === "name" && first.narrowed;
  };
  assert.equal(few(50), "few");
  assert.equal(few(51), "many");
});
