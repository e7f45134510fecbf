import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { ModelbenchError } from "../../src/base/errors";
import { bufferReader } from "../../src/formats/bufferReader";
import { decodeElements } from "../../src/formats/elements";
import { readSafetensorsHeader } from "../../src/formats/safetensors/header";
import { safetensorsData } from "../../src/formats/safetensors/values";
import { safetensorsFile } from "../../src/formats/safetensors/writer";
import { digestOf } from "../../src/formats/tensorData";
import { runEditSafetensorsMetadata } from "../../src/frameworks/safetensorsMetadata";
import { fc } from "../fixtures/fastCheck";
import { safetensorsBytes, safetensorsVectors, VECTORS } from "../fixtures/safetensors";
import { mutantsOf, writeBatch } from "./mutants";
import { askPython } from "./python";

const MUTANTS = process.env["MODELBENCH_SOAK"] === "1" ? 50_000 : 5000;
/** Mutants that one Python process judges. */
const BATCH = 5000;

const folder = mkdtempSync(join(tmpdir(), "mb-safetensors-peer-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** One file that the library wrote: dtype, shape and bytes (hex) of each tensor. */
interface Written {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly tensors: Readonly<Record<string, readonly [string, readonly number[], string]>>;
}

let written: readonly Written[] | undefined;

function theirs(): readonly Written[] {
  written ??= askPython("safetensorsPeer.py", "write", folder, "200") as readonly Written[];
  return written;
}

function rewritten(bytes: Buffer): Buffer {
  const reader = bufferReader(bytes);
  const { entries, metadata } = readSafetensorsHeader(reader, "a");
  // Backwards, so that the order is the writer's own.
  const tensors = entries.map((entry) => ({ name: entry.name, data: safetensorsData(reader, entry) })).reverse();
  return Buffer.concat(
    [...safetensorsFile({ metadata: metadata ?? new Map(), tensors })].map((piece) => Buffer.from(piece)),
  );
}

test("every dtype that the library writes is read as what it was", () => {
  const seen = new Set<string>();
  for (const { path, metadata, tensors } of theirs()) {
    const reader = bufferReader(readFileSync(path));
    const header = readSafetensorsHeader(reader, path);
    assert.deepEqual(header.metadata && Object.fromEntries(header.metadata), metadata, path);
    const found = header.entries.map((entry) => {
      seen.add(entry.type.native);
      const bytes = Buffer.concat([...safetensorsData(reader, entry).stored()]).toString("hex");
      return [entry.name, [entry.type.native, entry.shape.map(Number), bytes]] as const;
    });
    assert.deepEqual(Object.fromEntries(found), tensors, path);
  }
  assert.equal(seen.size, 19);
});

test("what we write has the library's own bytes", () => {
  for (const { path } of theirs()) {
    const bytes = readFileSync(path);
    assert.ok(rewritten(bytes).equals(bytes), path);
  }
});

test("what is written again keeps every value, also of the types that the library only reads", () => {
  for (const { file, want } of safetensorsVectors().filter((vector) => vector.file.startsWith("safetensors/"))) {
    assert.equal(want, "accept");
    const bytes = readFileSync(join(VECTORS, file));
    const reader = bufferReader(rewritten(bytes));
    const before = readSafetensorsHeader(bufferReader(bytes), file).entries;
    const digests = new Map(before.map((entry) => [entry.name, digestOf(safetensorsData(bufferReader(bytes), entry))]));
    for (const entry of readSafetensorsHeader(reader, file).entries) {
      assert.equal(digestOf(safetensorsData(reader, entry)), digests.get(entry.name), `${file} ${entry.name}`);
    }
  }
});

test("F4 and F6 have the values of ml_dtypes", () => {
  const values = askPython("safetensorsPeer.py", "packing") as Record<string, readonly string[]>;
  for (const [native, expected] of Object.entries(values)) {
    const bits = native === "F4" ? 4 : 6;
    const packed = Buffer.alloc((expected.length * bits) / 8);
    // Code i at bit i * bits, counted from the low bit of the first byte.
    const all = expected.reduce((sum, _, code) => sum | (BigInt(code) << BigInt(code * bits)), 0n);
    for (let i = 0; i < packed.length; i++) packed[i] = Number((all >> BigInt(8 * i)) & 0xffn);
    const fields = `"dtype":"${native}","shape":[${expected.length}],"data_offsets":[0,${packed.length}]`;
    const reader = bufferReader(safetensorsBytes(`{"a":{${fields}}}`, packed));
    const [entry] = readSafetensorsHeader(reader, "a").entries;
    assert.ok(entry);
    const data = safetensorsData(reader, entry);
    const codes = data.read(0, expected.length);
    assert.deepEqual(
      decodeElements({ dtype: data.dtype, shape: data.shape, data: codes }).map((value) =>
        Object.is(value, -0) ? "-0" : String(value),
      ),
      expected.map((text) => (text === "-0.0" ? "-0" : String(Number(text)))),
    );
    const file = Buffer.concat([...safetensorsFile({ metadata: new Map(), tensors: [{ name: "a", data }] })]);
    assert.deepEqual(file.subarray(-packed.length), packed);
    writeBatch(join(folder, "narrow"), [file]);
    const [answer] = askPython("safetensorsPeer.py", "judge", join(folder, "narrow")) as Verdict[];
    assert.ok(answer && "facts" in answer, JSON.stringify(answer));
  }
});

test("the library reads the metadata that an edit leaves, beside the same tensors", async () => {
  const [{ path } = assert.fail()] = theirs();
  const before = askPython("safetensorsPeer.py", "metadata", path) as Verdict & { readonly metadata: unknown };
  const set = [
    ["k\u2603", 'v"\n'],
    ["format", "np"],
  ] as const;
  assert.equal((await runEditSafetensorsMetadata({ path, set, remove: [] }, {})).changed, true);
  const edited = askPython("safetensorsPeer.py", "metadata", path) as typeof before;
  assert.deepEqual(edited, { ...before, metadata: Object.fromEntries(set) });
});

type Verdict = { readonly facts: Readonly<Record<string, unknown>> } | { readonly refused: string };

function ours(bytes: Buffer): Verdict {
  try {
    const reader = bufferReader(bytes, "m");
    const { entries } = readSafetensorsHeader(reader, "m");
    return {
      facts: Object.fromEntries(
        entries.map((entry) => {
          const { name, type, shape } = entry;
          return [name, [type.native, shape.map(String), digestOf(safetensorsData(reader, entry))]];
        }),
      ),
    };
  } catch (error) {
    assert.ok(
      error instanceof ModelbenchError && error.code === "format.corrupt",
      `${bytes.toString("hex")}: ${error}`,
    );
    return { refused: error.message };
  }
}

/** Where we differ on purpose: what we refuse and the library reads, by the words of our refusal. */
const WE_REFUSE: readonly (readonly [words: RegExp, why: string])[] = [
  [/has the tensor .* twice/, "the format's text forbids it; the library keeps the last"],
  [/where an object was expected/, "the library's parser takes a tensor as a list of its fields"],
  [/where a string was expected/, "the library's parser takes a dtype as an object of one key"],
];

/** What is put into headers to come near the rules. */
const TOKENS = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "\\u0061",
  "\\ud800",
  "0",
  "1",
  "8",
  "-1",
  "1.0",
  "1e0",
  "null",
  " ",
  "\n",
  "\t",
]
  .concat([
    "18446744073709551615",
    "18446744073709551616",
    "9007199254740993",
    "4611686018427387904",
    "\0",
    "\u00e9",
    "true",
  ])
  .concat([
    '"a"',
    '"F32"',
    '"F4"',
    '"dtype"',
    '"shape"',
    '"data_offsets"',
    '"__metadata__"',
    '"x":1,',
    '"a":{},',
    "[0,0]",
    "[0,4]",
  ]);

/** Headers with one to three tokens put in place of some characters; the length before them is set right. */
function headerMutants(healthy: readonly Buffer[], count: number): Buffer[] {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    removed: fc.nat(4),
    token: fc.constantFrom("", ...TOKENS),
  });
  const cases = fc.tuple(fc.nat(healthy.length - 1), fc.array(change, { minLength: 1, maxLength: 3 }));
  return fc.sample(cases, { numRuns: count }).map(([index, changes]) => {
    const bytes = healthy[index] ?? Buffer.alloc(8);
    const length = Number(bytes.readBigUInt64LE(0));
    let header = bytes.toString("utf8", 8, 8 + length);
    for (const { at, removed, token } of changes) {
      const place = Math.floor(at * header.length);
      header = header.slice(0, place) + token + header.slice(place + removed);
    }
    return safetensorsBytes(header, bytes.subarray(8 + length));
  });
}

