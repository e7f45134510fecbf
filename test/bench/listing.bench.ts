import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Slice } from "../../src/base/slice";
import { LiveListing } from "../../src/extension/liveListing";
import { inProcessJobs } from "../../src/jobs/inProcess";
import { layoutOf } from "../../src/store/layout";
import { listStore } from "../../src/store/listStore";
import { ModelStore } from "../../src/store/modelStore";
import { openListingCache } from "../../src/store/savedListing";
import { watchEventLoop } from "../host/eventLoop";
import { noWatch } from "../unit/extension/fakes";
import { report } from "./report";
import { type Amount, type Case, interleave, type Ratio, type Timing } from "./rounds";
import { writeBenchStore } from "./store";

const CLI = resolve("dist/cli.cjs");
const PEER = resolve(".tools/venv/bin/bentoml");

type Line = Ratio | Amount;

/** The physical limit: every `model.yaml` read and every file's size asked for, synchronously. */
function readsAndStats(home: string): number {
  const models = join(home, "models");
  let total = 0;
  for (const name of readdirSync(models)) {
    for (const version of readdirSync(join(models, name))) {
      if (version === "latest") continue;
      const folder = join(models, name, version);
      readFileSync(join(folder, "model.yaml"));
      for (const file of readdirSync(folder)) total += statSync(join(folder, file)).size;
    }
  }
  return total;
}

/** What tells which names changed: the time of every name's folder. */
function folderStats(home: string): number {
  const models = join(home, "models");
  return readdirSync(models).reduce((newest, name) => Math.max(newest, statSync(join(models, name)).mtimeMs), 0);
}

const quiet = (program: string, args: string[], home: string) =>
  execFileSync(program, args, {
    env: { ...process.env, BENTOML_HOME: home, BENTOML_DO_NOT_TRACK: "True" },
    stdio: ["ignore", "ignore", "ignore"],
  });

const ours = (args: string[], home: string) => quiet(process.execPath, [CLI, ...args], home);

