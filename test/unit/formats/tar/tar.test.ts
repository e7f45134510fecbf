import assert from "node:assert/strict";
import test from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import { TarReader } from "../../../../src/formats/tar/tarReader";
import { type TarMember, tarEnd, tarHeader, tarPadding } from "../../../../src/formats/tar/tarWriter";
import { fc } from "../../../fixtures/fastCheck";
import { paxBody, RecordingSink, rawMember, tarOf } from "../../../fixtures/rawTar";

function write(members: readonly (TarMember & { readonly content: Buffer })[]): Buffer {
  const packed = Buffer.concat(
    members.flatMap((m) => [tarHeader(m), m.content, Buffer.alloc(tarPadding(m.content.length))]),
  );
  return Buffer.concat([packed, Buffer.alloc(tarEnd(packed.length))]);
}

function read(tar: Uint8Array, step = tar.length || 1): RecordingSink {
  const sink = new RecordingSink();
  const reader = new TarReader(sink);
  for (let at = 0; at < tar.length; at += step) reader.push(tar.subarray(at, at + step));
  reader.finish();
  return sink;
}

function codeOf(tar: Uint8Array): string {
  try {
    read(tar);
  } catch (error) {
    return error instanceof ModelbenchError ? error.code : `not ours: ${error}`;
  }
  return "accepted";
}

const file = (path: string, content: string | Buffer): TarMember & { readonly content: Buffer } => ({
  path,
  kind: "file",
  bytes: Buffer.byteLength(content),
  mode: 0o644,
  mtime: 1_700_000_000,
  content: Buffer.from(content),
});

test("what the writer packs is read back, long and non-ASCII names included", () => {
  const members = [
    { ...file("./", ""), kind: "directory" as const },
    file("./model.yaml", "name: m\n"),
    file(`./${"d".repeat(120)}/${"f".repeat(120)}`, Buffer.alloc(512, 7)),
    file("./größe-模型.bin", Buffer.alloc(513, 9)),
    { ...file("./run.sh", ""), mode: 0o755 },
  ];
  const { members: found } = read(write(members));
  assert.deepEqual(
    found.map(({ path, kind, content }) => ({ path, kind, content })),
    members.map(({ path, kind, content }) => ({ path, kind, content })),
  );
  assert.deepEqual(
    found.map((m) => m.executable),
    [false, false, false, false, true],
  );
});

test("any list of members survives writing and reading in chunks of any size", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 150 }).filter((s) => !s.includes("\0"));
  const member = fc.record({ path: name, content: fc.uint8Array({ maxLength: 2000 }), executable: fc.boolean() });
  fc.assert(
    fc.property(fc.array(member, { maxLength: 6 }), fc.integer({ min: 1, max: 3000 }), (members, step) => {
      const tar = write(
        members.map((m) => ({ ...file(m.path, Buffer.from(m.content)), mode: m.executable ? 0o755 : 0o644 })),
      );
      const { members: found } = read(tar, step);
      assert.deepEqual(
        found.map(({ path, executable, content }) => ({ path, executable, content })),
        members.map((m) => ({ path: m.path, executable: m.executable, content: Buffer.from(m.content) })),
      );
    }),
    { numRuns: 150 },
  );
});

test("GNU archives with long names are read", () => {
  const long = `./${"x".repeat(200)}`;
  const tar = tarOf(
    rawMember({ name: "././@LongLink", type: "L", content: Buffer.from(`${long}\0`), gnu: true }),
    rawMember({ name: long.slice(0, 100), content: Buffer.from("content"), gnu: true }),
  );
  assert.deepEqual(
    read(tar).members.map((m) => [m.path, m.content.toString()]),
    [[long, "content"]],
  );
});

