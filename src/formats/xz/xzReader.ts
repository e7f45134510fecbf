import { XzReadableStream } from "xz-decompress";
import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { OutputGarbage } from "../outputGarbage";
import { corruptXz, readXzLayout, type XzStream } from "./layout";
import { readStored } from "./storedReader";

/** Bytes handed to the decoder at once: small, so that counting what went in says when it asks for too little. */
const INPUT_BYTES = 65_536;

/** An .xz file that passed the gate. */
export interface XzFile {
  /** What the indexes claim; never more than a claim. */
  readonly claimedBytes: number;
  /**
   * The content, verified by each block's check. `onInput` hears how many bytes of the file have been consumed.
   * @throws ModelbenchError `archive.corrupt`
   */
  content(onInput: (consumedBytes: number) => void): AsyncGenerator<Uint8Array>;
}

/**
 * Opens an .xz file: structure and limits are checked before a decoder sees it. Streams are read directly
 * as long as their chunks are stored, from the first compressed one on by a WebAssembly decoder.
 * @throws ModelbenchError `archive.corrupt`, `archive.unsafe`, `archive.format`
 */
export function openXz(reader: PositionalReader): XzFile {
  const streams = readXzLayout(reader);
  return {
    claimedBytes: streams.reduce((sum, stream) => sum + stream.uncompressedBytes, 0),
    content: (onInput) => readStreams(reader, streams, onInput),
  };
}

async function* readStreams(
  reader: PositionalReader,
  streams: readonly XzStream[],
  onInput: (consumedBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for (const stream of streams) {
    let given = 0;
    const stored = readStored(reader, stream);
    let step = stored.next();
    for (; !step.done; step = stored.next()) {
      given += step.value.length;
      onInput(stream.start + given);
      yield step.value;
    }
    if (!step.value)
      yield* without(
        given,
        decode(reader, stream, (consumed) => onInput(Math.max(consumed, stream.start + given))),
      );
  }
}

/** What comes behind the first `given` bytes, which are out already: a decoder can only begin at the beginning. */
async function* without(given: number, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = given;
  for await (const chunk of content) {
    const skipped = Math.min(left, chunk.length);
    left -= skipped;
    // An empty chunk marks time.
    yield chunk.subarray(skipped);
  }
}

async function* decode(
  reader: PositionalReader,
  stream: XzStream,
  onInput: (consumedBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const output = new XzReadableStream(inputOf(reader, stream, onInput)).getReader();
  const garbage = new OutputGarbage();
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await output.read();
      if (done) break;
      total += value.length;
      if (total > stream.uncompressedBytes) throw corruptXz("more content than the index says", stream.start);
      yield value;
      garbage.add(value.length);
    }
    if (total !== stream.uncompressedBytes) throw corruptXz("less content than the index says", stream.start);
  } catch (cause) {
    if (cause instanceof ModelbenchError) throw cause;
    throw corruptXz(`the decoder refused it (${cause instanceof Error ? cause.message : "no reason"})`, stream.start);
  } finally {
    // The decoder's memory is shared and locked until it is told that nobody reads on.
    await output.cancel().catch(() => undefined);
  }
}

function inputOf(
  reader: PositionalReader,
  stream: XzStream,
  onInput: (consumedBytes: number) => void,
): ReadableStream<Uint8Array> {
  let at = stream.start;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (at >= stream.end) return controller.close();
        const length = Math.min(INPUT_BYTES, stream.end - at);
        controller.enqueue(new Uint8Array(reader.read(at, length)));
        at += length;
        onInput(at);
      },
    },
    { highWaterMark: 0 },
  );
}
