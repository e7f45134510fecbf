import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { decodeColumn } from "../../../src/formats/elements";
import { parseExactJson, parseTypedJson, WholeFloat } from "../../../src/formats/jsonExact";
import { writeNpy } from "../../../src/formats/npy";
import type { MethodSignature, Tensor } from "../../../src/formats/tensor";
import { inputIssues, resolveInputs } from "../../../src/runner/inputs";
import type { InputForm, InputValue } from "../../../src/runner/protocol";
import { jsonDType } from "../../../src/runner/pythonInputs";
import { isTensor, type RunValue } from "../../../src/runner/values";
import { failsWith } from "../../fixtures/failures";
import { tempFolder } from "../store/storeKit";
import { floats } from "./runnerKit";

const { path: folder, remove } = tempFolder();
after(remove);

const plain: InputForm = { numbers: "float64" };

const open: MethodSignature = {
  inputs: [],
  outputs: [],
  batchable: false,
  isOpen: true,
  batchDim: [0, 0],
  source: "model.yaml",
};

function formed(json: string, form: Partial<InputForm> = {}): unknown {
  return given({ kind: "text", text: json, form: { ...plain, ...form } });
}

/** What a method is given of an input, as something to compare: tensors decoded. */
function given(input: InputValue): unknown {
  const value = resolveInputs(open, { x: input })["x"] as RunValue;
  if (isTensor(value)) return decoded(value);
  return value.container === "dataframe" ? value.columns.map(([name, values]) => [name, decoded(values)]) : value;
}

function decoded(tensor: Tensor): unknown {
  const { dtype, shape } = tensor;
  return [dtype, [...shape], decodeColumn(tensor)];
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
    assert.deepEqual(formed(json, { dtype: "float32" }), { container: "object", value: parseTypedJson(json) });
  }
});

test("as ndarray makes an array of anything that can be one, and refuses the rest", () => {
  assert.deepEqual(formed("3", { as: "ndarray" }), ["float64", [], [3]]);
  assert.deepEqual(formed("[true, false]", { as: "ndarray", dtype: "bool" }), ["bool", [2], [true, false]]);
  assert.deepEqual(formed('["a"]', { as: "ndarray", dtype: "string" }), ["string", [1], ["a"]]);
  failsWith("input.shape", () => formed("[[1], [2, 3]]", { as: "ndarray" }));
  failsWith("input.dtype", () => formed('["a"]', { as: "ndarray" }));
});

