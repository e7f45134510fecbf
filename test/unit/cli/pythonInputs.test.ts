import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { dtypeNamed, type InputForm, pythonInput } from "../../../src/cli/pythonInputs";
import { decodeElements, decodeStrings } from "../../../src/formats/elements";
import { parseExactJson } from "../../../src/formats/jsonExact";
import type { Tensor } from "../../../src/formats/tensor";
import type { InputValue } from "../../../src/runner/protocol";
import { failsWith } from "../../fixtures/failures";
import { tempFolder } from "../store/storeKit";

const { path: folder, remove } = tempFolder();
after(remove);

const plain: InputForm = { as: undefined, dtype: undefined, numbers: "float64" };

function formed(json: string, form: Partial<InputForm> = {}): unknown {
  return shown(pythonInput("x", { kind: "json", value: parseExactJson(json) }, { ...plain, ...form }));
}

/** An input as something to compare: tensors decoded. */
function shown(input: InputValue): unknown {
  if (input.kind === "tensor") return decoded(input.tensor);
  if (input.kind !== "value") return input;
  if (input.value.container === "dataframe")
    return input.value.columns.map(([name, values]) => [name, decoded(values)]);
  return input.value;
}

function decoded(tensor: Tensor): unknown {
  const { dtype, shape, data } = tensor;
  return [dtype, [...shape], dtype === "string" ? decodeStrings(data) : decodeElements(tensor)];
}

test("lists of numbers become an array of the framework's dtype, or of the one asked for", () => {
  assert.deepEqual(formed("[[1, 2.5], [3, 4]]"), ["float64", [2, 2], [1, 2.5, 3, 4]]);
  assert.deepEqual(formed("[[1, 2]]", { numbers: "float32" }), ["float32", [1, 2], [1, 2]]);
  assert.deepEqual(formed("[1, 2]", { dtype: "int64", numbers: "float32" }), ["int64", [2], [1n, 2n]]);
  assert.deepEqual(formed('[1, "NaN"]'), ["float64", [2], [1, Number.NaN]]);
  failsWith("input.dtype", () => formed("[1.5]", { dtype: "int64" }));
});

test("everything else stays what it is", () => {
  assert.deepEqual(formed('["a", "b"]'), { container: "list", items: ["a", "b"] });
  assert.deepEqual(formed("[[1], [2, 3]]"), { container: "list", items: [[1], [2, 3]] });
  for (const json of ["3", '"text"', "null", "true", '{"a": [1, 2]}', "12345678901234567890"]) {
    assert.deepEqual(formed(json), { container: "object", value: parseExactJson(json) });
    assert.deepEqual(formed(json, { dtype: "float32" }), { container: "object", value: parseExactJson(json) });
  }
});

test("--as ndarray makes an array of anything that can be one, and refuses the rest", () => {
  assert.deepEqual(formed("3", { as: "ndarray" }), ["float64", [], [3]]);
  assert.deepEqual(formed("[true, false]", { as: "ndarray", dtype: "bool" }), ["bool", [2], [true, false]]);
  assert.deepEqual(formed('["a"]', { as: "ndarray", dtype: "string" }), ["string", [1], ["a"]]);
  failsWith("input.shape", () => formed("[[1], [2, 3]]", { as: "ndarray" }));
  failsWith("input.dtype", () => formed('["a"]', { as: "ndarray" }));
});

test("--as list keeps a list of numbers a list, and takes nothing else", () => {
  assert.deepEqual(formed("[[1, 2]]", { as: "list" }), { container: "list", items: [[1, 2]] });
  failsWith("input.shape", () => formed("3", { as: "list" }));
});

test("a dataframe is made of rows, records, columns, or of what one is printed as", () => {
  const wanted = [
    ["a", ["int64", [2], [1n, 3n]]],
    ["b", ["string", [2], ["x", "y"]]],
  ];
  const dataframe = (json: string) => formed(json, { as: "dataframe" });
  assert.deepEqual(dataframe('[{"a": 1, "b": "x"}, {"b": "y", "a": 3}]'), wanted);
  assert.deepEqual(dataframe('{"a": [1, 3], "b": ["x", "y"]}'), wanted);
  assert.deepEqual(dataframe('{"columns": ["a", "b"], "rows": [[1, "x"], [3, "y"]]}'), wanted);
  assert.deepEqual(dataframe("[[1.5, true], [null, false]]"), [
    ["0", ["float64", [2], [1.5, Number.NaN]]],
    ["1", ["bool", [2], [true, false]]],
  ]);
  assert.deepEqual(formed("[[1]]", { as: "dataframe", dtype: "float32" }), [["0", ["float32", [1], [1]]]]);
  assert.deepEqual(dataframe('{"columns": [1, 2], "rows": [3, 4]}'), [
    ["columns", ["int64", [2], [1n, 2n]]],
    ["rows", ["int64", [2], [3n, 4n]]],
  ]);
});

test("a table that does not fit together is refused with the place", () => {
  const refused = (json: string) => failsWith("input.shape", () => formed(json, { as: "dataframe" })).message;
  assert.match(refused("[[1, 2], [3]]"), /`x`: row 1 has 1 values, and there are 2 columns/);
  assert.match(refused('[{"a": 1}, {"b": 1}]'), /row 1 has other columns/);
  assert.match(refused('[{"a": 1}, 2]'), /row 1 is neither a list nor a record/);
  assert.match(refused('{"a": [1], "b": [1, 2]}'), /column "b" has 2 values, the first one 1/);
  assert.match(refused('{"a": 1}'), /column "a" is no list/);
  assert.match(refused('{"a": [1, "x"]}'), /column "a" mixes/);
  assert.match(refused("3"), /expected rows, records or columns/);
});

test("JSON in a file is JSON; other files are left to the runner, or refused as a list", () => {
  const json = join(folder, "x.json");
  writeFileSync(json, "[[1, 2]]");
  assert.deepEqual(shown(pythonInput("x", { kind: "file", path: json }, { ...plain, as: "list" })), {
    container: "list",
    items: [[1, 2]],
  });
  const npy: InputValue = { kind: "file", path: join(folder, "x.npy") };
  assert.equal(pythonInput("x", npy, { ...plain, dtype: "int64" }), npy);
  failsWith("usage", () => pythonInput("x", npy, { ...plain, as: "dataframe" }));
  writeFileSync(json, "[1,");
  assert.match(failsWith("format.corrupt", () => pythonInput("x", { kind: "file", path: json }, plain)).message, /`x`/);
  failsWith("file.access", () => pythonInput("x", { kind: "file", path: join(folder, "none.json") }, plain));
});

test("a dtype is one that JSON can fill", () => {
  assert.deepEqual(["bool", "float16", "bfloat16", "uint64", "complex64", "string"].map(dtypeNamed).length, 6);
  for (const name of ["float", "int", "float8_e5m2", "object", "", "int64 "])
    failsWith("usage", () => dtypeNamed(name));
});
