import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  cellIssue,
  cellsToJson,
  draftFromJson,
  draftFromSpec,
  elementCount,
  formLayout,
  jsonToCells,
  resizeCells,
} from "../../../webview/protocol/drafts";
import type { MethodView, SpecView } from "../../../webview/protocol/views";
import { withDim, withPaste, withSource } from "../../../webview/ui/draftEdits";
import { fc } from "../../fixtures/fastCheck";

const x: SpecView = { name: "x", type: "tensor", dtype: "float32", shape: ["N", 4] };
const ids: SpecView = { name: "ids", type: "tensor", dtype: "int64", shape: ["N"] };

describe("cells and JSON", () => {
  test("numbers keep every digit, whatever way they were typed", () => {
    assert.equal(cellsToJson("int64", [2], ["9223372036854775807", "+7"]), "[9223372036854775807, 7]");
    assert.equal(cellsToJson("float64", [5], [".5", "1.", "007.10", "1e-3", " -2 "]), "[0.5, 1, 7.10, 1e-3, -2]");
    assert.equal(cellsToJson("float32", [3], ["nan", "-inf", "Infinity"]), '["NaN", "-Infinity", "Infinity"]');
    assert.equal(cellsToJson("bool", [2], ["TRUE", "false"]), "[true, false]");
    assert.equal(cellsToJson("string", [2], ["12", 'a"b']), '["12", "a\\"b"]');
    assert.equal(cellsToJson("float32", [], ["3.0"]), "3.0");
  });

  test("nested JSON becomes cells with its texts as written", () => {
    assert.deepEqual(jsonToCells("[[5.90, 3], [1e3, -0]]"), { dims: [2, 2], cells: ["5.90", "3", "1e3", "-0"] });
    assert.deepEqual(jsonToCells(" 7 "), { dims: [], cells: ["7"] });
    assert.deepEqual(jsonToCells('["a", "b"]'), { dims: [2], cells: ["a", "b"] });
  });

  test("what is not rectangular, not finished or not plain values is left to the JSON field", () => {
    for (const text of [
      "[1, [2]]",
      "[[1], 2]",
      "[[1, 2], [3]]",
      "[1, ",
      "[1] 2",
      "{}",
      "[null]",
      "",
      "[1,,2]",
      "[1 2]",
      "01",
    ]) {
      assert.equal(jsonToCells(text), undefined, text);
    }
  });

  test("cells survive the way to JSON and back, for any shape that a form shows", () => {
    const shapes = fc
      .array(fc.integer({ min: 1, max: 5 }), { maxLength: 4 })
      .filter((dims) => elementCount(dims) <= 256);
    fc.assert(
      fc.property(shapes, fc.array(fc.integer().map(String), { minLength: 256, maxLength: 256 }), (dims, texts) => {
        const cells = texts.slice(0, elementCount(dims));
        assert.deepEqual(jsonToCells(cellsToJson("int64", dims, cells)), { dims, cells });
      }),
    );
  });

  test("a cell is checked against its type's range", () => {
    assert.equal(cellIssue("int8", "128"), "range");
    assert.equal(cellIssue("int8", "-128"), undefined);
    assert.equal(cellIssue("uint64", "18446744073709551615"), undefined);
    assert.equal(cellIssue("uint64", "-1"), "range");
    assert.equal(cellIssue("int64", "1.5"), "integer");
    assert.equal(cellIssue("float32", "1,5"), "number");
    assert.equal(cellIssue("float32", " "), "empty");
    assert.equal(cellIssue("bool", "yes"), "bool");
    assert.equal(cellIssue("string", ""), undefined);
  });
});

describe("forms", () => {
  test("a free vector grows downwards, a fixed one runs to the right, more axes fold into rows", () => {
    assert.deepEqual(formLayout(ids, [3]), { rows: 3, columns: 1, rowsPerStep: 1 });
    assert.deepEqual(formLayout({ ...ids, shape: [3] }, [3]), { rows: 1, columns: 3, rowsPerStep: 0 });
    assert.deepEqual(formLayout({ ...x, shape: ["N", 2, 3] }, [2, 2, 3]), { rows: 4, columns: 3, rowsPerStep: 2 });
  });

  test("changing a dimension keeps what has a place in both", () => {
    const from = { dims: [2, 3], cells: ["1", "2", "3", "4", "5", "6"] };
    assert.deepEqual(resizeCells("float32", from, [3, 2]), ["1", "2", "4", "5", "0", "0"]);
    assert.deepEqual(resizeCells("float32", from, [20, 20]), []);
  });

  test("axes of one symbol move together across inputs", () => {
    const method: MethodView = {
      name: "run",
      inputs: [x, ids],
      outputs: [],
      batchable: true,
      batchDim: [0, 0],
      source: "onnx",
      isOpen: false,
    };
    const drafts = { x: draftFromSpec(x), ids: draftFromSpec(ids) };
    const next = withDim(method.inputs, drafts, "x", 0, 3);
    assert.deepEqual([next["x"]?.dims, next["ids"]?.dims], [[3, 4], [3]]);
    assert.equal(next["ids"]?.cells.length, 3);
    assert.equal(next["x"]?.cells.length, 12);
  });

  test("pasted cells start where they were pasted, add rows, and are cut at the last column", () => {
    const draft = draftFromJson(x, "[[1, 2, 3, 4]]");
    const { dims, cells } = withPaste(x, draft, 2, "a\tb\tc\r\nd\te\n");
    assert.deepEqual(dims, [2, 4]);
    assert.deepEqual(cells, ["1", "2", "a", "b", "0", "0", "d", "e"]);
  });

  test("a paste adds no more rows than the form shows", () => {
    const { dims, cells } = withPaste(x, draftFromSpec(x), 0, "1\t2\t3\t4\n".repeat(500));
    assert.deepEqual(dims, [64, 4]);
    assert.equal(cells.length, 256);
  });

  test("values go along from the form to JSON and back", () => {
    const form = draftFromJson(x, "[[5.9, 3.0, 5.1, 1.8]]");
    const json = withSource(x, form, "json");
    assert.equal(json.json, "[[5.9, 3.0, 5.1, 1.8]]");
    const back = withSource(x, { ...json, json: "[[1, 2, 3, 4], [5, 6, 7, 8]]" }, "form");
    assert.deepEqual([back.dims, back.cells.length], [[2, 4], 8]);
    const stays = withSource(x, { ...json, json: "[[1, 2, 3]]" }, "form");
    assert.deepEqual(stays.cells, form.cells);
  });

  test("an example too large for a form starts as JSON, an unknown one as zeros or generated", () => {
    const wide: SpecView = { ...x, shape: [1, 28, 28] };
    const text = JSON.stringify([Array.from({ length: 28 }, () => new Array(28).fill(0))]);
    assert.equal(draftFromJson(wide, text).source, "json");
    assert.equal(draftFromSpec(wide).source, "generate");
    assert.deepEqual(draftFromSpec(x).cells, ["0", "0", "0", "0"]);
  });
});
