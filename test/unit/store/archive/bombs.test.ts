import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import test, { after } from "node:test";
import { crc32, createGzip, gzipSync } from "node:zlib";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { assertRoom } from "../../../../src/store/archive/freeSpace";
import { ArchiveGate, ExpansionGuard, type SafeSink } from "../../../../src/store/archive/gate";
import { importArchive } from "../../../../src/store/archive/importArchive";
import { ARCHIVE_LIMITS } from "../../../../src/store/archive/limits";
import { openArchive } from "../../../../src/store/archive/openArchive";
import { StagingWriter } from "../../../../src/store/archive/stagingWriter";
import { ModelStore } from "../../../../src/store/modelStore";
import { modelYaml, storedXz } from "../../../fixtures/hostileArchives";
import { paxBody, rawMember, tarOf } from "../../../fixtures/rawTar";
import { tempFolder } from "../storeKit";

const { path: folder, remove } = tempFolder();
after(remove);

const MIB = 1024 ** 2;
const YAML = rawMember({ name: "model.yaml", content: modelYaml() });

const octal = (bytes: number) => Buffer.from(`${bytes.toString(8).padStart(11, "0")}\0`);

/** A gzip of `head`, `zeros` zero bytes and `tail`, made without holding them. */
async function gzipBomb(head: Buffer, zeros: number, tail: Buffer): Promise<Buffer> {
  const engine = createGzip({ level: 9 });
  const parts: Buffer[] = [];
  engine.on("data", (part: Buffer) => parts.push(part));
  const ended = new Promise((resolve) => engine.once("end", resolve));
  const put = (bytes: Buffer) => new Promise((resolve) => engine.write(bytes, resolve));
  const block = Buffer.alloc(8 * MIB);
  await put(head);
  for (let left = zeros; left > 0; left -= block.length) await put(block.subarray(0, Math.min(block.length, left)));
  engine.end(tail);
  await ended;
  return Buffer.concat(parts);
}

/** A one-block .xz whose index says that `bytes` come out. */
function withIndexClaim(xz: Buffer, bytes: number): Buffer {
  const indexBytes = (xz.readUInt32LE(xz.length - 8) + 1) * 4;
  const indexAt = xz.length - 12 - indexBytes;
  const unpadded = xz.subarray(indexAt + 2, indexAt + 4); // two bytes for every block of 128 to 16,383 bytes
  const claim: number[] = [];
  let rest = bytes;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) claim.push((rest % 0x80) | 0x80);
  const records = Buffer.concat([Buffer.from([0, 1]), unpadded, Buffer.from([...claim, rest])]);
  const index = Buffer.concat([records, Buffer.alloc((4 - (records.length % 4)) % 4)]);
  const footer = Buffer.from(xz.subarray(xz.length - 12));
  footer.writeUInt32LE((index.length + 4) / 4 - 1, 4);
  footer.writeUInt32LE(crc32(footer.subarray(4, 10)), 0);
  const check = Buffer.alloc(4);
  check.writeUInt32LE(crc32(index));
  return Buffer.concat([xz.subarray(0, indexAt), index, check, footer]);
}

/** Reads an archive as an importer does, and tells how much of it would have been written. */
async function measure(archive: Buffer): Promise<{ code: string; written: number; grownBytes: number }> {
  let written = 0;
  const before = process.memoryUsage().rss;
  let peak = before;
  const sink: SafeSink = {
    open() {},
    write: (chunk) => {
      written += chunk.length;
      peak = Math.max(peak, process.memoryUsage().rss);
    },
    close() {},
  };
  try {
    const opened = openArchive(bufferReader(archive));
    const gate = new ArchiveGate(ARCHIVE_LIMITS, opened, sink);
    for await (const _slice of opened.members(gate, new ExpansionGuard(ARCHIVE_LIMITS)));
    gate.finish();
    return { code: "accepted", written, grownBytes: peak - before };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    return { code, written, grownBytes: peak - before };
  }
}

async function assertRefused(archive: Buffer, code: string): Promise<void> {
  const outcome = await measure(archive);
  assert.equal(outcome.code, code);
  assert.ok(outcome.written <= 64 * MIB, `${outcome.written} bytes would have been written`);
  assert.ok(outcome.grownBytes <= 256 * MIB, `memory grew by ${outcome.grownBytes} bytes`);
}

test("a member of 1 GiB zeros in a small gzip is refused before its first byte", async () => {
  const head = Buffer.concat([YAML, rawMember({ name: "zeros", size: octal(1024 * MIB) })]);
  const outcome = await measure(await gzipBomb(head, 300 * MIB, Buffer.alloc(0)));
  assert.equal(outcome.code, "archive.unsafe");
  assert.ok(outcome.written <= modelYaml().length);
});

