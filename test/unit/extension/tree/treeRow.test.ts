import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { StoreSnapshot } from "../../../../src/extension/liveListing";
import type { GroupBy, SortBy, StoreId } from "../../../../src/extension/services";
import type { Accepts, TreeState } from "../../../../src/extension/tree/arrange";
import { nodeId, type TreeNode } from "../../../../src/extension/tree/treeModel";
import { type RowContext, rowOf } from "../../../../src/extension/tree/treeRow";
import { runRefusal } from "../../../../src/extension/trust";
import type { PickleVerdict } from "../../../../src/formats/pickle/facts";
import type { BrokenItem, ModelSummary } from "../../../../src/store/model";
import { broken, summary, t } from "../fakes";
import { arranged, outline, treeState, treeText } from "./treeText";

process.env["TZ"] = "UTC";

const NOW = Date.UTC(2026, 6, 28, 12);
const HOUR = 3_600_000;

function snapshot(models: ModelSummary[], items: BrokenItem[] = [], home = "/home/ann/bentoml"): StoreSnapshot {
  const names = new Map<string, { models: ModelSummary[]; broken: BrokenItem[] }>();
  const entry = (name: string) => {
    const known = names.get(name) ?? { models: [], broken: [] };
    names.set(name, known);
    return known;
  };
  for (const model of models) entry(model.tag.name).models.push(model);
  for (const item of items) entry(item.name).broken.push(item);
  return { home, phase: "ready", error: undefined, names };
}

const STORES = [
  { id: "own", kind: "own", label: "My Store" },
  { id: "home:/data/team", kind: "home", label: "team" },
  { id: "sample", kind: "sample", label: "Sample Store" },
] as const;

function context(
  snapshots: ReadonlyMap<StoreId, StoreSnapshot>,
  isTrusted = true,
  parts: Partial<TreeState> = {},
): RowContext {
  return {
    t,
    nowMs: NOW,
    userHome: "/home/ann",
    arrangement: arranged(treeState(snapshots, parts)),
    store: (id) => STORES.find((store) => store.id === id),
    refusal: (module, store) => runRefusal(t, module, isTrusted, store),
  };
}

function draw(snapshots: ReadonlyMap<StoreId, StoreSnapshot>, parts: Partial<TreeState> = {}): string {
  return treeText(context(snapshots, true, parts));
}

/** Compares with the golden file; `UPDATE_GOLDEN=1` writes it, to be reviewed as a diff. */
function golden(name: string, actual: string): void {
  const path = join("test/unit/extension/tree/golden", `${name}.txt`);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, actual);
  assert.equal(actual, readFileSync(path, "utf8"));
}

const own = snapshot(
  [
    summary("iris_clf:v1", { creationMs: NOW - 100 * HOUR, sizeBytes: 5949 }),
    summary("iris_clf:v2", { creationMs: NOW - 2 * HOUR, isLatest: true, sizeBytes: 6144 }),
    summary("digits:7k2mbxtnfofq5gqf", { creationMs: NOW - 30 * HOUR, isLatest: true, sizeBytes: 2_100_000 }),
    summary("spam:a", { module: "bentoml.sklearn", creationMs: NOW - 60_000, isLatest: true, sizeBytes: 100 }),
    summary("loose:b", { module: "", creationMs: NOW + 5_000, isLatest: true, sizeBytes: 0 }),
    summary("custom:c", { module: "my.own_loader", creationMs: NOW - 800 * 24 * HOUR, isLatest: true }),
    summary("other:d", {
      creationMs: NOW - 20 * 24 * HOUR,
      warnings: [{ code: "tag.mismatch", message: "The folder other:d holds a model.yaml that names x:y." }],
    }),
  ],
  [
    broken("iris_clf", "torn", "/home/ann/bentoml/models/iris_clf/torn has no model.yaml."),
    broken("iris_clf", "new", "…", true),
    broken("Bad Name", undefined, 'The folder name "Bad Name" is not a valid tag.'),
    broken("half", "x\u202egnp", "line one\nline two *bold* [link](command:x)"),
  ],
);

test("the user's own store alone is a tree of names without a root", () => {
  golden("own", draw(new Map([["own", own]])));
});

test("with the sample store open each store is a root of its own", () => {
  const sample = snapshot([summary("iris_clf:v2", { isLatest: true })], [], "/tmp/global/sample-store");
  golden(
    "roots",
    draw(
      new Map([
        ["own", snapshot([])],
        ["sample", sample],
      ]),
    ),
  );
});

test("an unreadable own store says so below its root and hides nothing of the sample store", () => {
  const failed: StoreSnapshot = {
    home: "/srv/models",
    phase: "failed",
    error: { code: "store.access", message: "/srv/models: permission denied." },
    names: new Map(),
  };
  const sample = snapshot([summary("digits:v1", { isLatest: true })], [], "/tmp/global/sample-store");
  golden(
    "failed",
    draw(
      new Map([
        ["own", failed],
        ["sample", sample],
      ]),
    ),
  );
});

test("names are ordered by their newest version, by name or by size, and versions newest first", () => {
  const order = (sortBy: SortBy): string[] => {
    return outline(arranged(treeState(new Map([["own", own]]), { sortBy }))).map((row) => row.trim());
  };
  const iris = ["own/iris_clf", "own/iris_clf/v2", "own/iris_clf/v1", "own/iris_clf/new", "own/iris_clf/torn"];
  const names = (rows: string[]) => rows.filter((row) => row.split("/").length === 2);
  assert.deepEqual(order("created").slice(4, 9), iris);
  assert.deepEqual(names(order("created")), [
    ...["own/loose", "own/spam", "own/iris_clf", "own/digits", "own/other", "own/custom", "own/half"],
    "own/Bad Name!",
  ]);
  assert.deepEqual(names(order("name")), [
    ...["own/custom", "own/digits", "own/half", "own/iris_clf", "own/loose", "own/other", "own/spam"],
    "own/Bad Name!",
  ]);
  assert.equal(names(order("size"))[0], "own/digits");
});

