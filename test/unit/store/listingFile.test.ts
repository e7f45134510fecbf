import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { crc32 } from "node:zlib";
import { layoutOf } from "../../../src/store/layout";
import { KnownListing } from "../../../src/store/listingFile";
import { listStore } from "../../../src/store/listStore";
import { openListingCache } from "../../../src/store/savedListing";
import { saveListing } from "../../../src/store/saveListing";
import { plant, tempFolder } from "./storeKit";

let temp: ReturnType<typeof tempFolder>;
let home = "";
beforeEach(() => {
  temp = tempFolder();
  home = join(temp.path, "home");
  mkdirSync(join(home, ".modelbench"), { recursive: true });
  writeFileSync(join(home, ".modelbench", "format"), "1\n");
  mkdirSync(join(plant(home, "m", "v1"), "sub"));
  plant(home, "m", "v2");
});
afterEach(() => temp.remove());

const layout = () => layoutOf(home);
const later = () => Date.now() + 60_000;
const list = (cache: ReturnType<typeof openListingCache>) => listStore(layout(), undefined, { now: later, cache });

/** The bytes that a listing of the store saves. */
function saved(): Buffer {
  const cache = openListingCache(layout(), later);
  assert.ok(cache);
  list(cache);
  saveListing(layout(), cache, Date.now);
  return readFileSync(layout().listing);
}

/** Puts a file in the place of the saved one and lists with it. */
function listWith(bytes: Buffer) {
  writeFileSync(layout().listing, bytes);
  return list(openListingCache(layout(), later));
}

test("a file that is cut anywhere is ignored", () => {
  const whole = saved();
  assert.equal(KnownListing.decode(whole)?.count, 2);
  for (let end = 0; end < whole.length; end++) {
    assert.equal(KnownListing.decode(whole.subarray(0, end)), undefined, `${end} bytes`);
  }
  assert.equal(KnownListing.decode(Buffer.concat([whole, Buffer.alloc(1)])), undefined);
  const expected = list(undefined);
  assert.deepEqual(listWith(whole.subarray(0, whole.length >> 1)), expected);
  assert.deepEqual(listWith(Buffer.alloc(0)), expected);
});

test("a file with any bit changed is ignored", () => {
  const whole = saved();
  for (let at = 0; at < whole.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      assert.equal(KnownListing.decode(changed), undefined, `bit ${bit} of byte ${at}`);
    }
  }
});

interface Parts {
  texts: unknown;
  numbers: number[];
}

/** The parts of a saved file, put together again with a sum that is right. */
function forged(
  change: (parts: Parts & { readonly texts: Record<string, unknown> }) => Partial<Parts> | undefined,
): Buffer {
  const whole = saved();
  const count = whole.readUInt32LE(24);
  const numbers = Array.from({ length: count }, (_, i) => whole.readDoubleLE(32 + i * 8));
  const texts = JSON.parse(whole.subarray(32 + count * 8).toString()) as Record<string, unknown>;
  const parts: Parts = { texts, numbers, ...change({ texts, numbers }) };
  const text = Buffer.from(typeof parts.texts === "string" ? parts.texts : JSON.stringify(parts.texts));
  const header = Buffer.alloc(32);
  whole.copy(header, 0, 0, 16);
  header.writeUInt32LE(text.length, 20);
  header.writeUInt32LE(parts.numbers.length, 24);
  const bytes = Buffer.concat([header, Buffer.from(Float64Array.from(parts.numbers).buffer), text]);
  bytes.writeUInt32LE(crc32(bytes.subarray(20)), 16);
  return bytes;
}

const shape = (file: string) => ({
  shapes: [
    { files: [file], folders: [] },
    { files: [], folders: [file] },
  ],
});

/** Files with a right sum that no listing of ours writes. */
const FORGERIES: Readonly<Record<string, Parameters<typeof forged>[0]>> = {
  "no JSON": () => ({ texts: "{" }),
  "no object": () => ({ texts: null }),
  "nothing in it": () => ({ texts: {} }),
  "names that are none": ({ texts }) => ({ texts: { ...texts, names: [["m"]] } }),
  "a negative number of versions": ({ texts }) => ({ texts: { ...texts, names: [["m", -1]] } }),
  "a broken number of versions": ({ texts }) => ({ texts: { ...texts, names: [["m", 1.5]] } }),
  "more versions than there are": ({ texts }) => ({ texts: { ...texts, names: [["m", 1e15]] } }),
  "fewer versions than there are": ({ texts }) => ({ texts: { ...texts, names: [["m", 1]] } }),
  "numbers for versions": ({ texts }) => ({ texts: { ...texts, versions: [1, 2] } }),
  "modules that are none": ({ texts }) => ({ texts: { ...texts, modules: [null] } }),
  "a file above the version": ({ texts }) => ({ texts: { ...texts, ...shape("../../secret") } }),
  "a file from the root": ({ texts }) => ({ texts: { ...texts, ...shape("/etc/passwd") } }),
  "a file behind a NUL": ({ texts }) => ({ texts: { ...texts, ...shape("a\0b") } }),
  "the version itself as a file": ({ texts }) => ({ texts: { ...texts, ...shape(".") } }),
  "a number too few": ({ numbers }) => ({ numbers: numbers.slice(1) }),
  "a number too many": ({ numbers }) => ({ numbers: [...numbers, 0] }),
  "no numbers": () => ({ numbers: [] }),
};

for (const [what, forgery] of Object.entries(FORGERIES)) {
  test(`a file with ${what} is ignored, its sum being right`, () => {
    const bytes = forged(forgery);
    assert.equal(KnownListing.decode(bytes), undefined);
    assert.deepEqual(listWith(bytes), list(undefined));
  });
}

/** The numbers of the first version: module, shape, creation, micros, bytes, then nine of stamps. */
const NONSENSE: Readonly<Record<string, readonly [at: number, value: number]>> = {
  "a module that is not there": [0, 99],
  "a module between two": [0, 0.5],
  "a time of creation that is none": [2, 9e15],
  "a time of creation that is no number": [2, Number.NaN],
  "microseconds that are milliseconds": [3, 1000],
  "fewer microseconds than none": [3, -1],
  "another size of model.yaml": [4, 1],
  "another time of change": [6, Number.POSITIVE_INFINITY],
};

for (const [what, [at, value]] of Object.entries(NONSENSE)) {
  test(`a version with ${what} is read anew`, () => {
    const bytes = forged(({ numbers }) => ({ numbers: numbers.map((one, i) => (i === at ? value : one)) }));
    assert.equal(KnownListing.decode(bytes)?.count, 2);
    assert.deepEqual(listWith(bytes), list(undefined));
  });
}

test("a pipe, a folder or something huge in place of the file keeps nobody waiting", () => {
  const expected = list(undefined);
  const path = layout().listing;
  mkdirSync(dirname(path), { recursive: true });
  spawnSync("mkfifo", [path]);
  assert.deepEqual(list(openListingCache(layout(), later)), expected);
  rmSync(path);
  mkdirSync(path);
  assert.deepEqual(list(openListingCache(layout(), later)), expected);
  rmSync(path, { recursive: true });
  writeFileSync(path, "");
  truncateSync(path, 2 ** 40);
  assert.deepEqual(list(openListingCache(layout(), later)), expected);
});
