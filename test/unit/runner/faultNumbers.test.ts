import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import type { ModelbenchError } from "../../../src/base/errors";
import { silentLog } from "../../../src/base/log";
import type { LoadRequest } from "../../../src/runner/protocol";
import { openSession } from "../../../src/runner/session";
import { hanging, hangingHost, open, openPythonKit, type PythonKit, runAlone, tell, withModel } from "./pythonKit";
import { floats, isAlive, runnersOf, until } from "./runnerKit";

let kit: PythonKit;
before(async () => {
  kit = await openPythonKit();
});
after(() => kit.dispose());
afterEach(() => assert.deepEqual([runnersOf(process.pid), kit.privateFolders()], [[], []]));

const input = { x: { kind: "tensor", tensor: floats(Array.from({ length: 50_000 }, (_, i) => [i])) } } as const;

/** A model whose processes are killed as told; `count` holds a character for every process that was started. */
function dying(dies: Readonly<Record<string, string>>): {
  request: LoadRequest;
  started: () => number;
  /** Milliseconds since the last one was killed. */
  sinceDeath: () => number;
} {
  const worker = kit.unused();
  const count = kit.unused();
  cpSync(join(process.cwd(), "test/fixtures/scriptedWorker"), worker, { recursive: true });
  writeFileSync(join(worker, "plan.json"), JSON.stringify({ count, dies }));
  const request = kit.scripted({ python: { worker }, methods: { echo: open, about: open } });
  return {
    request,
    started: () => readFileSync(count, "utf8").length,
    sinceDeath: () => Date.now() - Number(readFileSync(`${count}-died`, "utf8")),
  };
}

/** Another model that answers all the while, from one process. */
async function besideAnother(use: () => Promise<void>): Promise<void> {
  await withModel(kit, kit.scripted(), async (other) => {
    const { pid } = (await tell(other, "about")) as { pid: number };
    let isOver = false;
    const asked = (async () => {
      while (!isOver) assert.equal((await runAlone(other, "echo", input)).outputs.length, 1);
    })();
    await use().finally(() => {
      isOver = true;
    });
    await asked;
    assert.equal(((await tell(other, "about")) as { pid: number }).pid, pid);
  });
}

for (const step of ["start", "import", "load"]) {
  test(`R1 killed at its ${step} the first time: load and runs end once, with the cause, within 1 s of its death`, async () => {
    await besideAnother(async () => {
      const { request, started, sinceDeath } = dying({ all: step });
      const session = openSession(request, { entry: kit.entry, log: silentLog });
      let ends = 0;
      const calls = [session.load(), ...[1, 2, 3].map(() => runAlone(session, "echo", input))];
      const ended = calls.map((call) =>
        call.then(
          () => assert.fail("it was answered"),
          (error: ModelbenchError) => {
            ends += 1;
            assert.deepEqual([error.code, /killed from outside/.test(error.message)], ["worker.died", true]);
          },
        ),
      );
      await Promise.all(ended);
      const ms = sinceDeath();
      assert.ok(ms <= 1_000, `${ms} ms after its death`);
      assert.deepEqual([ends, started(), session.state], [4, 1, "failed"]);
      await session.stop();
    });
  });
}

for (const step of ["start", "import", "load", "header", "half", "reply"]) {
  test(`R1 killed at its ${step} when it is to answer a run: the run is sent again and answered once`, async () => {
    await besideAnother(async () => {
      // The first process dies of its run, and the second of the step.
      const { request, started } = dying({ 0: "header", 1: step });
      const session = openSession(request, { entry: kit.entry, log: silentLog });
      let answers = 0;
      const runs = [1, 2].map(() => runAlone(session, "echo", input).finally(() => (answers += 1)));
      for (const { outputs } of await Promise.all(runs)) {
        assert.ok(Buffer.from(input.x.tensor.data).equals(outputs[0]?.tensor?.data ?? Buffer.alloc(0)));
      }
      // Of a whole reply nothing is owed any more: the process that died after it is replaced for the next run.
      assert.deepEqual([answers, started() >= 3], [2, true]);
      await session.stop();
    });
    assert.deepEqual(kit.privateFolders(), []);
  });
}

test("R1 what dies of every run is started again three times, ever later, and then ends with the cause", async () => {
  await besideAnother(async () => {
    const { request, started } = dying({ all: "half" });
    const session = openSession(request, { entry: kit.entry, log: silentLog });
    await session.load();
    const begun = performance.now();
    await assert.rejects(runAlone(session, "echo", input), { code: "worker.died", message: /killed from outside/ });
    // 0.1, 0.4 and 1.6 s between them.
    assert.ok(performance.now() - begun >= 2_000);
    assert.deepEqual([started(), session.state], [4, "failed"]);
    await session.stop();
  });
});

test("R2 a run that hangs and ignores SIGTERM: cancelled within 100 ms, its group and its folder gone within 2 s", async () => {
  const best = { cancelled: Number.POSITIVE_INFINITY, gone: Number.POSITIVE_INFINITY };
  for (let round = 0; round < 3 && (best.cancelled > 100 || best.gone > 2_000); round += 1) {
    const pids = kit.unused();
    const request = kit.scripted({ options: { pids }, methods: { hang: open } });
    const session = openSession(request, { entry: kit.entry, log: silentLog });
    try {
      const controller = new AbortController();
      const run = session.run({ method: "hang", inputs: {}, batch: false }, controller.signal);
      run.catch(() => undefined);
      const group = await hanging(pids);
      const folders = kit.privateFolders();
      assert.equal(folders.length, 1);
      for (const pid of group) process.kill(pid, "SIGTERM");
      const begun = performance.now();
      controller.abort();
      await assert.rejects(run, { code: "cancelled" });
      best.cancelled = Math.min(best.cancelled, performance.now() - begun);
      const isLeft = () => group.some(isAlive) || kit.privateFolders().some((name) => folders.includes(name));
      await until(() => !isLeft(), "the group and the folder go");
      best.gone = Math.min(best.gone, performance.now() - begun);
    } finally {
      await session.stop();
    }
  }
  assert.ok(best.cancelled <= 100 && best.gone <= 2_000, JSON.stringify(best));
});

