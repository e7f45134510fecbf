import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { encodeStrings } from "../../../src/formats/elements";
import type { DType } from "../../../src/formats/tensor";
import { memoryData, type TensorData } from "../../../src/formats/tensorData";
import { type DifferenceOptions, difference, type ValueDifference } from "../../../src/tensors/difference";
import { fc } from "../../fixtures/fastCheck";

function of(dtype: DType, values: NodeJS.TypedArray, shape: readonly number[] = [values.length]): TensorData {
  return memoryData({ dtype, shape, data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) });
}

function compared(a: TensorData, b: TensorData, options?: DifferenceOptions): ValueDifference {
  const walk = difference(a, b, options);
  for (;;) {
    const { done, value } = walk.next();
    if (done) return value;
  }
}

const floats = (...values: readonly number[]): TensorData => of("float64", Float64Array.from(values));

/** The definitions, one value at a time. */
function plainly(as: readonly number[], bs: readonly number[]): Omit<ValueDifference, "norm" | "worst"> {
  const pairs = as.map((a, i) => [a, bs[i] ?? 0] as const);
  const unequal = pairs.filter(([a, b]) => a !== b && !(Number.isNaN(a) && Number.isNaN(b)));
  const numbers = unequal.filter(([a, b]) => !Number.isNaN(a) && !Number.isNaN(b));
  const ratio = ([a, b]: readonly [number, number]): number => {
    const size = Math.max(Math.abs(a), Math.abs(b));
    return size === Number.POSITIVE_INFINITY ? size : Math.min(2, Math.abs(b / size - a / size));
  };
  return {
    count: as.length,
    differing: unequal.length,
    nan: unequal.length - numbers.length,
    maxAbs: Math.max(0, ...numbers.map(([a, b]) => Math.abs(b - a))),
    maxRel: Math.max(0, ...numbers.map(ratio)),
  };
}

