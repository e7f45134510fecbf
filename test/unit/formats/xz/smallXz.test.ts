import assert from "node:assert/strict";
import test from "node:test";
import { openXz } from "../../../../src/formats/xz/xzReader";
import { writeSmallXz } from "../../../../src/formats/xz/xzWriter";
import { fc } from "../../../fixtures/fastCheck";
import { fleetingReader } from "../../../fixtures/fleetingReader";

const PROPERTIES = [
  { lc: 3, lp: 0, pb: 2 },
  { lc: 2, lp: 2, pb: 2 },
  { lc: 0, lp: 0, pb: 0 },
] as const;

/** Packs and unpacks; answers with the packed size. */
async function assertReturns(
  content: Uint8Array,
  piece = 300_000,
  properties = PROPERTIES[0] as (typeof PROPERTIES)[number],
) {
  const parts: Buffer[] = [];
  const pieces = (async function* () {
    for (let at = 0; at < content.length; at += piece) yield content.subarray(at, at + piece);
  })();
  for await (const part of writeSmallXz(pieces, properties)) parts.push(Buffer.from(part));
  const packed = Buffer.concat(parts);
  const back: Buffer[] = [];
  for await (const chunk of openXz(fleetingReader(packed)).content(() => undefined)) back.push(Buffer.from(chunk));
  assert.ok(Buffer.concat(back).equals(content), `${content.length} bytes`);
  return packed.length;
}

let state = 1;
const noise = () => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return state >>> 24;
};

test("nothing, one byte, runs and text come back, and shrink where they can", async () => {
  for (const properties of PROPERTIES) {
    await assertReturns(new Uint8Array(0), 1, properties);
    await assertReturns(Uint8Array.of(7), 1, properties);
    assert.ok((await assertReturns(Buffer.alloc(5_000_000), 1 << 20, properties)) < 1500);
    const text = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `line ${i % 977} of ${i % 13}\n`).join(""));
    assert.ok((await assertReturns(text, 5000, properties)) < text.length / 10);
  }
});

test("what does not shrink is stored, between and behind what does", async () => {
  const random = Uint8Array.from({ length: 700_000 }, noise);
  assert.ok((await assertReturns(random)) < random.length + 200);
  const text = Buffer.from("text that shrinks, ".repeat(30_000));
  await assertReturns(Buffer.concat([random, text, random, text]), 100_000);
  await assertReturns(Buffer.concat([text, random]), 1 << 20);
});

test("matches reach as far back as the window, and no farther", async () => {
  const once = Uint8Array.from({ length: 1_500_000 }, noise);
  const near = Buffer.concat([once, Buffer.alloc(500_000), once.subarray(0, 1_000_000)]);
  assert.ok((await assertReturns(near)) < 1_600_000);
  const far = Buffer.concat([once, Uint8Array.from({ length: 2_000_000 }, noise), once]);
  await assertReturns(far, 1 << 20, PROPERTIES[1]);
});

test("any bytes come back, in whatever pieces they were given", async () => {
  const word = fc.constantFrom("weight", "bias", "kernel", "0.25", "\n", "aaaaaaaa");
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc.array(word, { maxLength: 400 }).map((words) => Buffer.from(words.join(""))),
  );
  const piece = fc.integer({ min: 1, max: 2000 });
  await fc.assert(
    fc.asyncProperty(bytes, piece, fc.constantFrom(...PROPERTIES), async (...all) => {
      await assertReturns(...all);
    }),
    { numRuns: 150 },
  );
});
