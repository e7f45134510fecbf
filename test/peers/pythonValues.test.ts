import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  decodeColumn,
  decodeElements,
  decodeStrings,
  elementCount,
  encodeStrings,
  itemSize,
} from "../../src/formats/elements";
import { exactFloat, stringifyExact } from "../../src/formats/jsonExact";
import { isYamlMap, parsePyYaml } from "../../src/formats/pyYaml";
import type { DType, Tensor } from "../../src/formats/tensor";
import { optionsText } from "../../src/frameworks/yamlAsData";
import { openFromText } from "../../src/runner/pythonInputs";
import { decodeValue, encodeValue } from "../../src/runner/valueBodies";
import { isTensor, type RunValue } from "../../src/runner/values";
import { fc } from "../fixtures/fastCheck";
import { runPython } from "./python";
import { PythonWorker } from "./pythonWorkerKit";

const folder = mkdtempSync(join(tmpdir(), "modelbench-values-"));
const worker = new PythonWorker();

before(async () => {
  runPython("test/peers/pythonValuesPeer.py", folder);
  await worker.load("picklable", folder);
});

after(async () => {
  await worker.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Outputs of a method of one argument, each with its value. */
async function outputsOf(method: string, value: RunValue): Promise<(readonly [string, RunValue])[]> {
  const bodies: Tensor[] = [];
  const args = [{ name: "0", value: encodeValue(value, bodies) }];
  const frame = await worker.ask("run", { method, args }, bodies);
  const { outputs } = frame.data as { outputs: { name: string; value: unknown }[] };
  return outputs.map(({ name, value: wire }) => [name, decodeValue(wire, frame.bodies)]);
}

async function outputOf(method: string, value: RunValue): Promise<RunValue> {
  const [first, second] = await outputsOf(method, value);
  assert.ok(first && second === undefined);
  return first[1];
}

const text = (value: string): RunValue => ({ container: "object", value });

/** What a method gives, to be compared: tensors as dtype, shape and values, the rest as exact JSON. */
async function given(name: string): Promise<Record<string, unknown>> {
  return Object.fromEntries((await outputsOf("give", text(name))).map(([key, value]) => [key, shown(value)]));
}

function shown(value: RunValue): unknown {
  if (isTensor(value)) return shownTensor(value);
  if (value.container !== "dataframe") return stringifyExact(value.container === "list" ? value.items : value.value);
  return value.columns.map(([column, values]) => {
    const { dtype, shape } = values;
    return [column, [dtype, shape.join(), ...decodeColumn(values)]];
  });
}

function shownTensor(tensor: Tensor): unknown {
  const { dtype, shape, data } = tensor;
  return [dtype, shape.join(), ...(dtype === "string" ? decodeStrings(data) : decodeElements(tensor))];
}

for (const [name, expected] of Object.entries({
  frame: {
    output: [
      ["t", ["string", "2", "é", ""]],
      ["x", ["float64", "2", 0.5, Number.NaN]],
      ["n", ["int64", "2", 1n, 2n]],
      ["c", ["string", "2", "u", "v"]],
      ["b", ["bool", "2", true, false]],
    ],
  },
  "frame of objects": { output: [["o", ["float64", "2", 1, 2.5]]] },
  "frame of nullable integers": { output: [["i", ["int64", "2", 1n, 9007199254740993n]]] },
  "frame with numbered columns": {
    output: [
      ["10", ["int64", "1", 1n]],
      ["2", ["int64", "1", 2n]],
    ],
  },
  "frame with one name twice": {
    output: [
      ["n", ["int64", "1", 1n]],
      ["n", ["int64", "1", 2n]],
    ],
  },
  "frame with missing texts": {
    output: [
      ["none", ["string", "3", "a", null, ""]],
      ["nan", ["string", "3", "é", null, "c"]],
      ["own", ["string", "3", "a", null, null]],
      ["kind", ["string", "3", "u", null, "v"]],
      ["all", ["string", "3", null, null, null]],
      ["numbers", ["float64", "3", Number.NaN, Number.NaN, Number.NaN]],
    ],
  },
  "empty frame": { output: [["n", ["int32", "0"]]] },
  series: { output: ["int64", "2", 1n, 2n] },
  "series of texts": { output: ["string", "2", "a", "b"] },
  "float32 scalar": { output: ["float32", "", 1.5] },
  "int64 scalar": { output: ["int64", "", 2n ** 62n] },
  "bool scalar": { output: ["bool", "", true] },
  bfloat16: { output: ["bfloat16", "2", 1.5, -2] },
  "jax array": { output: ["int32", "3", 0, 1, 2] },
  "jax bfloat16": { output: ["bfloat16", "1", 1.5] },
  "big-endian array": { output: ["int32", "2", 1, 2] },
  "strided array": { output: ["uint8", "3,2", 0, 3, 1, 4, 2, 5] },
  "tuple of arrays": { 0: ["float32", "2", 1.5, 2.5], 1: ["int64", "", 3n] },
  "nested tuple": { 0: ["float32", "2", 1.5, 2.5], 1: "[[1.5,2.5],[1]]" },
  "dict of arrays": { b: ["float32", "2", 1.5, 2.5], a: "[1.0,2]" },
  "nested dict": { output: '{"x":{"y":[1.5,2.5],"s":3.0}}' },
  "dict with numbers as keys": { output: '{"10":"a","9":3.0}' },
  "named tuple": { output: "[1,2.0]" },
  floats: { output: '[3.0,-0.0,1e+300,"NaN","-Infinity",1180591620717411303424,1]' },
  "complex array": { output: ["complex128", "1", { re: 0, im: 1 }] },
  "lone surrogate": { output: '"\\ud800"' },
  none: { output: "null" },
})) {
  test(`a ${name} comes exactly as it is`, async () => {
    assert.deepEqual(await given(name), expected);
  });
}

for (const [name, words] of Object.entries({
  "frame with a missing integer": /column i of the output has missing values/,
  "frame with a missing text among numbers": /column t of the output has elements of type object of NoneType, int, str/,
  "frame with a lone surrogate": /column t of the output has elements of type object that is no text/,
  "frame of mixed objects": /column o of the output has elements of type object of int, str/,
  "frame of times": /column when of the output has elements of type datetime64/,
  "frame with tuples as columns": /has a column named \('a', 'b'\), a tuple; outside Python names are texts/,
  "frame with times as columns": /has a column named Timestamp.*outside Python names are texts/,
  "series of times": /elements of type datetime64/,
  datetime64: /elements of type datetime64/,
  "timedelta64 array": /elements of type timedelta64/,
  "structured array": /elements of type void/,
  "longdouble array": /elements of type (float|longdouble)/,
  "array of objects": /elements of type object of object/,
  "array of true and a number": /elements of type object of bool, int/,
  "array that rounds": /elements of type object of float, int/,
  "masked array": /is a masked array/,
  "dict with one text twice": /keys that are one text/,
  "dict with a float as key": /a key of type float/,
  bytes: /holds a value of type bytes, which has no form outside Python/,
  "list with bytes": /holds a value of type bytes/,
  set: /holds a value of type set/,
  Decimal: /holds a value of type decimal\.Decimal/,
  complex: /holds a value of type complex/,
  datetime: /holds a value of type datetime\.date/,
  itself: /nested too deep, or holds itself/,
  "array of a lone surrogate": /that is no text/,
})) {
  test(`a ${name} is refused in words`, async () => {
    await assert.rejects(given(name), { code: "run.failed", message: words });
  });
}

test("outputs of a dict come in its order, also where its keys are whole numbers", async () => {
  assert.deepEqual(
    (await outputsOf("give", text("dict of numbered arrays"))).map(([name]) => name),
    ["10", "9", "2"],
  );
});

test("JSON that is no array reaches the method with the types that Python's own reader gives it", async () => {
  const json =
    '{"lr": 3.0, "n": 3, "big": 18446744073709551616, "zero": -0.0, "e": 1e3, "all": [1, "NaN", -2.5, null, true]}';
  const kinds = await outputOf("kinds", openFromText("0", json));
  assert.equal(
    shown(kinds),
    stringifyExact({
      lr: "float 3.0",
      n: "int 3",
      big: "int 18446744073709551616",
      zero: "float -0.0",
      e: "float 1000.0",
      all: ["int 1", "str 'NaN'", "float -2.5", "NoneType None", "bool True"],
    }),
  );
});

test("a dataframe of JSON has the columns, dtypes and values that pandas would give it", async () => {
  const rows = `[{"n": 1, "x": 1.0, "t": "é", "b": true, "m": null, "s": null},
    {"n": 2, "x": 2.5, "t": "", "b": false, "m": 3, "s": "é"}]`;
  const frame = openFromText("0", rows, { as: "dataframe", numbers: "float64" });
  assert.equal(
    shown(await outputOf("columns", frame)),
    stringifyExact([
      ["n", "int64", "[1, 2]"],
      ["x", "float64", "[1.0, 2.5]"],
      ["t", "str", "['é', '']"],
      ["b", "bool", "[True, False]"],
      ["m", "float64", "[nan, 3.0]"],
      ["s", "str", "[nan, 'é']"],
    ]),
  );
});

test("options of model.yaml reach the model with the types that PyYAML gives them", async () => {
  const yaml =
    "partial_kwargs:\n  kinds:\n    value: {a: 3.0, b: 3, c: .nan, d: -.inf, e: NaN, f: 18446744073709551616}\n";
  const options = parsePyYaml(yaml);
  assert.ok(isYamlMap(options));
  const data = { adapter: "picklable", label: "values", folder, device: "", paths: [], preload: [] };
  await worker.ask("load", { ...data, options: optionsText(options) });
  const frame = await worker.ask("run", { method: "kinds", args: [] });
  const kinds = decodeValue((frame.data as { outputs: { value: unknown }[] }).outputs[0]?.value, frame.bodies);
  assert.equal(
    shown(kinds),
    stringifyExact({
      a: "float 3.0",
      b: "int 3",
      c: "float nan",
      d: "float -inf",
      e: "str 'NaN'",
      f: "int 18446744073709551616",
    }),
  );
  for (const broken of [undefined, {}, "[]", "{", "1"])
    await assert.rejects(worker.ask("load", { ...data, options: broken }), { code: "protocol.invalid" });
  await worker.load("picklable", folder);
});

/** Every dtype that travels, with random bytes; booleans and small types have few that mean something. */
const WIDTHS: Partial<Record<DType, number>> = {
  bool: 1,
  int1: 1,
  uint1: 1,
  int2: 2,
  uint2: 2,
  int4: 4,
  uint4: 4,
  float4_e2m1fn: 4,
  float6_e2m3fn: 6,
  float6_e3m2fn: 6,
};
const DTYPES: readonly DType[] = [
  "bool",
  "int2",
  "int4",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint2",
  "uint4",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "float16",
  "bfloat16",
  "float32",
  "float64",
  "complex64",
  "complex128",
  "float8_e3m4",
  "float8_e4m3",
  "float8_e4m3b11fnuz",
  "float8_e4m3fn",
  "float8_e4m3fnuz",
  "float8_e5m2",
  "float8_e5m2fnuz",
  "float8_e8m0fnu",
  "float6_e2m3fn",
  "float6_e3m2fn",
  "float4_e2m1fn",
  "string",
];

function tensorOf(dtype: DType, shape: readonly number[]): fc.Arbitrary<Tensor> {
  const count = elementCount(shape);
  const exactly = { minLength: count, maxLength: count };
  if (dtype === "string") {
    const texts = fc.array(fc.string({ unit: "grapheme" }), exactly);
    return texts.map((items) => ({ dtype, shape, data: encodeStrings(items) }));
  }
  const bits = WIDTHS[dtype];
  if (bits !== undefined)
    return fc.array(fc.nat(2 ** bits - 1), exactly).map((items) => ({ dtype, shape, data: Uint8Array.from(items) }));
  const bytes = count * (itemSize(dtype) ?? 0);
  return fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((data) => ({ dtype, shape, data }));
}

const tensor = fc
  .tuple(fc.constantFrom(...DTYPES), fc.array(fc.nat(3), { maxLength: 3 }))
  .chain(([dtype, shape]) => tensorOf(dtype, shape));

/** JSON as it is known here: floats apart from integers, NaN among numbers by its name. */
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false, "NaN", "Infinity"),
    fc.string({ unit: "binary" }),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(exactFloat),
    fc
      .bigInt({ min: -(2n ** 80n), max: 2n ** 80n })
      .map((big) => (BigInt(Number(big)) === big && Number.isSafeInteger(Number(big)) ? Number(big) : big)),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.nat(20).map(String)), tie("value"), { maxKeys: 4 }),
  ),
})).value;

