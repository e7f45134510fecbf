import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { build } from "esbuild";
import { silentLog } from "../../../src/base/log";
import type { JobProgress, Jobs } from "../../../src/base/ports";
import type { Disposable } from "../../../src/base/scope";
import { childJobs } from "../../../src/jobs/client";
import { allowedEnvironment } from "../../../src/jobs/startNodeChild";
import { chatter, echo, environment, mute, refuse, spin, tell, untidy, wait } from "../../fixtures/jobsChild";
import { isAlive, until } from "../runner/runnerKit";

let folder: string;
let entry: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "modelbench-jobs-"));
  entry = join(folder, "jobs.cjs");
  const source = join(process.cwd(), "test/fixtures/jobsChild.ts");
  await build({ entryPoints: [source], outfile: entry, bundle: true, platform: "node", format: "cjs" });
});
after(() => rmSync(folder, { recursive: true, force: true }));

async function withJobs(body: (jobs: Jobs & Disposable) => Promise<void>): Promise<void> {
  const jobs = childJobs({ entry, log: silentLog });
  try {
    await body(jobs);
  } finally {
    jobs.dispose();
  }
}

const pidOf = async (jobs: Jobs) => (await jobs.run(environment, null)).pid;

const untilGone = (pid: number): Promise<void> => until(() => !isAlive(pid), `the end of process ${pid}`);

test("a job's plain data arrives and comes back as it was, bytes and big integers included", () =>
  withJobs(async (jobs) => {
    const value = { text: "é", big: 2n ** 70n, bytes: new Uint8Array([1, 2, 3]), map: new Map([["k", [null]]]) };
    assert.deepEqual(await jobs.run(echo, value), value);
  }));

test("every part that a job tells arrives, in order and before its answer", () =>
  withJobs(async (jobs) => {
    const heard: unknown[] = [];
    assert.equal(await jobs.run(tell, 500, { onPart: (part) => heard.push(part) }), "told");
    assert.deepEqual(heard, [...Array(500).keys()]);
  }));

test("a job's own failure keeps its code, place and remedy", () =>
  withJobs(async (jobs) => {
    await assert.rejects(jobs.run(refuse, "/a/b"), {
      code: "archive.corrupt",
      message: "No.",
      path: "/a/b",
      offset: 7,
      remedy: "Try another.",
    });
    await assert.rejects(jobs.run({ name: "test.unknown" }, null), { code: "internal" });
  }));

test("an input that cannot be sent fails alone and leaves nothing behind that would stop the process", () =>
  withJobs(async (jobs) => {
    const pid = await pidOf(jobs);
    await assert.rejects(
      jobs.run<unknown, unknown>({ name: "test.echo", silenceMs: 20 }, () => undefined),
      /clone/,
    );
    assert.equal(await jobs.run(wait, 100), "waited");
    assert.equal(await pidOf(jobs), pid);
  }));

test("jobs run side by side in one process that starts with the first of them", () =>
  withJobs(async (jobs) => {
    const [first, second, slow] = await Promise.all([pidOf(jobs), pidOf(jobs), jobs.run(wait, 30)]);
    assert.equal(first, second);
    assert.equal(slow, "waited");
    assert.notEqual(first, process.pid);
  }));

test("the child sees the allowed variables only, and none of our flags", () =>
  withJobs(async (jobs) => {
    process.env["MODELBENCH_TEST_TOKEN"] = "secret";
    process.env["BENTOML_HOME"] = "/nowhere";
    try {
      const { names, execArgv } = await jobs.run(environment, null);
      const own = ["ELECTRON_RUN_AS_NODE", "NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"];
      const allowed = new Set([...Object.keys(allowedEnvironment(process.env)), ...own]);
      assert.deepEqual(
        names.filter((name) => !allowed.has(name)),
        [],
      );
      assert.ok(names.includes("PATH"));
      assert.deepEqual(execArgv, ["--expose-gc"]);
    } finally {
      delete process.env["MODELBENCH_TEST_TOKEN"];
      delete process.env["BENTOML_HOME"];
    }
  }));

test("names that change how programs load are never passed on", () => {
  const env = { PATH: "/bin", Path: "C:\\", NODE_OPTIONS: "x", LD_PRELOAD: "x", PYTHONPATH: "x", GITHUB_TOKEN: "x" };
  assert.deepEqual(allowedEnvironment(env), { PATH: "/bin", Path: "C:\\" });
});

