import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { ModelbenchError } from "../../src/base/errors";
import { bufferReader } from "../../src/formats/bufferReader";
import { decodeStrings, elementCount } from "../../src/formats/elements";
import { digestOf, type TensorData } from "../../src/formats/tensorData";
import { openNpyFile } from "../../src/frameworks/npyFile";
import { openNpzFile } from "../../src/frameworks/npzFile";
import { mutantsOf, writeBatch } from "./mutants";
import { askPython } from "./python";

const MUTANTS = process.env["MODELBENCH_SOAK"] === "1" ? 50_000 : 4000;
/** Mutants that one Python process judges. */
const BATCH = 5000;

const folder = mkdtempSync(join(tmpdir(), "mb-npz-peer-"));
after(() => rmSync(folder, { recursive: true, force: true }));

type Facts = Readonly<Record<string, unknown>>;
type Verdict = { readonly facts: Facts } | { readonly refused: string };

let written: readonly { readonly path: string; readonly arrays: Facts }[] | undefined;

function theirs() {
  written ??= askPython("npzPeer.py", "write", folder, "400") as NonNullable<typeof written>;
  return written;
}

function told(data: TensorData): unknown {
  if (data.dtype !== "string") return [data.shape, digestOf(data)];
  return [data.shape, decodeStrings(data.read(0, elementCount(data.shape)))];
}

function ours(bytes: Buffer, extension: string): Verdict {
  try {
    const open = extension === ".npy" ? openNpyFile : openNpzFile;
    const content = open("m", "m", () => ({ ...bufferReader(bytes, "m"), close() {} }));
    // Of two members of one name numpy reads the last.
    return { facts: Object.fromEntries(content.tensors.map(({ name }, index) => [name, told(content.data(index))])) };
  } catch (error) {
    assert.ok(
      error instanceof ModelbenchError && error.code !== "internal",
      `${bytes.toString("hex")}: ${error instanceof Error ? error.stack : error}`,
    );
    return { refused: error.message };
  }
}

test("every type, order and compression that numpy writes is read as what it was", () => {
  for (const { path, arrays } of theirs()) {
    assert.deepEqual(ours(readFileSync(path), extname(path)), { facts: arrays }, path);
  }
});

/** Where we differ on purpose: what we refuse and numpy reads, by the words of our refusal. */
const WE_REFUSE: readonly (readonly [words: RegExp, why: string])[] = [
  [/has a header that cannot be understood/, "numpy takes any Python literal, and in old files even more than those"],
  [/has the type ".*", which is not read/, "numpy takes many names for a type that it never writes"],
  [/holds bytes|holds dates|raw \d*-byte values|is a structured array/, "types of numpy whose values are not shown"],
  [/a text is not Unicode/, "numpy hands out text that no other program takes"],
  [/cannot be unpacked/, "numpy stops unpacking where the array ends, before the damage"],
  [/Damaged zip/, "two readers could see two archives: gaps, doubled or contradicting records"],
  [/uses encryption|uses patches|uses compression method|uses several volumes/, "flags that Python's zipfile ignores"],
  [
    /symbolic link|neither a file nor a folder|in which encoding/,
    "members that are no files, and names without encoding",
  ],
];
/** What numpy refuses and we read, by its words. */
const THEY_REFUSE: readonly (readonly [words: RegExp, why: string])[] = [
  [/BadZipFile: Bad CRC-32/, "stored arrays are read by position, without a look at all of their bytes"],
  [/zip file version/, "members are judged by what they use, not by the version that they ask for"],
  [/Header info length|max_header_size/, "numpy stops at headers of 10,000 characters"],
];

for (const extension of [".npy", ".npz"]) {
  test(`${MUTANTS} mutants of ${extension} files are read or refused as by numpy, with the same values`, () => {
    const healthy = theirs()
      .map(({ path }) => path)
      .filter((path) => extname(path) === extension)
      .map((path) => readFileSync(path))
      .filter((bytes) => bytes.length < 3000);
    const mutants = mutantsOf(healthy, MUTANTS);
    const counts = { read: 0, refused: 0 };
    const disagreements: string[] = [];
    for (let first = 0; first < mutants.length; first += BATCH) {
      const batch = mutants.slice(first, first + BATCH);
      writeBatch(join(folder, "batch"), batch);
      const answers = askPython("npzPeer.py", "judge", join(folder, "batch")) as Verdict[];
      for (const [index, bytes] of batch.entries()) {
        const mine = ours(bytes, extension);
        counts["facts" in mine ? "read" : "refused"] += 1;
        const difference = differenceOf(mine, answers[index] ?? { refused: "no answer" });
        if (difference)
          disagreements.push(
            `mutant ${first + index}: ${difference.slice(0, 600)} ${bytes.toString("latin1").slice(0, 200)}`,
          );
      }
    }
    assert.deepEqual(disagreements.slice(0, 10), [], `${disagreements.length} of ${MUTANTS}`);
    assert.ok(counts.read > MUTANTS / 100 && counts.refused > MUTANTS / 20, JSON.stringify(counts));
  });
}

function differenceOf(mine: Verdict, peer: Verdict): string | undefined {
  if ("refused" in mine && "refused" in peer) return undefined;
  if ("refused" in mine) {
    return WE_REFUSE.some(([words]) => words.test(mine.refused)) ? undefined : `we refuse: ${mine.refused}`;
  }
  if ("refused" in peer) {
    return THEY_REFUSE.some(([words]) => words.test(peer.refused)) ? undefined : `they refuse: ${peer.refused}`;
  }
  return isDeepStrictEqual(mine.facts, peer.facts) ? undefined : `${JSON.stringify(mine)} and ${JSON.stringify(peer)}`;
}
