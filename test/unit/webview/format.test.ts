import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeElements } from "../../../src/formats/elements";
import {
  formatAge,
  formatBytes,
  formatCell,
  formatMs,
  formatPercent,
  formatShape,
  layOutJson,
  rawJson,
  shortCell,
} from "../../../webview/ui/format";
import { gridTarget } from "../../../webview/ui/gridKeys";
import {
  classOf,
  gridSize,
  looksLikeProbabilities,
  outputKind,
  rowLabel,
  softmax,
  topIndices,
} from "../../../webview/ui/interpret";
import { translator } from "../../../webview/ui/texts";
import { fc } from "../../fixtures/fastCheck";

test("a float32 is written as short as it can be and still name the same value", () => {
  assert.equal(formatCell("float32", Math.fround(5.9)), "5.9");
  assert.equal(formatCell("float32", Math.fround(1 / 3)), "0.33333334");
  assert.equal(formatCell("float64", 0.1 + 0.2), "0.30000000000000004");
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.equal(Math.fround(Number(formatCell("float32", value))), value === 0 ? 0 : value);
    }),
  );
});

test("every float16 and bfloat16 is written so that it can be told from its neighbors", () => {
  for (const [dtype, bytes] of [
    ["float16", 2],
    ["bfloat16", 2],
  ] as const) {
    const all = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
    const data = new Uint8Array(all.buffer);
    const values = decodeElements({ dtype, shape: [data.length / bytes], data }).filter(
      (value) => typeof value === "number" && Number.isFinite(value) && value !== 0,
    );
    assert.equal(new Set(values.map((value) => formatCell(dtype, Number(value)))).size, values.length, dtype);
  }
  assert.equal(formatCell("bfloat16", 0.10009765625), "0.1");
  assert.equal(formatCell("float16", 0.0999755859375), "0.1");
});

test("sizes, ages, milliseconds and shapes read as people write them", () => {
  assert.deepEqual([formatBytes(812), formatBytes(5949), formatBytes(2_097_152)], ["812 B", "5.81 KiB", "2.00 MiB"]);
  assert.equal(formatAge("en", 0, 7_200_000), "2 hours ago");
  assert.equal(formatAge("en", 0, 86_400_000), "yesterday");
  assert.equal(formatAge("en", 0, 400 * 86_400_000), "1 year ago");
  assert.deepEqual([0.234, 2.6, 15.25, 154.4].map(formatMs), ["0.23", "2.6", "15.3", "154"]);
  assert.equal(formatShape(["N", 4, null]), "[N, 4, ?]");
});

test("a value in a table has six digits at most, and no zeros to count", () => {
  const shown = [0.87229645, 0.0000118667995, 0.0001, 12_345_678.9, 5.9, 3, -2.5e-9].map((value) =>
    shortCell("float32", value),
  );
  assert.deepEqual(shown, ["0.872296", "1.18668e-5", "0.0001", "12345700", "5.9", "3", "-2.5e-9"]);
  assert.deepEqual(
    [shortCell("int64", "9223372036854775807"), shortCell("float64", "NaN")],
    ["9223372036854775807", "NaN"],
  );
});

test("a trace of a share is not written as none of it, nor almost all as all", () => {
  const shares = [0, 0.00001, 0.0005, 0.5, 0.9999, 1].map((share) => formatPercent("en", share));
  assert.deepEqual(shares, ["0.0%", "<0.1%", "0.1%", "50.0%", ">99.9%", "100.0%"]);
});

test("long JSON is laid out with every number as written, short JSON stays on a line, other texts are left alone", () => {
  assert.equal(
    layOutJson('{"a":[1.0,12345678901234567890],"b":"x, {y}: \\"z\\""}'),
    '{"a": [1.0, 12345678901234567890], "b": "x, {y}: \\"z\\""}',
  );
  assert.deepEqual(["[1, 2", "null", "0.97", "plain [text]", ""].map(layOutJson), new Array(5).fill(undefined));
  fc.assert(
    fc.property(fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue())), (value) => {
      const text = JSON.stringify(value);
      assert.equal(JSON.stringify(JSON.parse(layOutJson(text) ?? "")), text);
    }),
  );
  assert.equal(layOutJson(JSON.stringify({ rows: ["a".repeat(40), "b".repeat(40)] }))?.split("\n").length, 6);
});

test("raw JSON nests by the shape, keeps 64-bit integers bare, quotes texts and special values", () => {
  assert.equal(rawJson("int64", [2], ["9223372036854775807", "1"]), "[9223372036854775807, 1]");
  assert.equal(rawJson("float32", [2, 2], [1, "NaN", Math.fround(0.1), -2]), '[[1, "NaN"],\n [0.1, -2]]');
  assert.equal(rawJson("string", [1], ["5"]), '["5"]');
  assert.equal(rawJson("float32", [], [3]), "3");
});

test("the view follows the shape", () => {
  const kindOf = (shape: number[]) =>
    outputKind({ name: "y", dtype: "float32", shape, values: [], pageable: false, plain: null });
  assert.deepEqual([[], [1], [1, 1], [5], [1, 5], [5, 1], [2, 5], [1, 2, 2], [0, 4]].map(kindOf), [
    "scalar",
    "scalar",
    "scalar",
    "vector",
    "vector",
    "vector",
    "matrix",
    "matrix",
    "empty",
  ]);
  assert.deepEqual(
    gridSize({ name: "y", dtype: "float32", shape: [2, 3, 4], values: [], pageable: false, plain: null }),
    {
      rows: 6,
      columns: 4,
    },
  );
  assert.equal(rowLabel([2, 3, 4], 4), "1, 1");
});

test("softmax adds up to one, does not overflow and passes NaN on", () => {
  const shares = softmax([1000, 1001, 999]);
  assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-12);
  assert.deepEqual(softmax([Number.POSITIVE_INFINITY, 0]), [1, 0]);
  assert.ok(softmax([1, Number.NaN]).every(Number.isNaN));
  assert.equal(looksLikeProbabilities([0.9, 0.1]), true);
  assert.equal(looksLikeProbabilities([1.2, -0.2]), false);
});

test("the largest values come first, equal ones in order, NaN never", () => {
  assert.deepEqual(topIndices([1, 9, Number.NaN, 9, Number.POSITIVE_INFINITY, -1], 4), [4, 1, 3, 0]);
});

test("only integers name a class, and only one that exists", () => {
  const classes = ["a", "b"];
  assert.deepEqual(
    [
      classOf("int64", "1", classes),
      classOf("int64", "2", classes),
      classOf("float32", 1, classes),
      classOf("int8", -1, classes),
    ],
    ["b", undefined, undefined, undefined],
  );
});

test("keys move inside a grid and stop at its edges", () => {
  const plain = { ctrlKey: false, metaKey: false, altKey: false };
  const both = { start: true, end: true };
  const press = (key: string, at: number, edge = both) => gridTarget({ key, ...plain }, at, 3, 4, edge);
  assert.deepEqual([press("ArrowRight", 3), press("ArrowDown", 0), press("ArrowUp", 2), press("End", 4)], [3, 4, 2, 7]);
  assert.equal(press("ArrowLeft", 5, { start: false, end: true }), undefined);
  assert.equal(gridTarget({ key: "End", ...plain, ctrlKey: true }, 0, 3, 4, both), 11);
  assert.equal(press("a", 0), undefined);
});

test("texts fill in their arguments as they are, and a missing text shows its key", () => {
  const t = translator({ "test.send": "Send {0} of {1}" });
  assert.equal(t("test.send", "$&", "{0}"), "Send $& of {0}");
  assert.equal(t("test.run"), "test.run");
});
