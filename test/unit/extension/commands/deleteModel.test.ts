import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { deleteModel } from "../../../../src/extension/commands/deleteModel";
import { undoDelete } from "../../../../src/extension/commands/undoDelete";
import type { Services } from "../../../../src/extension/services";
import { type TreeNode, versionNode } from "../../../../src/extension/tree/treeModel";
import { ModelStore } from "../../../../src/store/modelStore";
import { plant, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";
import { running } from "../fakes";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  plant(folder.path, "a", "v1", "2024-01-01T00:00:00+00:00");
  plant(folder.path, "a", "v2", "2024-01-02T00:00:00+00:00");
  plant(folder.path, "b", "v1", "2024-01-03T00:00:00+00:00");
});
afterEach(() => folder.remove());

const isThere = (tag: string): boolean => existsSync(join(folder.path, "models", tag.replace(":", "/")));

async function nodeOf({ catalog }: Services, tag: string): Promise<TreeNode> {
  await catalog.ready("own");
  const found = catalog.find({ store: "own", tag });
  assert.ok(found, tag);
  return versionNode("own", found);
}

test("deleting asks once, with tags and sizes, and the notification can undo it", async () => {
  const { services: parts, lines } = services(folder.path, { confirm: true, presses: true });
  const nodes = [await nodeOf(parts, "a:v1"), await nodeOf(parts, "b:v1")];
  await deleteModel(parts, nodes[0], nodes);
  assert.match(lines[0] ?? "", /^confirm: Delete 2 versions\? \[Delete\] a:v1 \(\d+ B\) \| b:v1 \(\d+ B\)/);
  assert.match(lines[0] ?? "", /No version of b will be left\./);
  assert.doesNotMatch(lines[0] ?? "", /No version of a/);
  assert.deepEqual(lines.slice(1), ["inform: 2 versions deleted. [Undo]", "reveal: a:v1"]);
  assert.ok(isThere("a:v1") && isThere("b:v1"));
});

test("a dismissed question deletes nothing and says nothing", async () => {
  const { services: parts, lines } = services(folder.path, { confirm: false });
  await deleteModel(parts, await nodeOf(parts, "a:v1"));
  assert.equal(lines.length, 1);
  assert.ok(isThere("a:v1"));
});

test("when the store is another one by the time of the answer, nothing of that one is deleted", async () => {
  const other = tempFolder();
  plant(other.path, "a", "v1");
  const { services: parts } = services(folder.path, { confirm: true });
  const moved = { ...parts, stores: { ...parts.stores, of: () => new ModelStore(other.path) } };
  const refused = { code: "model.notFound", message: /is not in it: nothing of it was deleted/ };
  await assert.rejects(deleteModel(moved, await nodeOf(parts, "a:v1")), refused);
  assert.ok(isThere("a:v1") && existsSync(join(other.path, "models/a/v1")));
  other.remove();
});

test("what was deleted is brought back where it was, also when the store is another one by then", async () => {
  const other = tempFolder();
  const { services: parts, lines } = services(folder.path, { confirm: true, presses: true });
  const stores = { ...parts.stores };
  const inform: typeof parts.ui.inform = async () => {
    const store = new ModelStore(other.path);
    Object.assign(stores, { all: [{ ...parts.stores.all[0], store }], own: store, of: () => store });
    return true;
  };
  await deleteModel({ ...parts, stores, ui: { ...parts.ui, inform } }, await nodeOf(parts, "a:v1"));
  assert.ok(isThere("a:v1"));
  // It is not in what the tree shows now.
  assert.ok(!lines.some((line) => line.startsWith("reveal")));
  other.remove();
});

test("without a row the palette asks which, and dismissing that is a quiet no-op", async () => {
  const { services: parts, lines } = services(folder.path, { confirm: true });
  await deleteModel(parts);
  assert.deepEqual(lines, ["pickMany: Delete which models? [b:v1, a:v2, a:v1]"]);
});

test("a name stands for all its versions, and counts once beside one of them", async () => {
  const { services: parts, lines } = services(folder.path, { confirm: true });
  const name: TreeNode = { kind: "name", store: "own", name: "a" };
  await deleteModel(parts, name, [name, await nodeOf(parts, "a:v2")]);
  assert.match(lines[0] ?? "", /^confirm: Delete 2 versions\? .*No version of a will be left\./);
  assert.ok(!isThere("a:v1") && !isThere("a:v2") && isThere("b:v1"));
});

