import { crc32, createInflateRaw, inflateRawSync } from "node:zlib";
import type { PositionalReader } from "../../base/ports";
import { inflateRange } from "../inflating";
import type { ExpansionMeter, MemberSink } from "../memberSink";
import { checkLocalHeader, type ZipEntry } from "./entry";
import { corruptZip } from "./zipErrors";

/** Bytes read and made at once: a reader serves as much from its window without taking memory for each. */
const READ_BYTES = 65_536;
/** Members up to here are inflated in one call, several times faster than through a stream for many small files. */
const SMALL_BYTES = 256 * 1024;

/**
 * Delivers the members one after another, in slices: whoever drives the generator may rest or stop between two. Each
 * member's local header, size and CRC-32 are held to what the directory says.
 * @throws ModelbenchError `archive.corrupt`, or what the sink or the meter throws
 */
export async function* readZipMembers(
  reader: PositionalReader,
  entries: readonly ZipEntry[],
  sink: MemberSink,
  meter: ExpansionMeter,
): AsyncGenerator<void> {
  for (const entry of entries) {
    const { rawPath, kind, bytes, executable } = entry;
    const dataAt = checkLocalHeader(reader, entry);
    sink.open({ rawPath, kind, bytes, executable });
    let check = 0;
    let total = 0;
    for await (const chunk of contentOf(reader, entry, dataAt, meter)) {
      total += chunk.length;
      if (total > bytes) throw corruptZip("a member larger than the directory says", entry.localAt);
      meter.produced(chunk.length);
      check = crc32(chunk, check);
      sink.write(chunk);
      yield;
    }
    if (total !== bytes) throw corruptZip("a member smaller than the directory says", entry.localAt);
    if (check !== entry.crc32) throw corruptZip("a member whose checksum does not fit", entry.localAt);
    meter.consumed(entry.end);
    sink.close();
    yield;
  }
}

function contentOf(
  reader: PositionalReader,
  entry: ZipEntry,
  dataAt: number,
  meter: ExpansionMeter,
): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  const end = dataAt + entry.packedBytes;
  if (entry.method === "stored") return stored(reader, dataAt, end, meter);
  if (entry.bytes <= SMALL_BYTES && entry.packedBytes <= SMALL_BYTES) {
    meter.consumed(end);
    return [inflateAtOnce(reader, entry, dataAt)];
  }
  const onInput = (consumed: number) => meter.consumed(consumed);
  const damaged = (why: string, offset: number) => corruptZip(`a member that cannot be inflated (${why})`, offset);
  const engine = createInflateRaw({ chunkSize: READ_BYTES });
  return inflateRange(engine, reader, { start: dataAt, end }, onInput, damaged);
}

function* stored(reader: PositionalReader, from: number, end: number, meter: ExpansionMeter): Generator<Uint8Array> {
  for (let at = from; at < end; at += READ_BYTES) {
    const chunk = reader.read(at, Math.min(READ_BYTES, end - at));
    meter.consumed(at + chunk.length);
    yield chunk;
  }
}

function inflateAtOnce(
  reader: PositionalReader,
  { bytes, packedBytes, localAt }: ZipEntry,
  dataAt: number,
): Uint8Array {
  const packed = reader.read(dataAt, packedBytes);
  try {
    const { buffer, engine } = inflateRawSync(packed, { maxOutputLength: bytes + 1, info: true }) as unknown as {
      readonly buffer: Uint8Array;
      readonly engine: { readonly bytesWritten: number };
    };
    if (engine.bytesWritten === packedBytes) return buffer;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "no reason";
    throw corruptZip(`a member that cannot be inflated (${why})`, localAt);
  }
  throw corruptZip("bytes behind a member's end", localAt);
}
