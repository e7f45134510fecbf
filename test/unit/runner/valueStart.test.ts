import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeStrings } from "../../../src/formats/elements";
import { parseTypedJson, stringifyExact, WholeFloat } from "../../../src/formats/jsonExact";
import type { Tensor } from "../../../src/formats/tensor";
import { framePart, valueStart } from "../../../src/runner/valueStart";
import type { FrameValue } from "../../../src/runner/values";
import { fc } from "../../fixtures/fastCheck";

function shown(value: unknown): { text: string; isWhole: boolean } {
  const start = valueStart({ container: "object", value });
  assert.ok(start.kind === "json");
  const { text, isWhole } = start;
  return { text, isWhole };
}

function table(rows: number, columns: number, column: (rows: number) => Tensor = bytes): FrameValue {
  return { container: "dataframe", columns: Array.from({ length: columns }, (_, i) => [`c${i}`, column(rows)]) };
}

function bytes(rows: number): Tensor {
  return { dtype: "uint8", shape: [rows], data: new Uint8Array(rows) };
}

function rowsOf({ columns }: FrameValue): (number | undefined)[] {
  return [...new Set(columns.map(([, { shape }]) => shape[0]))];
}

test("a value is laid out as JSON: short lists on a line, the rest indented, every digit kept", () => {
  const value = {
    label: "é",
    scores: [0.5, new WholeFloat(3), 2n ** 64n],
    rows: [
      [1, 2],
      [3, 4],
    ],
    none: {},
    no: [],
  };
  assert.deepEqual(shown(value), {
    isWhole: true,
    text: `{
  "label": "é",
  "scores": [0.5, 3.0, 18446744073709551616],
  "rows": [
    [1, 2],
    [3, 4]
  ],
  "none": {},
  "no": []
}`,
  });
  assert.equal(shown(new WholeFloat(-0)).text, "-0.0");
});

test("what is laid out says the same as the value, whatever it is", () => {
  const values = fc.jsonValue({ maxDepth: 4 });
  fc.assert(
    fc.property(values, (value) => {
      const { text, isWhole } = shown(value);
      assert.ok(isWhole);
      assert.deepEqual(parseTypedJson(text), parseTypedJson(stringifyExact(value)));
    }),
  );
});

test("a long value is cut, and costs no more than what is shown", () => {
  for (const value of [
    Array.from({ length: 200_000 }, (_, i) => i),
    "😀".repeat(200_000),
    { a: "x".repeat(100_000) },
  ]) {
    const { text, isWhole } = shown(value);
    assert.equal(isWhole, false);
    assert.ok(text.length <= 100_000 && text.length > 99_990, String(text.length));
    assert.equal(Buffer.from(text).toString(), text);
    assert.ok(stringifyExact(value, 2).replace(/\s/g, "").startsWith(text.replace(/\s/g, "").slice(0, -8)));
  }
});

test("of a table the first 1,000 rows are told, fewer of a wide or a heavy one, one at least", () => {
  const start = valueStart(table(3_000, 2));
  assert.ok(start.kind === "table");
  assert.deepEqual([rowsOf(start.frame), start.count], [[1_000], 3_000]);
  assert.deepEqual(rowsOf(framePart(table(3_000, 1_000), 0, 3_000)), [100]);
  const texts = (rows: number): Tensor => {
    const long = Array.from({ length: rows }, () => "x".repeat(1_000_000));
    return { dtype: "string", shape: [rows], data: encodeStrings(long) };
  };
  assert.deepEqual(rowsOf(framePart(table(5, 2, texts), 0, 5)), [1]);
  assert.deepEqual(rowsOf(framePart(table(5, 2), 3, 9)), [2]);
  assert.deepEqual(rowsOf(framePart(table(5, 2), 7, 9)), [0]);
  assert.deepEqual(valueStart({ container: "dataframe", columns: [] }), {
    kind: "table",
    frame: { container: "dataframe", columns: [] },
    count: 0,
  });
});
