import type { Transform } from "node:stream";
import { ModelbenchError } from "../base/errors";
import type { PositionalReader } from "../base/ports";
import { OutputGarbage } from "./outputGarbage";

/** Bytes handed to a decompressor at once, so that whoever counts knows closely what has gone in. */
const INPUT_BYTES = 32 * 1024;

/** One of zlib's engines; `bytesWritten` is how much of its input it has used. */
export interface InflatingEngine extends Transform {
  readonly bytesWritten: number;
}

/**
 * What a zlib engine makes of the bytes `[start, end)`; all of them must be used.
 * @param onInput hears how many bytes of the source have been handed over; what it throws ends the reading
 * @param damaged makes the failure for what the engine refuses
 */
export async function* inflateRange(
  engine: InflatingEngine,
  reader: PositionalReader,
  { start, end }: { readonly start: number; readonly end: number },
  onInput: (consumedBytes: number) => void,
  damaged: (why: string, offset: number, cause?: unknown) => ModelbenchError,
): AsyncGenerator<Uint8Array> {
  const garbage = new OutputGarbage();
  const feeding = feed(engine, reader, start, end, onInput);
  try {
    for await (const chunk of engine as AsyncIterable<Uint8Array>) {
      yield chunk;
      garbage.add(chunk.length);
    }
  } catch (cause) {
    if (cause instanceof ModelbenchError) throw cause;
    throw damaged(cause instanceof Error ? cause.message : "no reason", start + engine.bytesWritten, cause);
  } finally {
    engine.destroy();
    await feeding;
  }
  if (engine.bytesWritten !== end - start) throw damaged("bytes behind its end", start + engine.bytesWritten);
}

/** Never rejects: a failure, of the source or of who listens, destroys the engine, and its reader gets it. */
async function feed(
  engine: InflatingEngine,
  reader: PositionalReader,
  start: number,
  end: number,
  onInput: (consumedBytes: number) => void,
): Promise<void> {
  const closed = new Promise<void>((resolve) => engine.once("close", resolve));
  const buffer = new Uint8Array(INPUT_BYTES);
  try {
    for (let at = start; at < end && !engine.destroyed; at += INPUT_BYTES) {
      const piece = buffer.subarray(0, Math.min(INPUT_BYTES, end - at));
      piece.set(reader.read(at, piece.length));
      onInput(at + piece.length);
      await Promise.race([new Promise((resolve) => engine.write(piece, resolve)), closed]);
    }
    engine.end();
  } catch (error) {
    engine.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}