test("a killed process fails every job under way by name, and the next job gets a new process", () =>
  withJobs(async (jobs) => {
    const pid = await pidOf(jobs);
    const pending = [jobs.run(wait, 60_000), jobs.run(mute, null)];
    const outcomes = Promise.allSettled(pending);
    process.kill(pid, "SIGKILL");
    for (const [outcome, name] of (await outcomes).map((o, i) => [o, i === 0 ? wait.name : mute.name] as const)) {
      assert.equal(outcome.status, "rejected");
      assert.equal(outcome.reason.code, "worker.died");
      assert.match(outcome.reason.message, new RegExp(name.replace(".", "\\.")));
    }
    const next = await pidOf(jobs);
    assert.notEqual(next, pid);
  }));

test("a cancelled job ends as cancelled and leaves the process and other jobs alone", () =>
  withJobs(async (jobs) => {
    const pid = await pidOf(jobs);
    const controller = new AbortController();
    const other = jobs.run(wait, 200);
    const cancelled = assert.rejects(jobs.run(wait, 60_000, { signal: controller.signal }), { code: "cancelled" });
    controller.abort();
    await cancelled;
    assert.equal(await other, "waited");
    assert.equal(await pidOf(jobs), pid);
    await assert.rejects(jobs.run(echo, 1, { signal: controller.signal }), { code: "cancelled" });
  }));

test("a job that is deaf to its cancel is killed, and its neighbours fail as worker.died", () =>
  withJobs(async (jobs) => {
    const pid = await pidOf(jobs);
    const controller = new AbortController();
    const neighbour = assert.rejects(jobs.run(wait, 60_000), { code: "worker.died" });
    const deaf = assert.rejects(jobs.run(spin, 60_000, { signal: controller.signal }), { code: "cancelled" });
    controller.abort();
    await deaf;
    await neighbour;
    await untilGone(pid);
    assert.equal(await jobs.run(echo, "again"), "again");
  }));

test("a job that hears its cancel but tidies up slowly lets its caller go and keeps the process", () =>
  withJobs(async (jobs) => {
    const pid = await pidOf(jobs);
    const controller = new AbortController();
    const slow = assert.rejects(jobs.run(untidy, null, { signal: controller.signal }), { code: "cancelled" });
    controller.abort();
    await slow;
    assert.equal(await pidOf(jobs), pid);
  }));

test("a window that is held up takes no job for deaf or silent that has answered meanwhile", () =>
  withJobs(async (jobs) => {
    const pid = await pidOf(jobs);
    const holdUp = (ms: number): void => {
      for (const end = Date.now() + ms; Date.now() < end; );
    };
    const controller = new AbortController();
    const other = jobs.run(wait, 2_000);
    const cancelled = assert.rejects(jobs.run(wait, 60_000, { signal: controller.signal }), { code: "cancelled" });
    await jobs.run(echo, 1);
    controller.abort();
    // As by another extension that runs in the same process.
    setImmediate(() => holdUp(700));
    await cancelled;
    const told = jobs.run(chatter, 5);
    await new Promise((turn) => setTimeout(turn, 100));
    holdUp(500);
    assert.equal(await told, "done");
    assert.equal(await other, "waited");
    assert.equal(await pidOf(jobs), pid);
  }));

test("a job without progress is stopped after its silence, one that reports may take longer", () =>
  withJobs(async (jobs) => {
    const pid = await pidOf(jobs);
    const seen: JobProgress[] = [];
    assert.equal(await jobs.run(chatter, 5, { onProgress: (p) => seen.push(p) }), "done");
    assert.ok(seen.length >= 3 && seen.every((p) => p.totalBytes === 5 && p.current?.startsWith("step")));
    await assert.rejects(jobs.run(mute, null), { code: "worker.died", message: /test\.mute/ });
    await untilGone(pid);
  }));

test("an entry that is not there fails the job, not the caller's process", async () => {
  const jobs = childJobs({ entry: join(folder, "missing.cjs"), log: silentLog });
  await assert.rejects(jobs.run(echo, 1), { code: "worker.died" });
  jobs.dispose();
});

test("disposing cancels what is under way and leaves no process", async () => {
  const jobs = childJobs({ entry, log: silentLog });
  const pid = await pidOf(jobs);
  const pending = assert.rejects(jobs.run(wait, 60_000), { code: "cancelled" });
  jobs.dispose();
  await pending;
  await untilGone(pid);
  await assert.rejects(jobs.run(echo, 1), { code: "cancelled" });
});
