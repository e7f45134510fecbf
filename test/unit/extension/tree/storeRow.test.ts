import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoreSnapshot } from "../../../../src/extension/liveListing";
import { type RowContext, rowOf, type StoreFacts } from "../../../../src/extension/tree/treeRow";
import { viewText } from "../../../../src/extension/tree/viewText";
import { summary, t } from "../fakes";
import { arranged, treeState } from "./treeText";

const home = "/home/ann/work/.bentoml";
const entry = { models: [summary("iris:v1")], broken: [] };
const full: StoreSnapshot = { home, phase: "ready", error: undefined, names: new Map([["iris", entry]]) };
const empty: StoreSnapshot = { ...full, names: new Map() };
const locked: StoreFacts = { kind: "own", label: "My Store", from: "from .env", access: "readOnly" };

function context(facts: StoreFacts, snapshot = full): RowContext {
  const snapshots = new Map([
    ["own", snapshot],
    ["home:/data/team", full],
  ]);
  const arrangement = arranged(treeState(snapshots, {}));
  return { t, nowMs: 0, userHome: "/home/ann", arrangement, store: () => facts, refusal: () => undefined };
}

test("the row of a store says where the choice came from, and that nothing can be written", () => {
  const row = rowOf({ kind: "root", store: "own" }, context(locked));
  assert.equal(row.description, "~/work/.bentoml · from .env · read-only");
  assert.equal(row.spoken, "My Store, ~/work/.bentoml · from .env · read-only");
  assert.equal(row.icon, "lock");
  assert.equal(row.contextValue, "root own readonly");
  assert.match(row.tooltip(), /Chosen from \\\.env\\\.\s+Nothing can be written here\\\./);
});

test("a store that can be written says nothing of it", () => {
  const facts: StoreFacts = { kind: "home", label: "team\u202E", access: "writable" };
  const row = rowOf({ kind: "root", store: "own" }, context(facts));
  assert.deepEqual([row.icon, row.contextValue, row.description], ["database", "root home", "~/work/.bentoml"]);
  assert.ok(!row.label.includes("\u202E"), "a label is shown without direction marks");
});

test("the note below a home that is not there says so", () => {
  const note = { kind: "note", store: "own", note: "empty", error: undefined } as const;
  const label = (access: StoreFacts["access"]) => rowOf(note, context({ ...locked, access }, empty)).label;
  assert.equal(label("missing"), "This folder does not exist yet");
  assert.equal(label("writable"), "No models yet");
});

test("without roots the title says the same beside the folder", () => {
  const arrangement = arranged(treeState(new Map([["own", full]]), {}));
  const facts = { own: full, filter: "", t, userHome: "/home/ann", store: locked };
  const text = viewText({ arrangement, isReadingLabels: false }, facts);
  assert.equal(text.description, "~/work/.bentoml · from .env · read-only");
});

test("beside roots, which say it for each store, the title says nothing", () => {
  const several = new Map([
    ["own", full],
    ["home:/data/team", full],
  ]);
  const facts = { own: full, filter: "", t, userHome: "/home/ann", store: locked };
  const text = viewText({ arrangement: arranged(treeState(several, {})), isReadingLabels: false }, facts);
  assert.equal(text.description, "");
});
