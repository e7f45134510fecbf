import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, deflateRawSync } from "node:zlib";
import { bufferReader } from "../../../../src/formats/bufferReader";
import type { PickleFacts } from "../../../../src/formats/pickle/facts";
import { readPickleFile } from "../../../../src/formats/pickle/pickleFile";
import { text } from "../../../fixtures/pickleBypasses";
import { zipOf } from "../../../fixtures/torchZip";

function factsOf(bytes: Uint8Array): PickleFacts {
  return readPickleFile(bufferReader(bytes)).facts;
}

/** `os.system("id")` under protocol 0, which declares nothing. */
const PAYLOAD = Buffer.from("cposix\nsystem\n(S'id'\ntR.", "latin1");
/** More opcodes than are followed in one file. */
const DECOY = Buffer.alloc(1_100_000, 0x4e);

function tarOf(members: readonly (readonly [name: string, content: Buffer])[]): Buffer {
  const blocks = members.flatMap(([name, content]) => {
    const head = Buffer.alloc(512);
    head.write(name, 0, "latin1");
    head.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124, "latin1");
    head.write("0", 156, "latin1");
    head.write("ustar\0", 257, "latin1");
    head.write(" ".repeat(8), 148, "latin1");
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    return [head, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** An archive whose directory names the one member there is `count` times. */
function repeatedZip(content: Buffer, count: number, packedOf: (i: number, length: number) => number): Buffer {
  const packed = deflateRawSync(content);
  const sum = crc32(content);
  const local = Buffer.alloc(31);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(sum, 14);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt32LE(content.length, 22);
  local.writeUInt16LE(1, 26);
  local.write("m", 30);
  const entries = Array.from({ length: count }, (_, i) => {
    const entry = Buffer.alloc(47);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(8, 10);
    entry.writeUInt32LE(sum, 16);
    entry.writeUInt32LE(packedOf(i, packed.length), 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(1, 28);
    entry.write("m", 46);
    return entry;
  });
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(local.length + packed.length, 16);
  return Buffer.concat([local, packed, directory, end]);
}

function isOpaque({ findings }: PickleFacts, kind: string): boolean {
  return findings.some((found) => found.kind === kind && found.verdict === "opaque");
}

test("a member that uses up the opcodes does not hide the members behind it", () => {
  const members = [
    ["a/decoy", DECOY],
    ["a/model", PAYLOAD],
  ] as const;
  for (const bytes of [zipOf([...members]), zipOf([...members], { deflate: true }), tarOf(members)]) {
    const facts = factsOf(bytes);
    assert.notEqual(facts.verdict, "allowed", JSON.stringify(facts));
    assert.ok(isOpaque(facts, "limit"), JSON.stringify(facts));
    assert.ok(
      facts.findings.some(({ message }) => message.startsWith("1 member was not looked into")),
      JSON.stringify(facts),
    );
  }
});

test("a call behind a long text in a deflated member without a mark is found", () => {
  // Text that hardly packs, so that the first 16 KiB packed do not reach its end.
  const noise = Array.from({ length: 80_000 }, (_, i) => 33 + (crc32(`${i}`) % 6)).map((code) =>
    String.fromCharCode(code),
  );
  const long = Buffer.from(`V${noise.join("")}\n0`, "latin1");
  const facts = factsOf(zipOf([["a/model", Buffer.concat([long, PAYLOAD])]], { deflate: true }));
  assert.equal(facts.verdict, "dangerous", JSON.stringify(facts));
});

test("a member beyond the bytes that are unpacked is opaque when its beginning may be a pickle's", () => {
  const long = Buffer.concat([
    Buffer.from("X\0\0\x60\x04", "latin1"),
    Buffer.alloc(70 * 2 ** 20),
    Buffer.from("0"),
    PAYLOAD,
  ]);
  assert.ok(isOpaque(factsOf(zipOf([["a/model", long]], { deflate: true })), "compressed"));
});

test("an archive of many large members, or of one named often, is not unpacked without end", () => {
  const zeros = Buffer.alloc(16 * 2 ** 20);
  const bytes = repeatedZip(zeros, 2_000, (i, length) => length + i);
  const begun = performance.now();
  const spent = factsOf(bytes);
  assert.ok(performance.now() - begun < 10_000, String(performance.now() - begun));
  assert.ok(isOpaque(spent, "limit"), JSON.stringify(spent).slice(0, 2_000));
});

/** One number of numpy, kept in the memo under 0 and taken off the stack. */
const NUMBER = `cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n${text("u1")}\x89\x88\x87R(K\x03${text("|")}NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbC\x01\x07\x86Rq\x000`;

function charactersOf(pickle: string): number {
  const { arrays } = readPickleFile(bufferReader(Buffer.from(`\x80\x04${NUMBER}${pickle}.`, "latin1")));
  assert.ok(arrays.length > 0);
  return arrays.reduce((sum, { path }) => sum + path.join("/").length, 0);
}

test("an array that is referred to a million times is listed no more often than others of that size could be", () => {
  const many = (count: number) =>
    readPickleFile(bufferReader(Buffer.from(`\x80\x04${NUMBER}](${"h\0".repeat(count)}e.`, "latin1")));
  const { arrays, facts } = many(900_000);
  assert.ok(arrays.length > 100_000 && arrays.length < 130_000, String(arrays.length));
  const told = (found: PickleFacts): boolean => found.findings.some(({ kind }) => kind === "arrays");
  assert.deepEqual([told(facts), told(many(1_000).facts)], [true, false]);
});

test("the names of arrays that a few bytes refer to again take no more memory than a fixed amount", () => {
  const deep = `${"]".repeat(1_000)}(${"h\0".repeat(20_000)}e${"a".repeat(999)}`;
  assert.ok(charactersOf(deep) < 2 ** 24);
  const long = `X\x60\xea\0\0${"k".repeat(60_000)}q\x01`;
  assert.ok(charactersOf(`}${long}](${"h\0".repeat(2_000)}es`) < 2 ** 24);
});

test("keys of which texts could be made longer than memory are made names only where an array is", () => {
  const long = `X\x60\xea\0\0${"k".repeat(60_000)}q\x01`;
  const key = `(${long}${"h\x01".repeat(15)}tq\x020`;
  assert.ok(charactersOf(`]q\x030${key}}(${"h\x02h\x03".repeat(20_000)}K\x00h\0u`) < 100);
});

test("an array of more dimensions than numpy has is none, however often it is referred to", () => {
  const type = `cnumpy\ndtype\n${text("u1")}\x89\x88\x87R(K\x03${text("|")}NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb`;
  const listed = (rank: number): number => {
    const made = `cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\0\x85C\x01btR(K\x01(${"K\x01".repeat(rank)}t${type}\x89C\x01\x07tb`;
    const again = `q\x000](${"h\0".repeat(10_000)}e.`;
    return readPickleFile(bufferReader(Buffer.from(`\x80\x04${made}${again}`, "latin1"))).arrays.length;
  };
  assert.equal(listed(64), 10_000);
  assert.equal(listed(10_000), 0);
});