const BITS = new Map([
  ["F32", 32],
  ["U8", 8],
  ["F4", 4],
  ["F6_E2M3", 6],
  ["BOOL", 8],
  ["F64", 64],
]);

/** Small headers of the right form: tensors side by side, in many with a number that is drawn instead. */
function drawnHeaders(count: number): Buffer[] {
  const dim = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom("1", "2", "4") },
    fc.constantFrom("0", "3", "4611686018427387904"),
  );
  const place = fc.oneof({ weight: 30, arbitrary: fc.constant(undefined) }, fc.constantFrom("0", "1", "2", "4", "8"));
  const tensor = fc.record({
    name: fc.constantFrom("a", "b", "c", "d", "e", "f", "g"),
    dtype: fc.constantFrom(...BITS.keys()),
    shape: fc.array(dim, { maxLength: 3 }),
    begin: place,
    end: place,
  });
  const cases = fc.tuple(
    fc.array(tensor, { maxLength: 4 }),
    fc.boolean(),
    fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, fc.nat(9)),
  );
  return fc.sample(cases, { numRuns: count }).map(([tensors, reversed, bytes]) => {
    let offset = 0;
    const members = tensors.map(({ name, dtype, shape, begin, end }) => {
      const from = offset;
      const elements = shape.reduce((product, size) => product * Number(size), 1);
      offset += elements > 1000 ? 0 : Math.floor((elements * (BITS.get(dtype) ?? 0)) / 8);
      return `"${name}":{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin ?? from},${end ?? offset}]}`;
    });
    const data = Buffer.alloc(bytes ?? offset, 1);
    return safetensorsBytes(`{${reversed ? members.reverse() : members}}`, data);
  });
}

