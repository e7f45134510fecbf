import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { importArchive } from "../../src/store/archive/importArchive";
import { ModelStore } from "../../src/store/modelStore";
import { formatTag } from "../../src/store/tag";
import { drawFrom, runRandom } from "../fixtures/random";
import { filesOf, homeOf, prepareWorld, STORE_CHANGES, type World } from "../fixtures/storeChanges";
import { bundleChangeProcess, type ChangeRun, strace, texts, tracedCalls } from "../fixtures/straced";
import { missing } from "../optional";
import { namesIn, treeOf } from "../unit/store/storeKit";
import { StorePeer } from "./storePeer";

const CHANGES = Object.keys(STORE_CHANGES);
const SOAK = process.env["MODELBENCH_SOAK"] === "1";
/** Places to stop at in one run, all changes together; a soak run takes every place there is. */
const KILLS = 40;
const FAILURES = 24;
/** What making a change again may say when it had been made. */
const MADE_BEFORE = ["model.exists", "model.notFound", "trash.notFound", "file.access"];
const ERRORS = ["EIO", "ENOSPC", "EACCES", "EMFILE"];

/** The n-th call of this name in one of the threads. */
interface Point {
  readonly change: string;
  readonly call: string;
  readonly nth: number;
}

/** What all runs of a test share. */
interface Bench {
  readonly temp: string;
  readonly bundle: string;
  readonly world: World;
  readonly peer: StorePeer;
}

test(
  "a change killed at any call leaves a store that we and BentoML can list, without half a model",
  { skip: missing("ptrace") },
  (t) =>
    onBench(async (bench) => {
      for (const point of drawPoints(t, bench, KILLS)) await killAt(bench, point);
    }),
);

test("a change whose call fails says why and leaves no half of anything", { skip: missing("ptrace") }, (t) =>
  onBench(async (bench) => {
    for (const [i, point] of drawPoints(t, bench, FAILURES).entries()) {
      await failAt(bench, point, ERRORS[i % ERRORS.length] ?? "EIO", i % 2 === 0);
    }
  }),
);

async function onBench(body: (bench: Bench) => Promise<void>): Promise<void> {
  const temp = mkdtempSync(join(tmpdir(), "modelbench-kill-"));
  const peer = new StorePeer();
  try {
    const world = await prepareWorld(temp, 2_500_000);
    await body({ temp, bundle: await bundleChangeProcess(temp), world, peer });
  } finally {
    peer.dispose();
    rmSync(temp, { recursive: true, force: true });
  }
}

function drawPoints(t: TestContext, bench: Bench, count: number): Point[] {
  const random = runRandom();
  const ofEach = Math.ceil(count / CHANGES.length);
  return CHANGES.flatMap((change) => {
    const points = mutatingCalls(bench, change);
    assert.ok(points.length >= ofEach, `${change}: only ${points.length} calls`);
    const drawn = SOAK ? points : drawFrom(points, ofEach, random);
    t.diagnostic(`${change}: ${drawn.length} of ${points.length} calls`);
    return drawn;
  });
}

