import assert from "node:assert/strict";
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { writeFlax } from "../../../src/formats/flaxMsgpack/writer";
import { openContent } from "../../../src/frameworks/contentFormats";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const folder = mkdtempSync(join(tmpdir(), "mb-big-flax-"));
const path = join(folder, "big.msgpack");

/** Zeros of one piece; a file keeps holes for them. */
const ZEROS = new Uint8Array(64 * MIB);

function* zeros(bytes: number): Iterable<Uint8Array> {
  for (let left = bytes; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left);
}

function* endingWith(bytes: number, last: Uint8Array): Iterable<Uint8Array> {
  yield* zeros(bytes - last.length);
  yield last;
}

const LEAVES = 100;
let residentGrowth = 0;

before(() => {
  const file = openSync(path, "w");
  let at = 0;
  const sink = {
    write(bytes: Uint8Array): void {
      if (bytes.buffer !== ZEROS.buffer) writeSync(file, bytes, 0, bytes.length, at);
      at += bytes.length;
    },
  };
  const float32 = (bytes: number, data: Iterable<Uint8Array>) => {
    return { kind: "ndarray" as const, dtype: "float32" as const, shape: [bytes / 4], data };
  };
  const params = Array.from({ length: LEAVES }, (_, i) => [`layer${i}`, float32(50 * MIB, zeros(50 * MIB))] as const);
  const tail = new Uint8Array(Float32Array.of(1.5, -2).buffer);
  const resident = process.memoryUsage().rss;
  writeFlax(
    new Map([["params", new Map([...params, ["table", float32(5 * GIB + 8, endingWith(5 * GIB + 8, tail))]])]]),
    sink,
  );
  residentGrowth = process.memoryUsage().rss - resident;
  ftruncateSync(file, at);
  closeSync(file);
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Read calls of this process so far. */
function readCalls(): number {
  return Number(/syscr: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
}

test("a file of 10 GiB is written piece by piece, in the chunks of flax, within little memory", () => {
  assert.ok(residentGrowth < 96 * MIB, `${residentGrowth}`);
});

test("it is opened with a few reads a leaf and within 16 MiB, and read at its far end", () => {
  openContent(path).content.close();
  const resident = process.memoryUsage().rss;
  const calls = readCalls();
  const { content } = openContent(path);
  const made = readCalls() - calls;
  assert.ok(process.memoryUsage().rss - resident < 16 * MIB);
  // 100 arrays and six chunks, each with a header of its own; the counting itself reads twice.
  assert.ok(made >= LEAVES && made <= 4 * (LEAVES + 6), `${made} reads`);
  const table = content.tensors.at(-1);
  assert.deepEqual([table?.shape, table?.offset, table?.bytes], [[(5 * GIB + 8) / 4], null, 5 * GIB + 8]);
  const values = content.data(LEAVES).read((5 * GIB) / 4, 2);
  assert.deepEqual([...new Float32Array(Uint8Array.from(values).buffer)], [1.5, -2]);
  // Over the edge of two chunks.
  assert.deepEqual([...content.data(LEAVES).read(GIB / 4 - 1, 2)], [0, 0, 0, 0, 0, 0, 0, 0]);
  content.close();
});
