import assert from "node:assert/strict";
import test from "node:test";
import { readBz2 } from "../../../../src/formats/bz2/bz2Reader";
import { writeBz2 } from "../../../../src/formats/bz2/bz2Writer";
import { fc } from "../../../fixtures/fastCheck";
import { fleetingReader } from "../../../fixtures/fleetingReader";

/** Packs the content, given in pieces of `piece` bytes. */
async function pack(content: Uint8Array, piece: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  const pieces = (async function* () {
    for (let at = 0; at < content.length; at += piece) yield content.subarray(at, at + piece);
  })();
  for await (const part of writeBz2(pieces)) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

async function assertReturns(content: Uint8Array, piece = 65_536): Promise<void> {
  const parts: Buffer[] = [];
  for (const chunk of readBz2(fleetingReader(await pack(content, piece)), () => undefined))
    parts.push(Buffer.from(chunk));
  assert.ok(Buffer.concat(parts).equals(content));
}

test("nothing, one byte, runs of every length and all bytes come back", async () => {
  await assertReturns(new Uint8Array(0));
  await assertReturns(Uint8Array.of(7));
  for (const length of [2, 3, 4, 5, 254, 255, 256, 258, 259, 260, 1000]) {
    await assertReturns(new Uint8Array(length).fill(9), 7);
  }
  await assertReturns(Uint8Array.from({ length: 2048 }, (_, i) => i & 255));
  await assertReturns(Buffer.from("ab".repeat(5000)));
});

test("content of several blocks comes back, of whatever kind", async () => {
  let state = 1;
  const noise = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  };
  await assertReturns(Uint8Array.from({ length: 1_000_000 }, noise), 300_000);
  await assertReturns(Buffer.alloc(60_000_000), 1_000_000);
  await assertReturns(Buffer.from("periodic text, ".repeat(150_000)));
});

test("any bytes come back, in whatever pieces they were given", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc
      .array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 600 })), { maxLength: 12 })
      .map((runs) => Uint8Array.from(runs.flatMap(([byte, length]) => Array.from({ length }, () => byte)))),
  );
  await fc.assert(fc.asyncProperty(bytes, fc.integer({ min: 1, max: 500 }), assertReturns), { numRuns: 200 });
});
