import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { silentLog } from "../../../src/base/log";
import { openSession } from "../../../src/runner/session";
import { call, isAlive, type Kit, linear, openKit, runnersOf, slow } from "./runnerKit";

let kit: Kit;
before(async () => {
  kit = await openKit();
});
after(() => kit.dispose());

test("a session says its process, its device, and how many requests are answered and owed an answer", async () => {
  const session = openSession(kit.model("counted", slow, { batchable: false }), { entry: kit.entry, log: silentLog });
  try {
    assert.deepEqual(session.facts, { pid: undefined, device: "cpu", answered: 0, waiting: 0, failure: undefined });
    await session.load();
    const { pid } = session.facts;
    assert.deepEqual([pid], runnersOf(process.pid));
    const runs = [1, 2, 3].map((n) => session.run(call({ n })));
    assert.equal(session.facts.waiting, 3);
    await Promise.all(runs);
    await assert.rejects(session.run(call({ n: -1 }), AbortSignal.abort()), { code: "cancelled" });
    assert.deepEqual(session.facts, { pid, device: "cpu", answered: 3, waiting: 0, failure: undefined });
    const controller = new AbortController();
    const stopped = session.run(call({ n: 100 }), controller.signal);
    controller.abort();
    await assert.rejects(stopped, { code: "cancelled" });
    assert.equal(session.facts.answered, 3, "nobody got an answer to what was stopped");
  } finally {
    await session.stop();
  }
  assert.deepEqual([session.facts.pid, session.facts.failure], [undefined, undefined]);
});

test("the process is another one after a death, and a session that failed says why", async () => {
  const session = openSession(kit.model("dying", linear), { entry: kit.entry, log: silentLog });
  try {
    await session.load();
    const first = session.facts.pid ?? 0;
    process.kill(first, "SIGKILL");
    await session.run(call({ x: [[1, 2]] }));
    const second = session.facts.pid ?? 0;
    assert.ok(second !== first && isAlive(second) && !isAlive(first));
  } finally {
    await session.stop();
  }
  const entry = kit.script("failing.cjs", 'process.kill(process.pid, "SIGKILL");');
  const failing = openSession(kit.model("failing", linear), { entry, log: silentLog });
  await assert.rejects(failing.load(), { code: "worker.died" });
  assert.equal(failing.facts.failure?.code, "worker.died");
  assert.equal(failing.facts.pid, undefined);
});
