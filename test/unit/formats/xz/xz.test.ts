import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import test from "node:test";
import { crc32 } from "node:zlib";
import { ModelbenchError } from "../../../../src/base/errors";
import { readXzLayout, type XzStream } from "../../../../src/formats/xz/layout";
import { readStored } from "../../../../src/formats/xz/storedReader";
import { openXz } from "../../../../src/formats/xz/xzReader";
import { writeStoredXz } from "../../../../src/formats/xz/xzWriter";
import { fleetingReader } from "../../../fixtures/fleetingReader";
import { xzOf } from "../../../fixtures/rawXz";

// Made by xz 5.4.1 of the line "hello hello hello hello" a hundred times (2,400 bytes), with the options named.
const TEXT = Buffer.from("hello hello hello hello\n".repeat(100));
const CRC64 =
  "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AlfABxdADQZSe6N6VYKwfnAwaKbXWbMuWDOzyWA6WD5FQAAh+OygpnTST4AATjgEgAAANYJuPmxxGf7AgAAAAAEWVo=";
const CRC32 =
  "/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4AlfABxdADQZSe6N6VYKwfnAwaKbXWbMuWDOzyWA6WD5FQAAQPdnBwABNOASAAAArcl6jj4wDYsCAAAAAAFZWg==";
const NO_CHECK =
  "/Td6WFoAAAD/EtlBAgAhAQwAAACPmEGc4AlfABxdADQZSduFXGfediMFa5hb1axr67V1/9swAzx5CwAAAAEw4BIAAAC7i+sVqAAK/AIAAAAAAFla";
const SHA256 =
  "/Td6WFoAAArh+wyhAgAhARYAAAB0L+Wj4AlfABxdADQZSe6N6VYKwfnAwaKbXWbMuWDOzyWA6WD5FQAAMPBV7FN0YsONRaKgzBR+n47qCln8i/V0pbZHfnWtDQQAAVDgEgAAAOGEHx226d8cAgAAAAAKWVo=";
/** Three thousand `x` in blocks of a thousand. */
const BLOCKS =
  "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4APnAAtdADxv+7/+o7C5plYAAACFWM1rTdfywQIAIQEWAAAAdC/lo+AD5wALXQA8b/u//qOwuaZWAAAAhVjNa03X8sECACEBFgAAAHQv5aPgA+cAC10APG/7v/6jsLmmVgAAAIVYzWtN1/LBAAMn6Acn6Acn6AcAmFDlUxQXOzADAAAAAARZWg==";
const EMPTY = "/Td6WFoAAATm1rRGAAAAABzfRCEftvN9AQAAAAAEWVo=";
/** `--x86 --lzma2`: two filters. */
const X86 = "/Td6WFoAAATm1rRGAgEEACEBFgANhjUfAQABaGkAAAD+qTgRvMqlSAABGgLcLqV+H7bzfQEAAAAABFla";

const bytesOf = (base64: string) => Buffer.from(base64, "base64");

async function unpack(xz: Uint8Array): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of openXz(fleetingReader(xz)).content(() => undefined)) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

