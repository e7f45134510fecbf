import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { inputIssues } from "../../../src/runner/inputs";
import { method, spec } from "./specs";

const folder = mkdtempSync(join(tmpdir(), "modelbench-checks-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("a check of an NPY file of any size reads its header only", () => {
  const path = join(folder, "large.npy");
  const text = "{'descr': '<f8', 'fortran_order': False, 'shape': (1048576, 4), }".padEnd(117);
  writeFileSync(path, Buffer.from(`\x93NUMPY\x01\0\x76\0${text}\n`, "latin1"));
  truncateSync(path, 128 + 1_048_576 * 4 * 8);
  const started = process.memoryUsage().arrayBuffers;
  const [issue] = inputIssues(method(spec("float32", ["N", 4])), { x: { kind: "file", path } });
  assert.match(issue?.error.message ?? "", /expected float32 \[N, 4\], got float64/);
  assert.ok(process.memoryUsage().arrayBuffers - started < 2 ** 20);
});

test("a check of made-up values makes none of them", () => {
  const huge = { kind: "generate", pattern: "normal", seed: 1, dims: [2 ** 14, 2 ** 14] } as const;
  const wide = method(spec("float32", ["N", "M"]), spec("int8", ["N"], "n"));
  const started = process.memoryUsage().arrayBuffers;
  const issues = inputIssues(wide, { x: huge, n: { kind: "json", value: [1] } });
  assert.deepEqual(
    issues.map(({ input, error }) => `${input} ${error.code}`),
    ["n input.shape"],
  );
  assert.ok(process.memoryUsage().arrayBuffers - started < 2 ** 24);
  const tooMany = inputIssues(method(spec("float32", ["N"])), { x: { ...huge, dims: [2 ** 40] } });
  assert.deepEqual(
    tooMany.map(({ error }) => error.code),
    ["input.shape"],
  );
});

test("where nothing is declared, any name is taken, and what cannot be read is told", () => {
  const open = { ...method(), isOpen: true };
  const list = { kind: "value", value: { container: "list", items: [] } } as const;
  const one = { kind: "json", value: 1 } as const;
  assert.deepEqual(inputIssues(open, { anything: list, "0": one, __proto: one }), []);
  const issues = inputIssues(open, {
    "0": one,
    "2": list,
    text: { kind: "text", text: "[1," },
    long: { kind: "json", value: [[1], [2n ** 60n + 1n]] },
    gone: { kind: "file", path: join(folder, "gone.json") },
  });
  assert.deepEqual(
    issues.map(({ input, error }) => `${input} ${error.code}`),
    ["1 input.notFound", "text format.corrupt", "long input.dtype", "gone file.access"],
  );
});

test("a value that is no tensor does not pass for a declared one, but where one is declared", () => {
  const value = { kind: "value", value: { container: "list", items: [1] } } as const;
  const [issue] = inputIssues(method(spec("int8", ["N"])), { x: value });
  assert.deepEqual(issue?.error, { code: "input.dtype", message: "`x`: expected int8 [N], got a list." });
  const sequence = { name: "x", type: "sequence", dtype: null, shape: null } as const;
  assert.deepEqual(inputIssues(method(sequence), { x: value }), []);
});
