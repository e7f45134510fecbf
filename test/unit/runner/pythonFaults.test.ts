import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { silentLog } from "../../../src/base/log";
import { openSession } from "../../../src/runner/session";
import { hanging, hangingHost, open, openPythonKit, type PythonKit, runAlone, tell, withModel } from "./pythonKit";
import { floats, isAlive, keptLog, runnersOf, until } from "./runnerKit";

let kit: PythonKit;
before(async () => {
  kit = await openPythonKit();
});
after(() => kit.dispose());

const input = { x: { kind: "tensor", tensor: floats([[1], [2]]) } } as const;

/** A model whose method `hang` ignores everything and writes its process ids to the file. */
function hangingModel(): { request: ReturnType<PythonKit["scripted"]>; pids: string } {
  const pids = kit.unused();
  // It hangs once: the runner that follows answers.
  const options = { pids, marker: kit.unused() };
  return { request: kit.scripted({ options, methods: { echo: open, hang: open, about: open } }), pids };
}

for (const [fault, code, words] of [
  ["die", "worker.died", /^scripted: the Python process was killed from outside/],
  [
    "fail",
    "worker.died",
    /^scripted: the Python process ended with code 3; its last words: OSError: the disk is on fire/,
  ],
  ["memory", "worker.died", /^scripted: the Python process ran out of memory; its last words: MemoryError/],
  ["half", "worker.died", /^scripted: the Python process ended with code 0\.$/],
  ["mute", "worker.died", /^scripted: the Python process closed its output\.$/],
  ["length", "worker.died", /^scripted: .*sent what cannot be read .*a header of 4294967295 bytes/],
  ["claim", "worker.died", /^scripted: .*sent what cannot be read .*1099511627776 bytes/],
  ["print", "worker.died", /^scripted: .*sent what cannot be read/],
  ["unknown", "worker.died", /^scripted: .*sent a result for load 102 that nobody waits for/],
  ["version", "protocol.version", /version 1, got 2/],
  ["nothing", "protocol.invalid", /answered a `load` with what is none/],
] as const) {
  test(`a worker that loads and does this fails the load in words, and is gone: ${fault}`, async () => {
    await withModel(kit, kit.scripted({ options: { fault } }), async (session) => {
      await assert.rejects(session.load(), { code, message: words });
      assert.equal(session.state, "failed");
      assert.deepEqual(kit.privateFolders(), []);
      await assert.rejects(runAlone(session, "echo", input), { code });
    });
  });
}

for (const fault of ["die", "fail", "half", "mute", "length", "claim", "print", "unknown", "version"]) {
  test(`a request whose worker did this is answered by the next one: ${fault}`, async () => {
    const options = { marker: kit.unused() };
    const methods = { [fault]: open, calls: open };
    await withModel(kit, kit.scripted({ options, methods }), async (session) => {
      const { outputs } = await runAlone(session, fault, input);
      assert.deepEqual(
        [outputs[0]?.name, Buffer.from(outputs[0]?.tensor?.data ?? [])],
        ["x", Buffer.from(input.x.tensor.data)],
      );
      assert.equal(await tell(session, "calls"), 2);
    });
  });
}

test("a worker that answers twice is not asked again: the next request is answered by another one", async () => {
  const options = { marker: kit.unused() };
  await withModel(kit, kit.scripted({ options, methods: { twice: open, calls: open } }), async (session) => {
    const { outputs } = await runAlone(session, "twice", input);
    assert.equal(outputs[0]?.name, "x");
    assert.equal(await tell(session, "calls"), 1);
  });
});

