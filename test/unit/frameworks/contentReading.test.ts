import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import type { JobOptions, JobProgress } from "../../../src/base/ports";
import { encodeStrings } from "../../../src/formats/elements";
import { writeNpy } from "../../../src/formats/npy";
import type { Tensor } from "../../../src/formats/tensor";
import {
  contents,
  runDescribeContent,
  runExportSlice,
  runHeatMap,
  runListTensors,
  runReadSlice,
  runSliceText,
  runTensorStatistics,
} from "../../../src/frameworks/contentReading";
import { ModelStore } from "../../../src/store/modelStore";
import { formatTag } from "../../../src/store/tag";
import { draftOf, tempFolder } from "../store/storeKit";

const { path: folder, remove } = tempFolder();
after(() => {
  contents.dispose();
  remove();
});

let made = 0;
function npyFile(
  tensor: Tensor,
  path = join(folder, `${made++}.npy`),
): { readonly kind: "file"; readonly path: string } {
  writeFileSync(path, writeNpy(tensor));
  return { kind: "file", path };
}

function floats(values: readonly number[], shape: readonly number[] = [values.length]): Tensor {
  return { dtype: "float32", shape, data: new Uint8Array(Float32Array.from(values).buffer) };
}

const column = (length: number) => ({
  view: { rowAxis: 0, columnAxis: null, fixed: [0] },
  range: { rowStart: 0, rowCount: length, columnStart: 0, columnCount: 1 },
});

suite("the jobs of a file's page", () => {
  test("describe it and list its tensors", async () => {
    const ref = npyFile(floats([1, 2, 3, 4, 5, 6], [2, 3]));
    const summary = await runDescribeContent(ref);
    assert.deepEqual([summary.format, summary.tensorCount, summary.parameters, summary.tensorBytes], ["npy", 1, 6, 24]);
    assert.deepEqual(summary.files, [{ path: `${made - 1}.npy`, bytes: summary.bytes, format: "npy" }]);
    const [tensor, ...more] = await runListTensors({ ref, start: 0, count: 5 });
    assert.deepEqual([tensor?.dtype, tensor?.shape, more], ["float32", [2, 3], []]);
    assert.deepEqual(await runListTensors({ ref, start: 1, count: 5 }), []);
  });

  test("read a slice with every value exact", async () => {
    const values = [1.5, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45];
    const ref = npyFile(floats(values));
    const shown = [1.5, "-0", "NaN", "Infinity", "-Infinity", 1.401298464324817e-45];
    assert.deepEqual(await runReadSlice({ ref, tensor: 0, ...column(6) }), shown);
    const longs = BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 7n);
    const whole = npyFile({ dtype: "int64", shape: [3], data: new Uint8Array(longs.buffer) });
    assert.deepEqual(await runReadSlice({ ref: whole, tensor: 0, ...column(3) }), [
      "-9223372036854775808",
      "9223372036854775807",
      "7",
    ]);
    const parts = Float64Array.of(1, -2, Number.NaN, Number.POSITIVE_INFINITY, -0, -0);
    const complex = npyFile({ dtype: "complex128", shape: [3], data: new Uint8Array(parts.buffer) });
    assert.deepEqual(await runReadSlice({ ref: complex, tensor: 0, ...column(3) }), ["1-2j", "NaN+Infinityj", "-0-0j"]);
  });

  test("read what a scalar holds", async () => {
    const ref = npyFile(floats([2.5], []));
    const view = { rowAxis: null, columnAxis: null, fixed: [] };
    const range = { rowStart: 0, rowCount: 1, columnStart: 0, columnCount: 1 };
    assert.deepEqual(await runReadSlice({ ref, tensor: 0, view, range }), [2.5]);
  });

  test("send no slice above 1 MiB, whatever the values are", async () => {
    const texts = Array.from({ length: 2000 }, (_, i) => `${i}${"€".repeat(1000)}`);
    const ref = npyFile({ dtype: "string", shape: [2000], data: encodeStrings(texts) });
    const slice = await runReadSlice({ ref, tensor: 0, ...column(2000) });
    const bytes = slice.reduce((sum: number, text) => sum + Buffer.byteLength(String(text)), 0);
    assert.ok(bytes <= 1 << 20 && bytes > 500_000, `${bytes} bytes`);
    assert.match(String(slice[7]), /^7€+…$/);
    const [alone] = await runReadSlice({ ref, tensor: 0, ...column(1) });
    assert.equal(alone, texts[0]);
    const many = npyFile(floats(new Array<number>(16_385).fill(1)));
    await assert.rejects(runReadSlice({ ref: many, tensor: 0, ...column(16_385) }), { code: "budget.exceeded" });
    await assert.rejects(runReadSlice({ ref: many, tensor: 0, ...column(16_386) }), { code: "input.shape" });
  });

  test("see a file that was replaced or written over", async () => {
    const ref = npyFile(floats([1, 2]));
    const first = async () => (await runReadSlice({ ref, tensor: 0, ...column(1) }))[0];
    assert.equal(await first(), 1);
    renameSync(npyFile(floats([3, 4])).path, ref.path);
    assert.equal(await first(), 3);
    npyFile(floats([5, 6]), ref.path);
    assert.equal(await first(), 5);
    truncateSync(ref.path, 100);
    await assert.rejects(first(), { code: "format.mismatch" });
  });

  test("give two users at a time a content each", async () => {
    const ref = npyFile(floats([1, 2]));
    await contents.lend(ref, async (one) => {
      await contents.lend(ref, async (other) => assert.notEqual(other.content, one.content));
      await contents.lend(ref, async (other) => assert.notEqual(other.content, one.content));
    });
  });

  test("look into a stored model, and see what was changed in it", async () => {
    const home = join(folder, "home");
    const source = npyFile(floats([1, 2, 3])).path;
    const { path, tag } = await new ModelStore(home).save(draftOf("stored", "v1"), [{ from: source, to: "a.npy" }]);
    const ref = { kind: "model", home, tag: formatTag(tag) } as const;
    const summary = await runDescribeContent(ref);
    assert.deepEqual([summary.tensorCount, summary.parameters], [1, 3]);
    assert.ok(summary.files.some((file) => file.path === "a.npy"));
    const first = async () => (await runReadSlice({ ref, tensor: 0, ...column(1) }))[0];
    assert.equal(await first(), 1);
    npyFile(floats([9, 8, 7]), join(path, "a.npy"));
    assert.equal(await first(), 9);
    npyFile(floats([5]), join(path, "b.npy"));
    assert.equal((await runDescribeContent(ref)).tensorCount, 2);
  });

  test("say that an array of objects has no values to show", async () => {
    const path = join(folder, "objects.npy");
    const header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }";
    writeFileSync(
      path,
      Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), Buffer.of(header.length, 0), Buffer.from(header)]),
    );
    const ref = { kind: "file", path } as const;
    await assert.rejects(runReadSlice({ ref, tensor: 0, ...column(1) }), { code: "tensor.unreadable" });
  });
});