suite("the difference of two tensors", () => {
  test("follows its definition for any numbers, however they are spread over pieces", () => {
    const special = fc.constantFrom(
      0,
      -0,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      5e-324,
      1e308,
    );
    const value = fc.oneof(special, fc.double(), fc.integer().map(Number));
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { maxLength: 30 }), fc.constantFrom(0, 65_530), (pairs, lead) => {
        const padding = new Array<number>(lead).fill(7);
        const as = [...padding, ...pairs.map(([a]) => a)];
        const bs = [...padding, ...pairs.map(([, b], i) => (i % 3 === 0 ? (as[lead + i] ?? 0) : b))];
        const { norm, worst, maxRel, ...found } = compared(floats(...as), floats(...bs));
        const { maxRel: plainRel, ...plain } = plainly(as, bs);
        assert.deepEqual(found, plain);
        assert.ok(maxRel === plainRel || Math.abs((maxRel ?? 0) - (plainRel ?? 0)) < 1e-9, `${maxRel} ${plainRel}`);
        assert.equal(worst === null, found.differing === 0);
        assert.ok(norm !== null && (found.maxAbs === 0 ? norm === 0 : norm >= (found.maxAbs ?? 0) * (1 - 1e-15)));
      }),
      { numRuns: 300 },
    );
  });

  test("is the same both ways but for its sign, which nobody sees", () => {
    const [a, b] = [floats(1, 2, -3, Number.NaN, 0), floats(1.5, 2, 4, 1, 1e-9)];
    const { worst: there, ...found } = compared(a, b);
    const { worst: back, ...reverse } = compared(b, a);
    assert.deepEqual(found, reverse);
    assert.deepEqual(there, { index: [2], a: -3, b: 4 });
    assert.deepEqual(back, { index: [2], a: 4, b: -3 });
    assert.equal(found.norm, Math.sqrt(0.25 + 49));
  });

  test("NaN equals NaN at the same place, and 0 equals -0", () => {
    const same = compared(
      floats(Number.NaN, 0, Number.POSITIVE_INFINITY),
      floats(Number.NaN, -0, Number.POSITIVE_INFINITY),
    );
    assert.deepEqual(same, { count: 3, differing: 0, nan: 0, maxAbs: 0, maxRel: 0, norm: 0, worst: null });
    const { nan, differing, maxAbs, worst } = compared(floats(Number.NaN, 1), floats(2, Number.NaN));
    assert.deepEqual(
      { nan, differing, maxAbs, worst },
      { nan: 2, differing: 2, maxAbs: 0, worst: { index: [0], a: "NaN", b: 2 } },
    );
  });

  test("the norm neither overflows nor vanishes", () => {
    assert.equal(compared(floats(0, 0), floats(3e300, 4e300)).norm, 5e300);
    const { norm } = compared(floats(0, 0), floats(3e-300, 4e-300));
    assert.ok(Math.abs((norm ?? 0) / 5e-300 - 1) < 1e-12, String(norm));
    assert.equal(compared(floats(0), floats(Number.POSITIVE_INFINITY)).norm, Number.POSITIVE_INFINITY);
  });

  test("neighbours among large 64-bit integers are told apart", () => {
    const a = of("int64", BigInt64Array.of(2n ** 62n, -(2n ** 63n), 5n), [3, 1]);
    const b = of("int64", BigInt64Array.of(2n ** 62n + 1n, -(2n ** 63n), 5n), [3, 1]);
    const { differing, maxAbs, worst } = compared(a, b);
    assert.deepEqual(
      [differing, maxAbs, worst],
      [1, 1, { index: [0, 0], a: String(2n ** 62n), b: String(2n ** 62n + 1n) }],
    );
    const ends = compared(of("uint64", BigUint64Array.of(0n)), of("uint64", BigUint64Array.of(2n ** 64n - 1n)));
    assert.equal(ends.maxAbs, 2 ** 64);
  });

  test("64-bit integers are compared exactly with those of other types", () => {
    const large = 2n ** 53n;
    const signed = of("int64", BigInt64Array.of(large + 1n, -1n, 7n, 3n));
    const unsigned = of("uint64", BigUint64Array.of(large, 2n ** 64n - 1n, 7n, 3n));
    const both = compared(signed, unsigned);
    assert.deepEqual([both.differing, both.maxAbs, both.worst?.index], [2, 2 ** 64, [1]]);
    const small = compared(of("int8", Int8Array.of(-1, 5)), of("int64", BigInt64Array.of(-1n, large + 1n)));
    assert.deepEqual([small.differing, small.maxAbs], [1, 2 ** 53 - 4]);
    const doubles = floats(2 ** 53, -1, 7.5, Number.NaN);
    const { worst: there, ...found } = compared(signed, doubles);
    const { worst: back, ...reverse } = compared(doubles, signed);
    assert.deepEqual(found, reverse);
    assert.deepEqual([there?.a, there?.b], [back?.b, back?.a]);
    assert.deepEqual([found.differing, found.nan, found.maxAbs, there?.index], [3, 1, 1, [0]]);
    const complex = of("complex128", Float64Array.of(2 ** 53, 0, -1, 0, 7, 3, 3, 0), [4]);
    const modulus = compared(signed, complex);
    assert.deepEqual([modulus.differing, modulus.maxAbs, modulus.worst?.index], [2, 3, [2]]);
    const edges = of("int64", BigInt64Array.of(2n ** 62n, -(2n ** 63n), 2n ** 63n - 1n));
    assert.equal(compared(edges, floats(2 ** 62, -(2 ** 63), 2 ** 63)).differing, 1);
    assert.equal(compared(edges, floats(2 ** 62, Number.NEGATIVE_INFINITY, 2 ** 63)).maxAbs, Number.POSITIVE_INFINITY);
  });

  test("other types are compared by what they stand for", () => {
    const halves = of("float16", Uint16Array.of(0x3c00, 0x4000));
    assert.deepEqual(compared(halves, of("float32", Float32Array.of(1, 2))).differing, 0);
    assert.deepEqual(compared(of("int4", Uint8Array.of(15, 7)), of("int8", Int8Array.of(-1, 8))).maxAbs, 1);
    assert.deepEqual(compared(of("bool", Uint8Array.of(1, 0)), of("float64", Float64Array.of(1, 0.25))).maxAbs, 0.25);
  });

  test("complex numbers differ by the modulus", () => {
    const a = of("complex64", Float32Array.of(1, 2, Number.NaN, 0), [2]);
    const b = of("complex64", Float32Array.of(4, 6, 0, Number.NaN), [2]);
    assert.deepEqual(compared(a, b), {
      count: 2,
      differing: 1,
      nan: 0,
      maxAbs: 5,
      maxRel: 5 / Math.hypot(4, 6),
      norm: 5,
      worst: { index: [0], a: "1+2j", b: "4+6j" },
    });
    const real = of("float64", Float64Array.of(1, 0));
    assert.equal(compared(of("complex64", Float32Array.of(1, 0, 0, 3), [2]), real).maxAbs, 3);
  });

  test("text is equal or not", () => {
    const texts = (...values: string[]): TensorData =>
      memoryData({ dtype: "string", shape: [values.length], data: encodeStrings(values) });
    const found = compared(texts("a", "b", "c"), texts("a", "B", "d"));
    assert.deepEqual(found, {
      count: 3,
      differing: 2,
      nan: 0,
      maxAbs: null,
      maxRel: null,
      norm: null,
      worst: { index: [1], a: "b", b: "B" },
    });
  });

  test("values at any alignment are read", () => {
    const bytes = new Uint8Array(8 * 3 + 1);
    bytes.set(new Uint8Array(Float64Array.of(1, 2, 3).buffer), 1);
    const odd = memoryData({ dtype: "float64", shape: [3], data: bytes.subarray(1) });
    assert.equal(compared(odd, floats(1, 2, 3.5)).maxAbs, 0.5);
  });
});

