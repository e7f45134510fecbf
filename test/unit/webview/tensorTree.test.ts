import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { TensorRow } from "../../../webview/protocol/content";
import { heatColor, heatRange } from "../../../webview/ui/tensors/heatColors";
import { firstView } from "../../../webview/ui/tensors/tensorsState";
import {
  firstExpanded,
  matching,
  segmentsOf,
  separatorOf,
  type TensorOrder,
  tensorTree,
  treeLines,
} from "../../../webview/ui/tensors/tensorTree";

function row(name: string, shape: readonly number[], facts: Partial<TensorRow> = {}): TensorRow {
  const bytes = 4 * shape.reduce((a, b) => a * b, 1);
  const leaf = { kind: "ndarray", dtype: "float32", nativeDtype: "F32", offset: 0 } as const;
  return { file: "m.safetensors", name, path: [name], shape: [...shape], bytes, ...leaf, ...facts };
}

describe("names become groups", () => {
  test("by the keys of a nested leaf, whatever characters they have", () => {
    assert.deepEqual(segmentsOf(row("params/a.b/0", [1], { path: ["params", "a.b", 0] })), ["params", "a.b", "0"]);
  });

  test("by the dots and slashes of a format that has names only", () => {
    assert.deepEqual(segmentsOf(row("layers.0.weight", [1])), ["layers", "0", "weight"]);
    assert.deepEqual(segmentsOf(row("/encoder/layers.0/MatMul", [1])), ["encoder", "layers", "0", "MatMul"]);
    assert.deepEqual([segmentsOf(row("W1", [1])), segmentsOf(row("...", [1]))], [["W1"], ["..."]]);
    assert.deepEqual(segmentsOf(row("", [1])), ["m.safetensors"]);
  });

  test("a group that holds only a group is one line with it, and sums what is below", () => {
    const rows = [row("model.layers.0.w", [2, 3]), row("model.layers.0.b", [3]), row("model.layers.1.w", [4])];
    const lines = treeLines(tree(rows), () => true);
    assert.deepEqual(
      lines.map(({ label, level }) => `${level} ${label}`),
      ["1 model/layers", "2 0", "3 w", "3 b", "2 1", "3 w"],
    );
    const [root] = lines;
    assert.deepEqual([root?.node.tensors, root?.node.parameters, root?.node.bytes], [3, 13, 52]);
    assert.deepEqual([lines[3]?.position, lines[3]?.siblings], [2, 2]);
  });

  test("names with dots only stay joined by dots, and a search takes them either way", () => {
    const rows = [row("model.layers.0.w", [2, 3]), row("model.layers.1.w", [4])];
    assert.equal(treeLines(tree(rows), () => false, separatorOf(rows))[0]?.label, "model.layers");
    assert.equal(separatorOf([row("params/a", [1], { path: ["params", "a"] })]), "/");
    assert.deepEqual([matching(rows, "layers/1"), matching(rows, "layers.1")], [[1], [1]]);
  });

  test("a name that is also the beginning of another one is both a tensor and a group", () => {
    const labels = treeLines(tree([row("a", [1]), row("a.b", [1])]), () => true).map(({ label }) => label);
    assert.deepEqual(labels, ["a", "a", "b"]);
  });

  test("shards share their groups, files with the same names have one each", () => {
    const shards = [row("a.x", [1], { file: "1.safetensors" }), row("a.y", [1], { file: "2.safetensors" })];
    assert.deepEqual(
      treeLines(tree(shards), () => false).map(({ label }) => label),
      ["a"],
    );
    const twins = [row("a.x", [1], { file: "1.npz" }), row("a.x", [1], { file: "2.npz" })];
    assert.deepEqual(
      treeLines(tree(twins), () => false).map(({ label }) => label),
      ["1.npz/a", "2.npz/a"],
    );
  });
});

test("orders are the file's, by name with numbers as numbers, and by size", () => {
  const rows = [row("l.10", [1]), row("l.2", [5]), row("l.1", [3])];
  const labels = (order: TensorOrder): string[] =>
    treeLines(tensorTree(rows, [0, 1, 2], order, false), () => true)
      .slice(1)
      .map(({ label }) => label);
  assert.deepEqual(
    [labels("file"), labels("name"), labels("size")],
    [
      ["10", "2", "1"],
      ["1", "2", "10"],
      ["2", "1", "10"],
    ],
  );
});

test("a query finds by every word of name, type, shape and file", () => {
  const rows = [row("a.weight", [4, 3]), row("b.weight", [4, 30], { dtype: "bfloat16", nativeDtype: "BF16" })];
  assert.deepEqual(matching(rows, ""), [0, 1]);
  assert.deepEqual(matching(rows, "WEIGHT bf16"), [1]);
  assert.deepEqual(matching(rows, "[4, 3]"), [0]);
  assert.deepEqual(matching(rows, "4x30"), [1]);
  assert.deepEqual(matching(rows, "weight int8"), []);
});

test("few lines are open at first, however many there are", () => {
  const many = Array.from({ length: 1_000 }, (_, i) => row(`block.${i % 20}.unit.${i}`, [1]));
  const roots = tree(many);
  const open = firstExpanded(roots);
  const lines = treeLines(roots, ({ id }) => open.has(id));
  assert.ok(lines.length > 5 && lines.length <= 41, String(lines.length));
});

test("the first look is at the last two axes", () => {
  assert.deepEqual(firstView([]), { rowAxis: null, columnAxis: null, fixed: [] });
  assert.deepEqual(firstView([7]), { rowAxis: 0, columnAxis: null, fixed: [0] });
  assert.deepEqual(firstView([3, 3, 8, 9]), { rowAxis: 2, columnAxis: 3, fixed: [0, 0, 0, 0] });
});

test("colors run from one end to the other, and meet at zero where values lie on both sides of it", () => {
  const colors = { below: [0, 0, 255], middle: [0, 0, 0], above: [255, 0, 0], mark: [9, 9, 9] } as const;
  const both = heatRange([-1, null, 3]);
  assert.deepEqual(both, { low: -3, high: 3, isTwoSided: true });
  assert.deepEqual(
    [heatColor(-3, both, colors), heatColor(0, both, colors), heatColor(3, both, colors)],
    [colors.below, colors.middle, colors.above],
  );
  const one = heatRange([2, 4]);
  assert.deepEqual([heatColor(2, one, colors), heatColor(4, one, colors)], [colors.middle, colors.above]);
  const negative = heatRange([-4, -2]);
  assert.deepEqual([heatColor(-4, negative, colors), heatColor(-2, negative, colors)], [colors.below, colors.middle]);
  assert.deepEqual(heatRange([null]), { low: 0, high: 0, isTwoSided: false });
});

function tree(rows: readonly TensorRow[]) {
  return tensorTree(
    rows,
    rows.map((_, index) => index),
    "file",
    false,
  );
}