test("asked for, a list keeps a list of numbers a list, and takes nothing else", () => {
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
  assert.deepEqual(dataframe('{"a": ["x", null, ""], "b": [null, "NaN", "y"], "c": [null, null, null]}'), [
    ["a", ["string", [3], ["x", null, ""]]],
    ["b", ["string", [3], [null, "NaN", "y"]]],
    ["c", ["float64", [3], [Number.NaN, Number.NaN, Number.NaN]]],
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
  assert.match(refused('[{"a": 1}, {"b": 1}]'), /: no "a", and a "b" of its own\./);
  assert.match(refused('[{"a": 1}, {"a": 1, "b": 1}]'), /: a "b" of its own\./);
  assert.match(refused('{"a": [null, "NaN", 1, "x"]}'), /column "a" has a text in row 3 and a number in row 2; /);
  assert.match(refused('{"a": [true, false, 1]}'), /column "a" has a number in row 2 and true or false in row 0; /);
  assert.match(refused('{"a": ["NaN", true]}'), /column "a" has a text in row 0 and true or false in row 1; /);
  assert.match(refused('{"a": [1, [2]]}'), /column "a" has a list in row 1; its values are/);
  assert.match(
    refused('{"a": [true, false, null]}'),
    /column "a" has null in row 2 and true or false in row 0; only a number or a text may/,
  );
  assert.match(refused("3"), /made of rows, records or columns/);
});

test("a float stays a float where nothing says otherwise, and 3.0 is one", () => {
  const whole = (value: number) => new WholeFloat(value);
  assert.deepEqual(formed("3.0"), { container: "object", value: whole(3) });
  assert.deepEqual(formed("3"), { container: "object", value: 3 });
  assert.deepEqual(formed('{"lr": 1e3, "n": [3, 3.0, -0.0, 2.5]}'), {
    container: "object",
    value: { lr: whole(1000), n: [3, whole(3), whole(-0), 2.5] },
  });
  assert.deepEqual(formed('[1.0, "a"]'), { container: "list", items: [whole(1), "a"] });
  assert.deepEqual(formed("[1.0, 2]", { as: "list" }), { container: "list", items: [whole(1), 2] });
  assert.deepEqual(formed("[[1.0, 2]]", { as: "dataframe" }), [
    ["0", ["float64", [1], [1]]],
    ["1", ["int64", [1], [2n]]],
  ]);
  assert.deepEqual(formed("[1.0, 2]"), ["float64", [2], [1, 2]]);
  assert.deepEqual(formed("[1.0, 2.0]", { as: "ndarray", dtype: "int64" }), ["int64", [2], [1n, 2n]]);
});

test("a number beyond every float is refused with its place, in an array and out of one", () => {
  assert.match(failsWith("input.dtype", () => formed("[1, 1e400]")).message, /`x` \[1\] .*float64/);
  const { message, offset } = failsWith("format.corrupt", () => formed('{"a": 1e400}'));
  assert.match(message, /`x`: .*1e400, beyond every float/);
  assert.equal(offset, 6);
});

test("JSON in a file is JSON; other files are arrays, and are refused as a list", () => {
  const json = join(folder, "x.json");
  writeFileSync(json, "[[1, 2]]");
  assert.deepEqual(given({ kind: "file", path: json, form: { ...plain, as: "list" } }), {
    container: "list",
    items: [[1, 2]],
  });
  const npy = join(folder, "x.npy");
  writeFileSync(npy, writeNpy(floats([1, 2])));
  assert.deepEqual(given({ kind: "file", path: npy, form: { ...plain, dtype: "int64" } }), ["float32", [2], [1, 2]]);
  const asTable = { kind: "file", path: npy, form: { ...plain, as: "dataframe" } } as const;
  assert.match(failsWith("usage", () => given(asTable)).message, /`x`: a dataframe is made of JSON/);
  assert.deepEqual(
    inputIssues(open, { x: asTable }).map(({ error }) => error.code),
    ["usage"],
  );
  writeFileSync(json, "[1,");
  assert.match(failsWith("format.corrupt", () => given({ kind: "file", path: json, form: plain })).message, /`x`/);
  failsWith("file.access", () => given({ kind: "file", path: join(folder, "none.json"), form: plain }));
});

test("made-up values take the form, too: their sizes are the whole shape", () => {
  const make = (dims: number[], form: InputForm) => given({ kind: "generate", pattern: "range", seed: 1, dims, form });
  assert.deepEqual(make([2, 2], { numbers: "float32" }), ["float32", [2, 2], [0, 1, 2, 3]]);
  assert.deepEqual(make([2], { numbers: "float32", dtype: "int64" }), ["int64", [2], [0n, 1n]]);
  assert.deepEqual(make([2], { numbers: "float64", as: "list" }), {
    container: "list",
    items: [new WholeFloat(0), new WholeFloat(1)],
  });
  assert.deepEqual(make([2], { numbers: "float64", as: "list", dtype: "int64" }), {
    container: "list",
    items: [0n, 1n],
  });
  assert.deepEqual(make([2, 2], { numbers: "float64", as: "dataframe" }), [
    ["0", ["float64", [2], [0, 2]]],
    ["1", ["float64", [2], [1, 3]]],
  ]);
  const flat = { kind: "generate", pattern: "ones", seed: 1, dims: [3], form: { ...plain, as: "dataframe" } } as const;
  assert.deepEqual(
    inputIssues(open, { x: flat }).map(({ error }) => error.code),
    ["input.shape"],
  );
});

test("a check reads texts up to 64 KiB and leaves longer ones to the run", () => {
  const text = (count: number): InputValue => ({ kind: "text", text: `[${"1,".repeat(count)}"a"`, form: plain });
  assert.deepEqual(
    inputIssues(open, { x: text(10) }).map(({ error }) => error.code),
    ["format.corrupt"],
  );
  assert.deepEqual(inputIssues(open, { x: text(40_000) }), []);
  failsWith("format.corrupt", () => given(text(40_000)));
});

test("a dtype is one that JSON can fill", () => {
  const names = ["bool", "float16", "bfloat16", "uint64", "complex64", "string"];
  assert.deepEqual(names.map(jsonDType), names);
  for (const name of ["float", "int", "float8_e5m2", "object", "", "int64 "]) assert.equal(jsonDType(name), undefined);
});
