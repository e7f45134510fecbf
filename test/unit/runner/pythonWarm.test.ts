import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { silentLog } from "../../../src/base/log";
import { openSession } from "../../../src/runner/session";
import { openPythonKit, type PythonKit, tell, withModel } from "./pythonKit";
import { isAlive, until } from "./runnerKit";

let kit: PythonKit;
before(async () => {
  kit = await openPythonKit();
});
after(() => kit.dispose());

/** What the scripted worker tells of itself, as far as it matters here. */
interface About {
  readonly pid: number;
}

test("a process that was started ahead is the one that loads the model, and has nothing of it before", async () => {
  await withModel(kit, kit.scripted(), async (session) => {
    await session.warm();
    assert.deepEqual([session.state, typeof session.facts.pid], ["starting", "number"]);
    const runner = session.facts.pid;
    await session.warm();
    await session.load();
    assert.deepEqual([session.state, session.facts.pid], ["ready", runner]);
    const { pid } = (await tell(session, "about")) as About;
    assert.ok(isAlive(pid));
    await session.warm();
    assert.equal(((await tell(session, "about")) as About).pid, pid);
  });
});

test("a load that does not wait for the warming is served by the same process", async () => {
  await withModel(kit, kit.scripted(), async (session) => {
    const warming = session.warm();
    const loading = session.load();
    const runner = session.facts.pid;
    await Promise.all([warming, loading]);
    assert.deepEqual([session.state, session.facts.pid], ["ready", runner]);
  });
});

test("a process that died before it was needed is replaced, and a stop ends one that waits", async () => {
  const ended = openSession(kit.scripted(), { entry: kit.entry, log: silentLog });
  await ended.warm();
  const { pid = 0 } = ended.facts;
  process.kill(pid, "SIGKILL");
  await until(() => ended.facts.pid === undefined, "the death is noticed");
  await ended.load();
  assert.equal(ended.state, "ready");
  await ended.stop();
  const waiting = openSession(kit.scripted(), { entry: kit.entry, log: silentLog });
  await waiting.warm();
  await waiting.stop();
  assert.deepEqual(kit.privateFolders(), []);
  await assert.rejects(waiting.warm(), { code: "cancelled" });
});

test("an interpreter that cannot be started fails the warming, and the load in the same words", async () => {
  const request = kit.scripted({ python: { interpreter: join(kit.unused(), "python") } });
  await withModel(kit, request, async (session) => {
    await assert.rejects(session.warm(), { code: "python.missing" });
    await assert.rejects(session.load(), { code: "python.missing" });
  });
});
