import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { runData, type TensorData } from "../../../src/formats/tensorData";
import { type HeatMap, heatMap } from "../../../src/tensors/heatMap";
import type { TensorView } from "../../../src/tensors/view";
import { fc } from "../../fixtures/fastCheck";

interface Counted {
  readonly data: TensorData;
  readonly read: { bytes: number };
}

function floats(values: Float32Array, shape: readonly number[]): Counted {
  const bytes = new Uint8Array(values.buffer);
  const read = { bytes: 0 };
  const reader = {
    size: bytes.length,
    read(at: number, length: number) {
      read.bytes += length;
      return bytes.subarray(at, at + length);
    },
  };
  return { data: runData(reader, "float32", shape, 0), read };
}

/** Values of a tensor without end, made as they are read: element `i` has the value of its last index. */
function endless(shape: readonly number[]): Counted {
  const columns = shape.at(-1) ?? 1;
  const read = { bytes: 0 };
  const data: TensorData = {
    dtype: "float32",
    shape,
    read(start, count) {
      read.bytes += Math.max(count * 4, 4096);
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) values[i] = (start + i) % columns;
      return new Uint8Array(values.buffer);
    },
    stored: () => [],
  };
  return { data, read };
}

function mapOf(data: TensorData, view: TensorView, rows: number, columns: number): HeatMap {
  const work = heatMap(data, view, rows, columns);
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

const ROWS_AND_COLUMNS = { rowAxis: 0, columnAxis: 1, fixed: [0, 0] };
const TURNED = { rowAxis: 1, columnAxis: 0, fixed: [0, 0] };

suite("a heat map", () => {
  test("has in each cell the mean of the finite values it covers", () => {
    const sizes = fc.record({
      rows: fc.integer({ min: 1, max: 40 }),
      columns: fc.integer({ min: 1, max: 40 }),
      cellRows: fc.integer({ min: 1, max: 50 }),
      cellColumns: fc.integer({ min: 1, max: 50 }),
      isTurned: fc.boolean(),
    });
    fc.assert(
      fc.property(
        sizes,
        fc.infiniteStream(fc.float()),
        ({ rows, columns, cellRows, cellColumns, isTurned }, stream) => {
          const values = Float32Array.from({ length: rows * columns }, () => stream.next().value ?? 0);
          const { data } = floats(values, isTurned ? [columns, rows] : [rows, columns]);
          const map = mapOf(data, isTurned ? TURNED : ROWS_AND_COLUMNS, cellRows, cellColumns);
          assert.deepEqual(
            [map.rows, map.columns, map.sampled],
            [Math.min(rows, cellRows), Math.min(columns, cellColumns), false],
          );
          const start = (cell: number, size: number, cells: number) => Math.floor((cell * size) / cells);
          map.means.forEach((mean, i) => {
            const [row, column] = [Math.floor(i / map.columns), i % map.columns];
            const covered: number[] = [];
            for (let r = start(row, rows, map.rows); r < start(row + 1, rows, map.rows); r++) {
              for (let c = start(column, columns, map.columns); c < start(column + 1, columns, map.columns); c++) {
                covered.push(values[isTurned ? c * rows + r : r * columns + c] ?? 0);
              }
            }
            const finite = covered.filter(Number.isFinite);
            const wanted = finite.reduce((sum, one) => sum + one, 0) / finite.length;
            const size = Math.max(...finite.map(Math.abs), 0);
            assert.ok(Object.is(mean, wanted) || Math.abs(mean - wanted) <= size * 1e-12, `${mean} is not ${wanted}`);
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  test("of a plane beyond 64 MiB reads a part of it evenly and says so", () => {
    for (const shape of [
      [20_000, 5000],
      [3, 100_000_000],
      [100_000_000, 3],
      [1_000_000, 1_000_000],
    ]) {
      for (const view of [ROWS_AND_COLUMNS, TURNED]) {
        const { data, read } = endless(shape);
        const map = mapOf(data, view, 60, 60);
        const name = `${shape.join(" x ")} ${view.rowAxis}`;
        assert.equal(map.sampled, true, name);
        assert.ok(read.bytes <= 1.05 * 2 ** 26, `${name}: ${read.bytes} bytes`);
        assert.ok(read.bytes >= 2 ** 22, `${name}: ${read.bytes} bytes`);
        // Each cell is near the middle of the columns it covers.
        const columns = shape[1] ?? 1;
        const [cells, step] = view === ROWS_AND_COLUMNS ? [map.columns, 1] : [map.rows, map.columns];
        for (let cell = 0; cell < cells; cell++) {
          const middle = (columns * (cell + 0.5)) / cells - 0.5;
          const mean = map.means[cell * step] ?? Number.NaN;
          assert.ok(Math.abs(mean - middle) <= columns * 1e-3 + 1, `${name}: ${mean} instead of ${middle}`);
        }
      }
    }
  });

  test("shows magnitudes of complex numbers, and none of text", () => {
    const bytes = new Uint8Array(Float32Array.of(3, 4, -6, 8).buffer);
    const complex = runData({ size: 16, read: (at, length) => bytes.subarray(at, at + length) }, "complex64", [2], 0);
    const column = { rowAxis: 0, columnAxis: null, fixed: [0] };
    assert.deepEqual([...mapOf(complex, column, 2, 1).means], [5, 10]);
    assert.throws(() => mapOf({ ...complex, dtype: "string" }, column, 2, 1), { code: "input.dtype" });
  });

  test("keeps every finite value finite, to the end of the range of float64", () => {
    const most = Number.MAX_VALUE;
    const bytes = new Uint8Array(Float64Array.of(1e300, most, most, -most, Number.NaN, 1 / 0).buffer);
    const data = runData({ size: 48, read: (at, length) => bytes.subarray(at, at + length) }, "float64", [6], 0);
    const column = { rowAxis: 0, columnAxis: null, fixed: [0] };
    assert.deepEqual([...mapOf(data, column, 6, 1).means], [1e300, most, most, -most, Number.NaN, Number.NaN]);
    const [first, second, none] = mapOf(data, column, 3, 1).means;
    assert.ok(Math.abs((first ?? 0) / (most / 2) - 1) < 1e-7);
    assert.deepEqual([second, none], [0, Number.NaN]);
  });

  test("of an empty tensor has no cells", () => {
    const map = mapOf(floats(new Float32Array(0), [0, 3]).data, ROWS_AND_COLUMNS, 10, 10);
    assert.deepEqual([map.rows, map.means.length, map.sampled], [0, 0, false]);
  });
});