test("the Delete key acts on what is selected, and on nothing when nothing is", async () => {
  const { services: parts, lines } = services(folder.path, { confirm: true });
  await deleteModel(parts, "selection");
  assert.deepEqual(lines, []);
  const selection = [await nodeOf(parts, "b:v1")];
  await deleteModel({ ...parts, tree: { ...parts.tree, selection } }, "selection");
  assert.ok(!isThere("b:v1"));
});

test("a folder that cannot be read as a model can be deleted and brought back", async () => {
  mkdirSync(join(folder.path, "models/a/torn"));
  const { services: parts, lines } = services(folder.path, { confirm: true });
  const snapshot = await parts.catalog.ready("own");
  const item = snapshot?.names.get("a")?.broken.find(({ version }) => version === "torn");
  assert.ok(item);
  await deleteModel(parts, { kind: "broken", store: "own", item: { ...item, beingWritten: false } });
  assert.match(lines[0] ?? "", /a:torn \(cannot be read\)/);
  assert.ok(!isThere("a:torn"));
  await undoDelete(parts);
  assert.ok(isThere("a:torn"));
});

test("undo brings back the only one at once, and else asks with the last deleted one first", async () => {
  const { services: parts, lines } = services(folder.path, {
    confirm: true,
    pickMany: (_, labels) => labels.slice(0, 1),
  });
  await deleteModel(parts, { store: "own", tag: "a:v1" });
  await undoDelete(parts);
  assert.ok(isThere("a:v1"));
  await deleteModel(parts, { store: "own", tag: "a:v2" });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await deleteModel(parts, { store: "own", tag: "b:v1" });
  lines.length = 0;
  await undoDelete(parts);
  assert.deepEqual(lines, ["pickMany: Bring back which models? [b:v1, a:v2]", "reveal: b:v1"]);
  assert.ok(isThere("b:v1") && !isThere("a:v2"));
});

test("undo with an empty trash says that there is nothing", async () => {
  const { services: parts, lines } = services(folder.path);
  await undoDelete(parts);
  assert.deepEqual(lines, ["inform: There is nothing to bring back."]);
});

test("what a bento uses is named with the bento, first of all lines, and deleted only on purpose", async () => {
  const bento = join(folder.path, "bentos/summarizer/v7");
  mkdirSync(bento, { recursive: true });
  writeFileSync(join(bento, "bento.yaml"), "name: summarizer\nversion: v7\nmodels:\n- tag: b:v1\n");
  const loaded = [running({ store: "own", tag: "a:v2" })];
  const { services: parts, lines } = services(folder.path, { confirm: true, loaded });
  const nodes = [await nodeOf(parts, "a:v2"), await nodeOf(parts, "b:v1")];
  await deleteModel(parts, nodes[0], nodes);
  assert.match(
    lines[0] ?? "",
    /^confirm: Delete 2 versions although bentos use 1 of them\? \[Delete Anyway\] b:v1 \([^)]*\), used by summarizer:v7 \| a:v2 \([^)]*\), loaded now \|/,
  );
  assert.equal(lines[1], "unload: a:v2");
  assert.ok(!isThere("b:v1") && !isThere("a:v2") && isThere("a:v1"));
});

test("a version that cannot be deleted keeps no other, and what went can come back", async () => {
  const { services: parts, lines } = services(folder.path, { confirm: true });
  const nodes = [await nodeOf(parts, "a:v1"), await nodeOf(parts, "b:v1")];
  rmSync(join(folder.path, "models/a/v1"), { recursive: true });
  await assert.rejects(deleteModel(parts, nodes[0], nodes), {
    code: "model.notFound",
    remedy: "Undo Delete brings back the ones that were deleted.",
  });
  assert.ok(!isThere("b:v1"));
  lines.length = 0;
  await undoDelete(parts);
  assert.deepEqual(lines, ["reveal: b:v1"]);
});

test("a name whose versions nobody has read yet is deleted with all of them", async () => {
  const { services: parts, lines } = services(folder.path, { confirm: true });
  await parts.catalog.named("own");
  const name: TreeNode = { kind: "name", store: "own", name: "a" };
  await deleteModel(parts, name, [name]);
  assert.match(lines[0] ?? "", /^confirm: Delete 2 versions\?/);
  assert.ok(!isThere("a:v1") && !isThere("a:v2"));
});
