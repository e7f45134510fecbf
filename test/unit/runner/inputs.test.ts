import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import { encodeStrings } from "../../../src/formats/elements";
import { parseExactJson } from "../../../src/formats/jsonExact";
import { writeNpy } from "../../../src/formats/npy";
import type { DType, Tensor, ValueSpec } from "../../../src/formats/tensor";
import { tensorToNested } from "../../../src/formats/tensorJson";
import { tensorFromJson } from "../../../src/runner/inputJson";
import { inputIssues, resolveInputs } from "../../../src/runner/inputs";
import type { InputValue } from "../../../src/runner/protocol";
import { isTensor } from "../../../src/runner/values";
import { method, spec } from "./specs";

const folder = mkdtempSync(join(tmpdir(), "modelbench-inputs-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function nested(dtype: DType, value: unknown, shape: ValueSpec["shape"] = null): unknown {
  return tensorToNested(tensorFromJson(spec(dtype, shape), value));
}

function failure(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof ModelbenchError, String(error));
    return `${error.code}: ${error.message}${error.remedy === undefined ? "" : ` (${error.remedy})`}`;
  }
  return assert.fail("it should have failed");
}

const json = (value: unknown): InputValue => ({ kind: "json", value });
const digits = spec("float32", ["N", 784]);

test("64-bit integers keep every digit from text to tensor", () => {
  const value = parseExactJson("[9223372036854775807, -9223372036854775808, 9007199254740993, 0]");
  assert.deepEqual(nested("int64", value), [9223372036854775807n, -9223372036854775808n, 9007199254740993n, 0n]);
  assert.deepEqual(nested("uint64", parseExactJson("[18446744073709551615]")), [18446744073709551615n]);
});

const ranges: readonly (readonly [DType, number | bigint, number | bigint])[] = [
  ["int4", -8, 7],
  ["uint4", 0, 15],
  ["int8", -128, 127],
  ["uint8", 0, 255],
  ["int16", -32768, 32767],
  ["uint16", 0, 65535],
  ["int32", -2147483648, 2147483647],
  ["uint32", 0, 4294967295],
  ["int64", -(2n ** 63n), 2n ** 63n - 1n],
  ["uint64", 0n, 2n ** 64n - 1n],
];
for (const [dtype, low, high] of ranges) {
  test(`${dtype} takes its least and largest value and nothing beyond`, () => {
    assert.deepEqual((nested(dtype, [low, high]) as (number | bigint)[]).map(BigInt), [BigInt(low), BigInt(high)]);
    for (const value of [BigInt(low) - 1n, BigInt(high) + 1n, Number(BigInt(high) + 1n), 1e300]) {
      assert.match(
        failure(() => nested(dtype, [value])),
        /^input\.dtype: `x` \[0\] \(\w+\): \S+ does not fit/,
      );
    }
    for (const value of [0.5, true, "1", null, {}]) {
      assert.match(
        failure(() => nested(dtype, [value])),
        /^input\.dtype: .*expected an integer, got/,
      );
    }
  });
}

test("floats take the names of what JSON cannot say, and refuse what would become an infinity", () => {
  for (const dtype of ["float16", "bfloat16", "float32", "float64"] as const) {
    assert.deepEqual(nested(dtype, ["NaN", "Infinity", "-Infinity", 1, 2n]), ["NaN", "Infinity", "-Infinity", 1, 2]);
    assert.ok(Object.is((nested(dtype, [-0]) as number[])[0], -0));
    assert.match(
      failure(() => nested(dtype, ["nan"])),
      /^input\.dtype: .*expected a number, "NaN"/,
    );
    assert.match(
      failure(() => nested(dtype, [true])),
      /^input\.dtype/,
    );
  }
  assert.deepEqual(nested("float16", [65519.99, -65504]), [65504, -65504]);
  assert.match(
    failure(() => nested("float16", 65520)),
    /65520 does not fit float16/,
  );
  assert.deepEqual(nested("float32", 3.4028235677973362e38), 3.4028234663852886e38);
  assert.match(
    failure(() => nested("float32", 3.4028235677973366e38)),
    /does not fit float32/,
  );
  assert.match(
    failure(() => nested("float64", Number.POSITIVE_INFINITY)),
    /does not fit float64/,
  );
});

