import assert from "node:assert/strict";
import test from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import { readBz2 } from "../../../../src/formats/bz2/bz2Reader";
import { fleetingReader } from "../../../fixtures/fleetingReader";

/** `bz2.compress(b"If Peter Piper picked a peck of pickled peppers" + b"z" * 300, 1)` of Python 3.11. */
const REAL = Buffer.from(
  "QlpoMTFBWSZTWZyy2+UAAASXgMAgACBAAC8s3BAACCAAVFMmJkGRg0EmynoeqYkmcSz25EJjIUfUW4oJ24faRSV4woArpO9YWoXckU4UJCcstvlA",
  "base64",
);
const TEXT = `If Peter Piper picked a peck of pickled peppers${"z".repeat(300)}`;

/** The content of a .bz2, or the code and message it is refused with. */
function read(file: Buffer): string {
  const parts: Buffer[] = [];
  try {
    for (const chunk of readBz2(fleetingReader(file), () => undefined)) parts.push(Buffer.from(chunk));
    return Buffer.concat(parts).toString("latin1");
  } catch (error) {
    if (error instanceof ModelbenchError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

test("one stream, several streams and an empty one are read", () => {
  const empty = Buffer.from("QlpoORdyRThQkAAAAAA=", "base64");
  assert.equal(read(REAL), TEXT);
  assert.equal(read(Buffer.concat([REAL, empty, REAL])), TEXT + TEXT);
  assert.equal(read(empty), "");
});

test("a file cut anywhere is refused, and what follows its end is, too", () => {
  for (let length = 0; length < REAL.length; length++) {
    assert.match(read(REAL.subarray(0, length)), /^archive\.(corrupt|format): /, `${length} bytes`);
  }
  assert.match(read(Buffer.concat([REAL, Buffer.from("garbage")])), /^archive.corrupt: .*no stream header/);
});

test("with any bit turned it is refused, or only padding has changed", () => {
  for (let bit = 0; bit < REAL.length * 8; bit++) {
    const turned = Buffer.from(REAL);
    turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const content = read(turned);
    if (content !== TEXT) assert.match(content, /^archive\.(corrupt|format): /, `bit ${bit}`);
  }
});
