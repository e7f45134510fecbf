import { crc32 } from "node:zlib";
import { deflatePieces } from "./deflatePieces";

/** No name, no time, made on Unix. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);

/** Wraps content in a gzip of one member; level 0 stores it. A chunk taken may be used again. */
export async function* writeGzip(content: AsyncIterable<Uint8Array>, level: number): AsyncGenerator<Uint8Array> {
  let check = 0;
  let bytes = 0;
  async function* checked(): AsyncGenerator<Uint8Array> {
    for await (const chunk of content) {
      check = crc32(chunk, check);
      bytes += chunk.length;
      yield chunk;
    }
  }
  yield HEADER;
  yield* deflatePieces(checked(), level);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(check, 0);
  trailer.writeUInt32LE(bytes % 2 ** 32, 4);
  yield trailer;
}
