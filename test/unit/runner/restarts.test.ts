import assert from "node:assert/strict";
import { test } from "node:test";
import { RestartPolicy } from "../../../src/runner/restarts";

test("three restarts in a minute with growing pauses, then no more", () => {
  let now = 0;
  const policy = new RestartPolicy(() => now);
  assert.deepEqual([policy.afterDeath(), policy.afterDeath(), policy.afterDeath()], [100, 400, 1600]);
  now = 59_999;
  assert.equal(policy.afterDeath(), undefined);
  policy.answered();
  now = 60_001;
  assert.equal(policy.afterDeath(), 100);
});

test("deaths that no answer came between are counted however far apart they are", () => {
  let now = 0;
  const policy = new RestartPolicy(() => now);
  const delays = Array.from({ length: 4 }, () => {
    now += 40_000;
    return policy.afterDeath();
  });
  assert.deepEqual(delays, [100, 400, 1600, undefined]);
});