test("a base-256 size is read, a negative or absurd one refused", () => {
  const positive = Buffer.from("800000000000000000000003", "hex");
  const tar = tarOf(rawMember({ name: "a", content: Buffer.from("abc"), size: positive }));
  assert.equal(read(tar).members[0]?.content.toString(), "abc");
  for (const size of ["ffffffffffffffffffffffff", "8000000000ffffffffffffff", "810000000000000000000003"]) {
    const raw = rawMember({ name: "a", content: Buffer.from("abc"), size: Buffer.from(size, "hex") });
    assert.equal(codeOf(tarOf(raw)), "archive.corrupt", size);
  }
  for (const size of ["0000000000x\0", "-0000000001\0", "00000000 003", "0x000000003\0"]) {
    const raw = rawMember({ name: "a", content: Buffer.from("abc"), size: Buffer.from(size, "latin1") });
    assert.equal(codeOf(tarOf(raw)), "archive.corrupt", size);
  }
});

test("pax records that say nothing about content are passed over", () => {
  const body = paxBody(["mtime", "1700000000.5"], ["uname", "ü"], ["SCHILY.xattr.user.x", "1"], ["comment", "hi"]);
  const tar = tarOf(
    rawMember({ name: "pax_global_header", type: "g", content: paxBody(["comment", "0123abcd"]) }),
    rawMember({ name: "PaxHeader", type: "x", content: body }),
    rawMember({ name: "a", content: Buffer.from("abc") }),
  );
  assert.deepEqual(
    read(tar).members.map((m) => m.path),
    ["a"],
  );
});

test("pax records that are malformed, repeated, unknown or contradict the header are refused", () => {
  const bodies: readonly (readonly [string, Buffer])[] = [
    ["wrong length", Buffer.from("99 path=x\n")],
    ["zero length", Buffer.from("0 path=x\n")],
    ["no newline", Buffer.from("10 path=xx")],
    ["no equals sign", Buffer.from("7 path\n")],
    ["length with a sign", Buffer.from("+9 path=x\n")],
    ["repeated", paxBody(["path", "a"], ["path", "b"])],
    ["sparse map", paxBody(["GNU.sparse.major", "1"])],
    ["link", paxBody(["linkpath", "b"])],
    ["charset", paxBody(["hdrcharset", "BINARY"])],
    ["unknown", paxBody(["whatever", "1"])],
    ["size hides a member", paxBody(["size", "512"])],
    ["negative size", paxBody(["size", "-1"])],
    ["hexadecimal size", paxBody(["size", "0x3"])],
    ["prototype", paxBody(["__proto__", "1"])],
  ];
  for (const [title, content] of bodies) {
    const tar = tarOf(
      rawMember({ name: "PaxHeader", type: "x", content }),
      rawMember({ name: "a", content: Buffer.from("abc") }),
    );
    assert.equal(codeOf(tar), "archive.corrupt", title);
  }
  const global = rawMember({ name: "g", type: "g", content: paxBody(["path", "x"]) });
  assert.equal(codeOf(tarOf(global, rawMember({ name: "a", content: Buffer.from("abc") }))), "archive.corrupt");
});

test("two headers about one member, and a header about none, are refused", () => {
  const pax = rawMember({ name: "p", type: "x", content: paxBody(["path", "b"]) });
  const long = rawMember({ name: "l", type: "L", content: Buffer.from("c\0") });
  const member = rawMember({ name: "a", content: Buffer.from("abc") });
  for (const parts of [
    [pax, pax, member],
    [long, long, member],
    [pax, long, member],
    [member, pax],
    [member, long],
  ]) {
    assert.equal(codeOf(tarOf(...parts)), "archive.corrupt");
  }
});

test("links, devices, sparse files and unknown kinds are refused by name", () => {
  for (const type of ["1", "2", "3", "4", "6", "7", "K", "S", "M", "V", "D", "Z", "\x01"]) {
    const tar = tarOf(rawMember({ name: "evil\x1b[31m", type, content: Buffer.alloc(0) }));
    assert.throws(
      () => read(tar),
      (error: unknown) => {
        assert.ok(error instanceof ModelbenchError && error.code === "archive.unsafe");
        assert.doesNotMatch(error.message, /\p{Cc}/u);
        return true;
      },
    );
  }
});

