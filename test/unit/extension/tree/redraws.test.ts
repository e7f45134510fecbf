import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { PAGE_ROWS, Pages } from "../../../../src/extension/tree/pages";
import { Redraws } from "../../../../src/extension/tree/redraws";
import { nodeId, type TreeNode } from "../../../../src/extension/tree/treeModel";

const row = (name: string): TreeNode => ({ kind: "name", store: "own", name });

/** Redraws, with what VS Code was told. */
function redraws(t: { after(end: () => void): void }) {
  const told: (string | undefined)[] = [];
  const made = new Redraws((node) => void told.push(node && nodeId(node)));
  t.after(() => made.dispose());
  return { made, told };
}

test("what changes before the window has asked for the rows is drawn once, after it did", async (t) => {
  const { made, told } = redraws(t);
  made.all();
  made.all();
  made.some([row("a")]);
  assert.deepEqual(told, [undefined]);
  made.asked();
  assert.deepEqual(told, [undefined], "the window is left alone for a moment");
  const quiet = made.quiet();
  await setTimeout(200);
  assert.deepEqual(told, [undefined, undefined]);
  made.asked();
  await quiet;
  assert.deepEqual(told, [undefined, undefined]);
});

test("a few rows are drawn alone, and many with everything", (t) => {
  const { made, told } = redraws(t);
  made.some([row("a"), row("b")]);
  assert.deepEqual(told, ["own/a", "own/b"]);
  made.some(Array.from({ length: 21 }, (_, i) => row(`n${i}`)));
  assert.deepEqual(told.slice(2), [undefined]);
});

test("a view that does not ask is not waited for", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { made, told } = redraws(t);
  made.all();
  made.all();
  t.mock.timers.tick(2_000);
  assert.deepEqual(told, [undefined, undefined]);
});

test("a long list is drawn page by page, and a row further down by itself", () => {
  const nodes = Array.from({ length: 2 * PAGE_ROWS + 1 }, (_, i) => row(`n${i}`));
  const far = nodes.at(-1) as TreeNode;
  const pages = new Pages();
  const drawn = () => pages.of(nodes, undefined);
  const hidden = () => {
    const last = drawn().at(-1);
    return last?.kind === "more" ? last.hidden : 0;
  };
  assert.deepEqual([drawn().length, hidden()], [PAGE_ROWS + 1, PAGE_ROWS + 1]);
  assert.equal(pages.include(nodes[3] as TreeNode, nodes, undefined), false);
  assert.equal(pages.include(far, nodes, undefined), true);
  assert.equal(pages.include(far, nodes, undefined), false);
  assert.deepEqual([drawn().at(-2), hidden()], [far, PAGE_ROWS]);
  pages.more(undefined);
  pages.more(undefined);
  assert.deepEqual([drawn().length, hidden()], [nodes.length, 0]);
  pages.clear();
  assert.equal(hidden(), PAGE_ROWS + 1);
});
