import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { decodeElements, encodeStrings, itemSize } from "../../../src/formats/elements";
import type { DType, Tensor } from "../../../src/formats/tensor";
import { memoryData } from "../../../src/formats/tensorData";
import { type MeasureOptions, measure, type TensorStatistics } from "../../../src/tensors/statistics";
import { fc } from "../../fixtures/fastCheck";

function statisticsOf(tensor: Tensor, options?: MeasureOptions): TensorStatistics {
  const work = measure(memoryData(tensor), options);
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

function floats(values: readonly number[], dtype: "float32" | "float64" = "float32"): Tensor {
  const array = dtype === "float32" ? Float32Array.from(values) : Float64Array.from(values);
  return { dtype, shape: [values.length], data: new Uint8Array(array.buffer) };
}

/** Figures by the plainest arithmetic. */
function plain(tensor: Tensor) {
  const values = decodeElements(tensor).map(Number);
  const finite = values.filter(Number.isFinite);
  const nan = values.filter(Number.isNaN).length;
  const mean = finite.reduce((sum, value) => sum + value / finite.length, 0);
  const std = Math.sqrt(finite.reduce((sum, value) => sum + (value - mean) ** 2 / finite.length, 0));
  return {
    count: values.length,
    nan,
    inf: values.length - nan - finite.length,
    zeros: values.filter((value) => value === 0).length,
    min: finite.length === 0 ? null : Math.min(...finite) + 0,
    max: finite.length === 0 ? null : Math.max(...finite) + 0,
    mean: finite.length === 0 ? null : mean,
    std: finite.length === 0 ? null : std,
    finite,
  };
}

function near(actual: number | null, wanted: number | null, scale: number): void {
  if (actual === null || wanted === null) assert.equal(actual, wanted);
  else assert.ok(Math.abs(actual - wanted) <= 1e-11 * (scale + Number.MIN_VALUE), `${actual} is not ${wanted}`);
}

const NUMERIC: readonly DType[] = [
  ...(["bool", "int1", "int2", "int4", "int8", "int16", "int32", "int64"] as const),
  ...(["uint1", "uint2", "uint4", "uint8", "uint16", "uint32", "uint64"] as const),
  ...(["float16", "bfloat16", "float32", "float64", "float8_e3m4", "float8_e4m3", "float8_e4m3b11fnuz"] as const),
  ...(["float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"] as const),
  ...(["float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn"] as const),
];

suite("statistics", () => {
  test("are those of plain arithmetic, for every type and any bytes", () => {
    const tensors = fc
      .tuple(fc.constantFrom(...NUMERIC), fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 1, max: 60 }))
      .map(([dtype, bytes, times]): Tensor => {
        const size = itemSize(dtype) ?? 1;
        const whole = bytes.subarray(0, bytes.length - (bytes.length % size));
        const data = new Uint8Array(whole.length * times);
        for (let i = 0; i < times; i++) data.set(whole, i * whole.length);
        return { dtype, shape: [data.length / size], data };
      });
    fc.assert(
      fc.property(tensors, (tensor) => {
        const found = statisticsOf(tensor);
        const wanted = plain(tensor);
        const { count, nan, inf, zeros } = found;
        assert.deepEqual([count, nan, inf, zeros], [wanted.count, wanted.nan, wanted.inf, wanted.zeros]);
        if (tensor.dtype.endsWith("int64") && count > 0) {
          const all = decodeElements(tensor).map(BigInt as (value: unknown) => bigint);
          assert.equal(found.min, all.reduce((a, b) => (b < a ? b : a)).toString());
          assert.equal(found.max, all.reduce((a, b) => (b > a ? b : a)).toString());
        } else {
          assert.deepEqual([found.min, found.max].map(numberOf), [wanted.min, wanted.max]);
        }
        const scale = Math.max(Math.abs(wanted.min ?? 0), Math.abs(wanted.max ?? 0));
        if (scale < 1e150) {
          near(found.mean, wanted.mean, scale);
          near(found.std, wanted.std, scale);
        }
        const { histogram } = found;
        assert.equal(
          histogram?.counts.reduce((sum, one) => sum + one, 0) ?? wanted.finite.length,
          wanted.finite.length,
        );
        assert.equal(histogram?.counts.length ?? 64, 64);
      }),
      { numRuns: 1500 },
    );
  });

  test("of NaN, infinities, zeros of both signs and subnormal numbers", () => {
    const values = [Number.NaN, 1e-45, -0, 0, Number.POSITIVE_INFINITY, -1e-45, Number.NEGATIVE_INFINITY, Number.NaN];
    const { histogram, std, mean, ...rest } = statisticsOf(floats(values));
    const tiny = 2 ** -149;
    assert.deepEqual(rest, { count: 8, min: -tiny, max: tiny, nan: 2, inf: 2, zeros: 2 });
    assert.equal(mean, 0);
    assert.ok(Math.abs((std ?? 0) / (tiny / Math.SQRT2) - 1) < 1e-12, String(std));
    assert.equal(histogram?.counts[0], 1);
    assert.equal(histogram?.counts[32], 2);
    assert.equal(histogram?.counts[63], 1);
    assert.deepEqual([statisticsOf(floats([-0, -0])).min, statisticsOf(floats([-0])).max], [0, 0]);
  });

  test("of nothing that is finite, of nothing at all and of one value", () => {
    const none = { min: null, max: null, mean: null, std: null, zeros: 0, histogram: null };
    const infinite = statisticsOf(floats([Number.NaN, Number.POSITIVE_INFINITY]));
    assert.deepEqual(infinite, { count: 2, ...none, nan: 1, inf: 1 });
    for (const dtype of NUMERIC) {
      const empty = statisticsOf({ dtype, shape: [3, 0], data: new Uint8Array(0) });
      assert.deepEqual(empty, { count: 0, ...none, nan: 0, inf: 0 }, dtype);
    }
    const one = statisticsOf(floats([0.1]));
    assert.deepEqual([one.min, one.max, one.std, one.histogram], [Math.fround(0.1), Math.fround(0.1), 0, null]);
  });

  test("do not take the place that sums are taken about for a value", () => {
    // More than one run; the last holds a NaN, so that it is gone through with care.
    for (const [value, dtype] of [
      [0.1, "float32"],
      [0.1, "float64"],
      [1e200, "float64"],
      [-1e300, "float64"],
    ] as const) {
      const values = new Array<number>(200_000).fill(value);
      values[199_990] = Number.NaN;
      const { min, max, nan } = statisticsOf(floats(values, dtype));
      const stored = dtype === "float32" ? Math.fround(value) : value;
      assert.deepEqual([min, max, nan], [stored, stored, 1]);
    }
  });

  test("are infinite, and not NaN, where sums leave the range of float64, as numpy has them", () => {
    const most = Number.MAX_VALUE;
    const [over, under] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const [values, mean, std] of [
      // Masks of attention, in every order.
      [[0, -most, -most, -most], under, over],
      [[-most, 0, 0, 0], -most / 4, over],
      [[-most, -most, 0], under, over],
      [[1e200, -1e200], 0, over],
      [[most, -most], 0, over],
      [[1e200, 1e200], 1e200, 0],
      [new Array<number>(100_000).fill(-most), under, over],
    ] as const) {
      const found = statisticsOf(floats(values, "float64"));
      assert.deepEqual([found.mean, found.std], [mean, std], `${values.slice(0, 4)}`);
    }
  });

  test("keep their digits where all values are far from zero", () => {
    const values = Array.from({ length: 300_000 }, (_, i) => 1e9 + (i % 1000) / 1000);
    const { mean, std } = statisticsOf(floats(values, "float64"));
    const steps = values.map((value) => value - 1e9);
    const middle = steps.reduce((sum, one) => sum + one, 0) / steps.length;
    const spread = Math.sqrt(steps.reduce((sum, one) => sum + (one - middle) ** 2, 0) / steps.length);
    assert.ok(Math.abs((mean ?? 0) - 1e9 - middle) < 1e-6);
    assert.ok(Math.abs((std ?? 0) / spread - 1) < 1e-9, `${std} is not ${spread}`);
  });

  test("count every 64-bit integer exactly", () => {
    const values = BigInt64Array.from({ length: 70_000 }, (_, i) => BigInt(i) - 35_000n);
    values[69_999] = -(2n ** 63n);
    values[5] = 2n ** 63n - 1n;
    const data = new Uint8Array(values.buffer);
    const signed = statisticsOf({ dtype: "int64", shape: [70_000], data });
    assert.deepEqual(
      [signed.min, signed.max, signed.zeros],
      [(-(2n ** 63n)).toString(), (2n ** 63n - 1n).toString(), 1],
    );
    const unsigned = statisticsOf({ dtype: "uint64", shape: [70_000], data });
    assert.deepEqual([unsigned.min, unsigned.max], ["0", (2n ** 64n - 1n).toString()]);
    const small = BigUint64Array.of(3n, 5n, 7n);
    const few = statisticsOf({ dtype: "uint64", shape: [3], data: new Uint8Array(small.buffer) });
    assert.deepEqual([few.mean, few.min, few.max], [5, "3", "7"]);
  });

  test("of complex numbers and of text say what can be said", () => {
    const parts = Float32Array.of(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 1, Number.NEGATIVE_INFINITY, 2, 3);
    const none = { min: null, max: null, mean: null, std: null, histogram: null };
    const complex = statisticsOf({ dtype: "complex64", shape: [4], data: new Uint8Array(parts.buffer) });
    assert.deepEqual(complex, { ...none, count: 4, nan: 1, inf: 1, zeros: 1 });
    const text = statisticsOf({ dtype: "string", shape: [2], data: encodeStrings(["a", ""]) });
    assert.deepEqual(text, { ...none, count: 2, nan: 0, inf: 0, zeros: 0 });
  });

  test("of a boolean tensor are booleans and a share", () => {
    const { min, max, mean, zeros } = statisticsOf({ dtype: "bool", shape: [4], data: Uint8Array.of(0, 1, 1, 2) });
    assert.deepEqual([min, max, mean, zeros], [false, true, 0.75, 1]);
  });

  test("yield the bytes of each run, and read only once without a histogram", () => {
    const tensor = floats(new Array<number>(200_000).fill(0).map((_, i) => i));
    const bytes = (options?: MeasureOptions) =>
      [...measure(memoryData(tensor), options)].reduce((sum, one) => sum + one, 0);
    assert.equal(bytes(), 1_600_000);
    assert.equal(bytes({ histogram: false }), 800_000);
    assert.equal(statisticsOf(tensor, { histogram: false }).histogram, null);
  });

  test("of two tensors at a time do not mix", () => {
    const [a, b] = [floats(new Array<number>(200_000).fill(1)), floats(new Array<number>(200_000).fill(2))];
    const works = [measure(memoryData(a)), measure(memoryData(b))];
    const found: TensorStatistics[] = [];
    while (found.length < 2) {
      for (const work of works) {
        const step = work.next();
        if (step.done && step.value) found.push(step.value);
      }
    }
    assert.deepEqual(
      found.map(({ min, max, mean }) => [min, max, mean]),
      [
        [1, 1, 1],
        [2, 2, 2],
      ],
    );
  });
});

