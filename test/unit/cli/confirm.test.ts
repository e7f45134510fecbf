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
  const sure = await isConfirmed("delete model m:v1?", { input, output }, signal);
  return { sure, shown: String(output.read() ?? "") };
}

test("only a clear yes is one", async () => {
  for (const yes of ["y\n", "YES\n", " yes \n"]) assert.equal((await ask(yes)).sure, true, yes);
  for (const no of ["\n", "n\n", "No\n"]) assert.equal((await ask(no)).sure, false, no);
});

test("what is neither is asked again", async () => {
  const { sure, shown } = await ask("yep\nno y\ny\n");
  assert.equal(sure, true);
  assert.equal(shown.match(/\[y\/N\]: /g)?.length, 3);
  assert.equal(shown.match(/Error: invalid input\n/g)?.length, 2);
});

test("the question is shown with its default", async () => {
  assert.match((await ask("n\n")).shown, /^delete model m:v1\? \[y\/N\]: $/);
});

test("an input that ends without an answer aborts, and the question does not stay open", async () => {
  await assert.rejects(ask(""), { code: "cancelled", message: "Aborted!" });
  await assert.rejects(ask("perhaps\n"), { code: "cancelled" });
});

test("an interruption ends the question", async () => {
  const interrupt = new AbortController();
  const asked = ask(undefined, interrupt.signal);
  interrupt.abort();
  await assert.rejects(asked, { name: "AbortError" });
});