test("many members that are dense together are refused within 64 MiB", async () => {
  const members = Array.from({ length: 300 }, (_, i) => rawMember({ name: `z${i}`, content: Buffer.alloc(MIB) }));
  await assertRefused(gzipSync(tarOf(YAML, ...members)), "archive.unsafe");
});

test("zeros behind the end of the tar are counted too", async () => {
  await assertRefused(await gzipBomb(tarOf(YAML), 300 * MIB, Buffer.alloc(0)), "archive.unsafe");
});

test("content that honestly does not shrink may be large", async () => {
  const block = Buffer.alloc(MIB);
  for (let i = 0; i < block.length; i += 4) block.writeUInt32LE((i * 2_654_435_761) >>> 0, i);
  const members = Array.from({ length: 70 }, (_, i) => rawMember({ name: `w${i}`, content: block }));
  const outcome = await measure(await storedXz(tarOf(YAML, ...members)));
  assert.equal(outcome.code, "accepted");
  assert.ok(outcome.written > 64 * MIB);
});

test("sizes that only claim are refused at their header", async () => {
  const claims = [
    rawMember({ name: "s", size: Buffer.from("800000000000010000000000", "hex") }),
    Buffer.concat([
      rawMember({ name: "p", type: "x", content: paxBody(["size", String(2 ** 40)]) }),
      rawMember({ name: "s", content: Buffer.from("abc") }),
    ]),
    rawMember({ name: "s", type: "S", gnu: true, size: octal(MIB) }),
  ];
  for (const claim of claims) {
    const tar = tarOf(YAML, claim);
    for (const archive of [tar, gzipSync(tar), await storedXz(tar)]) {
      const { code, written } = await measure(archive);
      assert.match(code, /^archive\.(unsafe|corrupt)$/);
      assert.ok(written <= modelYaml().length);
    }
  }
});

test("an xz that asks for a dictionary of 4 GiB is refused without allocating it", async () => {
  const archive = await storedXz(tarOf(YAML));
  archive[16] = 40;
  archive.writeUInt32LE(crc32(archive.subarray(12, 20)), 20);
  await assertRefused(archive, "archive.unsafe");
});

test("an 8 GiB sparse file that calls itself tar is not read through", async () => {
  const source = join(folder, "sparse.tar");
  const handle = openSync(source, "w");
  writeSync(
    handle,
    Buffer.concat([YAML, rawMember({ name: "s", size: Buffer.from("800000000000000300000000", "hex") })]),
  );
  ftruncateSync(handle, 13 * 1024 * MIB);
  closeSync(handle);
  const store = new ModelStore(join(folder, "home-sparse"));
  await assert.rejects(importArchive(store, { source, onConflict: "fail", dryRun: true }), { code: "archive.unsafe" });
});

test("an xz whose index claims terabytes is refused as too large, not for want of room", async () => {
  const archive = await storedXz(tarOf(YAML));
  const claim = withIndexClaim(archive, 2 ** 42);
  const source = join(folder, "claim.bentomodel");
  writeFileSync(source, claim);
  const store = new ModelStore(join(folder, "home-claim"));
  await assert.rejects(importArchive(store, { source, onConflict: "fail" }), { code: "archive.unsafe" });
  assert.ok(!existsSync(store.home));
});

test("an archive that does not fit on the device is refused before anything is written", () => {
  assert.throws(() => assertRoom(10 * 1024 * MIB, 1024 * MIB, "/store"), { code: "store.access" });
  assertRoom(MIB, 1024 * MIB, "/store");
  const staging = join(folder, "staging");
  const writer = new StagingWriter(staging, () => 20 * MIB);
  const member = { kind: "file" as const, path: "w", bytes: 30 * MIB, executable: false };
  assert.throws(() => writer.open(member), { code: "store.access" });
  assert.ok(!existsSync(staging));
});

test("a limit given with the request replaces the default of 8 GiB", async () => {
  const source = join(folder, "limited.tar");
  writeFileSync(source, tarOf(YAML, rawMember({ name: "w", content: Buffer.alloc(100_000) })));
  const store = new ModelStore(join(folder, "home-limited"));
  const request = { source, onConflict: "fail" as const };
  await assert.rejects(importArchive(store, { ...request, limits: { expandedBytes: 50_000 } }), {
    code: "archive.unsafe",
  });
  assert.deepEqual(readdirSync(join(store.home, ".modelbench", "staging")), []);
  const { bytes } = await importArchive(store, { ...request, limits: { expandedBytes: 200_000 } });
  assert.equal(bytes, 100_000 + modelYaml().length);
  assert.ok(statSync(store.pathOf({ name: "hostile_model", version: "v1" })).isDirectory());
});