test(`${MUTANTS} mutants are read or refused as by the library, with the same tensors`, () => {
  const healthy = [
    ...safetensorsVectors()
      .filter(({ lib }) => lib.value)
      .map(({ file }) => readFileSync(join(VECTORS, file))),
    ...theirs()
      .slice(0, 40)
      .map(({ path }) => readFileSync(path)),
  ];
  const third = Math.ceil(MUTANTS / 3);
  const mutants = [...mutantsOf(healthy, third), ...headerMutants(healthy, third), ...drawnHeaders(third)];
  const counts = { read: 0, refused: 0 };
  const disagreements: string[] = [];
  for (let first = 0; first < mutants.length; first += BATCH) {
    const batch = mutants.slice(first, first + BATCH);
    writeBatch(join(folder, "batch"), batch);
    const answers = askPython("safetensorsPeer.py", "judge", join(folder, "batch")) as Verdict[];
    for (const [index, bytes] of batch.entries()) {
      const mine = ours(bytes);
      counts["facts" in mine ? "read" : "refused"] += 1;
      const difference = differenceOf(mine, answers[index] ?? { refused: "no answer" });
      if (difference)
        disagreements.push(`mutant ${first + index}: ${difference} ${bytes.toString("latin1").slice(0, 300)}`);
    }
  }
  assert.deepEqual(disagreements.slice(0, 10), [], `${disagreements.length} of ${mutants.length}`);
  assert.ok(counts.read > MUTANTS / 20 && counts.refused > MUTANTS / 2, JSON.stringify(counts));
  assert.deepEqual(Object.keys(Object.prototype), []);
});

function differenceOf(mine: Verdict, peer: Verdict): string | undefined {
  if ("refused" in mine && "refused" in peer) return undefined;
  if ("refused" in mine) {
    return WE_REFUSE.some(([words]) => words.test(mine.refused)) ? undefined : `we refuse: ${mine.refused}`;
  }
  if ("refused" in peer) return `they refuse: ${peer.refused}`;
  return isDeepStrictEqual(mine.facts, peer.facts) ? undefined : `${JSON.stringify(mine)} and ${JSON.stringify(peer)}`;
}
