import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import { test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import { encodeStrings } from "../../../src/formats/elements";
import type { Tensor } from "../../../src/formats/tensor";
import { encodeHeader, type Frame, FrameReader, FrameWriter, MAX_HEADER_BYTES } from "../../../src/runner/frames";
import { fc } from "../../fixtures/fastCheck";

const floats: Tensor = { dtype: "float32", shape: [2, 1], data: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]) };
const texts: Tensor = { dtype: "string", shape: [2], data: encodeStrings(["é", ""]) };
const empty: Tensor = { dtype: "int64", shape: [0, 3], data: new Uint8Array(0) };
const frame: Frame = { kind: "request", id: 7, op: "run", data: { a: [1, "ü"] }, bodies: [floats, empty, texts] };

function bytesOf(sent: Frame): Buffer {
  return Buffer.concat([encodeHeader(sent), ...sent.bodies.map(({ data }) => data)]);
}

function framed(header: unknown): Buffer {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(text.length);
  return Buffer.concat([prefix, text]);
}

function plain({ bodies, ...rest }: Frame): unknown {
  return { ...rest, bodies: bodies.map(({ data, ...body }) => ({ ...body, data: [...data] })) };
}

function readAll(chunks: readonly Uint8Array[], maxBytes?: number): unknown[] {
  const frames: unknown[] = [];
  const reader = new FrameReader((got) => frames.push(plain(got)), maxBytes);
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return frames;
}

test("frames come out whole wherever the bytes are cut", () => {
  const bytes = Buffer.concat([bytesOf(frame), bytesOf({ ...frame, id: 8, bodies: [] })]);
  const expected = [plain(frame), plain({ ...frame, id: 8, bodies: [] })];
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    assert.deepEqual(readAll([bytes.subarray(0, cut), bytes.subarray(cut)]), expected);
  }
  assert.deepEqual(readAll([...bytes].map((byte) => Uint8Array.of(byte))), expected);
});

