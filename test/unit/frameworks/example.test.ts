import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePyYaml, type YamlMap } from "../../../src/formats/pyYaml";
import type { MethodSignature, ValueSpec } from "../../../src/formats/tensor";
import { exampleInputs } from "../../../src/frameworks/example";

function method(...inputs: ValueSpec[]): Record<string, MethodSignature> {
  return { run: { inputs, outputs: [], batchable: false, batchDim: [0, 0], source: "onnx" } };
}

function tensor(name: string, dtype: ValueSpec["dtype"], shape: ValueSpec["shape"]): ValueSpec {
  return { name, type: "tensor", dtype, shape };
}

function metadata(text: string): YamlMap {
  const value = parsePyYaml(text);
  assert.ok(value instanceof Map);
  return value;
}

test("the example of the metadata is taken where it fits", () => {
  const signatures = method(tensor("x", "float32", ["n", 2]));
  assert.deepEqual(exampleInputs(signatures, metadata("input_example: {x: [[1.5, 2], [3.0, 4]]}")), {
    run: {
      x: [
        [1.5, 2],
        [3, 4],
      ],
    },
  });
});

test("an example of another rank, width or type is not taken", () => {
  const misfits: [ValueSpec, string][] = [
    [tensor("x", "float32", ["n", 2]), "[1, 2]"],
    [tensor("x", "float32", ["n", 2]), "[[1, 2, 3]]"],
    [tensor("x", "float32", ["n", 2]), "[[1, 2], [3]]"],
    [tensor("x", "float32", ["n", 2]), '[["a", "b"]]'],
    [tensor("x", "int64", ["n", 2]), "[[1.5, 2]]"],
    [tensor("x", "bool", ["n", 2]), "[[1, 0]]"],
    [tensor("x", "string", ["n", 2]), "[[1, 0]]"],
  ];
  for (const [spec, text] of misfits) {
    const { run } = exampleInputs(method(spec), metadata(`input_example: {x: ${text}}`));
    const fill = spec.dtype === "bool" ? false : spec.dtype === "string" ? "" : 0;
    assert.deepEqual(run, { x: [[fill, fill]] }, text);
  }
});

test("without an example, dynamic dimensions are 1, a scalar is bare, an unknown rank is a scalar", () => {
  const signatures = method(
    tensor("a", "int64", ["n", null, 2]),
    tensor("b", "bool", []),
    tensor("c", "string", null),
    tensor("d", "complex64", [1]),
    { name: "e", type: "sequence", dtype: null, shape: null },
  );
  assert.deepEqual(exampleInputs(signatures), { run: { a: [[[0, 0]]], b: false, c: "", d: [{ re: 0, im: 0 }] } });
});

test("a huge fixed shape makes no example", () => {
  assert.deepEqual(exampleInputs(method(tensor("x", "float32", [1, 10_000, 10_000]))), { run: {} });
});

test("odd metadata is no failure", () => {
  for (const text of ["input_example: 3", "input_example: {y: 1}", "input_example: [1]", "{}"]) {
    assert.deepEqual(exampleInputs(method(tensor("x", "float32", [1])), metadata(text)), { run: { x: [0] } });
  }
});
