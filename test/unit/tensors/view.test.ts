import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { decodeElements, elementCount, encodeStrings } from "../../../src/formats/elements";
import { memoryData, runData, type TensorData } from "../../../src/formats/tensorData";
import { planeOf, readPlane, type TensorView, type ViewRange } from "../../../src/tensors/view";
import { fc } from "../../fixtures/fastCheck";

/** Element `i` has the value `i`. */
function countingData(shape: readonly number[], dtype: "int32" | "int16" = "int32"): TensorData {
  const counting = Array.from({ length: elementCount(shape) }, (_, i) => i);
  const values = dtype === "int32" ? Int32Array.from(counting) : Int16Array.from(counting);
  const data = new Uint8Array(values.buffer);
  return runData({ size: data.length, read: (at, length) => data.subarray(at, at + length) }, dtype, shape, 0);
}

/** The rectangle by the plain rule: the element at every pair of indices. */
function expected(shape: readonly number[], view: TensorView, range: ViewRange): number[] {
  const result: number[] = [];
  for (let row = 0; row < range.rowCount; row++) {
    for (let column = 0; column < range.columnCount; column++) {
      const index = shape.map((_, axis) => {
        if (axis === view.rowAxis) return range.rowStart + row;
        return axis === view.columnAxis ? range.columnStart + column : (view.fixed[axis] ?? 0);
      });
      result.push(index.reduce((at, i, axis) => at * (shape[axis] ?? 1) + i, 0));
    }
  }
  return result;
}

/** A tensor's shape with a view of it and a rectangle inside. */
const cases = fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 4 }).chain((shape) => {
  const axes = fc.shuffledSubarray(
    shape.map((_, axis) => axis),
    { minLength: Math.min(2, shape.length), maxLength: Math.min(2, shape.length) },
  );
  const part = (size: number | undefined) =>
    size === undefined
      ? fc.constant({ start: 0, count: 1 })
      : fc.tuple(fc.nat(size), fc.nat(size)).map(([a, b]) => ({ start: Math.min(a, b), count: Math.abs(a - b) }));
  return fc.tuple(axes, fc.tuple(...shape.map((dim) => fc.nat(dim - 1)))).chain(([[row, column], fixed]) => {
    const view: TensorView = { rowAxis: row ?? null, columnAxis: column ?? null, fixed };
    const sizeOf = (axis: number | undefined) => (axis === undefined ? undefined : shape[axis]);
    return fc.tuple(part(sizeOf(row)), part(sizeOf(column))).map(([rows, columns]) => ({
      shape,
      view,
      range: {
        rowStart: rows.start,
        rowCount: rows.count,
        columnStart: columns.start,
        columnCount: columns.count,
      },
    }));
  });
});

suite("a rectangle of a tensor", () => {
  test("has the elements that its indices name, for any two axes", () => {
    fc.assert(
      fc.property(cases, fc.constantFrom("int32" as const, "int16" as const), ({ shape, view, range }, dtype) => {
        const plane = planeOf(shape, view, range);
        const tensor = readPlane(countingData(shape, dtype), plane);
        assert.deepEqual(decodeElements(tensor), expected(shape, view, range));
      }),
      { numRuns: 500 },
    );
  });

  test("is read in few runs and without most of what lies between", () => {
    const shape = [30, 50, 2000];
    const data = countingData(shape);
    const read = (view: TensorView, range: ViewRange) => {
      const reads: number[] = [];
      const counting = {
        ...data,
        read: (start: number, count: number) => {
          reads.push(count * 4);
          return data.read(start, count);
        },
      };
      const tensor = readPlane(counting, planeOf(shape, view, range));
      assert.deepEqual(decodeElements(tensor), expected(shape, view, range));
      return { reads: reads.length, bytes: reads.reduce((sum, one) => sum + one, 0) };
    };
    const part = (rowCount: number, columnCount: number) => ({ rowStart: 7, rowCount, columnStart: 11, columnCount });
    const fixed = [3, 4, 5];
    assert.deepEqual(read({ rowAxis: 1, columnAxis: 2, fixed }, part(40, 100)), { reads: 40, bytes: 40 * 400 });
    assert.deepEqual(read({ rowAxis: 2, columnAxis: 1, fixed }, part(100, 39)), { reads: 39, bytes: 39 * 400 });
    assert.deepEqual(read({ rowAxis: 0, columnAxis: 1, fixed }, part(20, 10)), { reads: 200, bytes: 200 * 4 });
    // Whole lines next to one another are one run, of at most 1 MiB.
    const whole = read(
      { rowAxis: 1, columnAxis: 2, fixed },
      { rowStart: 0, rowCount: 50, columnStart: 0, columnCount: 2000 },
    );
    assert.deepEqual(whole, { reads: 1, bytes: 400_000 });
  });

  test("holds the right texts, also where other texts lie between", () => {
    const texts = Array.from({ length: 24 }, (_, i) => `${"é".repeat(i % 5)}${i}`);
    const data = memoryData({ dtype: "string", shape: [2, 3, 4], data: encodeStrings(texts) });
    const view = { rowAxis: 2, columnAxis: 0, fixed: [0, 2, 0] };
    const range = { rowStart: 1, rowCount: 3, columnStart: 0, columnCount: 2 };
    const wanted = expected([2, 3, 4], view, range).map((i) => texts[i]);
    assert.deepEqual(decodeElements(readPlane(data, planeOf([2, 3, 4], view, range))), wanted);
  });

  test("of an empty tensor has no rows, whichever axis it is that has no indices", () => {
    for (const shape of [[0], [0, 3], [3, 0], [0, 2, 2], [2, 0, 2]]) {
      const axis = shape.length - 1;
      const view = { rowAxis: axis > 0 ? axis - 1 : axis, columnAxis: axis > 0 ? axis : null, fixed: [0, 0, 0] };
      const tensor = readPlane(countingData(shape), planeOf(shape, view));
      assert.deepEqual(decodeElements(tensor), []);
    }
  });

  test("outside the tensor is refused", () => {
    const view = { rowAxis: 0, columnAxis: 1, fixed: [0, 0, 0] };
    const range = { rowStart: 0, rowCount: 2, columnStart: 0, columnCount: 3 };
    const refused = (shape: number[], changed: Partial<TensorView>, part: Partial<ViewRange> = {}) =>
      assert.throws(() => planeOf(shape, { ...view, ...changed }, { ...range, ...part }), { code: "input.shape" });
    refused([2, 3, 4], { rowAxis: 3 });
    refused([2, 3, 4], { rowAxis: -1 });
    refused([2, 3, 4], { rowAxis: 0.5 });
    refused([2, 3, 4], { columnAxis: 0 });
    refused([2, 3, 4], { fixed: [0, 0, 4] });
    refused([2, 3, 4], { fixed: [0, 0, -1] });
    refused([2, 3, 4], {}, { rowCount: 3 });
    refused([2, 3, 4], {}, { columnStart: -1 });
    refused([2, 3, 4], {}, { columnCount: 2 ** 53 });
  });
});
