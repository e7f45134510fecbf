import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { ModelbenchError } from "../../src/base/errors";
import { bufferReader } from "../../src/formats/bufferReader";
import { readFlaxHeader } from "../../src/formats/flaxMsgpack/header";
import { msgpackSerialize } from "../../src/formats/flaxMsgpack/serialization";
import { leavesOf, type PlacedLeaf } from "../../src/formats/flaxMsgpack/stored";
import type { FlaxTree } from "../../src/formats/flaxMsgpack/tree";
import { arrayData, plainValue } from "../../src/formats/flaxMsgpack/values";
import { digestOf, memoryData } from "../../src/formats/tensorData";
import { fc } from "../fixtures/fastCheck";
import { FLAX_DTYPES, flaxTree, sampleArray } from "../fixtures/flaxTrees";
import { flaxVectors, vectorPath } from "../fixtures/flaxVectors";
import { mutantsOf, writeBatch } from "./mutants";
import { nearFlax } from "./nearFlax";
import { askPython } from "./python";

const MUTANTS = process.env["MODELBENCH_SOAK"] === "1" ? 50_000 : 5_000;
/** Mutants that one Python process judges. */
const BATCH = 5_000;

const folder = mkdtempSync(join(tmpdir(), "mb-flax-peer-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A leaf as flaxPeer.py tells it. */
type Leaf = Readonly<Record<string, unknown>>;

function leavesIn(bytes: Uint8Array): Leaf[] {
  const reader = bufferReader(bytes, "m.msgpack");
  return leavesOf(readFlaxHeader(reader, "m.msgpack").root).map(({ path, leaf }) => {
    return { path, kind: leaf.kind, ...told(bytes, leaf) };
  });
}

function told(bytes: Uint8Array, leaf: PlacedLeaf["leaf"]): Leaf {
  const reader = bufferReader(bytes);
  if (leaf.kind === "ext") return { shape: leaf.shape };
  if (leaf.kind === "ndarray" || leaf.kind === "npscalar") {
    const data = arrayData(reader, leaf);
    // The bytes of the file count; of a scalar numpy keeps no byte of a bool but whether it is 0.
    const isBool = leaf.kind === "npscalar" && leaf.dtype === "bool";
    const counted = isBool ? memoryData({ ...data, data: Uint8Array.of(data.read(0, 1)[0] === 0 ? 0 : 1) }) : data;
    return { dtype: leaf.dtype, shape: leaf.shape, sha256: digestOf(counted) };
  }
  const value = plainValue(reader, leaf, "leaf");
  if (value === undefined || value === null) return {};
  if (value instanceof Uint8Array) return { value: Buffer.from(value).toString("hex") };
  if (typeof value === "bigint") return { value: String(value) };
  if (typeof value === "number") return { value: bitsOf(value) };
  return { value: typeof value === "object" ? [bitsOf(value.re), bitsOf(value.im)] : value };
}

function bitsOf(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return Number.isNaN(value) ? "nan" : bytes.toString("hex");
}

test("what flax writes, of every type and in chunks, is read as what it was", () => {
  const files = askPython("flaxPeer.py", "write", folder, "150") as { path: string; leaves: Leaf[] }[];
  for (const { path, leaves } of files) assert.deepEqual(leavesIn(readFileSync(path)), leaves, path);
});

test("flax restores what we write as the same types and values, and writes the very same bytes", () => {
  const all = new Map<string, FlaxTree>([
    ["arrays", new Map(FLAX_DTYPES.map((dtype) => [dtype, sampleArray(dtype, [3, 5])]))],
    ["scalars", new Map(FLAX_DTYPES.map((dtype) => [dtype, sampleArray(dtype, [], "npscalar")]))],
    ["flat", new Map(FLAX_DTYPES.map((dtype) => [dtype, sampleArray(dtype, [])]))],
    [
      "layers",
      new Map([
        [0, sampleArray("float32", [2])],
        [1, sampleArray("float32", [0, 4])],
      ]),
    ],
  ]);
  const trees = [all, sampleArray("float32", [9]), ...fc.sample(flaxTree, { numRuns: 150 })];
  for (const chunkBytes of [2 ** 30, 8]) {
    const written = trees.map((tree) => Buffer.from(msgpackSerialize(tree, { chunkBytes })));
    const batch = join(folder, "written");
    writeBatch(batch, written);
    const answers = askPython("flaxPeer.py", "check", batch, String(chunkBytes)) as { leaves: Leaf[]; again: string }[];
    answers.forEach(({ leaves, again }, i) => {
      const bytes = written[i] ?? Buffer.alloc(0);
      assert.equal(again, bytes.toString("hex"));
      assert.deepEqual(leavesIn(bytes), leaves);
    });
  }
});

type Verdict = { readonly leaves: readonly Leaf[] } | { readonly refused: string };

/** What we make of a file. */
function ours(bytes: Buffer): Verdict {
  try {
    return { leaves: leavesIn(bytes) };
  } catch (error) {
    assert.ok(
      error instanceof ModelbenchError && error.code !== "internal",
      `${bytes.toString("hex")}: ${String(error)}`,
    );
    return { refused: error.message };
  }
}

/** What we refuse and flax reads, by the words of our refusal. */
const WE_REFUSE: readonly (readonly [words: RegExp, why: string])[] = [
  [
    /a key is (nil|bool|float|bin|ext)/,
    "state dicts have keys of text; no flax writes other keys than texts and integers",
  ],
  [/a key is the integer/, "an integer key beyond 2^53 would not be exact"],
  [
    /(has the dimension -|"shape" has a dimension that is none)/,
    "numpy takes -1 for 'whatever fits': no size to be sure of",
  ],
  [/more (elements )?than can exist/, "arrays without elements and with a dimension beyond 2^53"],
  [/the unknown type/, "abbreviations and structures that numpy understands and no flax wrote"],
  [/a shape was expected as an array/, "numpy takes an integer or nothing for a shape"],
  [/"shape" is not a map/, "an empty list or text has no items, as the map of a shape without dimensions"],
  [/no type name/, "numpy takes nothing for float64"],
  [/expected as two numbers/, "flax ignores what follows the two parts of a complex number"],
  [/equal types were expected/, "numpy converts chunks of different types"],
  [/a chunk is not an array of numbers/, "numpy makes an array of a list"],
];
/** numpy ends at 2^63 elements, also where a dimension of 0 leaves none of them: we read that there are none. */
const NUMPY_ENDS = /cannot reshape array of size 0 into shape \((\d+,)*0[,)]/;

/** What flax wrote, and small trees: most of their bytes are structure, which is what is to be hit. */
function healthyFiles(): Buffer[] {
  const vectors = flaxVectors().filter(({ ok }) => ok);
  const small = fc.sample(flaxTree, { numRuns: 300 }).map((tree) => msgpackSerialize(tree, { chunkBytes: 8 }));
  const files = [
    ...vectors.map(({ file }) => readFileSync(vectorPath(file))),
    ...small.map((bytes) => Buffer.from(bytes)),
  ];
  return files.filter(({ length }) => length > 2 && length < 3000);
}

/** A thousand for every five thousand mutants, so that many are changed nowhere. */
function nearFiles(): Buffer[] {
  return fc.sample(nearFlax, { numRuns: MUTANTS / 5 });
}

test(`${MUTANTS} mutants are read or refused as by flax, leaf for leaf`, () => {
  const mutants = [...mutantsOf(healthyFiles(), MUTANTS / 2), ...mutantsOf(nearFiles(), MUTANTS / 2, 0)];
  const disagreements: string[] = [];
  const counts = { read: 0, refused: 0 };
  for (let first = 0; first < mutants.length; first += BATCH) {
    const batch = mutants.slice(first, first + BATCH);
    const file = join(folder, "mutants");
    writeBatch(file, batch);
    const answers = askPython("flaxPeer.py", "judge", file) as Verdict[];
    batch.forEach((bytes, i) => {
      const mine = ours(bytes);
      counts["leaves" in mine ? "read" : "refused"] += 1;
      const difference = differenceOf(mine, answers[i] ?? { refused: "no answer" });
      if (difference) disagreements.push(`${bytes.subarray(0, 200).toString("hex")}: ${difference.slice(0, 600)}`);
    });
  }
  assert.deepEqual(disagreements.slice(0, 20), [], `${disagreements.length} of ${MUTANTS}`);
  assert.ok(counts.read > MUTANTS / 20 && counts.refused > MUTANTS / 20, JSON.stringify(counts));
});

function differenceOf(mine: Verdict, peer: Verdict): string | undefined {
  if ("refused" in mine && "refused" in peer) return undefined;
  if ("refused" in mine)
    return WE_REFUSE.some(([words]) => words.test(mine.refused)) ? undefined : `we refuse: ${mine.refused}`;
  if ("refused" in peer) return NUMPY_ENDS.test(peer.refused) ? undefined : `flax refuses: ${peer.refused}`;
  const index = peer.leaves.findIndex((leaf, i) => !isDeepStrictEqual(leaf, mine.leaves[i]));
  if (index < 0 && mine.leaves.length === peer.leaves.length) return undefined;
  return `leaf ${index} differs: ${JSON.stringify(mine.leaves[index])} and ${JSON.stringify(peer.leaves[index])}`;
}
