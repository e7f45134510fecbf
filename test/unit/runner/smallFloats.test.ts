import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBfloat16, decodeFloat16 } from "../../../src/formats/elements";
import { encodeBfloat16, encodeFloat16 } from "../../../src/runner/smallFloats";

const formats = [
  { name: "float16", encode: encodeFloat16, decode: decodeFloat16, infinity: 0x7c00 },
  { name: "bfloat16", encode: encodeBfloat16, decode: decodeBfloat16, infinity: 0x7f80 },
];

for (const { name, encode, decode, infinity } of formats) {
  test(`every finite ${name} value is encoded as itself, with its sign`, () => {
    for (let code = 0; code < infinity; code += 1) {
      assert.equal(encode(decode(code)), code);
      assert.equal(encode(-decode(code)), code + 0x8000);
    }
  });

  test(`values between two ${name} neighbours go to the nearer one, and halfway to the even one`, () => {
    for (let code = 0; code + 1 < infinity; code += 1) {
      const [below, above] = [decode(code), decode(code + 1)];
      const middle = below + (above - below) / 2;
      assert.equal(encode(middle), code % 2 === 0 ? code : code + 1);
      const nudge = (above - below) / 1024;
      assert.equal(encode(middle - nudge), code);
      assert.equal(encode(middle + nudge), code + 1);
    }
  });

  test(`${name} has infinities beyond its range and one NaN`, () => {
    assert.equal(encode(Number.POSITIVE_INFINITY), infinity);
    assert.equal(encode(-1e300), infinity + 0x8000);
    assert.ok(Number.isNaN(decode(encode(Number.NaN))));
  });
}
