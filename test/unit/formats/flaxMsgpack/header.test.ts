import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ExtData, encode } from "@msgpack/msgpack";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { readFlaxHeader } from "../../../../src/formats/flaxMsgpack/header";
import { msgpackRestore } from "../../../../src/formats/flaxMsgpack/serialization";
import type { StoredArray, StoredNode } from "../../../../src/formats/flaxMsgpack/stored";
import type { FlaxArray } from "../../../../src/formats/flaxMsgpack/tree";
import { answersOrFails, failsWith, mutant } from "../../../fixtures/failures";
import { flaxVectors, vectorPath } from "../../../fixtures/flaxVectors";
import { runRandom } from "../../../fixtures/random";

/** What flax calls an array: `[shape, type, bytes]` in extension 1. */
function array(shape: unknown, type: unknown, data: unknown, code = 1): ExtData {
  return new ExtData(code, encode([shape, type, data]));
}

function rootOf(value: unknown): StoredNode {
  return readFlaxHeader(bufferReader(encode(value)), "test").root;
}

const EIGHT = Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0);

function chunked(shape: unknown, chunks: unknown, more: object = {}): unknown {
  return { __msgpack_chunked_array__: true, shape, chunks, ...more };
}

test("chunks make one array wherever numpy would join them, whatever stands beside them", () => {
  const whole = array([2], "int32", EIGHT);
  const accepted: readonly [unknown, readonly number[], number][] = [
    [chunked({ "0": 2 }, { "0": whole }), [2], 1],
    [chunked({ "0": 2, "1": 2 }, { "0": whole, "1": whole }), [2, 2], 2],
    [chunked({}, { "0": array([1], "int32", EIGHT.slice(4)) }), [], 1],
    [chunked({ "0": 4 }, { "0": array([1, 2], "int32", EIGHT), "1": array([1, 2], "<i4", EIGHT) }), [4], 2],
    [chunked({ "0": 2 }, { "0": whole }, { more: 1 }), [2], 1],
    [chunked({ "0": 2 }, { "0": array([2], "int32", EIGHT, 3) }), [2], 1],
  ];
  for (const [value, shape, runs] of accepted) {
    const leaf = rootOf(value) as StoredArray;
    assert.equal(leaf.kind, "ndarray");
    assert.deepEqual([leaf.shape, leaf.runs.length], [shape, runs]);
  }
});

test("chunks that do not make one array are refused with the place and the reason", () => {
  const whole = array([2], "int32", EIGHT);
  const cases: readonly [unknown, RegExp][] = [
    [chunked({ "0": 2 }, {}), /no chunks/],
    [chunked({ "0": 3 }, { "0": whole }), /\[3\] has 3 elements, its chunks have 2/],
    [chunked([2], { "0": whole }), /"shape" is not a map/],
    [chunked({ "0": 2 }, [whole]), /"chunks" is not a map/],
    [chunked({ "0": 2 }, { "0": whole, "2": whole }), /no item "1"/],
    [chunked({ "0": 2 }, { "0": whole, x: 1 }), /no item "1"/],
    [chunked({ "0": -1 }, { "0": whole }), /dimension that is none/],
    [chunked({ "0": 2.5 }, { "0": whole }), /dimension that is none/],
    [chunked({ "0": 2 }, { "0": [1, 2] }), /not an array of numbers/],
    [chunked({ "0": 1 }, { "0": array([], "int32", EIGHT.slice(4)) }), /with dimensions/],
    [chunked({ "0": 4 }, { "0": whole, "1": array([2], "uint32", EIGHT) }), /int32 of 1 dimensions and uint32/],
    [chunked({ "0": 4 }, { "0": whole, "1": array([2], ">i4", EIGHT) }), /int32 of 1 dimensions and >int32/],
    [chunked({ "0": 4 }, { "0": array([1, 2], "int32", EIGHT), "1": array([2, 1], "int32", EIGHT) }), /equal types/],
    [chunked({ "0": 4 }, { "0": whole, "1": chunked({ "0": 2 }, { "0": whole }) }), /not an array of numbers/],
  ];
  for (const [value, words] of cases) {
    const { message } = failsWith("format.corrupt", () => rootOf({ params: { w: value } }));
    assert.match(message, words);
    assert.match(message, /^test: params\/w is an array in chunks/);
  }
});

test("into lists flax does not look: chunks there stay what they are", () => {
  const root = rootOf({ a: [chunked({ "0": 2 }, { "0": array([2], "int32", EIGHT) })] });
  const list = (root as ReadonlyMap<string, StoredNode>).get("a") as readonly StoredNode[];
  assert.ok(list[0] instanceof Map);
});

test("values that lie in chunks of the other byte order are turned round piece by piece", () => {
  const parts = [Buffer.alloc(16), Buffer.alloc(16)];
  [1.5, -2, 3.25, 4].forEach((value, i) => {
    parts[i >> 1]?.writeDoubleBE(value, (i & 1) * 8);
  });
  const doubles = chunked({ "0": 4 }, { "0": array([2], ">f8", parts[0]), "1": array([2], ">f8", parts[1]) });
  const complex = chunked({ "0": 2 }, { "0": array([1], ">c16", parts[0]), "1": array([1], ">c16", parts[1]) });
  for (const value of [doubles, complex]) {
    const { data } = msgpackRestore(encode(value)) as FlaxArray;
    assert.deepEqual([...new Float64Array(Uint8Array.from(data).buffer)], [1.5, -2, 3.25, 4]);
  }
});

