import assert from "node:assert/strict";
import { test } from "node:test";
import { ExtData, encode } from "@msgpack/msgpack";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { readFlaxHeader } from "../../../../src/formats/flaxMsgpack/header";
import { msgpackRestore, msgpackSerialize } from "../../../../src/formats/flaxMsgpack/serialization";
import { leavesOf, type StoredArray } from "../../../../src/formats/flaxMsgpack/stored";
import type { FlaxTree } from "../../../../src/formats/flaxMsgpack/tree";
import { arrayData, valuePieces } from "../../../../src/formats/flaxMsgpack/values";
import { writeFlax } from "../../../../src/formats/flaxMsgpack/writer";
import { failsWith } from "../../../fixtures/failures";
import { fc } from "../../../fixtures/fastCheck";
import { comparable, FLAX_DTYPES, flaxTree, sampleArray } from "../../../fixtures/flaxTrees";

test("any tree comes back with the same types, in chunks of any size, and the written one is unchanged", () => {
  fc.assert(
    fc.property(flaxTree, fc.integer({ min: 1, max: 40 }), (tree, chunkBytes) => {
      const before = comparable(tree);
      assert.deepEqual(comparable(msgpackRestore(msgpackSerialize(tree))), before);
      assert.deepEqual(comparable(msgpackRestore(msgpackSerialize(tree, { chunkBytes }))), before);
      assert.deepEqual(comparable(tree), before);
    }),
    { numRuns: 200 },
  );
});

test("all types come back from chunks, whatever their item takes", () => {
  for (const dtype of FLAX_DTYPES) {
    const tree = new Map([["a", sampleArray(dtype, [5, 3])]]);
    for (const chunkBytes of [1, 7, 16, 64]) {
      assert.deepEqual(comparable(msgpackRestore(msgpackSerialize(tree, { chunkBytes }))), tree, dtype);
    }
  }
});

test("an array above the limit is split, at it or in a list it is not", () => {
  const runs = (tree: FlaxTree): (number | undefined)[] => {
    const bytes = msgpackSerialize(tree, { chunkBytes: 8 });
    return leavesOf(readFlaxHeader(bufferReader(bytes), "test").root).map(({ leaf }) =>
      leaf.kind === "ndarray" ? leaf.runs.length : undefined,
    );
  };
  assert.deepEqual(runs(new Map([["a", sampleArray("float32", [2])]])), [1]);
  assert.deepEqual(runs(new Map([["a", sampleArray("float32", [3])]])), [2]);
  assert.deepEqual(runs(sampleArray("complex128", [3])), [3]);
  assert.deepEqual(runs(new Map([["a", [sampleArray("float32", [3])]]])), [1]);
  assert.deepEqual(runs(new Map([["a", [new Map([["b", sampleArray("float32", [3])]])]]])), [1]);
});

test("pieces of any size make one array, and no more of them is asked for than is written", () => {
  const whole = sampleArray("float32", [7, 3]);
  const written: number[] = [];
  function* pieces(): Iterable<Uint8Array> {
    for (let at = 0; at < 84; at += 5) {
      yield whole.data.subarray(at, Math.min(at + 5, 84));
      written.push(at);
    }
  }
  const parts: Uint8Array[] = [];
  const sink = { write: (part: Uint8Array) => parts.push(Uint8Array.from(part)) };
  writeFlax(new Map([["a", { ...whole, data: pieces() }]]), sink, { chunkBytes: 30 });
  assert.deepEqual(comparable(msgpackRestore(Buffer.concat(parts))), new Map([["a", whole]]));
  assert.equal(written.length, 17);
});

test("arrays pass from one file to another without being in memory, big-endian and in chunks", () => {
  const big = encode(
    new ExtData(1, encode([[3], ">f4", Uint8Array.from(Buffer.from("3fc00000c000000000000000", "hex"))])),
  );
  const long = msgpackSerialize(sampleArray("int16", [700_000]), { chunkBytes: 999 });
  for (const bytes of [big, long]) {
    const reader = bufferReader(bytes);
    const { root } = readFlaxHeader(reader, "test");
    const leaf = root as StoredArray;
    const { kind, dtype, shape } = leaf;
    const copy = msgpackSerialize({ kind, dtype, shape, data: valuePieces(arrayData(reader, leaf)) });
    assert.deepEqual(comparable(msgpackRestore(copy)), comparable(msgpackRestore(bytes)));
  }
});

test("what a flax file cannot hold is refused with its place", () => {
  const cases: readonly [unknown, RegExp][] = [
    [Object.create(null), /object was found/],
    [2n ** 64n, /18446744073709551616 is outside/],
    [-(2n ** 63n) - 1n, /outside/],
    [undefined, /undefined was found/],
    [{ a: 1n }, /Object was found, a leaf or a Map/],
    [new Set(), /Set was found/],
    ["\ud800", /half a character/],
    [new Map([[1.5, null]]), /key 1\.5/],
    [{ ...sampleArray("float32", [2]), dtype: "string" }, /arrays of string/],
    [{ ...sampleArray("float32", [2]), dtype: "float99" }, /arrays of float99/],
    [{ ...sampleArray("float32", [2]), kind: "npscalar" }, /no dimensions/],
    [{ ...sampleArray("float32", [2]), shape: [3] }, /takes 12 bytes of data, only 8 are there/],
    [{ ...sampleArray("float32", [2]), shape: [1] }, /takes 4 bytes of data, more are there/],
    [{ kind: "ext", code: 128, data: new Uint8Array(0) }, /no extension 128/],
  ];
  for (const [value, words] of cases) {
    const tree = new Map([["params", new Map([["x/y", value as FlaxTree]])]]);
    const { message } = failsWith("usage", () => msgpackSerialize(tree));
    assert.match(message, words);
    assert.match(message, /params\/x~1y/);
  }
});

test("a tree deeper than Python can pack, or one that holds itself, is refused", () => {
  const nested = (levels: number): FlaxTree => {
    let tree: FlaxTree = null;
    for (let i = 0; i < levels; i++) tree = [tree];
    return tree;
  };
  assert.doesNotThrow(() => msgpackSerialize(nested(511)));
  failsWith("usage", () => msgpackSerialize(nested(512)));
  const self = new Map<string, FlaxTree>();
  self.set("self", self);
  failsWith("usage", () => msgpackSerialize(self));
});