test("every row leads to its parent, with and without roots", () => {
  for (const stores of [["own"], ["own", "sample"], ["own", "home:/data/team", "home:/data/team/digits"]]) {
    for (const groupBy of ["name", "framework", "label:stage", "none"] as const) {
      for (const accepts of [undefined, everything]) {
        const snapshots = new Map(stores.map((store) => [store, own] as const));
        const arrangement = arranged(treeState(snapshots, { sortBy: "name", groupBy, accepts, labels: LABELS }));
        const visit = (node: TreeNode, above: TreeNode | undefined): void => {
          const parent = arrangement.parent(node);
          assert.equal(parent && nodeId(parent), above && nodeId(above), nodeId(node));
          for (const child of arrangement.children(node)) visit(child, node);
        };
        for (const node of arrangement.tops) visit(node, undefined);
      }
    }
  }
});

const everything: Accepts = { text: "all", version: () => true, broken: () => true };
const stages = new Map([
  ["iris_clf:v1", new Map([["stage", "prod"]])],
  ["iris_clf:v2", new Map([["stage", "dev"]])],
  ["digits:7k2mbxtnfofq5gqf", new Map([["stage", "prod"]])],
]);
const LABELS = new Map([["own", stages]]);

test("a filter leaves the names of what fits with how many of their versions that are", () => {
  const accepts: Accepts = { text: "v1", version: (_, model) => model.tag.version === "v1", broken: () => false };
  golden("filtered", draw(new Map([["own", own]]), { accepts }));
  const nothing: Accepts = { text: "stage=none", version: () => false, broken: () => false };
  golden("unmatched", draw(new Map([["own", own]]), { accepts: nothing }));
});

test("versions stand under their frameworks or the values of a label by their whole tags, pinned ones first", () => {
  const draws = (groupBy: GroupBy) =>
    draw(new Map([["own", own]]), { groupBy, labels: LABELS, pins: new Map([["own", new Set(["iris_clf:v1"])]]) });
  golden("frameworks", draws("framework"));
  golden("labels", draws("label:stage"));
  golden("flat", draws("none"));
});

test("in Restricted Mode an ONNX model of the user's own store keeps its Test button", () => {
  const snapshots = new Map([["own", own]] as const);
  const node: TreeNode = { kind: "version", store: "own", tag: "iris_clf:v2", summary: summary("iris_clf:v2") };
  assert.match(rowOf(node, context(snapshots, false)).contextValue, /\brunnable\b/);
});

test("a model that needs Python has a Test button in a trusted window, and in Restricted Mode its tooltip says why not", () => {
  const model = summary("spam:a", { module: "bentoml.sklearn" });
  const node: TreeNode = { kind: "version", store: "own", tag: "spam:a", summary: model };
  assert.match(rowOf(node, context(new Map())).contextValue, /\brunnable\b/);
  const restricted = rowOf(node, context(new Map(), false));
  assert.doesNotMatch(restricted.contextValue, /runnable/);
  assert.match(restricted.tooltip(), /Models that run code do not run in Restricted Mode/);
});

test("a model of a framework that nobody knows says so in its row, its tooltip and to a screen reader", () => {
  const model = summary("spam:a", { module: "my.own_loader" });
  const row = rowOf({ kind: "version", store: "own", tag: "spam:a", summary: model }, context(new Map()));
  assert.match(row.description, /^cannot run · /, "a narrow view cuts the end of the row");
  for (const text of [row.spoken, row.tooltip().replaceAll("\\", "")]) {
    assert.match(text, /is of a framework that this version does not know/);
  }
  assert.doesNotMatch(row.contextValue, /runnable/);
});

test("a row says what the pickles of its version hold: short in the row, in full to a screen reader and in the tooltip", () => {
  const node: TreeNode = { kind: "version", store: "own", tag: "spam:a", summary: summary("spam:a") };
  const drawn = (verdict: PickleVerdict) =>
    rowOf(node, { ...context(new Map()), verdict: () => ({ verdict, unknownImports: 2 }) });
  const expected: readonly (readonly [PickleVerdict, string, string, string, boolean])[] = [
    ["allowed", "known types", "Nothing outside the allow list", "tag", false],
    ["unknown", "cannot tell", "Imports we do not know (2)", "workspace-unknown", false],
    ["code", "runs code", "Contains code", "code", false],
    ["dangerous", "dangerous", "Calls dangerous functions", "workspace-unknown", true],
    ["malformed", "cannot tell", "Cannot tell", "workspace-unknown", false],
    ["unresolvable", "cannot tell", "Cannot tell", "workspace-unknown", false],
    ["opaque", "cannot tell", "Cannot tell", "workspace-unknown", false],
  ];
  for (const [verdict, short, long, icon, warns] of expected) {
    const row = drawn(verdict);
    assert.ok(row.description.split(" · ").includes(short), row.description);
    assert.ok(row.spoken.includes(long) && row.tooltip().replaceAll("\\", "").includes(long), row.spoken);
    assert.deepEqual([row.icon, row.warns], [icon, warns], verdict);
    assert.doesNotMatch(`${row.description} ${row.spoken} ${row.tooltip()}`, /\bsafe\b/i);
  }
});