test("old names, abbreviations and byte orders of types are read as numpy reads them", () => {
  const cases: readonly [string, number, string | null][] = [
    ["<f4", 2, "float32"],
    [">f4", 2, "float32"],
    ["=f4", 2, "float32"],
    ["|f4", 2, "float32"],
    ["f4", 2, "float32"],
    ["|b1", 8, "bool"],
    [">i1", 8, "int8"],
    ["<u2", 4, "uint16"],
    ["<c8", 1, "complex64"],
    ["<M8[ns]", 1, null],
    ["timedelta64[25s]", 1, null],
    ["|S4", 2, null],
    ["<U2", 1, null],
    ["|V8", 1, null],
  ];
  for (const [name, count, dtype] of cases) {
    const leaf = rootOf(array([count], name, EIGHT)) as Extract<StoredNode, { readonly kind: string }>;
    assert.equal(leaf.kind, dtype === null ? "ext" : "ndarray", name);
    if (leaf.kind === "ndarray") assert.equal(leaf.dtype, dtype, name);
  }
  for (const name of ["float99", "<f3", "f16x", "O", "|O", "|S0", "", "float32 ", "Float32", "i16", "b2", "toString"]) {
    assert.match(failsWith("format.corrupt", () => rootOf(array([2], name, EIGHT))).message, /unknown type/, name);
  }
});

test("a header nobody could make values of is refused with the leaf and the place", () => {
  const cases: readonly [unknown, RegExp][] = [
    [array([-1], "int32", EIGHT), /dimension -1/],
    [array([2 ** 40, 2 ** 40], "int32", EIGHT), /more elements than can exist/],
    [array([3], "int32", EIGHT), /takes 12 bytes, 8 are there/],
    [array(Array(65).fill(1), "int8", EIGHT.slice(7)), /at most 64 integers/],
    [array([2, null], "int32", EIGHT), /not an integer but nil/],
    [array([2], 5, EIGHT), /no type name/],
    [array([2], "a".repeat(300), EIGHT), /type name of 300 bytes/],
    [array([2], "int32", 5), /no bytes/],
    [new ExtData(1, encode({ a: 1 })), /\[shape, type, bytes\]/],
    [new ExtData(2, encode([1.5])), /two numbers/],
    [new ExtData(2, encode([1.5, "x"])), /not a number but str/],
    [new ExtData(-1, new Uint8Array(5)), /4, 8 or 12 bytes, not 5/],
    [new ExtData(-1, new Uint8Array(8).fill(255)), /nanoseconds/],
    [new ExtData(-1, new Uint8Array(12).fill(255)), /nanoseconds/],
  ];
  for (const [value, words] of cases) {
    const error = failsWith("format.corrupt", () => rootOf({ opt_state: { mu: value } }));
    assert.match(error.message, words);
    assert.match(error.message, /^test: byte \d+: .* It is in opt_state\/mu\.$|^test: .* It is in opt_state\/mu\.$/);
    assert.ok((error.offset ?? 0) > 0, error.message);
  }
});

test("keys that are neither texts nor integers are refused", () => {
  for (const key of ["c0", "c3", "cb3ff0000000000000", "c40161", "9101", "8101c0", "cf0020000000000001"]) {
    const bytes = Buffer.concat([Buffer.of(0x81), Buffer.from(key, "hex"), Buffer.of(1)]);
    const act = (): unknown => readFlaxHeader(bufferReader(bytes), "test");
    assert.match(failsWith("format.corrupt", act).message, /a key is/, key);
  }
});

test("more values or levels than fit the budget are refused, fast and without making them", () => {
  const many = Buffer.alloc(5 + 2 ** 20, 0xc0);
  many.set([0xdd, 0, 0x10, 0, 0]);
  failsWith("budget.exceeded", () => readFlaxHeader(bufferReader(many), "test"));
  for (const level of [[0x91], [0x81, 0xa1, 0x61]]) {
    const deep = (levels: number) => Buffer.from([...Array(levels).fill(level).flat(), 0xc0]);
    assert.doesNotThrow(() => readFlaxHeader(bufferReader(deep(1000)), "test"));
    failsWith("budget.exceeded", () => readFlaxHeader(bufferReader(deep(1001)), "test"));
    failsWith("budget.exceeded", () => readFlaxHeader(bufferReader(deep(200_000)), "test"));
  }
});

test("files that flax wrote are refused when they are cut at any byte", () => {
  for (const file of ["flax/scalars.msgpack", "flax/chunked_64.msgpack", "flax/trainstate_adamw.msgpack"]) {
    const bytes = readFileSync(vectorPath(file));
    for (let end = 0; end < bytes.length; end++) {
      failsWith("format.corrupt", () => readFlaxHeader(bufferReader(bytes.subarray(0, end)), file));
    }
  }
});

test("mutants of what flax wrote end in a tree or in a failure of ours", () => {
  const random = runRandom();
  const files = flaxVectors().filter(({ ok, leaves }) => ok && leaves !== undefined);
  const sources = files.map(({ file }) => readFileSync(vectorPath(file))).filter(({ length }) => length < 4096);
  for (let i = 0; i < 3000; i++) {
    const changed = mutant(sources[i % sources.length] ?? Buffer.alloc(1), random);
    answersOrFails(() => msgpackRestore(changed), changed.toString("hex"));
  }
});

test("a key that claims a gigabyte is refused before it is read", () => {
  const start = Buffer.from([0x81, 0xdb, 0x40, 0x00, 0x00, 0x00]);
  let read = 0;
  const reader = {
    size: 2 ** 30 + 7,
    read(offset: number, length: number) {
      read += length;
      const bytes = Buffer.alloc(length);
      start.copy(bytes, 0, Math.min(offset, start.length));
      return bytes;
    },
  };
  assert.match(failsWith("format.corrupt", () => readFlaxHeader(reader, "test")).message, /a key has 1073741824 bytes/);
  assert.ok(read < 200_000, `${read} bytes`);
});
