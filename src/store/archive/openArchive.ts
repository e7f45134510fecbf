import { createGunzip } from "node:zlib";
import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { openXz } from "../../formats/xz/xzReader";
import { sniffContainer } from "./format";
import type { ArchiveFacts, ExpansionGuard } from "./gate";

/** Bytes read from a file at once. */
const READ_BYTES = 256 * 1024;
/** Bytes handed to gzip at once, so that the guard knows closely what has gone in. */
const GZIP_INPUT_BYTES = 32 * 1024;

/** An archive as the tar stream inside it, whatever is wrapped around. */
export interface OpenedArchive extends ArchiveFacts {
  /** The tar's bytes, checked by the container's checksum; a chunk is valid until the next one is asked for. */
  chunks(guard: ExpansionGuard): AsyncGenerator<Uint8Array>;
}

/**
 * Recognises an archive by its content and opens it.
 * @throws ModelbenchError `archive.format`, `archive.corrupt`, `archive.unsafe`
 */
export function openArchive(reader: PositionalReader): OpenedArchive {
  const packedBytes = reader.size;
  const container = sniffContainer(reader);
  if (container === "xz") {
    const xz = openXz(reader);
    return {
      packedBytes,
      contentBytes: xz.claimedBytes,
      chunks: (guard) =>
        guarded(
          guard,
          xz.content((consumed) => guard.consumed(consumed)),
        ),
    };
  }
  if (container === "gzip") {
    return { packedBytes, contentBytes: undefined, chunks: (guard) => guarded(guard, gunzip(reader, guard)) };
  }
  return { packedBytes, contentBytes: packedBytes, chunks: (guard) => guarded(guard, slices(reader, guard)) };
}

async function* guarded(guard: ExpansionGuard, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    guard.produced(chunk.length);
    yield chunk;
  }
}

async function* slices(reader: PositionalReader, guard: ExpansionGuard): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < reader.size; at += READ_BYTES) {
    const length = Math.min(READ_BYTES, reader.size - at);
    guard.consumed(at + length);
    yield reader.read(at, length);
  }
}

/** Members one after another are one content, as `gzip -d` reads them; anything else behind the last is refused. */
async function* gunzip(reader: PositionalReader, guard: ExpansionGuard): AsyncGenerator<Uint8Array> {
  const engine = createGunzip({ chunkSize: READ_BYTES });
  const feeding = feed(reader, engine, guard);
  try {
    for await (const chunk of engine) yield chunk as Uint8Array;
    await feeding;
  } catch (cause) {
    if (cause instanceof ModelbenchError) throw cause;
    throw damaged(cause instanceof Error ? cause.message : "no reason", engine.bytesWritten, cause);
  } finally {
    engine.destroy();
    await feeding.catch(() => undefined);
  }
  if (engine.bytesWritten !== reader.size) throw damaged("bytes behind its end", engine.bytesWritten);
}

async function feed(
  reader: PositionalReader,
  engine: ReturnType<typeof createGunzip>,
  guard: ExpansionGuard,
): Promise<void> {
  const closed = new Promise<void>((resolve) => engine.once("close", resolve));
  for (let at = 0; at < reader.size && !engine.destroyed; at += GZIP_INPUT_BYTES) {
    const piece = new Uint8Array(reader.read(at, Math.min(GZIP_INPUT_BYTES, reader.size - at)));
    guard.consumed(at + piece.length);
    await Promise.race([new Promise((resolve) => engine.write(piece, resolve)), closed]);
  }
  engine.end();
}

function damaged(why: string, offset: number, cause?: unknown): ModelbenchError {
  return new ModelbenchError("archive.corrupt", `Damaged gzip: ${why}, near byte ${offset}.`, { offset, cause });
}