suite("a histogram", () => {
  test("has equal bins, closed below and the last one on both sides", () => {
    const values = Array.from({ length: 129 }, (_, i) => i / 2);
    const { histogram } = statisticsOf(floats(values));
    assert.deepEqual([histogram?.low, histogram?.high], [0, 64]);
    assert.deepEqual(histogram?.counts, [...new Array<number>(63).fill(2), 3]);
  });

  test("counts as the edges say, in every lane and by every width", () => {
    for (const dtype of ["float32", "float64"] as const) {
      for (const [from, step] of [
        [0, 1],
        [-500, 0.37],
        [1e6, 0.0625],
        [-1e-3, 1e-7],
      ] as const) {
        const tensor = floats(
          Array.from({ length: 70_003 }, (_, i) => from + step * ((i * 7919) % 70_003)),
          dtype,
        );
        const values = decodeElements(tensor).map(Number);
        const { histogram } = statisticsOf(tensor);
        const round = dtype === "float32" ? Math.fround : (value: number) => value;
        const [low, high] = [Math.min(...values.slice(0, 50_000), ...values.slice(50_000)), histogram?.high ?? 0];
        const width = round(round(high - low) / 64);
        const edges = Array.from({ length: 64 }, (_, i) => round(round(i * width) + low));
        const wanted = new Array<number>(64).fill(0);
        for (const value of values) {
          const bin = edges.filter((edge) => edge <= value).length - 1;
          wanted[bin] = (wanted[bin] ?? 0) + 1;
        }
        assert.deepEqual(histogram?.counts, wanted, `${dtype} from ${from} by ${step}`);
      }
    }
  });

  test("reaches over the whole range of its type", () => {
    const most = 3.4028234663852886e38;
    const wide = statisticsOf(floats([-most, 0, most])).histogram;
    assert.deepEqual([wide?.counts[0], wide?.counts[32], wide?.counts[63]], [1, 1, 1]);
    const widest = statisticsOf(floats([-Number.MAX_VALUE, 0, Number.MAX_VALUE], "float64")).histogram;
    assert.deepEqual([widest?.counts[0], widest?.counts[32], widest?.counts[63]], [1, 1, 1]);
  });

  test("is there for values that are few float32 steps apart, and not where there is no room for bins", () => {
    const next = Math.fround(1 + 2 ** -23);
    const close = statisticsOf(floats([1, next, next])).histogram;
    assert.deepEqual([close?.counts[0], close?.counts[63]], [1, 2]);
    assert.equal(statisticsOf(floats([1, 1 + 2 ** -52], "float64")).histogram, null);
  });
});

function numberOf(value: unknown): number | null {
  return value === null ? null : Number(value);
}