suite("units in the last place", () => {
  const counted = (a: TensorData, b: TensorData) => compared(a, b, { ulps: true }).ulps;

  test("are counted by powers of two", () => {
    const view = new DataView(new ArrayBuffer(4));
    const next = (value: number, steps: number): number => {
      view.setFloat32(0, value);
      view.setUint32(0, view.getUint32(0) + steps);
      return view.getFloat32(0);
    };
    const a = Float32Array.of(1, 1, 1, 1, 1, 1, Number.NaN, 1);
    const b = Float32Array.of(1, next(1, 1), next(1, 2), next(1, 3), next(1, 4), next(1, 1000), 1, 1);
    assert.deepEqual(counted(of("float32", a), of("float32", b)), {
      counts: [2, 1, 2, 1, 0, 0, 0, 0, 0, 0, 1],
      nan: 1,
    });
  });

  test("go on through zero", () => {
    const [least, other] = [Float64Array.of(5e-324, 0), Float64Array.of(-5e-324, -0)];
    assert.deepEqual(counted(of("float64", least), of("float64", other)), { counts: [1, 0, 1], nan: 0 });
    assert.deepEqual(counted(of("float8_e4m3fn", Uint8Array.of(1)), of("float8_e4m3fn", Uint8Array.of(0x81))), {
      counts: [0, 0, 1],
      nan: 0,
    });
  });

  test("the farthest values of each type have a place", () => {
    const farthest: readonly [DType, NodeJS.TypedArray, NodeJS.TypedArray, number][] = [
      ["float64", Float64Array.of(Number.MAX_VALUE), Float64Array.of(-Number.MAX_VALUE), 64],
      ["float32", Uint32Array.of(0x7f7f_ffff), Uint32Array.of(0xff7f_ffff), 32],
      ["bfloat16", Uint16Array.of(0x7f7f), Uint16Array.of(0xff7f), 16],
      ["float4_e2m1fn", Uint8Array.of(7), Uint8Array.of(15), 4],
    ];
    for (const [dtype, a, b, bucket] of farthest) {
      assert.equal(counted(of(dtype, a), of(dtype, b))?.counts.findIndex(Boolean), bucket, dtype);
    }
  });

  test("are not counted for integers, or between two types", () => {
    assert.equal(counted(of("int8", Int8Array.of(1)), of("int8", Int8Array.of(2))), undefined);
    assert.equal(counted(of("float32", Float32Array.of(1)), of("float64", Float64Array.of(1))), undefined);
  });

  test("agree with the number of values between two numbers of a small type", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), (x, y) => {
        const [a, b] = [of("float8_e5m2fnuz", Uint8Array.of(x)), of("float8_e5m2fnuz", Uint8Array.of(y))];
        const value = (code: number) =>
          compared(of("float64", Float64Array.of(0)), of("float8_e5m2fnuz", Uint8Array.of(code)));
        const hasNone = (code: number) => value(code).nan === 1;
        const found = counted(a, b);
        if (hasNone(x) !== hasNone(y)) return assert.equal(found?.nan, 1);
        const size = (code: number) => (hasNone(code) ? 0 : Number(value(code).worst?.b ?? 0));
        const [low, high] = [Math.min(size(x), size(y)), Math.max(size(x), size(y))];
        const between = new Set(
          Array.from({ length: 256 }, (_, code) => code)
            .filter((code) => !hasNone(code))
            .map(size),
        );
        const steps = [...between].filter((one) => one > low && one <= high).length;
        assert.equal(found?.counts.length, steps === 0 ? 1 : Math.floor(Math.log2(steps)) + 2);
      }),
    );
  });
});