test("a model that floods its log answers, and the log says how much it left out", async () => {
  const log = keptLog();
  const request = kit.scripted({ methods: { flood: open } });
  const session = openSession(request, { entry: kit.entry, log });
  try {
    assert.equal((await runAlone(session, "flood", input)).outputs[0]?.name, "x");
    await until(
      () => log.lines.some((line) => /^scripted: \([0-9]+ more lines/.test(line)),
      "the log says what it lacks",
    );
  } finally {
    await session.stop();
  }
  assert.ok(log.lines.includes("scripted: line 999"));
  assert.ok(log.lines.length < 100_000, `${log.lines.length} lines`);
});

test("a worker that dies again and again is given up with its last words", async () => {
  await withModel(kit, kit.scripted({ methods: { fail: open } }), async (session) => {
    const words = /^scripted: the Python process ended with code 3; its last words: OSError: the disk is on fire\.$/;
    await assert.rejects(runAlone(session, "fail", input), { code: "worker.died", message: words });
    assert.equal(session.state, "failed");
  });
});

test("a worker that takes long to load and dies of each run is given up, too", async (t) => {
  let now = 0;
  // Each look at the clock is another half minute later.
  t.mock.method(performance, "now", () => {
    now += 30_000;
    return now;
  });
  await withModel(kit, kit.scripted({ methods: { fail: open } }), async (session) => {
    await assert.rejects(runAlone(session, "fail", input), { code: "worker.died" });
    assert.equal(session.state, "failed");
  });
});

test("a worker killed at any moment of taking, running and answering costs nobody an answer", async () => {
  const data = Buffer.alloc(2 ** 25, "modelbench");
  const large = { x: { kind: "tensor", tensor: { dtype: "uint8", shape: [data.length], data } } } as const;
  for (const waitMs of [0, 15, 40, 80]) {
    await withModel(kit, kit.scripted(), async (session) => {
      const { pid } = (await tell(session, "about")) as { pid: number };
      const run = runAlone(session, "echo", large);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (isAlive(pid)) process.kill(pid, "SIGKILL");
      const { outputs } = await run;
      assert.ok(data.equals(outputs[0]?.tensor?.data ?? Buffer.alloc(0)), `killed after ${waitMs} ms`);
    });
  }
});

test("a stopped run that ignores everything is answered at once and takes its whole group with it", async () => {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3 && best > 2_000; round += 1) {
    const { request, pids } = hangingModel();
    await withModel(kit, request, async (session) => {
      const controller = new AbortController();
      const run = session.run({ method: "hang", inputs: {}, batch: false }, controller.signal);
      const group = await hanging(pids);
      const waiting = runAlone(session, "echo", input);
      const order: string[] = [];
      const asked = performance.now();
      controller.abort();
      const stopped = assert.rejects(run, { code: "cancelled" }).then(() => order.push("stopped"));
      const gone = until(() => !group.some(isAlive), "the group ends").then(() => order.push("gone"));
      await Promise.all([stopped, gone]);
      best = Math.min(best, performance.now() - asked);
      assert.deepEqual(order, ["stopped", "gone"]);
      assert.equal((await waiting).outputs[0]?.name, "x");
    });
  }
  assert.ok(best <= 2_000, `it took ${best} ms`);
});

test("who no longer waits for custom objects is answered at once, while the model is busy with a run", async () => {
  const { request, pids } = hangingModel();
  await withModel(kit, request, async (session) => {
    const run = runAlone(session, "hang");
    run.catch(() => undefined);
    await hanging(pids);
    const controller = new AbortController();
    const objects = session.customObjects(controller.signal);
    objects.catch(() => undefined);
    await session.ping();
    controller.abort();
    const later = session.ping().then(() => assert.fail("it is still waited for"));
    await assert.rejects(Promise.race([objects, later]), { code: "cancelled" });
  });
});

for (const end of ["stopped", "killed"] as const) {
  test(`a runner that is ${end} leaves no process and no folder of a worker that hangs`, async () => {
    const { request, pids } = hangingModel();
    const session = openSession(request, { entry: kit.entry, log: silentLog });
    try {
      const run = runAlone(session, "hang");
      run.catch(() => undefined);
      const group = await hanging(pids);
      assert.equal(kit.privateFolders().length, 1);
      if (end === "stopped") {
        await session.stop();
        await assert.rejects(run, { code: "cancelled" });
        assert.deepEqual(kit.privateFolders(), []);
      } else {
        for (const pid of runnersOf(process.pid)) process.kill(pid, "SIGKILL");
        // It hangs once: the next process answers.
        assert.deepEqual((await run).outputs, []);
        assert.equal(kit.privateFolders().length, 1);
      }
      await until(() => !group.some(isAlive), "the group ends");
    } finally {
      await session.stop();
    }
    assert.deepEqual(kit.privateFolders(), []);
  });
}

test("a load that is called off ends a worker that hangs while it loads", async () => {
  const pids = kit.unused();
  await withModel(kit, kit.scripted({ options: { fault: "hang", pids } }), async (session) => {
    const controller = new AbortController();
    const load = session.load(controller.signal);
    const group = await hanging(pids);
    controller.abort();
    await assert.rejects(load, { code: "cancelled" });
    await until(() => !group.some(isAlive), "the group ends");
  });
});

test("nothing is left when the host is killed while a worker hangs", async () => {
  const { request, pids } = hangingModel();
  const host = await hangingHost(kit, request);
  const group = await hanging(pids);
  const runners = runnersOf(host.pid ?? 0);
  assert.equal(runners.length, 1);
  host.kill("SIGKILL");
  await until(() => ![...runners, ...group].some(isAlive), "the runner and the group end");
  assert.deepEqual(kit.privateFolders(), []);
});
