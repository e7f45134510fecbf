import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import { after, before, test } from "node:test";
import { silentLog } from "../../../src/base/log";
import { tensorToNested } from "../../../src/formats/tensorJson";
import type { RunnerSession } from "../../../src/runner/client";
import type { LoadRequest, SessionState } from "../../../src/runner/protocol";
import { openSession } from "../../../src/runner/session";
import { call, isAlive, type Kit, linear, openKit, runnersOf, slow, until } from "./runnerKit";

let kit: Kit;
before(async () => {
  kit = await openKit();
});
after(() => kit.dispose());

async function withSession(request: LoadRequest, use: (session: RunnerSession) => Promise<void>): Promise<void> {
  const session = openSession(request, { entry: kit.entry, log: silentLog });
  try {
    await use(session);
  } finally {
    await session.stop();
  }
  assert.deepEqual(runnersOf(process.pid), []);
}

function onlyRunner(parent = process.pid): number {
  const pids = runnersOf(parent);
  assert.equal(pids.length, 1);
  return pids[0] as number;
}

/** How many turns of the slow model take about `ms` here and now. */
async function turnsFor(session: RunnerSession, ms: number): Promise<number> {
  await session.run(call({ n: 20 }));
  const { timing } = await session.run(call({ n: 100 }));
  return Math.ceil((100 * ms) / timing.runMs);
}

const never = 100_000_000;

test("the runner answers its watchdog within 50 ms while a run of two seconds is under way", async () => {
  await withSession(kit.model("watchdog", slow, { batchable: false }), async (session) => {
    const n = await turnsFor(session, 2_000);
    let best = Number.POSITIVE_INFINITY;
    // Other processes may take the processor for a moment: the best of three runs counts, each by its 90th percentile.
    // A blocked thread would answer once a run.
    for (let round = 0; round < 3 && best > 50; round += 1) {
      let isOver = false;
      const run = session.run(call({ n })).finally(() => {
        isOver = true;
      });
      const pings: number[] = [];
      while (!isOver) {
        pings.push(await session.ping());
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.ok((await run).timing.runMs > 500);
      assert.ok(pings.length > 10);
      pings.sort((a, b) => a - b);
      best = Math.min(best, pings[Math.floor(pings.length * 0.9)] ?? best);
    }
    assert.ok(best <= 50, `pings of the best run took ${best} ms`);
  });
});

test("the runner is gone within a second when its host is killed in the middle of a run", async () => {
  const request = kit.model("orphan", slow, { batchable: false });
  const source = `
    const { openSession } = require("./session.cjs");
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const session = openSession(${JSON.stringify(request)}, { entry: ${JSON.stringify(kit.entry)}, log });
    session.load().then(() => {
      session.run({ method: "run", batch: true, inputs: { n: { kind: "json", value: ${never} } } });
      session.ping().then(() => console.log("running"));
    });`;
  const script = kit.script("host.cjs", source);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3 && best > 1_000; round += 1) {
    const host = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(createInterface(host.stdout), "line");
    const runner = onlyRunner(host.pid);
    const killed = performance.now();
    host.kill("SIGKILL");
    await until(() => !isAlive(runner), "the runner ends");
    best = Math.min(best, performance.now() - killed);
  }
  assert.ok(best <= 1_000, `it took ${best} ms`);
});

test("a cancel is answered at once, the run that does not end takes the runner with it, the next one works", async () => {
  await withSession(kit.model("cancel", slow, { batchable: false }), async (session) => {
    await session.load();
    const pid = onlyRunner();
    const controller = new AbortController();
    const stuck = session.run(call({ n: never }), controller.signal);
    const waiting = session.run(call({ n: 1 }));
    await session.ping();
    const asked = performance.now();
    controller.abort();
    await assert.rejects(stuck, { code: "cancelled" });
    assert.ok(performance.now() - asked < 100);
    assert.deepEqual((await waiting).outputs[0]?.shape, [256, 256]);
    assert.ok(!isAlive(pid));
    assert.notEqual(onlyRunner(), pid);
    assert.equal(session.state, "ready");
  });
});

test("stops do not use up the restarts of crashes", async () => {
  await withSession(kit.model("stops", slow, { batchable: false }), async (session) => {
    for (let i = 0; i < 4; i += 1) {
      await session.load();
      const stopped = session.run(call({ n: never }), AbortSignal.timeout(50));
      await assert.rejects(stopped, { code: "cancelled" });
    }
    assert.equal((await session.run(call({ n: 1 }))).outputs.length, 1);
  });
});