async function measure(): Promise<Line[]> {
  const lines: Line[] = [];
  for (const count of [10, 1_000, 10_000]) {
    const home = mkdtempSync(join(tmpdir(), "modelbench-bench-"));
    try {
      writeBenchStore(home, count);
      // A store that we have written to: only there a listing is remembered, once its files are a few seconds old.
      mkdirSync(join(home, ".modelbench"));
      writeFileSync(join(home, ".modelbench", "format"), "1\n");
      await sleep(4_000);
      lines.push(...(await inProcess(home, count)), ...(await wholeProcess(home, count)));
      if (count > 10) lines.push(...(await inWindow(home, count)), ...(await oneModel(home, count)));
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }
  return lines;
}

async function inProcess(home: string, count: number): Promise<Line[]> {
  const layout = layoutOf(home);
  forget(home);
  ours(["list", "-o", "json"], home);
  const [cold, warm, limit] = (await interleave(
    [
      { name: "cold", run: () => new ModelStore(home).list() },
      {
        name: "warm",
        run: () => listStore(layout, undefined, { now: Date.now, cache: openListingCache(layout, Date.now) }),
      },
      { name: "reads and stats", run: () => readsAndStats(home) },
    ],
    { warmUp: 3, rounds: count > 1_000 ? 7 : 21 },
  )) as [Timing, Timing, Timing];
  return [
    { what: `list ${count}, in process, cold`, ours: cold, against: limit, ...goal(count, 1.5) },
    { what: `list ${count}, in process, warm`, ours: warm, against: limit, ...goal(count, 1.5) },
  ];
}

/** Makes the next listing a cold one: nothing of an earlier one is there. */
const forget = (home: string) => rmSync(join(home, ".modelbench", "cache"), { recursive: true, force: true });

async function wholeProcess(home: string, count: number): Promise<Line[]> {
  const cases: Case[] = [
    { name: "cold", run: () => ours(["list", "-o", "json"], home), before: () => forget(home) },
    { name: "warm", run: () => ours(["list", "-o", "json"], home) },
    { name: "node -e 0", run: () => quiet(process.execPath, ["-e", "0"], home) },
  ];
  if (existsSync(PEER)) cases.push({ name: "bentoml", run: () => quiet(PEER, ["models", "list", "-o", "json"], home) });
  const times = await interleave(cases, { warmUp: 1, rounds: count > 1_000 ? 3 : 5 });
  const [cold, warm, node, peer] = times as [Timing, Timing, Timing, Timing?];
  const what = `list ${count}, whole process`;
  const lines: Line[] = [{ what: `${what}, warm`, ours: warm, against: node }];
  if (peer === undefined) return lines;
  const isBig = count > 1_000;
  return [
    ...lines,
    { what: `${what}, cold`, ours: cold, against: peer, ...goal(count, isBig ? 1 / 25 : 0.1) },
    { what: `${what}, warm`, ours: warm, against: peer, ...goal(count, isBig ? 1 / 50 : 0.1) },
  ];
}

/** What a window does: the names, everything, and one change later. */
async function inWindow(home: string, count: number): Promise<Line[]> {
  const store = new ModelStore(home);
  const listed = async (until: "named" | "ready") => {
    const listing = new LiveListing(store, inProcessJobs(), noWatch);
    await listing[until]();
    listing.dispose();
  };
  const [named, ready, limit, changed, stats] = (await interleave(
    [
      { name: "first rows", run: () => listed("named") },
      { name: "all rows", run: () => listed("ready") },
      { name: "reads and stats", run: () => readsAndStats(home) },
      { name: "one change", run: () => refreshAfterChange(store) },
      { name: "folder stats", run: () => folderStats(home) },
    ],
    { warmUp: 2, rounds: 7 },
  )) as [Timing, Timing, Timing, Timing, Timing];
  return [
    { what: `window ${count}, first rows`, ours: named, against: limit },
    { what: `window ${count}, all rows, warm`, ours: ready, against: limit },
    { what: `window ${count}, one change later`, ours: changed, against: stats, ...goal(count / 10, 2) },
    ...(await heapAndBlock(store, count)),
  ];
}

/** The folders compared, and the one name that changed read again. */
function refreshAfterChange(store: ModelStore): void {
  const names = drain(store.nameSlices(new Slice(Number.POSITIVE_INFINITY)));
  const [name = ""] = names.keys();
  drain(store.versionSlices(name, { slice: new Slice(Number.POSITIVE_INFINITY) }));
}

function drain<T>(work: Generator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

async function heapAndBlock(store: ModelStore, count: number): Promise<Amount[]> {
  const blocked: number[] = [];
  let bytes = 0;
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    const listing = new LiveListing(store, inProcessJobs(), noWatch);
    const loop = watchEventLoop();
    await listing.ready();
    blocked.push(loop.longestMs());
    loop.stop();
    globalThis.gc?.();
    // Later rounds begin with the listing before them still in memory.
    bytes = Math.max(bytes, process.memoryUsage().heapUsed - before);
    listing.dispose();
  }
  return [
    { what: `window ${count}, heap a model`, amount: bytes / count, unit: "B", atMost: 3072 },
    { what: `window ${count}, longest block`, amount: Math.min(...blocked), unit: "ms", atMost: 16 },
  ];
}

/** One model read and one deleted, against the real one's commands. */
async function oneModel(home: string, count: number): Promise<Line[]> {
  const store = new ModelStore(home);
  const tags = store.list().models.map(({ tag }) => tag);
  const getIt: Case = { name: "get", run: () => store.get("model_0000:v00") };
  const deleteIt: Case = { name: "delete", run: () => store.delete(tags.pop() ?? { name: "", version: "" }) };
  const [get] = (await interleave([getIt], { warmUp: 3, rounds: 7, calls: 20 })) as [Timing];
  const [remove] = (await interleave([deleteIt], { warmUp: 1, rounds: 5 })) as [Timing];
  const lines: Line[] = [{ what: `get 1 of ${count}`, amount: get.medianMs, unit: "ms", atMost: 1.5 }];
  if (!existsSync(PEER)) return lines;
  const theirs = () => {
    const { name, version } = tags.pop() ?? { name: "", version: "" };
    return quiet(PEER, ["models", "delete", "-y", `${name}:${version}`], home);
  };
  const [theirGet, theirDelete] = (await interleave(
    [
      { name: "bentoml get", run: () => quiet(PEER, ["models", "get", "model_0000:v00"], home) },
      { name: "bentoml delete", run: theirs },
    ],
    { warmUp: 0, rounds: 2 },
  )) as [Timing, Timing];
  return [
    ...lines,
    { what: `get 1 of ${count}`, ours: get, against: theirGet, atMost: 1 / 500 },
    { what: `delete 1 of ${count}`, ours: remove, against: theirDelete, atMost: 1 / 500 },
  ];
}

/** Ten models take less than what any process start or first call does: they are shown, not promised. */
const goal = (count: number, atMost: number) => (count < 1_000 ? {} : { atMost });

void report("listing", measure);
