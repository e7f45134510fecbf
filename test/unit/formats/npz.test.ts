import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { bufferReader } from "../../../src/formats/bufferReader";
import { decodeElements, elementCount } from "../../../src/formats/elements";
import { npyStart, writeNpy } from "../../../src/formats/npy";
import { npzData, readNpz } from "../../../src/formats/npz";
import { openNpzFile } from "../../../src/frameworks/npzFile";
import { answersOrFails, failsWith, mutant } from "../../fixtures/failures";
import { randomFrom } from "../../fixtures/random";
import { type RawZipMember, zipOf } from "../../fixtures/rawZip";

const ARRAY = Buffer.from(writeNpy({ dtype: "uint8", shape: [2, 3], data: Uint8Array.from([1, 2, 3, 4, 5, 6]) }));

function valuesIn(bytes: Buffer): Record<string, unknown> {
  const reader = bufferReader(bytes);
  return Object.fromEntries(
    readNpz(reader, "a.npz").arrays.map((array) => {
      const { dtype, shape, ...data } = npzData(reader, array, array.name);
      return [array.name, decodeElements({ dtype, shape, data: data.read(0, elementCount(shape)) })];
    }),
  );
}

function warningsOf(...members: RawZipMember[]): string[] {
  return readNpz(bufferReader(zipOf(members)), "a.npz").warnings.map(({ code }) => code);
}

test("stored and compressed arrays are read; names are only names", () => {
  const bytes = zipOf([
    { name: "a.npy", content: ARRAY },
    { name: "../../up.npy", content: ARRAY, method: 0 },
    { name: "/etc/passwd.npy", content: ARRAY },
    { name: "__proto__.npy", content: ARRAY },
  ]);
  const six = [1, 2, 3, 4, 5, 6];
  assert.deepEqual(
    Object.entries(valuesIn(bytes)),
    ["a", "../../up", "/etc/passwd", "__proto__"].map((name) => [name, six]),
  );
  assert.deepEqual(Object.keys(Object.prototype), []);
});

test("a stored array has its place in the file, a compressed one has none", () => {
  const bytes = zipOf([
    { name: "stored.npy", content: ARRAY, method: 0 },
    { name: "packed.npy", content: ARRAY },
  ]);
  const { tensors } = openNpzFile("a.npz", "a.npz", () => ({ ...bufferReader(bytes), close() {} }));
  const [stored, packed] = tensors;
  assert.deepEqual([...bytes.subarray(stored?.offset ?? 0).subarray(0, 6)], [1, 2, 3, 4, 5, 6]);
  assert.equal(packed?.offset, null);
});

test("a name that comes twice, and what is no array, are warnings", () => {
  assert.deepEqual(warningsOf({ name: "a.npy", content: ARRAY }, { name: "a.npy", content: ARRAY }), ["npz.duplicate"]);
  const text = Buffer.from("\x93no array", "latin1");
  assert.deepEqual(warningsOf({ name: "b.txt", content: text }, { name: "c.txt", content: text }), ["npz.member"]);
});

test("what begins like an array is one under its whole name, as in numpy", () => {
  const bytes = zipOf([
    { name: "weights", content: ARRAY },
    { name: "bias.txt", content: ARRAY, method: 0 },
  ]);
  assert.deepEqual(valuesIn(bytes), { weights: [1, 2, 3, 4, 5, 6], "bias.txt": [1, 2, 3, 4, 5, 6] });
  assert.deepEqual(warningsOf({ name: "weights", content: ARRAY }), []);
});

test("encryption, links, unknown methods and several answers are refused", () => {
  const open = (member: Partial<RawZipMember>) => () =>
    readNpz(bufferReader(zipOf([{ name: "a.npy", content: ARRAY, ...member }])), "a.npz");
  failsWith("archive.format", open({ flags: 1 }));
  failsWith("archive.format", open({ method: 12 }));
  failsWith("archive.unsafe", open({ mode: 0o120777 }));
  failsWith("format.corrupt", open({ local: { name: "b.npy" } }));
  failsWith("format.corrupt", open({ content: Buffer.from("no array") }));
});

test("a wrong checksum or size of a compressed array is a failure when its values are asked for", () => {
  for (const wrong of [{ crc: 1 }, { bytes: ARRAY.length - 1 }, { bytes: ARRAY.length + 1 }]) {
    failsWith("format.corrupt", () => valuesIn(zipOf([{ name: "a.npy", content: ARRAY, ...wrong }])));
  }
});

test("so it is when a compressed array has no values", () => {
  const empty = Buffer.from(writeNpy({ dtype: "uint8", shape: [0], data: new Uint8Array(0) }));
  assert.deepEqual(valuesIn(zipOf([{ name: "a.npy", content: empty }])), { a: [] });
  const reader = bufferReader(zipOf([{ name: "a.npy", content: empty, crc: 1 }]));
  const [array] = readNpz(reader, "a.npz").arrays;
  assert.ok(array);
  assert.match(failsWith("format.corrupt", () => npzData(reader, array, "a")).message, /checksum/);
});

test("a bomb is listed by its header; its values are refused in words before anything is unpacked", () => {
  const count = 300 * 2 ** 20;
  const start = npyStart("uint8", [count]);
  // 4 MiB of zeros stand for 300: no more is looked at.
  const packed = deflateRawSync(Buffer.concat([start, Buffer.alloc(4 * 2 ** 20)]));
  const bytes = start.length + count;
  const file = zipOf([{ name: "bomb.npy", packed: Buffer.concat([packed, Buffer.alloc(400_000)]), bytes }]);
  const reader = bufferReader(file);
  const before = process.memoryUsage().arrayBuffers;
  const { arrays } = readNpz(reader, "a.npz");
  assert.deepEqual(arrays[0]?.header.shape, [count]);
  const [bomb] = arrays;
  assert.ok(bomb);
  assert.match(failsWith("tensor.unreadable", () => npzData(reader, bomb, "bomb")).message, /larger than 256 MiB/);
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 2 ** 20);
});

test("an array of objects carries the verdict of its pickle, in NPZ and in NPY", () => {
  const header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n";
  const pickle = Buffer.from("\x80\x02cos\ngetpid\n)R.", "latin1");
  const start = Buffer.alloc(10);
  start.write("\x93NUMPY\x01\x00", "latin1");
  start.writeUInt16LE(header.length, 8);
  const objects = Buffer.concat([start, Buffer.from(header), pickle]);
  for (const method of [0, 8]) {
    const bytes = zipOf([{ name: "a.npy", content: objects, method }]);
    const content = openNpzFile("a.npz", "a.npz", () => ({ ...bufferReader(bytes), close() {} }));
    assert.equal(content.pickle?.verdict, "dangerous");
    assert.match(content.warnings[0]?.message ?? "", /Python objects/);
    failsWith("tensor.unreadable", () => content.data(0));
  }
});

test("a file cut at every byte, and two thousand mutants, only ever fail as ours", () => {
  const random = randomFrom(3);
  const bytes = zipOf([
    { name: "a.npy", content: ARRAY },
    { name: "b.npy", content: ARRAY, method: 0 },
  ]);
  for (let length = 0; length < bytes.length; length++) {
    failsWith("format.corrupt", () => readNpz(bufferReader(bytes.subarray(0, length)), "a.npz"));
  }
  for (let i = 0; i < 2000; i++) {
    const changed = mutant(bytes, random);
    answersOrFails(() => valuesIn(changed), changed.toString("hex"));
  }
});