test("a cancelled run that ends by itself leaves the runner alive", async () => {
  await withSession(kit.model("brief", slow, { batchable: false }), async (session) => {
    const n = await turnsFor(session, 100);
    const pid = onlyRunner();
    const controller = new AbortController();
    const run = session.run(call({ n }), controller.signal);
    await session.ping();
    controller.abort();
    await assert.rejects(run, { code: "cancelled" });
    await session.run(call({ n: 1 }));
    await new Promise((resolve) => setTimeout(resolve, 600));
    assert.equal(onlyRunner(), pid);
  });
});

test("a runner that goes on with a stopped run for others is not ended because the window was held up", async () => {
  // Answers all but runs: the stopped one shares its batch with one that is still awaited.
  const entry = kit.script(
    "sharing.cjs",
    `const fs = require("node:fs");
    let got = Buffer.alloc(0);
    new (require("node:net").Socket)({ fd: 3, readable: true, writable: false }).on("data", (chunk) => {
      got = Buffer.concat([got, chunk]);
      while (got.length >= 4 && got.length >= 4 + got.readUInt32LE()) {
        const { id, kind, op, bodies } = JSON.parse(got.subarray(4, 4 + got.readUInt32LE()));
        got = got.subarray(4 + got.readUInt32LE() + bodies.reduce((sum, { bytes }) => sum + bytes, 0));
        if (kind !== "request" || op === "run") continue;
        const data = op === "load" ? { loadMs: 1, device: "cpu", unfetchable: {} } : {};
        const text = JSON.stringify({ v: 1, kind: "result", id, op, data, bodies: [] });
        const frame = Buffer.alloc(4 + text.length);
        frame.writeUInt32LE(text.length);
        frame.write(text, 4);
        fs.writeSync(4, frame);
      }
    });`,
  );
  const session = openSession(kit.model("sharing", linear), { entry, log: silentLog });
  await session.load();
  const pid = onlyRunner();
  const controller = new AbortController();
  const stopped = session.run(call({ x: [[1, 0]] }), controller.signal);
  session.run(call({ x: [[1, 0]] })).catch(() => undefined);
  await session.ping();
  controller.abort();
  // A second after the stop it is asked whether it lives, and has half a second to say so.
  const heldUp = new Promise<void>((resolve) =>
    setTimeout(() => {
      for (const end = Date.now() + 700; Date.now() < end; );
      resolve();
    }, 1_000),
  );
  await assert.rejects(stopped, { code: "cancelled" });
  await heldUp;
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(onlyRunner(), pid);
  await session.stop();
});

