import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { readSafetensorsHeader, type SafetensorsHeader } from "../../../../src/formats/safetensors/header";
import { oddBoolWarnings, safetensorsData } from "../../../../src/formats/safetensors/values";
import { digestOf } from "../../../../src/formats/tensorData";
import { answersOrFails, failsWith, mutant } from "../../../fixtures/failures";
import { randomFrom } from "../../../fixtures/random";
import { safetensorsBytes, safetensorsVectors, VECTORS } from "../../../fixtures/safetensors";

function header(bytes: Uint8Array): SafetensorsHeader {
  return readSafetensorsHeader(bufferReader(bytes), "a.safetensors");
}

const ONE = `"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`;

function refused(text: string, data = Buffer.alloc(4)): string {
  return failsWith("format.corrupt", () => header(safetensorsBytes(text, data))).message;
}

test("every vector is read, warned of or refused as its manifest wants, with the tensors that the library found", () => {
  const vectors = safetensorsVectors();
  assert.ok(vectors.length >= 70);
  for (const vector of vectors) {
    const { file, want, lib } = vector;
    const bytes = readFileSync(join(VECTORS, file));
    if (want === "reject") {
      const error = failsWith("format.corrupt", () => header(bytes));
      assert.equal(error.path, "a.safetensors", file);
      assert.equal(typeof error.offset, "number", file);
      continue;
    }
    const reader = bufferReader(bytes);
    const { entries, metadata, warnings } = readSafetensorsHeader(reader, "a.safetensors");
    const odd = [...warnings, ...oddBoolWarnings(reader, entries, "a.safetensors")];
    assert.equal(odd.length > 0, want === "warn", `${file}: ${odd.map(({ message }) => message)}`);
    assert.ok(lib.value, file);
    assert.deepEqual(
      metadata && new Map(metadata),
      lib.value.metadata && new Map(Object.entries(lib.value.metadata)),
      file,
    );
    const expected = lib.value.tensors;
    assert.deepEqual(entries.map(({ name }) => name).sort(), Object.keys(expected).sort(), file);
    for (const entry of entries) {
      const { dtype, shape, nbytes, sha256 } = expected[entry.name] ?? assert.fail(entry.name);
      assert.deepEqual(
        {
          dtype: entry.type.native,
          shape: entry.shape,
          nbytes: entry.bytes,
          sha256: digestOf(safetensorsData(reader, entry)),
        },
        { dtype, shape: shape.map(BigInt), nbytes, sha256 },
        `${file} ${entry.name}`,
      );
    }
  }
});

test("a file cut anywhere is refused at a byte", () => {
  const whole = readFileSync(join(VECTORS, "safetensors/sizes.safetensors"));
  for (let length = 0; length < whole.length; length++) {
    failsWith("format.corrupt", () => header(whole.subarray(0, length)));
  }
});

test("a failure names the byte", () => {
  const at = (text: string, data?: Buffer) =>
    failsWith("format.corrupt", () => header(safetensorsBytes(text, data))).offset;
  assert.equal(at("{} x"), 8 + 3);
  assert.equal(at(`{${ONE},${ONE}}`), 8 + ONE.length + 2);
  assert.equal(at(`{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}`), 8 + 14);
  assert.equal(at(`{${ONE}}`, Buffer.alloc(6)), 8 + ONE.length + 2 + 4);
  const notUtf8 = Buffer.concat([Buffer.from(`{"${"é".repeat(2050)}`), Buffer.from([0xc3, 0x28]), Buffer.from('":1}')]);
  assert.equal(failsWith("format.corrupt", () => header(safetensorsBytes(notUtf8))).offset, 8 + 2 + 4100 + 1);
});

test("what serde accepts beyond the format is refused: a tensor as a list, a dtype as an object", () => {
  assert.match(refused(`{"a":["F32",[1],[0,4]]}`), /an object was expected/);
  assert.match(refused(`{"a":{"dtype":{"F32":null},"shape":[1],"data_offsets":[0,4]}}`), /a string was expected/);
});

test("nesting ends where the real library ends", () => {
  const nested = (levels: number) =>
    `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":${"[".repeat(levels)}${"]".repeat(levels)}}}`;
  assert.equal(header(safetensorsBytes(nested(125), Buffer.alloc(4))).warnings[0]?.code, "safetensors.field");
  assert.match(refused(nested(126)), /nested deeper/);
});

test("a million remarks are one warning", () => {
  const fields = Array.from({ length: 5000 }, (_, i) => `"x${i}":1`).join(",");
  const { warnings } = header(
    safetensorsBytes(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],${fields}}}`, Buffer.alloc(4)),
  );
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]?.message ?? "", /"x0".* and 4999 more/);
});

test("a header's claims are not allocated", () => {
  const before = process.memoryUsage().arrayBuffers;
  const bytes = Buffer.alloc(64, " ");
  bytes.writeBigUInt64LE(100_000_000n);
  failsWith("format.corrupt", () => header(bytes));
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20);
});

test("more tensors than any model has end in a failure of the budget", () => {
  const one = `{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`;
  const members = Array.from({ length: 260_000 }, (_, i) => `"${i}":${one}`).join(",");
  failsWith("budget.exceeded", () => header(safetensorsBytes(`{${members}}`)));
});

test("mutants end in an answer or a failure of ours", () => {
  const random = randomFrom(5);
  const whole = readFileSync(join(VECTORS, "safetensors/sizes.safetensors"));
  for (let i = 0; i < 3000; i++) {
    const bytes = mutant(whole, random);
    answersOrFails(() => header(bytes), bytes.toString("hex"));
  }
  assert.deepEqual(Object.keys(Object.prototype), []);
});

test("a name of any length makes a message of a line, not of its own length", () => {
  const name = "n".repeat(1_000_000);
  const entry = `"${name}":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`;
  const message = refused(`{${entry},${entry}}`);
  assert.match(message, /twice/);
  assert.ok(message.length < 300, `${message.length} characters`);
});
