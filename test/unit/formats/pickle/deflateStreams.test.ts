import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { unpackStreams } from "../../../../src/formats/pickle/deflateStreams";
import { readPickleFile } from "../../../../src/formats/pickle/pickleFile";

const BODY = Buffer.from(`\x80\x04N0\x8c\x02os\x8c\x06getpid\x93)R.`, "latin1");
const [HEAD, REST] = [BODY.subarray(0, 4), BODY.subarray(4)];

function factsOf(...parts: Buffer[]) {
  return readPickleFile(bufferReader(Buffer.concat(parts))).facts;
}

test("members of gzip are one file, with zeros between and behind them", () => {
  for (const zeros of [0, 1, 2, 600]) {
    const between = Buffer.alloc(zeros);
    const { content, unread } = unpackStreams(
      Buffer.concat([gzipSync(HEAD), between, gzipSync(REST), between]),
      "gzip",
    );
    assert.deepEqual([content.toString("latin1"), unread], [BODY.toString("latin1"), undefined]);
    assert.equal(factsOf(gzipSync(HEAD), between, gzipSync(REST)).verdict, "dangerous");
  }
});

test("a second stream of zlib is read, too", () => {
  assert.equal(factsOf(deflateSync(HEAD), deflateSync(REST)).verdict, "dangerous");
  assert.equal(unpackStreams(deflateSync(BODY, { level: 1 }), "zlib").unread, undefined);
});

test("what else follows is something that cannot be told, and hides nothing before it", () => {
  const none = Buffer.from("\x80\x04N.", "latin1");
  for (const pack of [gzipSync, deflateSync]) {
    assert.equal(factsOf(pack(none)).verdict, "allowed");
    assert.equal(factsOf(pack(none), Buffer.from("junk")).verdict, "opaque");
    assert.equal(factsOf(pack(BODY), Buffer.from("junk")).verdict, "dangerous");
  }
});

test("all parts of a gzip header are passed, and a wrong checksum is damage", () => {
  const plain = gzipSync(BODY);
  const flagged = Buffer.concat([
    Buffer.from("\x1f\x8b\x08\x1e\0\0\0\0\0\x03", "latin1"),
    Buffer.from("\x02\0ab" + "name\0" + "comment\0", "latin1"),
    Buffer.from("hc"),
    plain.subarray(10),
  ]);
  assert.equal(factsOf(flagged).verdict, "dangerous");
  assert.deepEqual(unpackStreams(flagged, "gzip").content, BODY);
  for (const packed of [plain, deflateSync(BODY)]) {
    const damaged = Buffer.from(packed);
    const checksumAt = packed.length - (packed === plain ? 8 : 4);
    damaged.writeUInt8(255 - damaged.readUInt8(checksumAt), checksumAt);
    const { content, unread } = unpackStreams(damaged, packed === plain ? "gzip" : "zlib");
    assert.deepEqual([content, unread], [BODY, "the compressed data are damaged"]);
  }
  assert.deepEqual(gunzipSync(plain), BODY);
});

test("very many empty members end in time, with a word about it", () => {
  const member = gzipSync(Buffer.alloc(0));
  const packed = Buffer.alloc(2_000_000 * member.length, member);
  const begun = performance.now();
  const { unread } = unpackStreams(packed, "gzip");
  assert.ok(performance.now() - begun < 10_000);
  assert.match(unread ?? "", /too long/);
});
