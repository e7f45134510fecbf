import { crc32, deflateRawSync } from "node:zlib";
import { throwIfAborted } from "../../base/errors";
import type { JobOptions } from "../../base/ports";
import { deflatePieces } from "../../formats/deflatePieces";
import { directoryEntry, endRecords, localHeader, type ZipMember } from "../../formats/zip/zipWriter";
import { type ExportPlan, type OnDigest, type PlannedMember, readPlanned, samplePlan } from "./exportPlan";
import { deflates, SAMPLE_BYTES } from "./shrinking";

/** Bytes read from a file at once. */
const READ_BYTES = 256 * 1024;

/** A file that is written from its beginning to its end, and in which a few bytes may be put right afterwards. */
export interface PatchableFile {
  /** Answers when others had their turn. */
  append(bytes: Uint8Array): Promise<void>;
  patch(at: number, bytes: Uint8Array): void;
}

/** How members are packed: `measured` deflates those of which a sample shrinks. */
export type ZipPacking = "measured" | "stored" | "small";

/**
 * Writes the plan as a zip file: sizes stand before each member's data, so that a reader may take it as a stream, too.
 * @throws ModelbenchError `model.broken` when a file changes while it is packed, `cancelled`, what `onDigest` throws
 */
export async function packZip(
  plan: ExportPlan,
  file: PatchableFile,
  packing: ZipPacking,
  { signal, onProgress }: JobOptions,
  onDigest?: OnDigest,
): Promise<void> {
  const directory: Uint8Array[] = [];
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  let at = 0;
  let doneBytes = 0;
  for (const planned of plan.members) {
    if (planned.path === "") continue;
    const member = { ...headerOf(planned), method: chooseMethod(plan, planned, packing) };
    const header = localHeader(member);
    await file.append(header);
    const content = contentOf(plan, planned, buffer, onDigest, (read) => {
      throwIfAborted(signal);
      doneBytes += read;
      onProgress?.({ doneBytes, totalBytes: plan.bytes, current: planned.path });
    });
    const level = packing === "small" ? 9 : 6;
    const written = isSmall(planned)
      ? await writeSmallFile(file, content, packing, level)
      : await writeContent(file, content, member.method, level);
    const whole = { ...member, ...written };
    if (planned.kind === "file") file.patch(at, localHeader(whole));
    directory.push(directoryEntry(whole, at));
    at += header.length + written.packedBytes;
  }
  throwIfAborted(signal);
  const entries = Buffer.concat(directory);
  await file.append(entries);
  await file.append(endRecords(directory.length, at, entries.length));
}

function headerOf({ path, kind, bytes, executable, mtimeMs }: PlannedMember): Omit<ZipMember, "method"> {
  const mode = kind === "directory" || executable ? 0o755 : 0o644;
  return { path, kind, mode, mtimeMs, bytes, packedBytes: 0, crc32: 0 };
}

function chooseMethod(plan: ExportPlan, member: PlannedMember, packing: ZipPacking): ZipMember["method"] {
  if (isSmall(member) || packing === "stored") return "stored";
  if (packing === "small") return "deflated";
  const alone = { ...plan, members: [member], bytes: member.bytes };
  return deflates(samplePlan(alone, 4, SAMPLE_BYTES)) ? "deflated" : "stored";
}

function isSmall({ bytes }: PlannedMember): boolean {
  return bytes <= READ_BYTES;
}

/** In one call, several times faster than an engine for each of many small files; what does not shrink is stored. */
async function writeSmallFile(
  file: PatchableFile,
  content: Iterable<Uint8Array>,
  packing: ZipPacking,
  level: number,
): Promise<Pick<ZipMember, "method" | "packedBytes" | "crc32">> {
  const plain = Buffer.concat([...content].map((chunk) => Buffer.from(chunk)));
  const deflated = packing === "stored" ? plain : deflateRawSync(plain, { level });
  const method = deflated.length < plain.length ? "deflated" : "stored";
  const packed = method === "deflated" ? deflated : plain;
  await file.append(packed);
  return { method, packedBytes: packed.length, crc32: crc32(plain) };
}

async function writeContent(
  file: PatchableFile,
  content: Iterable<Uint8Array>,
  method: ZipMember["method"],
  level: number,
): Promise<{ packedBytes: number; crc32: number }> {
  let check = 0;
  let packedBytes = 0;
  function* checked(): Generator<Uint8Array> {
    for (const chunk of content) {
      check = crc32(chunk, check);
      yield chunk;
    }
  }
  const packed = method === "stored" ? checked() : deflatePieces(checked(), level);
  for await (const chunk of packed) {
    packedBytes += chunk.length;
    await file.append(chunk);
  }
  return { packedBytes, crc32: check };
}

function* contentOf(
  plan: ExportPlan,
  member: PlannedMember,
  buffer: Buffer,
  onDigest: OnDigest | undefined,
  onRead: (bytes: number) => void,
): Generator<Uint8Array> {
  if (member.kind === "directory") return;
  for (const got of readPlanned(plan, member, (most) => buffer.subarray(0, most), onDigest)) {
    onRead(got);
    yield buffer.subarray(0, got);
  }
}