/** Makes the change once and finds every call by which it changed the store or the folder it exports to. */
function mutatingCalls(bench: Bench, change: string): Point[] {
  const copy = copyOf(bench);
  try {
    const counts = new Map<string, number>();
    // strace counts in every thread: it is the first one to come to its n-th call that is hit.
    const first = new Map<string, { readonly point: Point; readonly mutates: boolean }>();
    for (const { thread, call, args } of tracedCalls({ ...bench, copy, change }, join(bench.temp, "log"))) {
      const nth = (counts.get(`${thread} ${call}`) ?? 0) + 1;
      counts.set(`${thread} ${call}`, nth);
      const mutates = texts(args).some((text) => text.startsWith(copy)) && (call !== "openat" || /O_CREAT/.test(args));
      if (!first.has(`${call} ${nth}`)) first.set(`${call} ${nth}`, { point: { change, call, nth }, mutates });
    }
    return [...first.values()].filter(({ mutates }) => mutates).map(({ point }) => point);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

async function killAt(bench: Bench, { change, call, nth }: Point): Promise<void> {
  const where = `${change} killed before ${call} ${nth}`;
  const copy = copyOf(bench);
  try {
    const { signal, status, stderr } = inject({ ...bench, copy, change }, call, `signal=SIGKILL:when=${nth}`);
    assert.ok(signal === "SIGKILL" || status === 137, `${where}: it was not killed, ${status} ${stderr}`);
    await assertSound(bench, copy, change, where);
    await assertMendedAndRepeated(bench, copy, change, where);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function failAt(bench: Bench, { change, call, nth }: Point, code: string, once: boolean): Promise<void> {
  const where = `${change} with ${code} at ${call} ${nth}${once ? "" : " and later"}`;
  const copy = copyOf(bench);
  try {
    const run = inject({ ...bench, copy, change }, call, `error=${code}:when=${nth}${once ? "" : "+"}`);
    // A write may be one by which the runtime wakes its own threads; it gives up then, which is as good as a kill.
    // It may also be the one that would have said what failed.
    const aborted = run.signal === "SIGABRT" || run.status === 134;
    const gaveUp = call === "write" && (aborted || (run.status !== 0 && run.stdout === ""));
    assert.ok(gaveUp || run.signal === null, `${where}: ${run.signal} ${run.stderr}`);
    // Some failures need not stop a change, for instance of a clean-up that is made up for later.
    if (run.status !== 0 && !gaveUp)
      assert.match(run.stdout, /"code":"(store|file)\.access"/, `${where}: ${run.stderr}`);
    if (!gaveUp) assert.doesNotMatch(run.stderr, /\n {4}at /, where);
    await assertSound(bench, copy, change, where);
    assert.deepEqual(
      // What may not be removed is cleared away by the next export.
      namesIn(join(copy, "exports")).filter((name) => name.endsWith(".part") && once && call !== "unlink"),
      [],
      where,
    );
    await assertMendedAndRepeated(bench, copy, change, where);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function inject(run: ChangeRun, call: string, what: string): ReturnType<typeof strace> {
  return strace(run, ["-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:${what}`]);
}

function copyOf(bench: Bench): string {
  const copy = join(bench.temp, "copy");
  rmSync(copy, { recursive: true, force: true });
  cpSync(bench.world.before, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

/** The next start clears up behind the dead process, and the change can be made as if nothing had been. */
async function assertMendedAndRepeated(bench: Bench, copy: string, change: string, where: string): Promise<void> {
  const store = new ModelStore(homeOf(copy, change));
  await store.sweepStaging();
  assert.deepEqual(namesIn(join(store.home, ".modelbench/staging")), [], where);
  await assertSound(bench, copy, change, where);
  const { run, versions, trash } = STORE_CHANGES[change] ?? assert.fail(change);
  const places = { ...bench.world, home: store.home, exports: join(copy, "exports") };
  await run(places).catch((error: { code?: string }) => {
    assert.ok(MADE_BEFORE.includes(error.code ?? ""), `${where}: made again: ${error}`);
  });
  await assertSound(bench, copy, change, where);
  const listed = store.list().models.map(({ tag }) => tag.version);
  assert.deepEqual(listed, versions, where);
  const kept = new Set(store.trash().map(({ tag }) => tag.version));
  assert.deepEqual([...kept].sort(), trash, where);
  if (change === "export") assert.deepEqual(namesIn(places.exports), ["m.bentomodel"], where);
}

/** Both sides list the same versions, every one whole, and agree on the latest; what was exported is whole, too. */
async function assertSound(bench: Bench, copy: string, change: string, where: string): Promise<void> {
  const home = homeOf(copy, change);
  const store = new ModelStore(home);
  const { models, broken } = store.list();
  assert.deepEqual(broken, [], where);
  // BentoML makes the folder before it looks into it.
  const hasModels = existsSync(join(home, "models"));
  const listed = hasModels ? bench.peer.list(home) : Promise.resolve([]);
  const theirs = await listed.catch((error) => assert.fail(`${where}: BentoML cannot list: ${error}`));
  const ours = models.map(({ tag }) => formatTag(tag));
  assert.deepEqual(
    ours,
    theirs.map(({ tag }) => tag),
    where,
  );
  for (const { tag, path } of models) {
    const is = filesOf(path);
    const whole = bench.world.wholes[tag.version]?.some((files) => JSON.stringify(files) === JSON.stringify(is));
    assert.ok(whole, `${where}: ${formatTag(tag)} holds ${Object.keys(treeOf(path))}`);
  }
  if (models.length > 0) {
    const their = await bench.peer
      .get(home, "m")
      .catch((error) => assert.fail(`${where}: BentoML cannot get: ${error}`));
    assert.equal(formatTag(store.get("m").tag), their.tag, where);
  }
  const exported = join(copy, "exports/m.bentomodel");
  if (existsSync(exported)) await assertWholeArchive(exported, join(copy, "scratch"), where);
}

async function assertWholeArchive(archive: string, scratch: string, where: string): Promise<void> {
  mkdirSync(scratch, { recursive: true });
  await importArchive(new ModelStore(scratch), { source: archive, onConflict: "fail", dryRun: true }).catch((error) =>
    assert.fail(`${where}: the exported archive is not whole: ${error}`),
  );
}