suite("the jobs that read a whole tensor", () => {
  const many = () => npyFile(floats(Array.from({ length: 300_000 }, (_, i) => i)));

  test("measure it and tell how far they are", async () => {
    const seen: number[] = [];
    const onProgress = ({ doneBytes, totalBytes }: JobProgress) => {
      assert.equal(totalBytes, 2_400_000);
      seen.push(doneBytes);
    };
    const { min, max, mean, histogram } = await runTensorStatistics({ ref: many(), tensor: 0 }, { onProgress });
    assert.deepEqual([min, max, mean, histogram?.counts[0]], [0, 299_999, 149_999.5, 4688]);
    assert.ok(seen.length > 4 && seen.at(-1) === 2_400_000);
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b),
    );
  });

  test("hear a cancel between two pieces", async () => {
    const ref = many();
    const stopping = (name: string, run: (options: JobOptions) => Promise<unknown>) => {
      const controller = new AbortController();
      const options = { signal: controller.signal, onProgress: () => controller.abort() };
      return assert.rejects(run(options), { code: "cancelled" }, name);
    };
    const { view } = column(1);
    await stopping("statistics", (options) => runTensorStatistics({ ref, tensor: 0 }, options));
    await stopping("heat map", (options) => runHeatMap({ ref, tensor: 0, view, rows: 9, columns: 1 }, options));
    const target = join(folder, "cancelled");
    mkdirSync(target);
    const destination = join(target, "x.csv");
    await stopping("export", (options) => runExportSlice({ ref, tensor: 0, format: "csv", destination }, options));
    assert.deepEqual(readdirSync(target), []);
    writeFileSync(destination, "mine");
    await stopping("export", (options) => runExportSlice({ ref, tensor: 0, format: "npy", destination }, options));
    assert.deepEqual(
      readdirSync(target).map((name) => readFileSync(join(target, name), "utf8")),
      ["mine"],
    );
  });

  test("export it, in place of an older file", async () => {
    const ref = npyFile(floats([1, 2, 3, 4], [2, 2]));
    const destination = join(folder, "export.json");
    writeFileSync(destination, "a longer text than before");
    assert.deepEqual(await runExportSlice({ ref, tensor: 0, format: "json", destination }, {}), { bytes: 15 });
    assert.equal(readFileSync(destination, "utf8"), "[[1,2],\n[3,4]]\n");
    const copy = join(folder, "copy.npy");
    await runExportSlice({ ref, tensor: 0, format: "npy", destination: copy }, {});
    assert.deepEqual(readFileSync(copy), readFileSync(ref.path));
    for (const nowhere of [folder, join(folder, "missing", "x.npy")]) {
      await assert.rejects(runExportSlice({ ref, tensor: 0, format: "npy", destination: nowhere }, {}), {
        code: "file.access",
      });
    }
  });

  test("give text for the clipboard up to 1 MiB", async () => {
    const ref = many();
    assert.equal(await runSliceText({ ref, tensor: 0, ...column(3), format: "csv" }), "0\r\n1\r\n2\r\n");
    assert.equal(await runSliceText({ ref, tensor: 0, ...column(3), format: "json" }), "[0,1,2]\n");
    const most = await runSliceText({ ref, tensor: 0, ...column(130_000), format: "csv" });
    assert.ok(most.length > 900_000);
    await assert.rejects(runSliceText({ ref, tensor: 0, ...column(300_000), format: "csv" }), {
      code: "budget.exceeded",
      remedy: /export/,
    });
  });

  test("scale it down, within bounds", async () => {
    const ref = many();
    const { view } = column(1);
    const map = await runHeatMap({ ref, tensor: 0, view, rows: 3, columns: 10 }, {});
    assert.deepEqual([map.rows, map.columns, [...map.means]], [3, 1, [49_999.5, 149_999.5, 249_999.5]]);
    await assert.rejects(runHeatMap({ ref, tensor: 0, view, rows: 2 ** 20, columns: 10 }, {}), {
      code: "budget.exceeded",
    });
    await assert.rejects(runHeatMap({ ref, tensor: 0, view, rows: 0, columns: 10 }, {}), { code: "budget.exceeded" });
  });

  test("fail with words when the file became shorter meanwhile", async () => {
    const ref = many();
    const onProgress = () => truncateSync(ref.path, 400_000);
    await assert.rejects(runTensorStatistics({ ref, tensor: 0 }, { onProgress }), { code: "format.corrupt" });
  });
});
