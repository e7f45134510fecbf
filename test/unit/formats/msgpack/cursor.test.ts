import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode } from "@msgpack/msgpack";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { MsgpackCursor } from "../../../../src/formats/msgpack/cursor";
import { MsgpackEncoder } from "../../../../src/formats/msgpack/encoder";
import { answersOrFails, failsWith } from "../../../fixtures/failures";
import { fc } from "../../../fixtures/fastCheck";

/** The value at the cursor, in the form of `@msgpack/msgpack`: integers as bigint, floats as numbers. */
function valueAt(cursor: MsgpackCursor): unknown {
  const token = cursor.next();
  switch (token.type) {
    case "nil":
      return null;
    case "str":
      return cursor.text(token);
    case "bin":
      return Uint8Array.from(cursor.content(token));
    case "ext":
      return { code: token.code, bytes: Uint8Array.from(cursor.content(token)) };
    case "array":
      return Array.from({ length: token.length }, () => valueAt(cursor));
    case "map":
      return Object.fromEntries(
        Array.from({ length: token.length }, () => [valueAt(cursor) as string, valueAt(cursor)]),
      );
    default:
      return token.value;
  }
}

function read(bytes: Uint8Array): unknown {
  const cursor = new MsgpackCursor(bufferReader(bytes), "test");
  const value = valueAt(cursor);
  cursor.expectEnd();
  return value;
}

const anyValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.double({ noInteger: true }),
    fc.string({ maxLength: 400 }),
    fc.uint8Array({ maxLength: 400 }),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ maxLength: 10 }).filter((k) => k !== "__proto__"),
      tie("value"),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
})).value;

test("what another encoder writes is read as the same values", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      assert.deepEqual(read(encode(value, { useBigInt64: true })), value);
    }),
  );
});

test("every form of number, length and extension is read, also the longest for the smallest value", () => {
  const cases: readonly [string, unknown][] = [
    ["00", 0n],
    ["7f", 127n],
    ["e0", -32n],
    ["ff", -1n],
    ["cc05", 5n],
    ["ccff", 255n],
    ["cd0005", 5n],
    ["ce00000005", 5n],
    ["cf0000000000000005", 5n],
    ["cfffffffffffffffff", 2n ** 64n - 1n],
    ["d080", -128n],
    ["d18000", -32_768n],
    ["d17fff", 32_767n],
    ["d280000000", -(2n ** 31n)],
    ["d38000000000000000", -(2n ** 63n)],
    ["ca3fc00000", 1.5],
    ["cb3ff8000000000000", 1.5],
    ["d90161", "a"],
    ["da000161", "a"],
    ["db0000000161", "a"],
    ["c40161", Uint8Array.of(0x61)],
    ["c5000161", Uint8Array.of(0x61)],
    ["c60000000161", Uint8Array.of(0x61)],
    ["dc0001c0", [null]],
    ["dd00000001c0", [null]],
    ["de0001a161c3", { a: true }],
    ["df00000001a161c2", { a: false }],
    ["d4ff61", { code: -1, bytes: Uint8Array.of(0x61) }],
    ["d5806162", { code: -128, bytes: Uint8Array.of(0x61, 0x62) }],
    [`d607${"00".repeat(4)}`, { code: 7, bytes: new Uint8Array(4) }],
    [`d707${"00".repeat(8)}`, { code: 7, bytes: new Uint8Array(8) }],
    [`d807${"00".repeat(16)}`, { code: 7, bytes: new Uint8Array(16) }],
    ["c70007", { code: 7, bytes: new Uint8Array(0) }],
    ["c8000107aa", { code: 7, bytes: Uint8Array.of(0xaa) }],
    ["c90000000107aa", { code: 7, bytes: Uint8Array.of(0xaa) }],
    ["a3efbbbf", "\ufeff"],
  ];
  for (const [hex, value] of cases) assert.deepEqual(read(Buffer.from(hex, "hex")), value, hex);
});

test("what is cut, announced in vain, unused or no UTF-8 is corrupt, with the place", () => {
  const cases: readonly [string, RegExp, number][] = [
    ["", /ends inside a value/, 0],
    ["92c0", /2 items are announced, 1 bytes are there/, 0],
    ["c1", /0xc1/, 0],
    ["ddffffffff", /4294967295 items are announced, 0 bytes are there/, 0],
    ["83a161c0", /3 pairs/, 0],
    ["c6ffffffff00", /4294967295 bytes are announced, 1 are there/, 0],
    ["c9ffffffff01", /4294967295 bytes/, 0],
    ["cd00", /ends inside a value/, 1],
    ["a1ff", /not valid UTF-8/, 1],
    ["a3eda080", /not valid UTF-8/, 1],
    ["c0c0", /1 bytes follow/, 1],
  ];
  for (const [hex, words, offset] of cases) {
    const error = failsWith("format.corrupt", () => read(Buffer.from(hex, "hex")));
    assert.match(error.message, words);
    assert.equal(error.offset, offset, hex);
  }
});

test("a document cut at every byte is refused at each", () => {
  const bytes = encode(
    { a: [1n, 2.5, "é".repeat(40), new Uint8Array(300), { b: null }], c: -5n },
    { useBigInt64: true },
  );
  for (let end = 0; end < bytes.length; end++) failsWith("format.corrupt", () => read(bytes.subarray(0, end)));
});

test("any bytes end in a value or in a failure of ours", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => answersOrFails(() => read(bytes), String(bytes))));
});

test("contents are passed unread", () => {
  const bytes = Buffer.alloc(2 ** 20, 0x61);
  const ranges: number[] = [];
  const counting = {
    size: 6 + bytes.length + 2,
    read(offset: number, length: number): Uint8Array {
      ranges.push(length);
      const head = Buffer.from([0x92, 0xc6, 0, 0x10, 0, 0]);
      return offset < 6
        ? Buffer.concat([head, bytes]).subarray(offset, offset + length)
        : Buffer.from([0xcd, 1, 2]).subarray(0, length);
    },
  };
  const cursor = new MsgpackCursor({ ...counting, size: 6 + bytes.length + 3 }, "test");
  assert.deepEqual(
    [cursor.next(), cursor.next(), cursor.next()],
    [
      { type: "array", length: 2 },
      { type: "bin", offset: 6, length: bytes.length },
      { type: "int", value: 0x102n },
    ],
  );
  assert.ok(ranges.length === 2 && Math.max(...ranges) <= 512, String(ranges));
});

test("another decoder reads what is written, and numbers take their shortest form", () => {
  const parts: Uint8Array[] = [];
  const encoder = new MsgpackEncoder({ write: (part) => parts.push(Uint8Array.from(part)) });
  const integers = [0n, 127n, 128n, 255n, 256n, 65_535n, 65_536n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 64n - 1n].concat([
    -1n,
    -32n,
    -33n,
    -128n,
    -129n,
    -32_768n,
    -32_769n,
    -(2n ** 31n),
    -(2n ** 31n) - 1n,
    -(2n ** 63n),
  ]);
  encoder.array(integers.length);
  for (const value of integers) encoder.int(value);
  encoder.flush();
  const bytes = Buffer.concat(parts);
  assert.deepEqual((decode(bytes, { useBigInt64: true }) as (number | bigint)[]).map(BigInt), integers);
  const widths = [1, 1, 2, 2, 3, 3, 5, 5, 9, 9, 1, 1, 2, 2, 3, 3, 5, 5, 9, 9];
  assert.equal(bytes.length, 3 + widths.reduce((sum, width) => sum + width, 0));
});
