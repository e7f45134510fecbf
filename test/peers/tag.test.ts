import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { ModelbenchError } from "../../src/base/errors";
import { newVersion } from "../../src/store/newVersion";
import { formatTag, parseTag } from "../../src/store/tag";
import { fc } from "../fixtures/fastCheck";
import { Oracle } from "./oracle";

const oracle = new Oracle();
after(() => oracle.dispose());

const PART = fc.string({ unit: fc.constantFrom(..."abz019-_.AZ"), maxLength: 6 });
const LONG = fc.integer({ min: 60, max: 66 }).map((length) => "a".repeat(length));
const ODD = fc.constantFrom(
  "",
  ":",
  "::",
  "/",
  " ",
  "\n",
  "é",
  "İ",
  "K",
  "..",
  "ａ",
  "\0",
  "latest",
  "%2e",
  "'",
  "$(id)",
);
const anyTag = fc
  .array(fc.oneof({ weight: 4, arbitrary: PART }, LONG, ODD, fc.constant(":")), { maxLength: 5 })
  .map((parts) => parts.join(""));

function ours(text: string): readonly [string, string | null] | undefined {
  try {
    const { name, version } = parseTag(text);
    return [name, version ?? null];
  } catch (error) {
    assert.ok(error instanceof ModelbenchError && error.code === "tag.invalid", String(error));
    assert.doesNotMatch(error.message, /[\p{Cc}\p{Zl}\p{Zp}]/u);
    return undefined;
  }
}

describe(`tags as the real bentoml reads them`, { concurrency: false }, () => {
  test("every text is the same tag, or refused by both; only we refuse a line break at the end", () =>
    fc.assert(
      fc.asyncProperty(anyTag, async (text) => {
        const theirs = await oracle.ask<[string, string | null]>("tag", { text });
        const mine = ours(text);
        if (theirs.error !== undefined) assert.equal(mine, undefined, theirs.error);
        else if (theirs.value.some((part) => part?.endsWith("\n"))) assert.equal(mine, undefined);
        else assert.deepEqual(mine, theirs.value);
      }),
      { numRuns: 6_000 },
    ));

  test("a trailing colon is refused with the advice that BentoML gives", async () => {
    const theirs = await oracle.ask("tag", { text: "iris:" });
    assert.match(theirs.error ?? "", /trailing ':'. Maybe you meant/);
    assert.throws(() => parseTag("iris:"), {
      code: "tag.invalid",
      message: /trailing ':'/,
      remedy: "Maybe you meant `iris:latest`.",
    });
  });

  test("versions made here have the form of BentoML's, which accepts them", async () => {
    const theirs = (await oracle.ask<string>("newVersion", {})).value ?? "";
    for (const version of [theirs, newVersion()]) {
      assert.match(version, /^[a-z2-7]{16}$/);
      assert.deepEqual((await oracle.ask("tag", { text: formatTag({ name: "m", version }) })).value, ["m", version]);
    }
    const variant = (version: string) => "abcdefghijklmnopqrstuvwxyz234567".indexOf(version.charAt(9)) >> 0;
    // Bits 48 and 49 of the UUID are its variant, 10: they are the last two of the tenth letter's five and one before.
    assert.equal(variant(newVersion()) & 0b11, variant(theirs) & 0b11);
  });
});
