import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { ModelStore } from "../../src/store/modelStore";
import { formatTag } from "../../src/store/tag";
import { draftOf, namesIn, treeOf } from "../unit/store/storeKit";
import { CHANGES } from "./killVictim";
import { StorePeer } from "./storePeer";

const CALLS = "mkdir,openat,write,fsync,rename,unlink,rmdir";
const POINTS_PER_CHANGE = 10;

/** A place to kill at: just before the n-th call of this name in the thread that writes. */
interface Point {
  readonly call: string;
  readonly nth: number;
}

test("a change killed at any call leaves a store that we and BentoML can list, without half a model", async (t) => {
  const problem = whyNoPtrace();
  if (problem !== undefined) return t.skip(`ptrace: ${problem}`);
  const temp = mkdtempSync(join(tmpdir(), "modelbench-kill-"));
  const peer = new StorePeer();
  try {
    const seed = Number(process.env["MODELBENCH_SEED"] ?? randomInt(2 ** 31));
    t.diagnostic(`MODELBENCH_SEED=${seed}`);
    const random = randomFrom(seed);
    const bench = await prepare(temp);
    for (const change of Object.keys(CHANGES)) {
      const points = await mutatingCalls(bench, change);
      assert.ok(points.length >= POINTS_PER_CHANGE, `${change}: only ${points.length} calls`);
      for (const point of draw(points, POINTS_PER_CHANGE, random)) await killAt(bench, peer, change, point);
      t.diagnostic(`${change}: ${POINTS_PER_CHANGE} of ${points.length} calls`);
    }
  } finally {
    peer.dispose();
    rmSync(temp, { recursive: true, force: true });
  }
});

/** What all runs share. */
interface Bench {
  readonly temp: string;
  readonly victim: string;
  readonly sources: string;
  /** The store before any change. */
  readonly before: string;
  readonly wholeBefore: Record<string, string>;
}

async function prepare(temp: string): Promise<Bench> {
  const victim = join(temp, "victim.cjs");
  const entry = join(process.cwd(), "test/peers/killVictim.ts");
  await build({
    entryPoints: [entry],
    outfile: victim,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
  });
  const sources = join(temp, "sources");
  mkdirSync(sources);
  writeFileSync(join(sources, "big.bin"), Buffer.alloc(2_500_000, "big "));
  writeFileSync(join(sources, "small.txt"), "small");
  const before = join(temp, "before");
  const store = new ModelStore(before);
  for (const version of ["v1", "v0"]) {
    await store.save(draftOf("m", version), [{ from: join(sources, "small.txt"), to: "small.txt" }]);
  }
  // The one deleted was the latest, so that to restore it moves latest as well.
  const wholeBefore = versionsOf(before);
  await store.delete({ name: "m", version: "v0" });
  return { temp, victim, sources, before, wholeBefore };
}