const frameCode = `
  const frame = (kind, id, op, data = {}) => {
    const text = JSON.stringify({ v: 1, kind, id, op, data, bodies: [], ...(kind === "error" ? { error: data } : {}) });
    const bytes = Buffer.alloc(4 + text.length);
    bytes.writeUInt32LE(text.length);
    bytes.write(text, 4);
    require("node:fs").writeSync(4, bytes);
  };
  let rest = Buffer.alloc(0);
  const take = (use) => new (require("node:net").Socket)({ fd: 3 }).on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE()) {
      const length = rest.readUInt32LE();
      const header = JSON.parse(rest.subarray(4, 4 + length));
      rest = rest.subarray(4 + length + header.bodies.reduce((sum, { bytes }) => sum + bytes, 0));
      use(header);
    }
  }).on("close", () => process.exit());`;

test("R3 answers out of order, doubled and for nobody are matched by id, and nobody gets another's", async () => {
  const entry = kit.script(
    "disorder.cjs",
    `${frameCode}
    const asked = [];
    take(({ id, op }) => {
      if (op === "load") return frame("result", id, op, { loadMs: 1, device: "cpu", unfetchable: {} });
      asked.push(id);
      if (asked.length < 8) return;
      for (const each of asked.reverse()) {
        const reply = { outputs: [], timing: {}, batchSize: each, batchId: 1, batchRequests: 1, device: "cpu", unfetchable: [] };
        for (const to of [each + 10_000, each, each, -0]) frame("result", to, "run", reply);
        frame("error", each, "run", { code: "run.failed", message: "too late" });
      }
      console.log("bytes on stdout: \\u0000\\u0001{");
    });`,
  );
  const session = openSession(kit.scripted(), { entry, log: silentLog });
  try {
    await session.load();
    const settled: number[] = [];
    const runs = Array.from({ length: 8 }, () =>
      runAlone(session, "echo", {}).then((run) => settled.push(run.batchSize)),
    );
    await Promise.all(runs);
    // The load was the first call.
    assert.deepEqual(settled, [9, 8, 7, 6, 5, 4, 3, 2]);
    assert.equal(session.state, "ready");
  } finally {
    await session.stop();
  }
});

test("R5 folders of a host, a runner and a worker that were all killed at once are gone after the next start", async () => {
  const pids = kit.unused();
  const request = kit.scripted({ options: { pids }, methods: { hang: open } });
  const host = await hangingHost(kit, request);
  const group = await hanging(pids);
  const all = [host.pid ?? 0, ...runnersOf(host.pid ?? 0), ...group];
  // Stopped first, so that none of them notices the end of another.
  for (const pid of all) process.kill(pid, "SIGSTOP");
  for (const pid of all) process.kill(pid, "SIGKILL");
  await until(() => !all.some(isAlive), "all of them end", 3_000);
  assert.equal(kit.privateFolders().length, 1);
  await withModel(kit, kit.scripted(), async (session) => {
    await session.load();
    assert.equal(kit.privateFolders().length, 1);
  });
  assert.deepEqual(kit.privateFolders(), []);
});

test("R6 a worker that is killed as the kernel does it without memory: the words say memory, and the host goes on", async () => {
  const { request } = dying({ all: "load" });
  const session = openSession(request, { entry: kit.entry, log: silentLog });
  await assert.rejects(session.load(), (error: ModelbenchError) => {
    assert.match(error.message, /killed from outside, for instance because the machine ran out of memory/);
    return error.code === "worker.died";
  });
  await session.stop();
  await withModel(kit, kit.scripted({ options: { fault: "memory" } }), async (limited) => {
    await assert.rejects(limited.load(), { code: "worker.died", message: /ran out of memory/ });
  });
});

test("R4 of 12,000 runs that are sent at once 10,000 wait and the others are refused, in bounded memory", async () => {
  await withModel(kit, kit.scripted({ methods: { echo: { ...open, batchable: true } } }), async (session) => {
    const small = { x: { kind: "tensor", tensor: floats([[1], [2]]) } } as const;
    const before = process.memoryUsage().rss;
    const runs = Array.from({ length: 12_000 }, () => session.run({ method: "echo", inputs: small, batch: true }));
    const ends = await Promise.allSettled(runs);
    const refused = ends.filter((end) => end.status === "rejected").map(({ reason }) => reason.code);
    assert.deepEqual([refused.length, new Set(refused)], [2_000, new Set(["run.busy"])]);
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown <= 256 * 2 ** 20, `${grown} bytes`);
  });
});

test("weights that change while they are loaded end the load: what was loaded may not be what was digested", async () => {
  for (const change of [false, true]) {
    const note = kit.unused();
    const request = kit.scripted({ options: { fault: "slow", note } });
    const weights = join(request.python?.folder ?? "", "more/weights.msgpack");
    await withModel(kit, request, async (session) => {
      const load = session.load();
      load.catch(() => undefined);
      await until(() => existsSync(note), "the model is being loaded");
      // The same bytes again: nobody can tell what they were meanwhile.
      if (change) writeFileSync(weights, "weights");
      if (change) await assert.rejects(load, { code: "model.changed", message: /more\/weights\.msgpack/ });
      else await load;
    });
  }
});
