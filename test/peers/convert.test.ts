import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { compare } from "../../src/frameworks/compare/compare";
import { convertFile, formatToWrite } from "../../src/frameworks/convert/convert";
import type { ConvertOptions } from "../../src/frameworks/convert/plan";
import { askPython } from "./python";

let folder: string;
/** Dtype, shape and digest by name. */
let made: Record<string, unknown>;
let found: {
  readonly metadata: Record<string, string>;
  readonly flax_model: Record<string, unknown>;
  readonly unflattened: string[];
  readonly transformers: Record<string, unknown>;
  readonly nnxKeys: string[];
  readonly nnxRuns: boolean;
};

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "mb-convert-peer-"));
  made = askPython("convertPeer.py", "make", folder) as typeof made;
  await convert("flax_model.msgpack", "flax_model.safetensors");
  await convert("transformers.safetensors", "transformers.msgpack");
  await convert("nnx.msgpack", "nnx.safetensors");
  await convert("nnx.safetensors", "nnx-again.msgpack", { like: join(folder, "nnx.msgpack") });
  found = askPython("convertPeer.py", "check", folder) as typeof found;
});
after(() => rmSync(folder, { recursive: true, force: true }));

function convert(from: string, to: string, options: ConvertOptions = {}): Promise<unknown> {
  const destination = join(folder, to);
  const input = { source: join(folder, from), to: formatToWrite(destination), options };
  return convertFile(input, destination, false, {});
}

test("the real safetensors reads what was converted from flax, under the names that transformers gives", () => {
  assert.deepEqual(found.flax_model, made);
  assert.deepEqual(found.metadata, { format: "flax" });
  assert.deepEqual(found.unflattened, ["0", "1"]);
});

test("the real flax restores what was converted from the safetensors of transformers", () => {
  assert.deepEqual(found.transformers, made);
});

test("an nnx model with a list takes its weights back, and gives the same results", () => {
  assert.deepEqual(found.nnxKeys, ["0", "1"]);
  assert.equal(found.nnxRuns, true);
});

test("differences of arrays are those of numpy", async () => {
  const expected = askPython("convertPeer.py", "differences", folder) as {
    name: string;
    differing: number;
    maxAbs: string;
    maxRel: string;
    norm: string;
    worst: number[];
  }[];
  assert.ok(expected.length >= 9);
  for (const [number, { name, differing, maxAbs, maxRel, norm, worst }] of expected.entries()) {
    const side = (which: string) => ({ kind: "file", path: join(folder, `${number}-${which}.npy`) }) as const;
    const [row] = (await compare(side("a"), side("b"), {}, {})).tensors;
    assert.equal(row?.values?.differing, differing, name);
    near(row?.values?.maxAbs, maxAbs, name);
    near(row?.values?.maxRel, maxRel, name);
    near(row?.values?.norm, norm, name);
    assert.deepEqual(row?.values?.worst?.index, worst, name);
  }
});

/** Equal to 14 digits; sums are made in another order. */
function near(value: number | null | undefined, text: string, name: string): void {
  const wanted = text === "inf" ? Number.POSITIVE_INFINITY : Number(text);
  assert.ok(value === wanted || Math.abs((value ?? Number.NaN) / wanted - 1) < 1e-14, `${name}: ${value}, not ${text}`);
}