/** Runs the change once under strace and finds every call by which it changed the store. */
async function mutatingCalls(bench: Bench, change: string): Promise<Point[]> {
  const home = join(bench.temp, "dry");
  const log = join(bench.temp, "log");
  cpSync(bench.before, home, { recursive: true });
  const run = strace(bench, change, home, ["-y", "-o", log, "-e", `trace=${CALLS}`]);
  assert.equal(run.status, 0, String(run.stderr));
  const counts = new Map<string, number>();
  const points = new Map<string, Point[]>();
  for (const line of readFileSync(log, "utf8").split("\n")) {
    const match = /^(\d+) +(\w+)\((.*)/.exec(line);
    if (match === null) continue;
    const [, thread = "", call = "", rest = ""] = match;
    const nth = (counts.get(`${thread} ${call}`) ?? 0) + 1;
    counts.set(`${thread} ${call}`, nth);
    const mutates = rest.includes(home) && (call !== "openat" || rest.includes("O_CREAT"));
    if (mutates) points.set(thread, [...(points.get(thread) ?? []), { call, nth }]);
  }
  rmSync(home, { recursive: true });
  // All asynchronous calls run in the one thread of the pool; what another one does (a plain copy) is not the store's.
  return [...points.values()].sort((a, b) => b.length - a.length)[0] ?? [];
}

async function killAt(bench: Bench, peer: StorePeer, change: string, { call, nth }: Point): Promise<void> {
  const where = `${change} killed before ${call} ${nth}`;
  const home = join(bench.temp, "home");
  cpSync(bench.before, home, { recursive: true });
  try {
    const inject = ["-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:signal=SIGKILL:when=${nth}`];
    const run = strace(bench, change, home, inject);
    assert.ok(
      run.signal === "SIGKILL" || run.status === 137,
      `${where}: it was not killed, ${run.status} ${run.stderr}`,
    );
    await assertSound(bench, peer, home, where);

    const store = new ModelStore(home);
    await store.sweepStaging();
    assert.deepEqual(namesIn(join(home, ".modelbench/staging")), [], where);
    await assertSound(bench, peer, home, where);
    await runAgain(bench, store, change, where);
    await assertSound(bench, peer, home, where);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Both sides list the same versions, every one whole, and agree on the latest. */
async function assertSound(bench: Bench, peer: StorePeer, home: string, where: string): Promise<void> {
  const store = new ModelStore(home);
  const { models, broken } = store.list();
  assert.deepEqual(broken, [], where);
  const theirs = await peer.list(home).catch((error) => assert.fail(`${where}: BentoML cannot list: ${error}`));
  assert.deepEqual(
    models.map(({ tag }) => formatTag(tag)),
    theirs.map(({ tag }) => tag),
    where,
  );
  for (const [path, what] of Object.entries(versionsOf(home))) {
    const whole = bench.wholeBefore[path] ?? what;
    assert.equal(what, whole, `${where}: ${path}`);
  }
  for (const { tag, path } of models.filter((model) => model.tag.version > "v1")) {
    const big = readFileSync(join(path, tag.version === "v2" ? "big.bin" : "files/big.bin"));
    const small = readFileSync(join(path, tag.version === "v2" ? "deep/small.txt" : "files/small.txt"), "utf8");
    assert.ok(big.equals(readFileSync(join(bench.sources, "big.bin"))) && small === "small", `${where}: ${path}`);
  }
  if (models.length > 0) {
    const their = await peer.get(home, "m").catch((error) => assert.fail(`${where}: BentoML cannot get: ${error}`));
    assert.equal(formatTag(store.get("m").tag), their.tag, where);
  }
}

async function runAgain(bench: Bench, store: ModelStore, change: string, where: string): Promise<void> {
  const expected: Record<string, string[]> = {
    save: ["v1", "v2"],
    delete: [],
    restore: ["v0", "v1"],
    adopt: ["v1", "v3"],
  };
  await CHANGES[change]?.(store, bench.sources).catch((error: { code?: string }) => {
    const done = ["model.exists", "model.notFound", "trash.notFound"];
    assert.ok(done.includes(error.code ?? ""), `${where}: run again: ${error}`);
  });
  assert.deepEqual(
    store.list().models.map(({ tag }) => tag.version),
    expected[change],
    where,
  );
}

function versionsOf(home: string): Record<string, string> {
  const tree = Object.entries(treeOf(join(home, "models")));
  return Object.fromEntries(tree.filter(([path]) => path.split("/").length > 3));
}

function strace(bench: Bench, change: string, home: string, options: readonly string[]): ReturnType<typeof spawnSync> {
  // One thread makes all calls, so that the n-th one is the same in every run.
  const env = { ...process.env, UV_THREADPOOL_SIZE: "1", UV_USE_IO_URING: "0" };
  const command = [process.execPath, bench.victim, change, home, bench.sources];
  return spawnSync("strace", ["-f", "-qq", ...options, ...command], { env, timeout: 30_000, encoding: "utf8" });
}

function whyNoPtrace(): string | undefined {
  const probe = spawnSync("strace", ["-f", "-qq", "-o", "/dev/null", "-e", "trace=none", "true"], { encoding: "utf8" });
  if (probe.error !== undefined) return "strace is not installed";
  return probe.status === 0 ? undefined : `strace cannot watch a process here: ${probe.stderr.trim()}`;
}

function draw(points: readonly Point[], count: number, random: () => number): Point[] {
  const left = [...points];
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(Math.floor(random() * left.length), 1),
  ).flat();
}

/** Numbers in [0, 1) that a seed determines (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
