import assert from "node:assert/strict";
import { test } from "node:test";
import { bufferReader } from "../../../src/formats/bufferReader";
import { StridedItems, stridesOf } from "../../../src/formats/stridedItems";
import { randomFrom } from "../../fixtures/random";

/** Every item in row-major order, one by one. */
function oneByOne(
  bytes: Buffer,
  itemBytes: number,
  shape: readonly number[],
  strides: readonly number[],
  swap: number,
): Buffer {
  const count = shape.reduce((product, size) => product * size, 1);
  const steps = stridesOf(shape);
  return Buffer.concat(
    Array.from({ length: count }, (_, item) => {
      const at = shape.reduce(
        (sum, size, i) => sum + (Math.floor(item / (steps[i] ?? 1)) % size) * (strides[i] ?? 0),
        0,
      );
      const value = Buffer.from(bytes.subarray(at * itemBytes, (at + 1) * itemBytes));
      for (let part = 0; swap > 1 && part < itemBytes; part += swap) value.subarray(part, part + swap).reverse();
      return value;
    }),
  );
}

test("any range of any shape, order and width is what reading item by item gives", () => {
  const random = randomFrom(11);
  const draw = (most: number): number => Math.floor(random() * (most + 1));
  let compared = 0;
  for (let i = 0; i < 800; i++) {
    const shape = Array.from({ length: draw(4) }, () => [1, 2, 3, 5, 0][draw(i % 9 === 0 ? 4 : 3)] ?? 1);
    const itemBytes = [1, 2, 4, 8, 16, 12][draw(5)] ?? 1;
    const swapBytes = [1, 1, itemBytes === 12 ? 4 : itemBytes === 16 ? 8 : itemBytes][draw(2)] ?? 1;
    const order = shape.map((_, axis) => axis).sort(() => random() - 0.5);
    const strides = new Array<number>(shape.length).fill(0);
    let stride = 1;
    for (const axis of order) {
      strides[axis] = random() < 0.1 ? 0 : stride;
      stride *= Math.max(1, shape[axis] ?? 1) + (random() < 0.2 ? 1 : 0);
    }
    const bytes = Buffer.from(Array.from({ length: stride * itemBytes + 7 }, () => draw(255)));
    const whole = oneByOne(bytes.subarray(7), itemBytes, shape, strides, swapBytes);
    const count = whole.length / itemBytes;
    const items = new StridedItems({ reader: bufferReader(bytes), start: 7, itemBytes, shape, strides, swapBytes });
    assert.deepEqual(
      Buffer.concat([...items.pieces()].map((piece) => Buffer.from(piece))),
      whole,
      `${shape} ${strides}`,
    );
    for (let k = 0; k < 8; k++) {
      const first = draw(count);
      const length = draw(count - first);
      const expected = whole.subarray(first * itemBytes, (first + length) * itemBytes);
      assert.ok(expected.equals(items.read(first, length)), `${shape} ${strides} ${first}+${length}`);
      compared += length;
    }
  }
  assert.ok(compared > 10_000);
});

/** 4,096 x 8,192 float64 values in Fortran order, 256 MiB that nobody holds: each is its row times 8,192 plus its column. */
function largeFortran() {
  const [rows, columns] = [4096, 8192];
  const told = { bytes: 0, longest: 0 };
  const reader = {
    size: rows * columns * 8,
    read(offset: number, length: number): Uint8Array {
      told.bytes += length;
      told.longest = Math.max(told.longest, length);
      const view = Buffer.alloc(length);
      for (let i = 0; i < length; i += 8) {
        const item = (offset + i) / 8;
        view.writeDoubleLE((item % rows) * columns + Math.floor(item / rows), i);
      }
      return view;
    },
  };
  const shape = [rows, columns];
  return {
    told,
    reader,
    items: new StridedItems({ reader, start: 0, itemBytes: 8, shape, strides: stridesOf(shape, true), swapBytes: 1 }),
  };
}

test("a large array in Fortran order is read once when it is read in order, by bounded pieces", () => {
  const { told, reader, items } = largeFortran();
  const atOnce = 131_072;
  for (let first = 0; first < 16 * atOnce; first += atOnce) {
    const bytes = items.read(first, atOnce);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const k of [0, 1, 777, atOnce - 1]) assert.equal(view.getFloat64(8 * k, true), first + k);
  }
  // Two blocks of 16 MiB more than what was asked for, at the most.
  assert.ok(told.bytes <= 16 * atOnce * 8 + 2 ** 25, `${told.bytes}`);
  assert.ok(told.longest <= 65_536 && reader.size > 2 ** 27);
});

test("a few values out of a large array cost a few reads", () => {
  const { told, items } = largeFortran();
  const bytes = items.read(1000 * 8192 + 5, 100);
  assert.equal(new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true), 1000 * 8192 + 5);
  assert.equal(told.bytes, 800);
});
