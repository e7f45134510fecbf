import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import test, { after } from "node:test";
import { inContainers, modelYaml } from "../../../fixtures/hostileArchives";
import { rawMember, tarOf } from "../../../fixtures/rawTar";
import { zipOf } from "../../../fixtures/rawZip";
import { tempFolder } from "../storeKit";
import { attempt } from "./attempt";
import { type Passed, readThroughGate } from "./readThroughGate";

const { path: folder, remove } = tempFolder();
after(remove);

type Format = readonly [extension: string, archive: Buffer];

/** The same model in every format that has bytes; `content` is its one file of weights. */
async function inFormats(content: Buffer): Promise<readonly Format[]> {
  const yaml = { name: "model.yaml", content: modelYaml() };
  const weights = { name: "weights.bin", content };
  const tar = tarOf(rawMember(yaml), rawMember(weights), rawMember({ name: "empty/", type: "5" }));
  const zip = zipOf([yaml, weights, { name: "empty/" }]);
  return [...(await inContainers(tar)), ["zip", zip]];
}

/** Written by `xz` itself, so that its decoder is asked too. */
const COMPRESSED: Format = ["tar.xz", readFileSync("test/fixtures/hostile/archive/ok-xz.bentomodel")];

async function passedOf(archive: Buffer): Promise<Passed> {
  const passed = await readThroughGate(archive);
  assert.ok(typeof passed !== "string", `the whole archive is refused: ${passed}`);
  return passed;
}

async function assertRefusedOrSame(damaged: Buffer, whole: Passed, place: string): Promise<boolean> {
  const outcome = await readThroughGate(damaged);
  if (typeof outcome === "string") assert.match(outcome, /^archive\./, place);
  else assert.deepEqual(comparable(outcome, place), comparable(whole, place), place);
  return typeof outcome === "string";
}

/** Nothing in a zip file vouches for its members' modes, so a turned bit may make one executable, or not. */
function comparable(passed: Passed, place: string) {
  if (!place.startsWith("zip bit")) return passed;
  return new Map([...passed].map(([path, { kind, content }]) => [path, { kind, content }]));
}

/** The slowest decoder gets a third of the bytes, except when time does not matter. */
const BZ2_BYTES = process.env["MODELBENCH_SOAK"] === "1" ? 18_000 : 6000;

test("a model of 20 kB cut at any byte is refused, in every format", async () => {
  const large = await inFormats(randomBytes(18_000));
  const small = await inFormats(randomBytes(BZ2_BYTES));
  const bz2 = (formats: readonly Format[], wanted: boolean) =>
    formats.filter(([name]) => (name === "tar.bz2") === wanted);
  for (const [extension, archive] of [...bz2(large, false), ...bz2(small, true), COMPRESSED]) {
    const whole = await passedOf(archive);
    for (let end = 0; end < archive.length; end++) {
      const place = `${extension} cut at ${end} of ${archive.length}`;
      const refused = await assertRefusedOrSame(archive.subarray(0, end), whole, place);
      // Of a plain tar the last blocks are only zeros: two of them end it, whatever follows.
      assert.ok(refused || (extension === "tar" && end >= archive.length - 512), place);
    }
  }
});

test("any turned bit of a small model is refused or changes nothing, in every format with a check of its own", async () => {
  for (const [extension, archive] of [...(await inFormats(Buffer.from("weights".repeat(20)))), COMPRESSED]) {
    // A plain tar checks its headers, not its contents: what a flipped content bit leads to is in the next test.
    if (extension === "tar") continue;
    const whole = await passedOf(archive);
    let unnoticed = 0;
    for (let bit = 0; bit < archive.length * 8; bit++) {
      const place = `${extension} bit ${bit & 7} of byte ${bit >> 3} of ${archive.length}`;
      if (!(await assertRefusedOrSame(turned(archive, bit), whole, place))) unnoticed++;
    }
    // Times, owners, comments and padding; most of an archive is neither.
    assert.ok(unnoticed < archive.length, `${extension}: ${unnoticed} of ${archive.length * 8} bits change nothing`);
  }
});

test("a turned bit of a plain tar is refused outside of contents, and inside changes that content alone", async () => {
  const content = Buffer.from("weights".repeat(20));
  const [format] = await inFormats(content);
  const archive = format?.[1] ?? Buffer.alloc(0);
  const whole = await passedOf(archive);
  const yamlAt = archive.indexOf(modelYaml());
  const contentAt = archive.indexOf(content);
  const isIn = (at: number, from: number, length: number) => at >= from && at < from + length;
  for (let bit = 0; bit < archive.length * 8; bit++) {
    const at = bit >> 3;
    const place = `bit ${bit & 7} of byte ${at} of ${archive.length}`;
    const outcome = await readThroughGate(turned(archive, bit));
    if (typeof outcome === "string") continue;
    const changed = [...whole].filter(([path, passed]) => outcome.get(path)?.content !== passed.content);
    const expected = isIn(at, yamlAt, modelYaml().length)
      ? ["model.yaml"]
      : isIn(at, contentAt, content.length)
        ? ["weights.bin"]
        : [];
    assert.deepEqual([[...outcome.keys()], changed.map(([path]) => path)], [[...whole.keys()], expected], place);
  }
});

test("damage leaves no trace in a store either", async () => {
  for (const [extension, archive] of await inFormats(randomBytes(3000))) {
    for (let end = 0; end < archive.length - 1024; end += 97) {
      const { error } = await attempt(folder, `cut.${extension}`, archive.subarray(0, end));
      assert.match(error?.code ?? "accepted", /^archive\.(corrupt|format)$/, `${extension} cut at ${end}`);
    }
    for (let bit = 5; bit < archive.length * 8; bit += 1009) {
      await attempt(folder, `turned.${extension}`, turned(archive, bit));
    }
  }
});

function turned(archive: Buffer, bit: number): Buffer {
  const copy = Buffer.from(archive);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
