import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { type FileReader, openFileReader } from "../../src/formats/fileReader";
import type { DType } from "../../src/formats/tensor";
import { runData, type TensorData } from "../../src/formats/tensorData";
import { type SliceFormat, sliceFile } from "../../src/tensors/sliceFile";
import { measure, type TensorStatistics } from "../../src/tensors/statistics";
import type { TensorView, ViewRange } from "../../src/tensors/view";
import { runSeed } from "../fixtures/random";
import { askPython } from "./python";

/** One array that numpy wrote, and what it says of it. */
interface Case {
  readonly file: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly views: readonly { readonly view?: TensorView; readonly range?: ViewRange }[];
  readonly statistics: {
    readonly nan: number;
    readonly inf: number;
    readonly zeros: number;
    readonly min: number | string | null;
    readonly max?: number | string;
    readonly mean?: number | null;
    readonly std?: number | null;
    /** Mean of the magnitudes. */
    readonly size?: number | null;
    readonly histogram?: readonly number[] | null;
  };
}

let folder: string;
let cases: readonly Case[];
const readers: FileReader[] = [];

before(() => {
  folder = mkdtempSync(join(tmpdir(), "mb-tensor-peer-"));
  cases = askPython("tensorPeer.py", "make", folder, String(runSeed())) as readonly Case[];
});

after(() => {
  for (const reader of readers) reader.close();
  rmSync(folder, { recursive: true, force: true });
});

function dataOf({ file, dtype, shape }: Case): TensorData {
  const reader = openFileReader(join(folder, file));
  readers.push(reader);
  return runData(reader, dtype, shape, 0);
}

function statisticsOf(data: TensorData): TensorStatistics {
  const work = measure(data);
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

suite("numpy agrees", () => {
  test("on min, max, NaN, infinities and zeros exactly, and on mean and std to 12 digits", () => {
    assert.ok(cases.length > 150, `${cases.length} arrays`);
    for (const one of cases) {
      const found = statisticsOf(dataOf(one));
      const { nan, inf, zeros, min, max = null, mean = null, std = null, size = null } = one.statistics;
      assert.deepEqual([found.nan, found.inf, found.zeros], [nan, inf, zeros], one.file);
      const [low, high] = one.dtype === "bool" ? [Number(found.min), Number(found.max)] : [found.min, found.max];
      assert.deepEqual(
        [low, high],
        [min, max].map((value) => (Object.is(value, -0) ? 0 : value)),
        one.file,
      );
      if (mean === null || std === null || size === null) continue;
      assert.ok(Math.abs((found.mean ?? 0) - mean) <= 1e-12 * size, `${one.file}: mean ${found.mean} is not ${mean}`);
      assert.ok(Math.abs((found.std ?? 0) - std) <= 1e-12 * std, `${one.file}: std ${found.std} is not ${std}`);
    }
  });

  test("on every count of every histogram", () => {
    let compared = 0;
    for (const one of cases) {
      const { histogram } = one.statistics;
      if (!histogram) continue;
      compared++;
      assert.deepEqual(statisticsOf(dataOf(one)).histogram?.counts, histogram, one.file);
    }
    assert.ok(compared > 100, `${compared} histograms`);
  });

  test("on every value of tensors, planes and rectangles written as .npy, CSV and JSON", () => {
    for (const one of cases) {
      one.views.forEach(({ view, range }, i) => {
        for (const format of ["npy", "csv", "json"] satisfies SliceFormat[]) {
          const pieces = Array.from(sliceFile(dataOf(one), format, view, range), (piece) => Buffer.from(piece));
          writeFileSync(join(folder, `${one.file}-${i}.${format}`), Buffer.concat(pieces));
        }
      });
    }
    assert.deepEqual(askPython("tensorPeer.py", "check", folder), []);
  });
});
