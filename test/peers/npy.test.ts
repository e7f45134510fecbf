import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { openFileReader } from "../../src/formats/fileReader";
import { stringifyExact } from "../../src/formats/jsonExact";
import { readNpy, writeNpy } from "../../src/formats/npy";
import type { Tensor } from "../../src/formats/tensor";
import { tensorToNested } from "../../src/formats/tensorJson";
import { askPython } from "./python";

/** One array that numpy wrote. */
interface Expected {
  readonly file: string;
  readonly dtype: string;
  readonly shape: number[];
  readonly values: unknown;
}

let folder: string;
let arrays: readonly Expected[];

before(() => {
  folder = mkdtempSync(join(tmpdir(), "mb-npy-peer-"));
  mkdirSync(join(folder, "theirs"));
  mkdirSync(join(folder, "ours"));
  arrays = askPython("onnxPeer.py", "arrays", join(folder, "theirs")) as readonly Expected[];
});

after(() => rmSync(folder, { recursive: true, force: true }));

function load(file: string): Tensor {
  const reader = openFileReader(file);
  try {
    return readNpy(reader, file);
  } finally {
    reader.close();
  }
}

test("every type, byte order and memory order that numpy writes is read", () => {
  assert.ok(arrays.length >= 100);
  for (const { file, dtype, shape, values } of arrays) {
    const tensor = load(file);
    assert.deepEqual(tensor.shape, shape, `${dtype} [${shape}]`);
    assert.equal(stringifyExact(tensorToNested(tensor)), stringifyExact(values), `${dtype} [${shape}]`);
  }
});

test("numpy reads what we write", () => {
  for (const { file } of arrays) writeFileSync(join(folder, "ours", basename(file)), writeNpy(load(file)));
  const read = askPython("onnxPeer.py", "check", join(folder, "ours")) as Record<string, unknown>;
  assert.equal(Object.keys(read).length, arrays.length);
  for (const { file, dtype, values } of arrays)
    assert.equal(stringifyExact(read[basename(file)]), stringifyExact(values), dtype);
});