async function pack(chunks: readonly Uint8Array[]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const source = (async function* () {
    yield* chunks;
  })();
  for await (const chunk of writeStoredXz(source)) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

async function codeOf(xz: Uint8Array): Promise<string> {
  try {
    await unpack(xz);
  } catch (error) {
    return error instanceof ModelbenchError ? error.code : `not ours: ${error}`;
  }
  return "accepted";
}

/** The same file with another dictionary code in its first block header, whose checksum is mended. */
function withDictionary(xz: Buffer, code: number): Buffer {
  const copy = Buffer.from(xz);
  copy[16] = code;
  copy.writeUInt32LE(crc32(copy.subarray(12, 20)), 20);
  return copy;
}

test("what real xz packs is unpacked, whichever check it carries", async () => {
  for (const xz of [CRC64, CRC32, NO_CHECK]) assert.deepEqual(await unpack(bytesOf(xz)), TEXT);
  assert.equal((await unpack(bytesOf(BLOCKS))).toString(), "x".repeat(3000));
  assert.equal((await unpack(bytesOf(EMPTY))).length, 0);
});

test("several streams with padding between and behind them are one content", async () => {
  const glued = Buffer.concat([bytesOf(CRC64), Buffer.alloc(8), bytesOf(BLOCKS), bytesOf(EMPTY), Buffer.alloc(4)]);
  assert.equal((await unpack(glued)).toString(), TEXT.toString() + "x".repeat(3000));
});

test("padding of an odd length and garbage behind the end are refused", async () => {
  for (const tail of [Buffer.alloc(3), Buffer.alloc(6), Buffer.from("garbage!"), randomBytes(512)]) {
    assert.equal(await codeOf(Buffer.concat([bytesOf(CRC64), tail])), "archive.corrupt");
  }
  assert.equal(await codeOf(Buffer.alloc(0)), "archive.corrupt");
  assert.equal(await codeOf(Buffer.alloc(64)), "archive.corrupt");
});

test("dictionaries up to 64 MiB are decoded, larger ones refused before anything is allocated", async () => {
  assert.deepEqual(await unpack(withDictionary(bytesOf(CRC64), 28)), TEXT);
  const before = process.memoryUsage();
  for (const code of [29, 30, 36, 39, 40]) {
    assert.equal(await codeOf(withDictionary(bytesOf(CRC64), code)), "archive.unsafe");
  }
  assert.equal(await codeOf(withDictionary(bytesOf(CRC64), 41)), "archive.corrupt");
  const after = process.memoryUsage();
  assert.ok(after.rss - before.rss < 64 * 1024 * 1024, `grew by ${after.rss - before.rss} bytes`);
});

test("other filters and checks are named as not supported", async () => {
  assert.equal(await codeOf(bytesOf(X86)), "archive.format");
  assert.equal(await codeOf(bytesOf(SHA256)), "archive.format");
});

test("a file cut at any byte is refused, compressed and stored alike", async () => {
  for (const whole of [bytesOf(CRC64), bytesOf(BLOCKS), await pack([TEXT, TEXT])]) {
    for (let end = 0; end < whole.length; end++) {
      assert.equal(await codeOf(whole.subarray(0, end)), "archive.corrupt", `cut at ${end}`);
    }
  }
});

test("a single turned bit is refused or changes nothing", async () => {
  for (const whole of [bytesOf(CRC64), await pack([Buffer.from("stored content")])]) {
    const content = await unpack(whole);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const turned = Buffer.from(whole);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        assert.deepEqual(await unpack(turned), content, `bit ${bit}`);
      } catch (error) {
        assert.ok(error instanceof ModelbenchError && error.code.startsWith("archive."), `bit ${bit}: ${error}`);
      }
    }
  }
});

test("the decoder works again after it has failed or was left in the middle", async () => {
  const damaged = Buffer.from(bytesOf(CRC64));
  damaged[36] = (damaged[36] ?? 0) ^ 0xff;
  for (let i = 0; i < 3; i++) assert.equal(await codeOf(damaged), "archive.corrupt");
  for await (const chunk of openXz(fleetingReader(bytesOf(BLOCKS))).content(() => undefined)) {
    assert.ok(chunk.length > 0);
    break;
  }
  assert.deepEqual(await unpack(bytesOf(CRC64)), TEXT);
});

test("stored chunks come back through the direct reader and through the decoder", async () => {
  const content = randomBytes(300_000);
  for (const chunks of [[content], [content.subarray(0, 1), content.subarray(1)], []]) {
    const xz = await pack(chunks);
    const [stream] = readXzLayout(fleetingReader(xz));
    assert.ok(stream);
    assert.deepEqual(directly(xz, stream), { content: Buffer.concat(chunks), whole: true });
    assert.deepEqual(await unpack(xz), Buffer.concat(chunks));
  }
  const [compressed] = readXzLayout(fleetingReader(bytesOf(CRC32)));
  assert.ok(compressed);
  assert.deepEqual(directly(bytesOf(CRC32), compressed), { content: Buffer.alloc(0), whole: false });
});

