import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { importLabel } from "../../../../src/formats/pickle/facts";
import { Notes } from "../../../../src/formats/pickle/notes";
import { scanObjectArray } from "../../../../src/formats/pickle/objectArray";
import { readStreams } from "../../../../src/formats/pickle/streams";
import { inspectFile } from "../../../../src/frameworks/inspect";

const FIXTURES = join(process.cwd(), "test/fixtures");
const MAX_MS = 5_000;

interface Vector {
  readonly file: string;
  readonly kind: string;
  readonly verdict: string;
  readonly accept?: readonly string[];
  readonly streams: readonly {
    readonly offset?: number;
    readonly end?: number | null;
    readonly globals: readonly (readonly [string | null, string])[];
    readonly exts?: readonly number[];
    readonly persids?: number;
  }[];
}

const { vectors } = JSON.parse(readFileSync(join(FIXTURES, "vectors/manifest.json"), "utf8")) as {
  vectors: readonly Vector[];
};
const pickles = vectors.filter(({ kind }) => kind === "pickle");

// Nothing that a case would create can be mistaken for something else here.
const folder = mkdtempSync(join(tmpdir(), "mb-pickle-canary-"));
const before = process.cwd();
process.chdir(folder);
after(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

for (const { file, verdict, accept, streams } of pickles) {
  test(`${file}: ${verdict}, with every import`, () => {
    const path = join(FIXTURES, "vectors", file);
    const found = verdictOf(path);
    assert.ok(
      [verdict, ...(accept ?? [])].includes(found.verdict),
      `${found.verdict} ${JSON.stringify(found.findings)}`,
    );
    const wanted = new Set(
      streams.flatMap(({ globals }) => globals.map(([module, name]) => importLabel({ module, name }))),
    );
    const named = new Set(found.imports.map(importLabel));
    // Nobody looks into 7z, and the manifest's reader stopped at the junk.
    if (verdict !== "opaque" && !accept) assert.deepEqual([...named].sort(), [...wanted].sort());
    assert.equal(Object.keys(Object.prototype).length, 0);
  });
}

test("each pickle of a file has its offsets, imports in order, codes and persistent ids", () => {
  const plain = pickles.filter(({ file, accept }) => /\.pkl$/.test(file) && !accept);
  for (const { file, streams } of plain) {
    const bytes = readFileSync(join(FIXTURES, "vectors", file));
    const found = readStreams(bufferReader(bytes), { start: 0, end: bytes.length }, new Notes());
    assert.equal(found.length, Math.max(streams.length, found.length && 1), file);
    for (const [i, { offset, end, globals, exts, persids }] of streams.entries()) {
      const stream = found[i];
      assert.deepEqual(
        stream?.imports.map(({ module, name }) => [module, name]),
        globals,
        file,
      );
      if (offset !== undefined) assert.equal(stream?.offset, offset, file);
      // Python's own reader takes a frame beyond the end of the file, the one that programs use does not.
      if (end !== undefined && !file.includes("frame")) assert.equal(stream?.end, end, file);
      if (exts) assert.deepEqual(stream?.codes, exts, file);
      if (persids !== undefined) assert.equal(stream?.persistentIds, persids, file);
    }
  }
});

test("no hostile pickle runs, hangs or gets away without a verdict", () => {
  const cases = readFileSync(join(FIXTURES, "hostile/cases.jsonl"), "utf8").trim().split("\n");
  const hostile = cases.map((line) => JSON.parse(line)).filter(({ group }) => group === "pickle");
  assert.equal(hostile.length, 25);
  for (const { file, reasons } of hostile) {
    const start = performance.now();
    const { verdict } = verdictOf(join(FIXTURES, "hostile", file));
    assert.ok(performance.now() - start < MAX_MS, file);
    const runs = String(reasons) === "code-execution" && file !== "pickle/joblib-numpy.pkl";
    if (runs) assert.equal(verdict, "dangerous", file);
    if (file.includes("/ok")) assert.equal(verdict, "allowed", file);
  }
  assert.deepEqual(readdirSync(folder), []);
  assert.equal(existsSync(join(before, "hostile-canary-7")), false);
});

function verdictOf(path: string): NonNullable<ReturnType<typeof inspectFile>["pickle"]> {
  const pickle = path.endsWith(".npy") ? scanObjectArray(bufferReader(readFileSync(path))) : ofPickle(path);
  assert.ok(pickle, path);
  return pickle;
}

function ofPickle(path: string): ReturnType<typeof inspectFile>["pickle"] {
  const { format, pickle } = inspectFile(path);
  assert.equal(format, "pickle", path);
  return pickle;
}
