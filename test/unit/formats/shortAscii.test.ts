import assert from "node:assert/strict";
import { test } from "node:test";
import { shortAscii } from "../../../src/formats/shortAscii";
import { fc } from "../../fixtures/fastCheck";

test("a short text is its bytes, whichever texts were read before it", () => {
  // So many texts of two letters share the places where texts are kept.
  const letter = fc.integer({ min: 0x60, max: 0x7f });
  const texts = fc.array(fc.uint8Array({ max: 0x7f, maxLength: 24 }), { maxLength: 20 });
  const pairs = fc.array(fc.tuple(letter, letter), { minLength: 100, maxLength: 400 });
  fc.assert(
    fc.property(texts, pairs, (some, many) => {
      for (const bytes of [...some, ...many.map((pair) => Uint8Array.from(pair)), ...some]) {
        assert.equal(shortAscii(bytes, 0, bytes.length), Buffer.from(bytes).toString("latin1"));
      }
    }),
  );
});

test("a text that is long or not ASCII is left to a decoder", () => {
  assert.equal(shortAscii(Buffer.from("x".repeat(25)), 0, 25), undefined);
  assert.equal(shortAscii(Buffer.from("é"), 0, 2), undefined);
  assert.equal(shortAscii(Buffer.from("key é"), 0, 3), "key");
});
