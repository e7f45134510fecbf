import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { totalmem } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { silentLog } from "../../src/base/log";
import type { RunnerSession } from "../../src/runner/client";
import { whyNotIsolated } from "../../src/runner/isolation";
import type { LoadRequest, LoadResult, PythonLoad } from "../../src/runner/protocol";
import { openSession } from "../../src/runner/session";
import { missing } from "../optional";
import { open, runAlone, tell } from "../unit/runner/pythonKit";
import { isAlive, type Kit, openKit, until } from "../unit/runner/runnerKit";
import { askPython } from "./python";
import { PYTHON } from "./realStore";

const WORKER = join(process.cwd(), "src/frameworks/python");
const methods = ["told", "outlive", "fork", "memory", "scratch"];

let kit: Kit;
/** Outside of /tmp, which the process has one of its own of. */
let folder: string;
let saved: string;
let servers: Server[];
const realHome = process.env["HOME"];

before(async () => {
  kit = await openKit();
  folder = mkdtempSync(join(process.cwd(), "out", "isolation-"));
  const home = join(folder, "home");
  mkdirSync(join(home, ".ssh"), { recursive: true });
  mkdirSync(join(home, "bentoml"));
  writeFileSync(join(home, ".ssh/id_rsa"), "a private key");
  // The runner that is started later has it among its variables, and the model's process must not see those.
  process.env["HOME"] = home;
  const socket = join(folder, "socket");
  servers = [createServer((client) => client.destroy()), createServer((client) => client.destroy())];
  await Promise.all([
    new Promise<void>((settle) => servers[0]?.listen(0, "127.0.0.1", settle)),
    new Promise<void>((settle) => servers[1]?.listen(socket, settle)),
  ]);
  const address = servers[0]?.address();
  const plan = {
    home,
    ssh: join(home, ".ssh/id_rsa"),
    store: join(home, "bentoml/models/planted"),
    model: join(home, "bentoml/models/hostile/latest"),
    worker: WORKER,
    interpreter: join(PYTHON, "../.."),
    loopback: ["127.0.0.1", typeof address === "object" ? address?.port : 0],
    socket,
    secret: `HOME=${home}`,
  };
  writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
  saved = (askPython("isolationPeer.py", folder) as { folder: string }).folder;
});
after(() => {
  for (const server of servers) server.close();
  process.env["HOME"] = realHome;
  kit.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function request(more: Partial<PythonLoad> = {}): LoadRequest {
  const sha256 = createHash("sha256")
    .update(readFileSync(join(saved, "saved_model.pkl")))
    .digest("hex");
  return {
    label: "hostile",
    adapter: "picklable",
    file: join(saved, "saved_model.pkl"),
    device: "cpu",
    signatures: Object.fromEntries(methods.map((name) => [name, open])),
    batching: { enabled: false, maxBatchSize: 1 },
    python: {
      interpreter: PYTHON,
      worker: WORKER,
      folder: saved,
      files: [{ path: "saved_model.pkl", sha256 }],
      options: "{}",
      paths: [],
      preload: [],
      isolate: true,
      ...more,
    },
  };
}

async function withHostile(
  use: (session: RunnerSession, loaded: LoadResult) => Promise<void>,
  more: Partial<PythonLoad> = {},
): Promise<void> {
  const session = openSession(request(more), { entry: kit.entry, log: silentLog });
  try {
    await use(session, await session.load());
  } finally {
    await session.stop();
  }
}

/** Processes in the namespace that a runner's model has of its own. */
function apartProcesses(runner: number): number[] {
  const tree = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(tree)];
  const spaces = new Set(tree(runner).map(namespaceOf));
  spaces.delete(namespaceOf(process.pid));
  const [space] = [...spaces].filter((each) => each !== undefined);
  return space === undefined ? [] : allProcesses().filter((pid) => namespaceOf(pid) === space);
}

function allProcesses(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Stops the session and answers with the milliseconds until all of these processes are gone. */
async function goneAfter(session: RunnerSession, pids: readonly number[]): Promise<number> {
  const asked = performance.now();
  const stopped = session.stop();
  await until(() => !pids.some(isAlive), "everything it started ends");
  const ms = performance.now() - asked;
  await stopped;
  return ms;
}

const value = (json: unknown) => ({ 0: { kind: "json", value: json } }) as const;

async function asked(session: RunnerSession, method: string, json: unknown): Promise<number> {
  const { outputs } = await runAlone(session, method, value(json));
  const answer = outputs[0]?.value;
  return Number(answer?.container === "object" ? answer.value : Number.NaN);
}

suite("P3 a consented hostile pickle in the sandbox", { skip: missing("bubblewrap") }, () => {
  test("P3 sees neither ~/.ssh nor the home, writes nothing of the store, reaches no socket, no variable of its parents, no privilege", async () => {
    assert.equal(await whyNotIsolated(), undefined);
    const before = allFiles();
    await withHostile(async (session, { isIsolated, fallbacks }) => {
      assert.deepEqual([isIsolated, fallbacks], [true, undefined]);
      const { environment, descriptors, scratch, ...attacks } = (await tell(session, "told")) as Record<
        string,
        unknown
      >;
      for (const [name, became] of Object.entries(attacks)) assert.match(String(became), /^stopped: /, name);
      assert.equal(Object.keys(attacks).length, 11);
      assert.deepEqual([environment, scratch], [false, "writtenwritten"]);
      // Its log, its requests, its answers, nothing at all, and its own file.
      assert.deepEqual(
        (descriptors as string[]).filter((name) => !/^(pipe|socket|\/dev\/null|\/.*\.pkl)$/.test(name)),
        [],
      );
    });
    assert.deepEqual(allFiles(), before);
  });

  test("P3 the same attacks succeed where nothing keeps it apart, so that this test would notice", async () => {
    await withHostile(
      async (session, { isIsolated }) => {
        assert.equal(isIsolated, undefined);
        const told = (await tell(session, "told")) as Record<string, unknown>;
        assert.deepEqual(
          ["ssh", "home", "store", "worker", "loopback", "socket", "environment", "escalate"].map((name) => told[name]),
          ["a private key", ".ssh,bentoml", "written", "made", "connected", "connected", true, "a user namespace"],
        );
      },
      { isolate: false },
    );
  });

  test("P3 what it starts to outlive its parent is gone with it within 2 s", async () => {
    await withHostile(async (session) => {
      assert.equal(await asked(session, "outlive", "survivor"), 0);
      const pids = apartProcesses(session.facts.pid ?? 0);
      // The namespace's first process, the worker, and what belongs to nobody.
      assert.ok(pids.length >= 3, `${pids.length} processes`);
      const ms = await goneAfter(session, pids);
      assert.ok(ms <= 2_000, `it took ${ms} ms`);
    });
  });

  test("P3 what it forked 1,000 times is gone within 2 s, whether the runner is stopped or killed", async () => {
    for (const end of ["stopped", "killed"]) {
      await withHostile(async (session) => {
        const made = await asked(session, "fork", 1_000);
        // Root is not held to a number of processes; anybody else is.
        if (process.getuid?.() !== 0) assert.ok(made < 600, `${made} processes`);
        const pids = apartProcesses(session.facts.pid ?? 0);
        assert.ok(pids.length > made, `${pids.length} processes`);
        const started = performance.now();
        if (end === "killed") process.kill(session.facts.pid ?? 0, "SIGKILL");
        else void session.stop();
        await until(() => !pids.some(isAlive), "everything it started ends");
        const ms = performance.now() - started;
        assert.ok(ms <= 2_000, `${end}: it took ${ms} ms`);
      });
    }
  });

  test("P3 it gets neither 64 GiB of memory nor a file in memory without bounds, and stays", async () => {
    await withHostile(async (session) => {
      const wanted = Math.max(64, Math.ceil(totalmem() / 2 ** 30));
      const taken = await asked(session, "memory", wanted);
      assert.ok(taken > 0 && taken < Math.min(wanted, totalmem() / 2 ** 30), `${taken} of ${wanted} GiB`);
      assert.ok((await asked(session, "scratch", 8)) <= 1024);
      assert.equal(await asked(session, "memory", 1), 1);
    });
  });

  test("what keeps it apart costs at most 0.3 s a start", async () => {
    const starts = async (isolate: boolean) => {
      let best = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 3; round += 1) {
        const started = performance.now();
        await withHostile(async () => undefined, { isolate });
        best = Math.min(best, performance.now() - started);
      }
      return best;
    };
    const [apart, plain] = [await starts(true), await starts(false)];
    assert.ok(apart - plain <= 300, `${apart} ms, not apart ${plain} ms`);
  });
});

/** What is there that an attack could have changed. */
function allFiles(): string[] {
  const below = (root: string) => readdirSync(root, { recursive: true }).map((name) => join(root, String(name)));
  return [...below(join(folder, "home")), ...below(WORKER), ...readdirSync(join(PYTHON, "../.."))].filter(
    (path) => !path.includes("__pycache__"),
  );
}
