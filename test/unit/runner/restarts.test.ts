import assert from "node:assert/strict";
import { test } from "node:test";
import { RestartPolicy } from "../../../src/runner/restarts";

test("three restarts in a minute with growing pauses, then no more", () => {
  let now = 0;
  const policy = new RestartPolicy(() => now);
  assert.deepEqual([policy.afterDeath(), policy.afterDeath(), policy.afterDeath()], [100, 400, 1600]);
  now = 59_999;
  assert.equal(policy.afterDeath(), undefined);
  now = 60_001;
  assert.equal(policy.afterDeath(), 100);
});
