import assert from "node:assert/strict";
import { test } from "node:test";
import { LineLimit } from "../../../src/runner/lineLimit";

function limited(): { limit: LineLimit; written: string[]; pass: (ms: number) => void } {
  const written: string[] = [];
  let now = 5;
  const limit = new LineLimit(
    (line) => written.push(line),
    () => now,
  );
  return {
    limit,
    written,
    pass: (ms) => {
      now += ms;
    },
  };
}

test("what a log can take goes through as it is", () => {
  const { limit, written, pass } = limited();
  for (let i = 0; i < 3_000; i += 1) {
    limit.take(`line ${i}`);
    pass(1);
  }
  limit.end();
  assert.deepEqual(
    written,
    Array.from({ length: 3_000 }, (_, i) => `line ${i}`),
  );
});

test("too many lines at once are counted, and the count is said before the next line or at the end", () => {
  const { limit, written, pass } = limited();
  for (let i = 0; i < 1_500; i += 1) limit.take("x");
  assert.equal(written.length, 1_000);
  pass(1_000);
  limit.take("later");
  assert.deepEqual(written.slice(1_000), ["(500 more lines are left out: there were too many at once.)", "later"]);
  for (let i = 0; i < 1_000; i += 1) limit.take("y");
  limit.end();
  limit.end();
  assert.equal(written.at(-1), "(1 more lines are left out: there were too many at once.)");
  assert.equal(written.length, 1_000 + 2 + 999 + 1);
});

test("the count is said by itself when nothing more is printed", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { limit, written } = limited();
  for (let i = 0; i < 1_002; i += 1) limit.take("x");
  context.mock.timers.tick(1_000);
  assert.equal(written.at(-1), "(2 more lines are left out: there were too many at once.)");
});

test("long lines are cut, and few of them fill a window", () => {
  const { limit, written } = limited();
  for (let i = 0; i < 100; i += 1) limit.take("x".repeat(100_000));
  assert.equal(written[0], `${"x".repeat(10_000)}…`);
  assert.equal(written.length, 27);
});
