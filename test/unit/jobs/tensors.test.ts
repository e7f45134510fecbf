import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type BuildOptions, build } from "esbuild";
import { silentLog } from "../../../src/base/log";
import type { JobProgress, Jobs } from "../../../src/base/ports";
import type { Disposable } from "../../../src/base/scope";
import { npyStart } from "../../../src/formats/npy";
import {
  describeContentJob,
  exportSliceJob,
  heatMapJob,
  listTensorsJob,
  readSliceJob,
  tensorStatisticsJob,
} from "../../../src/frameworks/contentJobs";
import { childJobs } from "../../../src/jobs/client";

/** How soon a cancelled job has to have ended for its caller, and another one to be answered. */
const SOON_MS = 500;
const ROWS = 2 ** 16;
const COLUMNS = 2 ** 14;

let folder: string;
let jobs: Jobs & Disposable;
let ref: { readonly kind: "file"; readonly path: string };

/** A sparse file of 4 GiB: zeros but for its last value. */
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "modelbench-tensors-"));
  const script: { bundleOptions(bundle: { name: string; entry: string }, production: boolean): BuildOptions } =
    await import(pathToFileURL(resolve("esbuild.mjs")).href);
  const entry = join(folder, "jobs.cjs");
  await build({ ...script.bundleOptions({ name: "jobs", entry: "src/jobs/main.ts" }, false), outfile: entry });
  jobs = childJobs({ entry, log: silentLog });
  const path = join(folder, "big.npy");
  const start = npyStart("float32", [ROWS, COLUMNS]);
  writeFileSync(path, start);
  const bytes = start.length + 4 * ROWS * COLUMNS;
  truncateSync(path, bytes);
  const file = openSync(path, "r+");
  writeSync(file, Float32Array.of(7), 0, 4, bytes - 4);
  closeSync(file);
  ref = { kind: "file", path };
});
after(() => {
  jobs.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a job and answers with it once it is under way. */
async function underWay<T>(
  start: (options: { signal: AbortSignal; onProgress: (p: JobProgress) => void }) => Promise<T>,
) {
  const controller = new AbortController();
  let ended: Promise<T> | undefined;
  await new Promise<void>((resolve, reject) => {
    ended = start({ signal: controller.signal, onProgress: () => resolve() });
    ended.then(() => reject(new Error("it was over before it was seen")), reject);
  });
  return { ended: ended as Promise<T>, cancel: () => controller.abort() };
}

const corner = {
  view: { rowAxis: 0, columnAxis: 1, fixed: [0, 0] },
  range: { rowStart: ROWS - 2, rowCount: 2, columnStart: COLUMNS - 2, columnCount: 2 },
};

suite("a tensor of 4 GiB in the jobs process", () => {
  test("is described, listed and sliced while its statistics are taken, which hear a cancel", async () => {
    const { ended, cancel } = await underWay((options) => jobs.run(tensorStatisticsJob, { ref, tensor: 0 }, options));
    const outcome = assert.rejects(ended, { code: "cancelled" });
    const began = performance.now();
    const { parameters } = await jobs.run(describeContentJob, ref);
    const [tensor] = await jobs.run(listTensorsJob, { ref, start: 0, count: 1 });
    const slice = await jobs.run(readSliceJob, { ref, tensor: 0, ...corner });
    assert.ok(performance.now() - began < 3 * SOON_MS, `three answers took ${performance.now() - began} ms`);
    assert.deepEqual([parameters, tensor?.shape, slice], [ROWS * COLUMNS, [ROWS, COLUMNS], [0, 0, 0, 7]]);
    const cancelled = performance.now();
    cancel();
    await outcome;
    assert.ok(performance.now() - cancelled < SOON_MS + 100, `${performance.now() - cancelled} ms`);
    // The process was not killed for being deaf: it still has the file open.
    assert.deepEqual(await jobs.run(readSliceJob, { ref, tensor: 0, ...corner }), [0, 0, 0, 7]);
  });

  test("is exported for a while, and a cancel leaves nothing", async () => {
    const target = mkdtempSync(join(folder, "export-"));
    for (const format of ["npy", "csv", "json"] as const) {
      const destination = join(target, `x.${format}`);
      const run = { ref, tensor: 0, format, destination, view: { rowAxis: 1, columnAxis: 0, fixed: [0, 0] } };
      const { ended, cancel } = await underWay((options) => jobs.run(exportSliceJob, run, options));
      const outcome = assert.rejects(ended, { code: "cancelled" });
      cancel();
      await outcome;
      await outcome;
      // The caller may have been let go before the last piece was written.
      for (let i = 0; readdirSync(target).length > 0 && i < 100; i++) await new Promise((go) => setTimeout(go, 20));
      assert.deepEqual(readdirSync(target), []);
    }
  });

  test("is scaled down from a part of it", async () => {
    const began = performance.now();
    const map = await jobs.run(heatMapJob, { ref, tensor: 0, view: corner.view, rows: 64, columns: 64 });
    assert.ok(performance.now() - began < 10 * SOON_MS);
    assert.deepEqual([map.rows, map.columns, map.sampled, map.means[0]], [64, 64, true, 0]);
    assert.ok(map.means instanceof Float64Array);
  });
});
