import { createGzip } from "node:zlib";

/** Gzip at its usual level, one member; a yielded chunk is fresh memory. */
export async function* gzip(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const engine = createGzip();
  const feeding = feed(content, engine);
  try {
    for await (const chunk of engine) yield chunk as Uint8Array;
    await feeding;
  } finally {
    engine.destroy();
    await feeding;
  }
}

/** Never rejects: a failure of the content destroys the engine, and its reader gets it. */
async function feed(content: AsyncIterable<Uint8Array>, engine: ReturnType<typeof createGzip>): Promise<void> {
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