test("a body owns its whole buffer, so that it can be moved to another thread", () => {
  let got: Frame | undefined;
  new FrameReader((read) => {
    got = read;
  }).push(bytesOf(frame));
  const data = got?.bodies[0]?.data;
  assert.equal(data?.buffer.byteLength, 8);
  const moved = structuredClone(data, { transfer: [data?.buffer as ArrayBuffer] });
  assert.deepEqual([...(moved ?? [])], [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("a stream that ends inside a frame is refused at every length", () => {
  const bytes = bytesOf(frame);
  for (let length = 1; length < bytes.length; length += 1) {
    assert.throws(() => readAll([bytes.subarray(0, length)]), hasCode("protocol.invalid"));
  }
});

const good = { v: 1, kind: "request", id: 1, op: "x", bodies: [] as unknown[] };
const body = (claim: object) => ({ ...good, bodies: [{ dtype: "float32", shape: [2], bytes: 8, ...claim }] });
const malformed: Record<string, unknown> = {
  "no JSON": "{",
  "a list as header": [],
  "a null header": "null",
  "no bodies": { ...good, bodies: undefined },
  "too many bodies": { ...good, bodies: new Array(1025).fill({ dtype: "uint8", shape: [0], bytes: 0 }) },
  "an unknown kind": { ...good, kind: "toString" },
  "a negative id": { ...good, id: -1 },
  "a broken id": { ...good, id: 1.5 },
  "no op": { ...good, op: 3 },
  "an error without an error": { ...good, kind: "error" },
  "a body that is no object": { ...good, bodies: [1] },
  "an unknown dtype": body({ dtype: "constructor" }),
  "a dtype that is no text": body({ dtype: ["float32"] }),
  "a negative dimension": body({ shape: [-2] }),
  "a broken dimension": body({ shape: [0.5] }),
  "a shape that is no list": body({ shape: 2 }),
  "too few bytes": body({ bytes: 7 }),
  "too many bytes": body({ bytes: 9 }),
  "negative bytes": body({ shape: [0], bytes: -0.5 }),
  "bytes as text": body({ bytes: "8" }),
  "a product beyond 2^53": body({ shape: [2 ** 52, 2 ** 52], bytes: 8 }),
  "a string tensor that cannot fit": body({ dtype: "string", shape: [3], bytes: 11 }),
  "65 axes": body({ shape: new Array(65).fill(1), bytes: 4 }),
};

for (const [what, header] of Object.entries(malformed)) {
  test(`a frame with ${what} is refused`, () => {
    assert.throws(() => readAll([framed(header)]), hasCode("protocol.invalid"));
  });
}

test("another protocol version is refused as such", () => {
  for (const v of [0, 2, "1", undefined]) {
    assert.throws(() => readAll([framed({ ...good, v })]), hasCode("protocol.version"));
  }
});

test("a header length of zero or beyond a mebibyte is refused before it is read", () => {
  for (const length of [0, MAX_HEADER_BYTES + 1, 2 ** 32 - 1]) {
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32LE(length);
    assert.throws(() => readAll([prefix]), hasCode("protocol.invalid"));
  }
});

test("huge claims are refused before anything is allocated", () => {
  const before = process.memoryUsage().arrayBuffers;
  assert.throws(() => readAll([framed(body({ shape: [2 ** 40], bytes: 2 ** 42 }))]), hasCode("protocol.invalid"));
  const many = { ...good, bodies: new Array(3).fill({ dtype: "uint8", shape: [400], bytes: 400 }) };
  assert.throws(() => readAll([framed(many)], 1000), hasCode("protocol.invalid"));
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 24);
});

test("string lengths that leave their body are refused", () => {
  const header = framed({ ...good, bodies: [{ dtype: "string", shape: [1], bytes: 8 }] });
  for (const length of [3, 5, 2 ** 32 - 1]) {
    const data = Buffer.alloc(8);
    data.writeUInt32LE(length);
    assert.throws(() => readAll([header, data]), hasCode("protocol.invalid"));
  }
});

test("a reader that broke takes nothing more", () => {
  const reader = new FrameReader(() => assert.fail("no frame is expected"));
  assert.throws(() => reader.push(framed("{")), hasCode("protocol.invalid"));
  assert.throws(() => reader.push(bytesOf(frame)), hasCode("protocol.invalid"));
});

test("any bytes and any damage end in a frame or in one of our errors", () => {
  const bytes = bytesOf(frame);
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  const damaged = damage.map((edits) => {
    const copy = Buffer.from(bytes);
    for (const [at, value] of edits) copy[at] = value;
    return copy;
  });
  const random = fc.uint8Array({ maxLength: 200 }).map((tail) => Buffer.concat([framed(good), tail]));
  fc.assert(
    fc.property(fc.oneof(damaged, random, fc.json().map(framed)), (input) => {
      try {
        readAll([input], 10_000);
      } catch (error) {
        assert.ok(error instanceof ModelbenchError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});

test("what a writer sends is what a reader gets, in order, large bodies included", async () => {
  const pipe = new PassThrough({ highWaterMark: 1_000 });
  const got: Frame[] = [];
  const reader = new FrameReader((read) => got.push(read));
  pipe.on("data", (chunk: Buffer) => reader.push(chunk));
  const writer = new FrameWriter(pipe);
  const large: Tensor = { dtype: "uint8", shape: [300_000], data: new Uint8Array(300_000).map((_, i) => i) };
  const sent: Frame[] = [frame, { ...frame, id: 8, bodies: [large, floats] }, { ...frame, id: 9, bodies: [] }];
  await Promise.all(sent.map((one) => writer.send(one)));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(got.map(plain), sent.map(plain));
});

test("a writer waits for a slow stream before it writes the next frame", async () => {
  const written: number[] = [];
  const release: (() => void)[] = [];
  const slow = new Writable({
    highWaterMark: 10,
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.length);
      release.push(done);
    },
  });
  const writer = new FrameWriter(slow);
  const sends = [1, 2, 3].map((id) => writer.send({ ...frame, id, bodies: [] }));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(written.length, 1);
  assert.ok(slow.writableLength < 2 * (written[0] as number));
  for (let i = 0; i < 3; i += 1) {
    release.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(sends);
  assert.equal(written.length, 3);
});

test("a frame beyond the limits is refused by its sender", async () => {
  const writer = new FrameWriter(new PassThrough());
  const wide = { ...frame, bodies: [], data: "x".repeat(MAX_HEADER_BYTES) };
  await assert.rejects(async () => writer.send(wide), hasCode("protocol.invalid"));
  const many = { ...frame, bodies: new Array<Tensor>(1025).fill(empty) };
  await assert.rejects(async () => writer.send(many), hasCode("protocol.invalid"));
});

test("sending on a closed stream fails, also while it waits for room", async () => {
  const stuck = new Writable({ highWaterMark: 1, write() {} });
  const writer = new FrameWriter(stuck);
  const first = writer.send({ ...frame, bodies: [] });
  const second = writer.send({ ...frame, bodies: [] });
  stuck.destroy();
  await assert.rejects(first, hasCode("worker.died"));
  await assert.rejects(second, hasCode("worker.died"));
  await assert.rejects(async () => writer.send(frame), hasCode("worker.died"));
});

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ModelbenchError && error.code === code;
}
