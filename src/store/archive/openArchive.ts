import { createGunzip } from "node:zlib";
import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { readBz2 } from "../../formats/bz2/bz2Reader";
import { inflateRange } from "../../formats/inflating";
import type { ExpansionMeter, MemberSink } from "../../formats/memberSink";
import { TarReader } from "../../formats/tar/tarReader";
import { openXz } from "../../formats/xz/xzReader";
import { readZipDirectory } from "../../formats/zip/directory";
import { readZipMembers } from "../../formats/zip/zipReader";
import type { ArchiveKind } from "./archiveJobs";
import { openFolder } from "./folderSource";
import { sniffContainer } from "./format";
import { type ArchiveFacts, assertCount } from "./gate";
import { ARCHIVE_LIMITS, type ArchiveLimits } from "./limits";

/** Bytes parsed between two looks at the clock, and read at once: a reader serves as much without taking memory. */
const SLICE_BYTES = 65_536;

/** An archive, whatever its format. */
export interface OpenedArchive extends ArchiveFacts {
  readonly kind: ArchiveKind;
  /**
   * Delivers every member, verified by the format's checksums, in slices: whoever drives the generator may rest or
   * stop between two. It ends when the archive is known to be whole.
   * @throws ModelbenchError `archive.corrupt`, or what the sink or the meter throws
   */
  members(sink: MemberSink, meter: ExpansionMeter): AsyncIterable<void> | Iterable<void>;
}

/**
 * Recognises an archive by its content and opens it.
 * @throws ModelbenchError `archive.format`, `archive.corrupt`, `archive.unsafe`
 */
export function openArchive(reader: PositionalReader, limits: ArchiveLimits = ARCHIVE_LIMITS): OpenedArchive {
  const packedBytes = reader.size;
  const kind = sniffContainer(reader);
  if (kind === "zip") {
    const { entries, claimedBytes } = readZipDirectory(reader, (count) => assertCount(count, limits));
    return {
      kind,
      packedBytes,
      contentBytes: claimedBytes,
      members: (sink, meter) => readZipMembers(reader, entries, sink, meter),
    };
  }
  if (kind === "tar.xz") {
    const xz = openXz(reader);
    const content = (meter: ExpansionMeter) => xz.content((consumed) => meter.consumed(consumed));
    return { kind, packedBytes, contentBytes: xz.claimedBytes, members: tarMembers(content) };
  }
  if (kind === "tar") {
    return { kind, packedBytes, contentBytes: packedBytes, members: tarMembers((meter) => slices(reader, meter)) };
  }
  const content = (meter: ExpansionMeter) =>
    kind === "tar.gz" ? gunzip(reader, meter) : readBz2(reader, (consumed) => meter.consumed(consumed));
  return { kind, packedBytes, contentBytes: undefined, members: tarMembers(content) };
}

/**
 * Opens a folder as if it were an archive of what is in it.
 * @throws ModelbenchError `archive.unsafe` for links and the like, `file.access`
 */
export function openFolderAsArchive(folder: string, limits: ArchiveLimits): OpenedArchive {
  const { bytes, members } = openFolder(folder, (count) => assertCount(count, limits));
  return { kind: "folder", packedBytes: bytes, contentBytes: bytes, members };
}

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

function tarMembers(content: (meter: ExpansionMeter) => Chunks): OpenedArchive["members"] {
  return async function* members(sink, meter) {
    const tar = new TarReader(sink);
    for await (const chunk of content(meter)) {
      meter.produced(chunk.length);
      for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
        tar.push(chunk.subarray(at, at + SLICE_BYTES));
        yield;
      }
      // A decoder may mark time with empty chunks.
      if (chunk.length === 0) yield;
    }
    tar.finish();
  };
}

function* slices(reader: PositionalReader, meter: ExpansionMeter): Generator<Uint8Array> {
  for (let at = 0; at < reader.size; at += SLICE_BYTES) {
    const length = Math.min(SLICE_BYTES, reader.size - at);
    meter.consumed(at + length);
    yield reader.read(at, length);
  }
}

/** Members one after another are one content, as `gzip -d` reads them; anything else behind the last is refused. */
function gunzip(reader: PositionalReader, meter: ExpansionMeter): AsyncGenerator<Uint8Array> {
  const engine = createGunzip({ chunkSize: SLICE_BYTES });
  const damaged = (why: string, offset: number, cause?: unknown) =>
    new ModelbenchError("archive.corrupt", `Damaged gzip: ${why}, near byte ${offset}.`, { offset, cause });
  return inflateRange(engine, reader, { start: 0, end: reader.size }, (consumed) => meter.consumed(consumed), damaged);
}
