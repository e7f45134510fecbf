import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { isConfirmed } from "../../../src/cli/confirm";

/** Asks with `typed` as what a person types; nothing typed leaves the question open. */
async function ask(
  typed: string | undefined,
  signal = new AbortController().signal,
): Promise<{ sure: boolean; shown: string }> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  if (typed !== undefined) input.end(typed);
  const sure = await isConfirmed("Delete this version?", { input, output }, signal);
  return { sure, shown: String(output.read() ?? "") };
}

test("only a clear yes is one", async () => {
  for (const yes of ["y\n", "YES\n", " yes \n"]) assert.equal((await ask(yes)).sure, true, yes);
  for (const no of ["\n", "n\n", "yep\n", "no y\n"]) assert.equal((await ask(no)).sure, false, no);
});

test("the question is shown with its default", async () => {
  assert.match((await ask("n\n")).shown, /^Delete this version\? \[y\/N\] $/);
});

test("an input that ends without an answer is a no, and the question does not stay open", async () => {
  assert.equal((await ask("")).sure, false);
});

test("an interruption ends the question", async () => {
  const interrupt = new AbortController();
  const asked = ask(undefined, interrupt.signal);
  interrupt.abort();
  await assert.rejects(asked, { name: "AbortError" });
});