test("booleans, strings, complex numbers and scalars have their JSON forms", () => {
  assert.deepEqual(
    nested("bool", [
      [true, false],
      [1, 0],
    ]),
    [
      [true, false],
      [true, false],
    ],
  );
  assert.match(
    failure(() => nested("bool", [2])),
    /expected true or false, got 2/,
  );
  assert.deepEqual(
    nested("string", [
      ["é", ""],
      ["NaN", "\u0000"],
    ]),
    [
      ["é", ""],
      ["NaN", "\u0000"],
    ],
  );
  assert.match(
    failure(() => nested("string", [["a", 1]])),
    /`x` \[0\]\[1\] \(string\): expected a string, got 1/,
  );
  assert.deepEqual(nested("complex64", [{ re: 1, im: -2 }, 3]), [
    { re: 1, im: -2 },
    { re: 3, im: 0 },
  ]);
  assert.deepEqual(tensorFromJson(spec("float32", []), 1.5).shape, []);
  assert.match(
    failure(() => nested("float8_e5m2", [1])),
    /^run\.unsupported/,
  );
});

test("ragged lists are refused with the place", () => {
  assert.match(
    failure(() => nested("int8", [[1, 2], [3]])),
    /^input\.shape: .*ragged list: \[1\] has 1 elements, the first one has 2/,
  );
  assert.match(
    failure(() => nested("int8", [[1], 2])),
    /ragged list: \[1\] is no list/,
  );
  assert.match(
    failure(() => nested("int8", [[[1]], [[[2]]]])),
    /ragged list: \[1\]\[0\]\[0\] is a list/,
  );
  let deep: unknown = 1;
  for (let i = 0; i < 200; i += 1) deep = [deep];
  assert.match(
    failure(() => nested("int8", deep)),
    /nested deeper than 64/,
  );
});

test("an empty list takes its other dimensions from the declaration", () => {
  assert.deepEqual(tensorFromJson(digits, []).shape, [0, 784]);
  assert.deepEqual(tensorFromJson(spec("int8", ["N", "M"]), []).shape, [0, 0]);
});

test("a wrong shape names the input, what was expected and what came", () => {
  const row = new Array(783).fill(0);
  assert.equal(
    failure(() => resolveInputs(method(digits), { x: json([row]) })),
    "input.shape: `x`: expected float32 [N, 784], got [1, 783].",
  );
  assert.equal(
    failure(() => resolveInputs(method(spec("int64", [null, 2, "W"])), { x: json([1]) })),
    "input.shape: `x`: expected int64 [?, 2, W], got [1].",
  );
  assert.equal(
    failure(() => resolveInputs(method(spec("bool", [])), { x: json([true]) })),
    "input.shape: `x`: expected bool [], got [1].",
  );
  const anyShape = resolveInputs(method(spec("int8", null)), { x: json([[1]]) })["x"];
  assert.deepEqual(anyShape && isTensor(anyShape) && anyShape.shape, [1, 1]);
});

test("equal symbolic dimensions must agree, within an input and across inputs", () => {
  const pair = method(spec("int8", ["N", 1], "a"), spec("int8", ["N"], "b"));
  assert.match(
    failure(() => resolveInputs(pair, { a: json([[1], [2]]), b: json([1]) })),
    /^input\.shape: `b`: expected int8 \[N\] with N = 2 as in `a`, got \[1\]\.$/,
  );
  assert.match(
    failure(() => resolveInputs(method(spec("int8", ["N", "N"])), { x: json([[1, 2]]) })),
    /with N = 1 as on an earlier axis/,
  );
  const free = method(spec("int8", [null], "a"), spec("int8", [null], "b"));
  resolveInputs(free, { a: json([1]), b: json([1, 2]) });
});

