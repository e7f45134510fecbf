import type { Transform } from "node:stream";
import { OutputGarbage } from "../../formats/outputGarbage";

/** Sends content through one of zlib's engines; a yielded chunk is fresh memory, a chunk taken may be used again. */
export async function* deflating(
  engine: Transform,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const garbage = new OutputGarbage();
  const feeding = feed(content, engine);
  try {
    for await (const chunk of engine as AsyncIterable<Uint8Array>) {
      yield chunk;
      garbage.add(chunk.length);
    }
    await feeding;
  } finally {
    engine.destroy();
    await feeding;
  }
}

/** Never rejects: a failure of the content destroys the engine, and its reader gets it. */
async function feed(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, engine: Transform): Promise<void> {
  const closed = new Promise<void>((resolve) => engine.once("close", resolve));
  try {
    for await (const chunk of content) {
      if (engine.destroyed) return;
      // The chunk's memory is used again, so the engine has to be done with it first.
      await Promise.race([new Promise((resolve) => engine.write(chunk, resolve)), closed]);
    }
    engine.end();
  } catch (error) {
    engine.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}
