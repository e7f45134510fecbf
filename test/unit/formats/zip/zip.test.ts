import assert from "node:assert/strict";
import test from "node:test";
import { crc32, deflateRawSync } from "node:zlib";
import { ModelbenchError } from "../../../../src/base/errors";
import { readZipDirectory } from "../../../../src/formats/zip/directory";
import { readZipMembers } from "../../../../src/formats/zip/zipReader";
import { fc } from "../../../fixtures/fastCheck";
import { fleetingReader } from "../../../fixtures/fleetingReader";
import { RecordingSink } from "../../../fixtures/rawTar";
import { descriptor, type RawZipMember, words64, zipExtra, zipOf } from "../../../fixtures/rawZip";
import { withEnd64 } from "../../../fixtures/torchZip";

const METER = { consumed() {}, produced() {} };

/** What a zip holds, or the code and message it is refused with. */
async function read(zip: Buffer): Promise<RecordingSink["members"] | string> {
  const sink = new RecordingSink();
  const reader = fleetingReader(zip);
  try {
    const { entries } = readZipDirectory(reader, () => undefined);
    for await (const _slice of readZipMembers(reader, entries, sink, METER));
    return sink.members;
  } catch (error) {
    if (error instanceof ModelbenchError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const TEXT = Buffer.from("text that deflates, deflates and deflates");
const member = (more: Partial<RawZipMember> = {}): RawZipMember => ({ name: "m", content: TEXT, ...more });

test("members come with name, kind, executable bit and content", async () => {
  const large = Buffer.alloc(1_000_000, "large enough for the stream");
  const members = await read(
    zipOf([
      member(),
      { name: "d/" },
      { name: "d/größe", content: large },
      { name: "stored", content: TEXT, method: 0 },
      { name: "run.sh", content: TEXT, mode: 0o100755 },
      { name: "empty", content: Buffer.alloc(0) },
      { name: "old", content: TEXT, mode: 0 },
    ]),
  );
  assert.ok(typeof members !== "string", String(members));
  assert.deepEqual(
    members.map(({ path, kind, executable }) => [path, kind, executable]),
    [
      ["m", "file", false],
      ["d/", "directory", false],
      ["d/größe", "file", false],
      ["stored", "file", false],
      ["run.sh", "file", true],
      ["empty", "file", false],
      ["old", "file", false],
    ],
  );
  assert.deepEqual(members[0]?.content, TEXT);
  assert.ok(members[2]?.content.equals(large));
});

test("a writer that does not know sizes beforehand states them behind the data", async () => {
  const packed = deflateRawSync(TEXT);
  const behind = descriptor(crc32(TEXT), packed.length, TEXT.length);
  const later = { flags: 8, local: { crc: 0, bytes: 0 } };
  for (const bytes of [behind, behind.subarray(4)]) {
    const members = await read(zipOf([member({ ...later, behind: bytes }), { name: "next" }]));
    assert.ok(typeof members !== "string", String(members));
    assert.deepEqual(members[0]?.content, TEXT);
  }
});

test("sizes of 64 bits are read where the short field sends for them, and nowhere else", async () => {
  const extra = zipExtra(1, words64(TEXT.length));
  const good = await read(zipOf([member({ bytes: 0xffffffff, extra })]));
  assert.ok(typeof good !== "string", String(good));
  assert.match(String(await read(zipOf([member({ extra })]))), /archive.corrupt: .*zip64 field that is not asked for/);
  const huge = zipExtra(1, words64(2n ** 63n));
  assert.match(String(await read(zipOf([member({ bytes: 0xffffffff, extra: huge })]))), /impossible number/);
});

test("a zip64 end record that nothing asks for is read, as PyTorch writes it, and has to say the same", async () => {
  const zip = zipOf([member()]);
  const good = await read(withEnd64(zip));
  assert.ok(typeof good !== "string", String(good));
  assert.match(String(await read(withEnd64(zip, 1))), /corrupt: .*two end records that contradict each other/);
});

/** What two readers could see in two ways, or what is no file or folder. */
const REFUSED: readonly (readonly [string, Buffer, RegExp])[] = [
  ["wrong checksum", zipOf([member({ crc: 1 })]), /corrupt: .*checksum does not fit/],
  ["larger than said", zipOf([member({ bytes: 5 })]), /corrupt: .*(inflated|larger)/],
  ["smaller than said", zipOf([member({ bytes: 500 })]), /corrupt: .*smaller/],
  ["a size that deflate cannot make", zipOf([member({ bytes: 500_000_000 })]), /corrupt: .*impossible size/],
  ["stored with two sizes", zipOf([member({ method: 0, bytes: 3 })]), /corrupt: .*two sizes/],
  ["local name differs", zipOf([member({ local: { name: "x" } })]), /corrupt: .*another name/],
  ["local size differs", zipOf([member({ local: { bytes: 1 } })]), /corrupt: .*another size/],
  ["local checksum differs", zipOf([member({ local: { crc: 1 } })]), /corrupt: .*another size or checksum/],
  ["local flags differ", zipOf([member({ local: { flags: 8 } })]), /corrupt: .*another method/],
  ["encrypted", zipOf([member({ flags: 1 })]), /format: .*encryption/],
  ["AES", zipOf([member({ extra: zipExtra(0x9901, Buffer.alloc(7)) })]), /format: .*encryption/],
  ["another method", zipOf([member({ method: 12 })]), /format: .*compression method 12/],
  ["symbolic link", zipOf([member({ mode: 0o120777 })]), /unsafe: .*symbolic link, "m"/],
  ["device", zipOf([member({ mode: 0o020666 })]), /unsafe: .*neither a file nor a folder/],
  ["file whose mode is a folder's", zipOf([member({ mode: 0o40755 })]), /unsafe: .*neither/],
  ["folder with content", zipOf([member({ name: "d/", mode: 0o40755 })]), /corrupt: .*folder with content/],
  ["name of unknown encoding", zipOf([member({ name: "größe", flags: 0 })]), /unsafe: .*encoding/],
  [
    "a second name in an extra field",
    zipOf([member({ extra: zipExtra(0x7075, Buffer.concat([Buffer.alloc(5), Buffer.from("other")])) })]),
    /corrupt: .*two names/,
  ],
  ["extra field twice", zipOf([member({ extra: Buffer.concat([zipExtra(9, TEXT), zipExtra(9, TEXT)]) })]), /twice/],
  ["extra field cut short", zipOf([member({ extra: zipExtra(9, TEXT).subarray(0, 9) })]), /corrupt: .*cut short/],
  ["members on one another", zipOf([member(), member({ name: "n" })], { offsets: [0, 0] }), /corrupt: .*overlap/],
  ["bytes before", zipOf([member()], { before: Buffer.from("#!/bin/sh\n") }), /corrupt: .*before the first member/],
  ["bytes between", zipOf([member({ behind: Buffer.from("hidden") }), member({ name: "n" })]), /corrupt: .*no member/],
  ["a wrong descriptor", zipOf([member({ flags: 8, behind: descriptor(1, 2, 3) })]), /corrupt: .*another size/],
  ["count too small", zipOf([member(), member({ name: "n" })], { count: 1 }), /corrupt: .*behind the directory/],
  ["count too large", zipOf([member()], { count: 2 }), /corrupt: .*no member in the directory/],
  ["two end records", zipOf([member()], { comment: zipOf([]) }), /corrupt: .*two end records/],
  ["bytes behind the end", Buffer.concat([zipOf([member()]), Buffer.from("x")]), /corrupt: .*no end record/],
  ["several volumes", zipOf([member()], { disk: 1 }), /format: .*volumes/],
  [
    "data behind the deflated data",
    zipOf([member({ packed: Buffer.concat([deflateRawSync(TEXT), Buffer.from("more")]) })]),
    /corrupt: .*behind a member's end/,
  ],
];

for (const [what, zip, reason] of REFUSED) {
  test(`refused: ${what}`, async () => assert.match(String(await read(zip)), reason));
}

test("a zip cut anywhere is refused, and one with any bit turned is refused or means the same", async () => {
  const zip = zipOf([member(), { name: "d/" }, { name: "s", content: Buffer.from("stored"), method: 0 }]);
  const whole = await read(zip);
  for (let length = 0; length < zip.length; length++) {
    assert.equal(typeof (await read(zip.subarray(0, length))), "string", `${length} bytes`);
  }
  for (let bit = 0; bit < zip.length * 8; bit++) {
    const turned = Buffer.from(zip);
    turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const members = await read(turned);
    if (typeof members === "string") continue;
    const content = (list: typeof whole) => typeof list !== "string" && list.map(({ path, content: c }) => [path, c]);
    assert.deepEqual(content(members), content(whole), `bit ${bit}`);
  }
});

test("random bytes in a zip's clothes end in a failure of ours", async () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(bytes, async (noise) => {
      const zip = zipOf([member({ packed: Buffer.from(noise) }), { name: "n", extra: Buffer.from(noise) }]);
      assert.equal(typeof (await read(zip)), "string");
    }),
    { numRuns: 200 },
  );
});
