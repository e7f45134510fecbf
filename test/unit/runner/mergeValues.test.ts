import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeColumn, encodeStrings } from "../../../src/formats/elements";
import { concatValues, mergeableValues, rowsOf, sliceValue, splitValue } from "../../../src/runner/mergeValues";
import { type FrameValue, isTensor, type ListValue, type ObjectValue, type RunValue } from "../../../src/runner/values";
import { fc } from "../../fixtures/fastCheck";
import { filled, valuesOfOneKind } from "./valueCases";

const list = (...items: unknown[]): ListValue => ({ container: "list", items });
const object: ObjectValue = { container: "object", value: { a: [1, 2] } };
const frame = (rows: number, seed = 0): FrameValue => ({
  container: "dataframe",
  columns: [
    ["length", filled("float64", [rows], seed)],
    ["kind", filled("string", [rows], seed)],
  ],
});

test("splitting undoes joining, for tensors on every axis, lists and data frames", () => {
  fc.assert(
    fc.property(valuesOfOneKind, ({ axis, counts, make }) => {
      const parts = counts.map((count, i) => make(count, i * 11));
      const whole = concatValues(parts, axis);
      assert.equal(
        rowsOf(whole, axis),
        counts.reduce((a, b) => a + b, 0),
      );
      assert.deepEqual(splitValue(whole, axis, counts).map(plain), parts.map(plain));
    }),
    { numRuns: 500 },
  );
});

test("texts that are missing from a column stay where they are when rows are joined and split", () => {
  const part = (...texts: (string | null)[]): FrameValue => ({
    container: "dataframe",
    columns: [["t", { dtype: "string", shape: [texts.length], data: encodeStrings(texts) }]],
  });
  const parts = [part("a", null), part(null), part("", "b")];
  const whole = concatValues(parts, 0);
  assert.ok(!isTensor(whole) && whole.container === "dataframe" && whole.columns[0]);
  assert.deepEqual(decodeColumn(whole.columns[0][1]), ["a", null, null, "", "b"]);
  assert.deepEqual(splitValue(whole, 0, [2, 1, 2]).map(plain), parts.map(plain));
});

test("rows are a tensor's along any axis, a list's and a data frame's along the first, and no object's", () => {
  const tensor = filled("uint8", [2, 3], 0);
  assert.deepEqual([rowsOf(tensor, 0), rowsOf(tensor, 1), rowsOf(tensor, 2)], [2, 3, undefined]);
  assert.deepEqual([rowsOf(list(1, "a"), 0), rowsOf(list(1, "a"), 1)], [2, undefined]);
  assert.deepEqual([rowsOf(frame(4), 0), rowsOf(frame(4), 1)], [4, undefined]);
  assert.equal(rowsOf(object, 0), undefined);
});

test("a data frame without columns, and one whose columns differ in length, have no rows", () => {
  const [length] = frame(2).columns;
  const [, kind] = frame(3).columns;
  assert.equal(rowsOf({ container: "dataframe", columns: [] }, 0), undefined);
  assert.equal(rowsOf({ container: "dataframe", columns: [length, kind] as FrameValue["columns"] }, 0), undefined);
});

test("values go together only with their own kind, and objects with none", () => {
  const kinds: readonly RunValue[] = [filled("uint8", [2, 2], 0), list(1), frame(2), object];
  for (const [i, a] of kinds.entries()) {
    for (const [j, b] of kinds.entries()) assert.equal(mergeableValues(a, b, 0), i === j && a !== object, `${i} ${j}`);
  }
  assert.ok(!mergeableValues(list(1), list(1), 1));
  assert.ok(!mergeableValues(frame(1), frame(1), 1));
});

test("data frames go together when names, dtypes and order of their columns are the same", () => {
  const { columns } = frame(2);
  const [length, kind] = columns as [FrameValue["columns"][number], FrameValue["columns"][number]];
  const differing: readonly FrameValue["columns"][] = [
    [kind, length],
    [length],
    [length, ["sort", kind[1]]],
    [["length", filled("float32", [2], 0)], kind],
  ];
  assert.ok(mergeableValues(frame(2), frame(5, 3), 0));
  for (const others of differing) {
    const other: FrameValue = { container: "dataframe", columns: others };
    assert.ok(!mergeableValues(frame(2), other, 0));
    assert.ok(!mergeableValues(other, frame(2), 0));
    assert.throws(() => concatValues([frame(2), other], 0), { code: "internal" });
  }
});

test("what is all of a value is that value, and rows that it lacks are refused", () => {
  for (const value of [list(1, 2), frame(2)]) {
    assert.equal(sliceValue(value, 0, 0, 2), value);
    assert.equal(concatValues([value], 0), value);
    for (const [axis, start, count] of [
      [0, 1, 2],
      [0, -1, 1],
      [0, 0, -1],
      [1, 0, 1],
    ] as const)
      assert.throws(() => sliceValue(value, axis, start, count), { code: "internal" });
  }
  assert.throws(() => sliceValue(object, 0, 0, 1), { code: "internal" });
  assert.throws(() => concatValues([object, object], 0), { code: "internal" });
  assert.throws(() => concatValues([], 0), { code: "internal" });
});

/** Tensors with their bytes as numbers: two views of equal bytes differ in class. */
function plain(value: RunValue): unknown {
  if ("dtype" in value) return { ...value, data: [...value.data] };
  if (value.container !== "dataframe") return value;
  return value.columns.map(([name, values]) => [name, plain(values)]);
}
