import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { compareHandlers } from "../../../../src/extension/page/compareHandlers";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { safetensorsBytes } from "../../../fixtures/safetensors";
import { tempFolder } from "../../store/storeKit";

const { path: folder, remove } = tempFolder();
after(remove);
const { signal } = new AbortController();

/** A file of tensors of two values each, in this order. */
function write(file: string, tensors: Readonly<Record<string, readonly number[]>>): string {
  const path = join(folder, file);
  const heads = Object.entries(tensors).map(([name, values], i) => {
    const start = Object.values(tensors).slice(0, i).flat().length * 4;
    return [name, { dtype: "F32", shape: [values.length], data_offsets: [start, start + values.length * 4] }];
  });
  const data = Float32Array.from(Object.values(tensors).flat());
  writeFileSync(path, safetensorsBytes(JSON.stringify(Object.fromEntries(heads)), new Uint8Array(data.buffer)));
  return path;
}

test("units in the last place are those of the tensors that were compared, or the comparison is out of date", async () => {
  const a = write("a.safetensors", { w: [1, 2], z: [5, 5] });
  const b = write("b.safetensors", { w: [1, 2.000000238418579], z: [5, 5] });
  const handlers = compareHandlers({
    refs: () => ({ a: { kind: "file", path: a }, b: { kind: "file", path: b } }),
    jobs: inProcessJobs(),
    ui: { copy: async () => undefined },
    progress: () => undefined,
  });
  await handlers["compare/run"]({ again: false }, signal);
  assert.deepEqual(await handlers["compare/ulps"]({ row: 0 }, signal), { counts: [1, 1], nan: 0 });
  const outdated = { code: "result.gone", message: /written to/, remedy: /again/ };
  // Another tensor has the number now, one of other values, one of another shape, or none.
  for (const now of [{ aa: [7, 7], w: [1, 2] }, { w: [1, 3] }, { w: [1, 2, 3] }, { z: [5] }, {}]) {
    write("a.safetensors", now);
    await assert.rejects(handlers["compare/ulps"]({ row: 0 }, signal), outdated);
  }
  await handlers["compare/run"]({ again: true }, signal);
});