test("headers that readers could take differently are refused", () => {
  const abc = Buffer.from("abc");
  const hidden = rawMember({ name: "a\0../../b", content: abc });
  const gnuPrefix = rawMember({ name: "a", prefix: "..", content: abc, gnu: true });
  const v7 = rawMember({ name: "a", content: abc, magic: "\0\0\0\0\0\0\0\0" });
  const folder = rawMember({ name: "d/", type: "5", content: abc });
  const sum = rawMember({ name: "a", content: abc });
  sum[150] = (sum[150] ?? 0) ^ 1;
  for (const raw of [hidden, gnuPrefix, v7, folder, sum]) assert.equal(codeOf(tarOf(raw)), "archive.corrupt");
});

test("extra headers that declare a gigabyte are refused without waiting for it", () => {
  for (const type of ["x", "g", "L"]) {
    const raw = rawMember({ name: "p", type, content: Buffer.alloc(0), size: Buffer.from("10000000000\0") });
    assert.equal(codeOf(tarOf(raw)), "archive.corrupt");
  }
});

test("an archive must end with two zero blocks and nothing but zeros behind", () => {
  const member = rawMember({ name: "a", content: Buffer.from("abc") });
  assert.equal(codeOf(member), "archive.corrupt");
  assert.equal(codeOf(Buffer.concat([member, Buffer.alloc(512)])), "archive.corrupt");
  assert.equal(codeOf(Buffer.concat([member, Buffer.alloc(512), member, Buffer.alloc(1024)])), "archive.corrupt");
  assert.equal(codeOf(Buffer.concat([tarOf(member), member])), "archive.corrupt");
  assert.equal(codeOf(Buffer.concat([tarOf(member), Buffer.from([1])])), "archive.corrupt");
  assert.equal(codeOf(Buffer.concat([tarOf(member), Buffer.alloc(777)])), "accepted");
});

test("an archive cut at any byte is refused, or complete but for its last zeros", () => {
  const tar = write([file("./a", "abc"), file(`./${"b".repeat(150)}`, "defg")]);
  const whole = read(tar).members;
  for (let cut = 0; cut < tar.length; cut++) {
    const part = tar.subarray(0, cut);
    if (codeOf(part) === "accepted") {
      assert.ok(cut >= tar.lastIndexOf("defg") + 512, `accepted when cut at ${cut}`);
      assert.deepEqual(read(part).members, whole);
    } else assert.equal(codeOf(part), "archive.corrupt", `cut at ${cut}`);
  }
});

// Tar itself protects headers only: contents and pax bodies are covered by the checksum of the xz or gzip around it.
test("a turned bit anywhere but in contents is refused or changes nothing", () => {
  const tar = write([file("./a", "abc"), file(`./${"b".repeat(90)}`, "defg")]).subarray(0, 4096);
  const whole = read(tar).members;
  const contents = [tar.indexOf("abc"), tar.lastIndexOf("defg")];
  const lengths = [3, 4];
  for (let bit = 0; bit < tar.length * 8; bit++) {
    const at = bit >> 3;
    if (contents.some((start, i) => at >= start && at < start + (lengths[i] ?? 0))) continue;
    const turned = Buffer.from(tar);
    turned[at] = (turned[at] ?? 0) ^ (1 << (bit & 7));
    const code = codeOf(turned);
    if (code === "accepted") assert.deepEqual(read(turned).members, whole, `bit ${bit}`);
    else assert.match(code, /^archive\./, `bit ${bit}`);
  }
});

test("random blocks never raise anything but our own errors", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
      assert.match(codeOf(bytes), /^(accepted|archive\.(corrupt|unsafe))$/);
    }),
    { numRuns: 300 },
  );
});
