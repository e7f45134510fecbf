import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, deflateRawSync } from "node:zlib";
import { bufferReader } from "../../../../src/formats/bufferReader";
import type { PickleFacts } from "../../../../src/formats/pickle/facts";
import { readPickleFile } from "../../../../src/formats/pickle/pickleFile";
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
