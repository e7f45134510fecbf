import { availableParallelism } from "node:os";
import { constants, deflateRaw } from "node:zlib";
import { OutputGarbage } from "./outputGarbage";

/** Pieces that may be deflated at once: zlib works in threads of its own. */
const PARALLEL = Math.min(4, Math.max(2, availableParallelism()));
/** Bytes of a piece: small beside what the process may take, large beside the window. */
const PIECE_BYTES = 256 * 1024;
/** How far back a match of deflate may lie. */
const WINDOW_BYTES = 32 * 1024;
/** An empty last block. */
const END = Uint8Array.of(3, 0);

/**
 * Deflates content piece by piece, several at once, into one raw stream, as `pigz` does: each piece begins with the
 * window that the one before leaves, so next to nothing is lost. A chunk taken may be used again.
 */
export async function* deflatePieces(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array> {
  const garbage = new OutputGarbage();
  const pending: Promise<Buffer>[] = [];
  let before: Buffer | undefined;
  try {
    for await (const piece of pieces(content)) {
      pending.push(deflate(piece, level, before));
      if (piece.length >= WINDOW_BYTES) before = piece.subarray(-WINDOW_BYTES);
      else before = Buffer.concat([before ?? Buffer.alloc(0), piece]).subarray(-WINDOW_BYTES);
      garbage.add(piece.length);
      if (pending.length < PARALLEL) continue;
      yield (await pending.shift()) as Buffer;
    }
    while (pending.length > 0) yield (await pending.shift()) as Buffer;
    yield END;
  } finally {
    await Promise.allSettled(pending);
  }
}

/** Copies of what came, as large as they may be. */
async function* pieces(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) yield Buffer.from(chunk.subarray(at, at + PIECE_BYTES));
  }
}

function deflate(piece: Buffer, level: number, dictionary: Buffer | undefined): Promise<Buffer> {
  const options = { level, finishFlush: constants.Z_SYNC_FLUSH, ...(dictionary && level > 0 && { dictionary }) };
  return new Promise((resolve, reject) => {
    deflateRaw(piece, options, (error, packed) => (error ? reject(error) : resolve(packed)));
  });
}
