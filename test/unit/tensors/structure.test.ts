import assert from "node:assert/strict";
import { test } from "node:test";
import { compareStructure, type StructureLeaf } from "../../../src/tensors/structure";

/** A leaf by its path; a part of digits after `#` is an integer. */
function leaf(
  name: string,
  shape: readonly number[] = [2],
  dtype: StructureLeaf["dtype"] = "float32",
  kind = "ndarray",
): StructureLeaf {
  const path = name.split("/").map((part) => (part.startsWith("#") ? Number(part.slice(1)) : part));
  return { name: path.join("/"), path, kind, dtype, nativeDtype: dtype ?? kind, shape };
}

/** The differences in a line each. */
function told(expected: readonly StructureLeaf[], found: readonly StructureLeaf[]): string[] {
  return compareStructure(expected, found).map((difference) => {
    switch (difference.difference) {
      case "missing":
      case "extra":
        return `${difference.difference} ${difference.leaf.name} ~ ${difference.near.join(" ")}`.trimEnd();
      case "moved":
        return `moved ${JSON.stringify(difference.from.path)} ${JSON.stringify(difference.to.path)}`;
      case "kind":
        return `kind ${difference.name} ${difference.expected} ${difference.found}`;
      default:
        return `${difference.difference} ${difference.expected.name}`;
    }
  });
}

test("equal structures have no difference, whatever their order", () => {
  const leaves = [leaf("a/b"), leaf("a/c", [], null, "int")];
  assert.deepEqual(told(leaves, [...leaves].reverse()), []);
});

test("all differences are told at once, where flax stops at the first or says nothing", () => {
  const expected = [
    leaf("params/dense/kernel", [4, 3]),
    leaf("params/dense/bias", [3]),
    leaf("params/norm/scale", [3]),
    leaf("batch_stats/mean", [3]),
    leaf("step", [], null, "int"),
    leaf("gone", [7, 7]),
  ];
  const found = [
    leaf("params/dense/kernel", [3, 4]),
    leaf("params/dense/bias", [3], "float64"),
    leaf("params/norm/scael", [3]),
    leaf("stats/mean", [3]),
    leaf("step", [], "int32", "npscalar"),
    leaf("added", [9, 9]),
  ];
  assert.deepEqual(told(expected, found), [
    "shape params/dense/kernel",
    "dtype params/dense/bias",
    'moved ["params","norm","scale"] ["params","norm","scael"]',
    'moved ["batch_stats","mean"] ["stats","mean"]',
    "kind step int npscalar",
    "missing gone ~",
    "extra added ~",
  ]);
});

test("a leaf where a subtree was expected is one difference, and the other way round", () => {
  const tree = [leaf("a/b/x"), leaf("a/b/y"), leaf("z")];
  const flat = [leaf("a/b"), leaf("z")];
  assert.deepEqual(told(tree, flat), ["kind a/b tree ndarray"]);
  assert.deepEqual(told(flat, tree), ["kind a/b ndarray tree"]);
});

test("integer keys and the same digits as text are a move", () => {
  assert.deepEqual(told([leaf("l/#0/w"), leaf("l/#1/w")], [leaf("l/0/w"), leaf("l/1/w")]), [
    'moved ["l",0,"w"] ["l","0","w"]',
    'moved ["l",1,"w"] ["l","1","w"]',
  ]);
});

test("a move is only told where it is the only one that fits", () => {
  assert.deepEqual(told([leaf("a/w"), leaf("b/w")], [leaf("c/w"), leaf("d/w")]), [
    "missing a/w ~ c/w d/w",
    "missing b/w ~ c/w d/w",
    "extra c/w ~ a/w b/w",
    "extra d/w ~ a/w b/w",
  ]);
  assert.deepEqual(told([leaf("old/l0/w"), leaf("old/l1/w")], [leaf("new/l0/w"), leaf("new/l1/w")]), [
    'moved ["old","l0","w"] ["new","l0","w"]',
    'moved ["old","l1","w"] ["new","l1","w"]',
  ]);
});

test("of a missing leaf the names that look like it are told, the nearest first", () => {
  const expected = [leaf("encoder/layer_10/kernel", [1])];
  const found = [leaf("encoder/layer_1/kernal", [2]), leaf("encoder/layer_10/kernl", [3]), leaf("head", [4])];
  assert.equal(
    told(expected, found)[0],
    "missing encoder/layer_10/kernel ~ encoder/layer_10/kernl encoder/layer_1/kernal",
  );
});

test("two trees of 40,000 leaves without a common name are compared within seconds", () => {
  const leaves = (prefix: string): StructureLeaf[] =>
    Array.from({ length: 40_000 }, (_, i) => leaf(`${prefix}/block${i % 100}/${prefix}${i}/w`, [i % 7]));
  const start = performance.now();
  assert.equal(compareStructure(leaves("alpha"), leaves("beta")).length, 80_000);
  assert.ok(performance.now() - start < 5000);
});