const frame = fc.nat(4).chain((rows) =>
  fc
    .array(
      fc.tuple(
        fc.string(),
        fc.constantFrom<DType>("bool", "int8", "int64", "uint16", "float32", "float64", "complex128", "string"),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .chain((columns) =>
      fc.tuple(...columns.map(([name, dtype]) => tensorOf(dtype, [rows]).map((values) => [name, values] as const))),
    )
    .map((columns): RunValue => ({ container: "dataframe", columns })),
);

const anyValue: fc.Arbitrary<RunValue> = fc.oneof(
  tensor,
  frame,
  json.filter((value) => !Array.isArray(value)).map((value): RunValue => ({ container: "object", value })),
  fc.array(json, { maxLength: 5 }).map((items): RunValue => ({ container: "list", items })),
);

test(`values of every kind survive the way to Python and back`, async () => {
  const check = async (value: RunValue) => {
    const back = await outputOf("echo", value);
    assert.equal(isTensor(back) ? "tensor" : back.container, isTensor(value) ? "tensor" : value.container);
    assert.deepEqual(plain(back), plain(value));
  };
  await fc.assert(fc.asyncProperty(anyValue, check), { numRuns: 600 });
});

/** A value by its bytes and its exact text. */
function plain(value: RunValue): unknown {
  if (isTensor(value)) return [value.dtype, [...value.shape], Buffer.from(value.data).toString("hex")];
  if (value.container === "dataframe") return value.columns.map(([name, values]) => [name, plain(values)]);
  return stringifyExact(value.container === "list" ? value.items : value.value);
}
