import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { bufferReader } from "../../../src/formats/bufferReader";
import { openFileReader } from "../../../src/formats/fileReader";
import { failsWith } from "../../fixtures/failures";
import { randomFrom } from "../../fixtures/random";

const folder = mkdtempSync(join(tmpdir(), "mb-reader-"));
after(() => rmSync(folder, { recursive: true }));
const bytes = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 255));
const path = join(folder, "data.bin");
writeFileSync(path, bytes);

test("any order of reads, small and large, answers with the file's bytes", () => {
  const reader = openFileReader(path);
  const random = randomFrom(5);
  let at = 0;
  for (let i = 0; i < 3000; i++) {
    const jumps = random() < 0.3;
    const offset = jumps ? Math.floor(random() * bytes.length) : at;
    const length = Math.min(bytes.length - offset, Math.floor(random() ** 4 * 100_000));
    assert.ok(bytes.subarray(offset, offset + length).equals(reader.read(offset, length)), `${offset} + ${length}`);
    at = offset + length;
  }
  reader.close();
});

test("a range outside the source is refused, in a file and in a buffer", () => {
  const reader = openFileReader(path);
  for (const source of [reader, bufferReader(bytes)]) {
    failsWith("format.corrupt", () => source.read(bytes.length - 1, 2));
    failsWith("format.corrupt", () => source.read(-1, 1));
    failsWith("format.corrupt", () => source.read(0, -1));
    failsWith("format.corrupt", () => source.read(Number.NaN, 1));
    assert.equal(source.read(bytes.length, 0).length, 0);
  }
  reader.close();
});

test("a file that became shorter is said so", () => {
  const other = join(folder, "shrinking.bin");
  writeFileSync(other, bytes);
  const reader = openFileReader(other);
  truncateSync(other, 10);
  failsWith("format.corrupt", () => reader.read(100_000, 10));
  reader.close();
});

test("what is not a readable regular file is refused without hanging", () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  for (const wrong of [folder, join(folder, "none"), pipe, join(path, "x"), "a\0b"])
    failsWith("file.access", () => openFileReader(wrong));
});