test("another dtype is refused, never cast", () => {
  const tensor: Tensor = { dtype: "float64", shape: [1, 784], data: new Uint8Array(784 * 8) };
  assert.equal(
    failure(() => resolveInputs(method(digits), { x: { kind: "tensor", tensor } })),
    'input.dtype: `x`: expected float32 [N, 784], got float64 [1, 784]. (Convert the values first, in numpy: array.astype("float32").)',
  );
});

test("a wrong name offers the nearest one, and a missing input is named with what it takes", () => {
  const two = method(spec("int8", [], "image"), spec("int8", [], "mask"));
  assert.equal(
    failure(() => resolveInputs(two, { imgae: json(1), mask: json(1) })),
    "input.name: There is no input `imgae`; the method takes `image`, `mask`. (Did you mean `image`?)",
  );
  assert.match(
    failure(() => resolveInputs(two, { zebra: json(1) })),
    /^input\.name: There is no input `zebra`[^(]*$/,
  );
  assert.equal(
    failure(() => resolveInputs(two, { image: json(1) })),
    "input.notFound: `mask`: expected int8 [], got nothing.",
  );
});

test("names like members of Object are ordinary names", () => {
  const odd = method(spec("int8", [], "__proto__"), spec("int8", [], "constructor"));
  const inputs = Object.fromEntries([
    ["__proto__", json(1)],
    ["constructor", json(2)],
  ]);
  assert.deepEqual(Object.keys(resolveInputs(odd, inputs)), ["__proto__", "constructor"]);
  assert.match(
    failure(() => resolveInputs(odd, {})),
    /^input\.notFound/,
  );
});

test("sequences and maps cannot be given", () => {
  const sequence: ValueSpec = { name: "s", type: "sequence", dtype: null, shape: null };
  assert.match(
    failure(() => resolveInputs(method(sequence), { s: json([1]) })),
    /^run\.unsupported: `s`: it is a sequence/,
  );
});

test("text and files are read exactly, and their failures name input and file", () => {
  const int64 = method(spec("int64", ["N"]));
  const write = (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return { x: { kind: "file", path } as const };
  };
  const tensor = tensorFromJson(spec("int64", ["N"]), [2n ** 62n + 1n, -1]);
  assert.deepEqual(resolveInputs(int64, { x: { kind: "text", text: "[4611686018427387905, -1]" } })["x"], tensor);
  assert.deepEqual(resolveInputs(int64, write("a.json", "[4611686018427387905, -1]"))["x"], tensor);
  assert.deepEqual(
    tensorToNested(resolveInputs(int64, write("a.npy", writeNpy(tensor)))["x"] as Tensor),
    tensorToNested(tensor),
  );
  // TensorProto: dims, data_type INT64, raw_data.
  const proto = Buffer.concat([Buffer.from([8, 2, 16, 7, 74, 16]), tensor.data]);
  assert.deepEqual(tensorToNested(resolveInputs(int64, write("a.pb", proto))["x"] as Tensor), tensorToNested(tensor));
  const float = writeNpy(tensorFromJson(spec("float64", null), [1]));
  assert.match(
    failure(() => resolveInputs(int64, write("f.npy", float))),
    /^input\.dtype: `x`: expected int64 \[N\], got float64 \[1\]\. \(Convert/,
  );
  assert.match(
    failure(() => resolveInputs(int64, write("b.json", "[1,"))),
    /^format\.corrupt: `x`: .*at character 3/,
  );
  assert.match(
    failure(() => resolveInputs(int64, write("latin1.json", Buffer.from('["\u00e9"]', "latin1")))),
    /^format\.corrupt: `x`: .*latin1\.json is no UTF-8 text/,
  );
  assert.match(
    failure(() => resolveInputs(int64, write("b.npy", "no numpy"))),
    /^format\.\w+: `x`: /,
  );
  assert.match(
    failure(() => resolveInputs(int64, write("b.csv", "1"))),
    /^format\.mismatch: `x`: .*b\.csv.*\.json, \.npy or \.pb/,
  );
  assert.match(
    failure(() => resolveInputs(int64, { x: { kind: "file", path: join(folder, "none.npy") } })),
    /^file\.access: `x`: .*none\.npy/,
  );
});

test("a check reports every finding at once and leaves big files to the run", () => {
  const big = join(folder, "big.json");
  writeFileSync(big, `[${" ".repeat(70_000)}`);
  const three = method(
    spec("int8", ["N"], "a"),
    spec("int8", ["N"], "b"),
    spec("int8", ["N"], "c"),
    spec("int8", [], "d"),
  );
  const issues = inputIssues(three, { a: json([1, 2]), b: json([1]), c: { kind: "file", path: big }, e: json(1) });
  assert.deepEqual(
    issues.map(({ input, error }) => `${input} ${error.code}`),
    ["e input.name", "d input.notFound", "b input.shape"],
  );
  assert.deepEqual(inputIssues(method(digits), { x: json([new Array(784).fill(0)]) }), []);
});

const made = (
  shape: ValueSpec["shape"],
  dtype: DType,
  pattern: "zeros" | "ones" | "range" | "uniform" | "normal",
  dims: number[] = [],
  seed = 1,
) => resolveInputs(method(spec(dtype, shape)), { x: { kind: "generate", pattern, seed, dims } })["x"] as Tensor;

test("generated values take the sizes of the dynamic axes in order, 1 where none is given", () => {
  assert.deepEqual(made(["N", 3, null], "float32", "ones", [2, 4]).shape, [2, 3, 4]);
  assert.deepEqual(made(["N", 3, null], "float32", "ones").shape, [1, 3, 1]);
  assert.deepEqual(made(null, "float32", "ones", [2, 2]).shape, [2, 2]);
  assert.match(
    failure(() => made([3], "float32", "ones", [2])),
    /^input\.shape: `x`: .*there are 0 dynamic axes/,
  );
  assert.match(
    failure(() => made(["N"], "float32", "ones", [-1])),
    /-1 is no size/,
  );
  assert.match(
    failure(() => made(["N"], "float32", "ones", [2 ** 40])),
    /^input\.shape.*are more than/,
  );
});

test("every pattern fills every runnable dtype, and a seed gives the same values again", () => {
  const all: DType[] = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "string",
  ];
  for (const dtype of all) {
    for (const pattern of ["zeros", "ones", "range", "uniform", "normal"] as const) {
      const [a, again] = [made(["N"], dtype, pattern, [300]), made(["N"], dtype, pattern, [300])];
      assert.deepEqual(a, again);
      assert.ok(!(tensorToNested(a) as unknown[]).includes("NaN"), `${dtype} ${pattern}`);
    }
    assert.notDeepEqual(made(["N"], dtype, "uniform", [300], 1), made(["N"], dtype, "uniform", [300], 2));
  }
  assert.deepEqual(
    tensorToNested(made(["N"], "int8", "range", [130])),
    Array.from({ length: 130 }, (_, i) => i % 128),
  );
  assert.deepEqual(made(["N"], "string", "ones", [2]).data, encodeStrings(["1", "1"]));
});

test("uniform and normal values have the distribution they say", () => {
  const uniform = tensorToNested(made(["N"], "float64", "uniform", [20_000])) as number[];
  assert.ok(uniform.every((v) => v >= 0 && v < 1));
  assert.ok(Math.abs(mean(uniform) - 0.5) < 0.02);
  const normal = tensorToNested(made(["N"], "float64", "normal", [20_000])) as number[];
  assert.ok(Math.abs(mean(normal)) < 0.05);
  assert.ok(Math.abs(mean(normal.map((v) => v * v)) - 1) < 0.05);
  const whole = tensorToNested(made(["N"], "int32", "uniform", [1000])) as number[];
  assert.deepEqual(
    [...new Set(whole)].sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
