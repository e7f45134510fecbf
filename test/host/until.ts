/**
 * Answers with the first value that `get` gives, asked every 25 ms: VS Code's own model of tabs, trees and
 * settings reaches the extension host after the command that changed it has returned.
 * @throws Error naming `what` when nothing came within `limitMs`
 */
export async function until<T>(
  what: string,
  get: () => T | undefined | Promise<T | undefined>,
  limitMs = 10_000,
): Promise<T> {
  for (const deadline = Date.now() + limitMs; ; ) {
    const value = await get();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs} ms in vain for ${what}`);
    await new Promise((done) => setTimeout(done, 25));
  }
}