test("a waiting request that is cancelled disturbs nobody", async () => {
  await withSession(kit.model("queued", slow, { batchable: false }), async (session) => {
    const n = await turnsFor(session, 200);
    const pid = onlyRunner();
    const controller = new AbortController();
    const runs = [
      session.run(call({ n })),
      session.run(call({ n: never }), controller.signal),
      session.run(call({ n: 1 })),
    ];
    await session.ping();
    controller.abort();
    const ends = await Promise.allSettled(runs);
    assert.deepEqual(
      ends.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    assert.equal(onlyRunner(), pid);
  });
});

test("requests that a killed runner owed are answered by the next one, each exactly once", async () => {
  await withSession(kit.model("crash", slow, { batchable: false }), async (session) => {
    const states: SessionState[] = [];
    const n = await turnsFor(session, 300);
    session.onDidChangeState((state) => states.push(state));
    let answers = 0;
    const runs = [n, 1, 1].map((turns) => session.run(call({ n: turns })).finally(() => (answers += 1)));
    await session.ping();
    process.kill(onlyRunner(), "SIGKILL");
    await Promise.all(runs);
    assert.equal(answers, 3);
    assert.deepEqual(states, ["busy", "starting", "busy", "ready"]);
  });
});

test("a runner that dies while it is idle comes back; kept results of the old one are gone", async () => {
  await withSession(kit.model("idle", linear), async (session) => {
    const { outputs } = await session.run(call({ x: [[1, 2]] }, { keepAboveBytes: 0 }));
    process.kill(onlyRunner(), "SIGKILL");
    await until(() => session.state === "starting", "the death is noticed");
    assert.equal((await session.load()).device, "cpu");
    await assert.rejects(session.readResult(outputs[0]?.kept ?? "", 0, 1), { code: "result.gone" });
    const again = await session.run(call({ x: [[1, 2]] }));
    assert.deepEqual(
      again.outputs.map(({ tensor }) => tensor && tensorToNested(tensor)),
      [[[6, 9, 12]]],
    );
  });
});

test("a runner that dies again and again is given up after three restarts, with the cause", async () => {
  const session = openSession(kit.model("dying", slow, { batchable: false }), { entry: kit.entry, log: silentLog });
  try {
    await session.load();
    let kills = 0;
    session.onDidChangeState((state) => {
      if (state !== "busy") return;
      kills += 1;
      process.kill(onlyRunner(), "SIGKILL");
    });
    const message = /^dying: the runner process was killed from outside/;
    await assert.rejects(session.run(call({ n: never })), { code: "worker.died", message });
    assert.equal(kills, 4);
    assert.equal(session.state, "failed");
    await assert.rejects(session.run(call({ n: 1 })), { code: "worker.died", message });
  } finally {
    await session.stop();
  }
});

test("a runner that ran out of memory is told from others by what it printed", async () => {
  const entry = kit.script("hungry.cjs", 'console.error("terminate called: std::bad_alloc"); process.abort();');
  const session = openSession(kit.model("hungry", linear), { entry, log: silentLog });
  await assert.rejects(session.load(), { code: "worker.died", message: /ran out of memory; .*std::bad_alloc/ });
});

test("a runner killed at any moment of sending, running and answering costs nobody an answer", async () => {
  const echo = kit.model("echo", {
    inputs: [{ name: "x", dtype: "uint8", shape: ["N", "M"] }],
    outputs: [{ name: "y", dtype: "uint8", shape: ["N", "M"] }],
    nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
  });
  const data = Buffer.alloc(2 ** 25, "modelbench");
  const tensor = { dtype: "uint8", shape: [4, data.length / 4], data } as const;
  for (const waitMs of [0, 15, 40, 80]) {
    await withSession(echo, async (session) => {
      await session.load();
      const run = session.run({ method: "run", batch: true, inputs: { x: { kind: "tensor", tensor } } });
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      for (const pid of runnersOf(process.pid)) process.kill(pid, "SIGKILL");
      const { outputs } = await run;
      assert.ok(data.equals(outputs[0]?.tensor?.data ?? Buffer.alloc(0)), `killed after ${waitMs} ms`);
    });
  }
});

test("a runner killed while it loads the first time fails the load, with the cause", async () => {
  const entry = kit.script("deadRunner.cjs", 'process.kill(process.pid, "SIGKILL");');
  const session = openSession(kit.model("dead", linear), { entry, log: silentLog });
  await assert.rejects(session.load(), { code: "worker.died", message: /dead: .*killed from outside/ });
  assert.equal(session.state, "failed");
});

test("what a runner started ends with it, whether it is stopped or dies", async () => {
  const started = join(kit.folder, "started.pid");
  const starting = `
    const { spawn } = require("node:child_process");
    const child = spawn("sleep", ["1000"], { stdio: "inherit" });
    require("node:fs").writeFileSync(${JSON.stringify(started)}, String(child.pid));
    require("./runner.cjs");`;
  const entry = kit.script("startingRunner.cjs", starting);
  for (const end of ["stop", "death"]) {
    const session = openSession(kit.model("group", linear), { entry, log: silentLog });
    try {
      await session.load();
      const sleeper = Number(readFileSync(started, "utf8"));
      assert.ok(isAlive(sleeper));
      if (end === "stop") await session.stop();
      else process.kill(onlyRunner(), "SIGKILL");
      await until(() => !isAlive(sleeper), `the end of what the runner started, after its ${end}`);
    } finally {
      await session.stop();
    }
  }
});

test("a runner that is sent nonsense, and one whose input was closed, end themselves", async () => {
  for (const send of ["this is no frame at all", ""]) {
    const runner = spawn(process.execPath, [kit.entry], { stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"] });
    const input = runner.stdio[3] as Writable;
    input.on("error", () => undefined);
    input.end(send);
    const [code, signal] = await once(runner, "exit");
    assert.deepEqual([code, signal], [null, "SIGKILL"]);
  }
});