/** What the direct reader gives, and whether it says that this is all. */
function directly(xz: Buffer, stream: XzStream): { content: Buffer; whole: boolean } {
  const chunks = readStored(fleetingReader(xz), stream);
  const parts: Buffer[] = [];
  for (let step = chunks.next(); ; step = chunks.next()) {
    if (step.done) return { content: Buffer.concat(parts), whole: step.value };
    parts.push(Buffer.from(step.value));
  }
}

test("a stream that begins stored and goes on compressed gives each byte once", async () => {
  const [block] = readXzLayout(fleetingReader(bytesOf(CRC32)))[0]?.blocks ?? [];
  assert.ok(block);
  const compressed = bytesOf(CRC32).subarray(block.offset + block.headerBytes, block.offset + block.unpaddedBytes - 4);
  for (const length of [1, 1000, 65_536]) {
    const stored = randomBytes(length);
    const head = Buffer.from([1, (length - 1) >> 8, (length - 1) & 0xff]);
    const content = Buffer.concat([stored, TEXT]);
    const xz = xzOf(Buffer.concat([head, stored, compressed]), content);
    assert.deepEqual(await unpack(xz), content, `${length} bytes`);
  }
});

test("content in very small chunks comes back whole", async () => {
  const content = randomBytes(5000);
  const chunks = [...content].map((byte, i) => Buffer.from([i === 0 ? 1 : 2, 0, 0, byte]));
  const xz = xzOf(Buffer.concat([...chunks, Buffer.alloc(1)]), content);
  assert.deepEqual(await unpack(xz), content);
});

test("a chunk of any length from 1 to 65,537 bytes is stored whole", async () => {
  for (const length of [1, 2, 3, 4, 65_535, 65_536, 65_537, 131_072, 131_073]) {
    const content = randomBytes(length);
    assert.deepEqual(await unpack(await pack([content])), content, `${length} bytes`);
  }
});

test("an index that claims more or less than comes out is refused", async () => {
  const xz = await pack([TEXT]);
  const indexBytes = (xz.readUInt32LE(xz.length - 8) + 1) * 4;
  const indexAt = xz.length - 12 - indexBytes;
  for (const delta of [1, -1]) {
    const copy = Buffer.from(xz);
    const last = indexAt + 2 + 2; // after the count and a two-byte size of the block
    copy[last] = (copy[last] ?? 0) + delta;
    copy.writeUInt32LE(crc32(copy.subarray(indexAt, xz.length - 16)), xz.length - 16);
    assert.equal(await codeOf(copy), "archive.corrupt");
  }
});

test("a stream header that contradicts its footer is refused, though both are whole", () => {
  const xz = bytesOf(NO_CHECK);
  xz[7] = 1;
  xz.writeUInt32LE(crc32(xz.subarray(6, 8)), 8);
  assert.throws(() => readXzLayout(fleetingReader(xz)), { code: "archive.corrupt", message: /contradicts/ });
});

test("a sparse gigabyte of padding is not walked through", async () => {
  const size = 1024 ** 3;
  const reader = { size, read: (_offset: number, length: number) => new Uint8Array(length) };
  assert.throws(() => readXzLayout(reader), { code: "archive.unsafe" });
});

test("content is the same whatever the sizes of the chunks it is written in", async () => {
  const content = randomBytes(200_000);
  const pieces: Buffer[] = [];
  for (let at = 0, step = 1; at < content.length; at += step, step = step * 3 + 1) {
    pieces.push(content.subarray(at, at + step));
  }
  const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  assert.equal(digest(await unpack(await pack(pieces))), digest(content));
});
