import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { clearFilter, filter } from "../../../../src/extension/commands/filter";
import { groupBy } from "../../../../src/extension/commands/groupBy";
import { pin, unpin } from "../../../../src/extension/commands/pin";
import { manyFolders } from "../../../../src/extension/targets";
import type { TreeNode } from "../../../../src/extension/tree/treeModel";
import { plant, tempFolder, yamlOf } from "../../store/storeKit";
import { type Answers, services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  for (const [version, labels] of [
    ["v1", "{stage: prod, owner: ann}"],
    ["v2", "{stage: dev}"],
    ["v3", "{}"],
  ] as const) {
    const path = plant(folder.path, "a", version);
    writeFileSync(join(path, "model.yaml"), yamlOf("a", version).replace("labels: {}", `labels: ${labels}`));
  }
});
afterEach(() => folder.remove());

test("a filter takes effect with each text that can be read, and the last of them is kept", async () => {
  const { services: parts, lines } = services(folder.path, { input: () => ["sta", "age<", "age<7d"] });
  await filter(parts);
  assert.deepEqual(lines, [
    "show models",
    "inputLive: Filter Models []",
    "filterBy: sta",
    'finding: Expected a time span such as 36h, 7d or 2w; got "".',
    "filterBy: age<7d",
    "filterBy: age<7d (kept)",
  ]);
});

test("dismissing the filter puts the one before back, and keeps nothing new", async () => {
  const { services: parts, lines } = services(folder.path, { input: () => undefined });
  await filter({ ...parts, tree: { ...parts.tree, filter: "stage=prod" } });
  assert.equal(lines.at(-1), "filterBy: stage=prod");
  await clearFilter(parts);
  assert.equal(lines.at(-1), "filterBy:  (kept)");
});

test("grouping by a label offers the keys that versions have, those of most versions first", async () => {
  const answers: Answers = { pick: (title) => (title.includes("which label") ? "owner" : "Label…") };
  const { services: parts, lines } = services(folder.path, answers);
  await parts.catalog.ready("own");
  await groupBy(parts);
  assert.deepEqual(lines, [
    "pick: Group models by [Name, Framework, Label…, Nothing: one flat list]",
    "pick: Group by the values of which label? [stage, owner]",
    "show models",
    "groupBy: label:owner",
  ]);
});

test("where no version has a label that is said, and the present groups chosen again change nothing", async () => {
  const { services: parts, lines } = services(join(folder.path, "nothing"), { pick: () => "Label…" });
  await groupBy(parts);
  assert.equal(lines.at(-1), "inform: No version has a label yet.");
  const { services: others, lines: otherLines } = services(folder.path, { pick: () => "Name" });
  await groupBy(others);
  assert.equal(otherLines.length, 1);
});

test("every version of a selection is pinned, and unpinned again", async () => {
  const { services: parts, lines } = services(folder.path);
  await parts.catalog.ready("own");
  const nodes = ["v1", "v2"].map((version) => ({ store: "own", tag: `a:${version}` }) as unknown as TreeNode);
  const pins = () =>
    ["v1", "v2", "v3"].filter((version) => existsSync(join(folder.path, ".modelbench/pins/a", version)));
  await pin(parts, nodes[0], nodes);
  assert.deepEqual([pins(), lines.at(-2)], [["v1", "v2"], "pinsChanged"]);
  await unpin(parts, nodes[0]);
  assert.deepEqual(pins(), ["v2"]);
});

test("a group, and a name under a filter, stand for the rows that are seen below them", async () => {
  const { services: parts } = services(folder.path);
  await parts.catalog.ready("own");
  const tree = { ...parts.tree, below: () => [{ store: "own", tag: "a:v2" } as unknown as TreeNode] };
  const rows: TreeNode[] = [
    { kind: "group", store: "own", value: "dev" },
    { kind: "name", store: "own", name: "a", narrowed: "few" },
    { kind: "name", store: "own", name: "a" },
  ];
  const counts = rows.map(async (row) => (await manyFolders({ ...parts, tree }, row, undefined, "")).length);
  assert.deepEqual(await Promise.all(counts), [1, 1, 3]);
});
