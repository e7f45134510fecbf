import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import { Slice } from "../../../src/base/slice";
import { exportModelJob, importArchiveJob } from "../../../src/store/archive/archiveJobs";
import { listNameJob } from "../../../src/store/listNameJob";
import { ModelStore } from "../../../src/store/modelStore";
import { assertQuiet, HostileArea, type HostileOutcome } from "../../fixtures/hostileArea";
import {
  CORPUS_BOUNDS,
  corpus,
  type HostileCase,
  type HostileImport,
  importsOf,
  tagOf,
} from "../../fixtures/hostileCorpus";
import { type HostileJobsKit, openHostileJobs } from "../../fixtures/hostileJobsKit";
import { assertJudged } from "../../fixtures/hostileReasons";
import { watchEventLoop } from "../../host/eventLoop";
import { tempFolder } from "../store/storeKit";

/** How long the process that shows windows and pages may be held at a stretch. */
const MAX_BLOCKED_MS = 50;
/** A slow answer counts when it comes every time: other programs of the machine hold things up as well. */
const ATTEMPTS = 3;

/** What the host's thread reads at a stretch. */
const SLICE_MS = 8;

const { path: folder, remove } = tempFolder();
let kit: HostileJobsKit;
before(async () => {
  kit = await openHostileJobs();
});
after(() => {
  kit.dispose();
  remove();
});

interface Cost {
  readonly seconds: number;
  readonly blockedMs: number;
}

/** One import as the extension does it: the work in the jobs process, then the list on the host's own thread. */
async function importOnce(hostile: HostileCase, judged: HostileImport): Promise<Cost> {
  const area = new HostileArea(folder, judged.fileName, judged.bytes);
  try {
    const keys = ownKeys();
    const start = await kit.facts();
    const loop = watchEventLoop();
    const began = performance.now();
    kit.logged.length = 0;
    const outcome = await importThere(area);
    await listAsHost(area.home);
    const cost = { seconds: (performance.now() - began) / 1000, blockedMs: loop.longestMs() };
    loop.stop();
    const end = await kit.facts();
    area.assertUnharmed({ ...outcome, said: [...kit.logged] }, hostile.watch);
    assert.equal(ownKeys(), keys, "here");
    assert.equal(end.prototypeKeys, start.prototypeKeys, "in the jobs process");
    const grown = end.peakBytes - start.residentBytes;
    assert.ok(grown <= CORPUS_BOUNDS.residentBytes, `memory grew by ${grown} bytes`);
    const written = end.writtenBytes - start.writtenBytes;
    assert.ok(written <= CORPUS_BOUNDS.writtenBytes, `${written} bytes were written`);
    assertJudged(judged, outcome);
    return cost;
  } finally {
    area.remove();
  }
}

async function importThere({ home, source }: HostileArea): Promise<HostileOutcome> {
  try {
    const { tag } = await kit.jobs.run(importArchiveJob, { home, source, onConflict: "fail" });
    return { tag, said: [] };
  } catch (error) {
    assert.ok(error instanceof ModelbenchError, String(error));
    return { error, said: [] };
  }
}

/** In slices; what is too big for this thread is read by the jobs process. */
async function listAsHost(home: string): Promise<void> {
  const store = new ModelStore(home);
  const tooBig: string[] = [];
  const options = { slice: new Slice(SLICE_MS), onTooBig: (name: string) => tooBig.push(name) };
  for (const name of (await restingBetween(store.nameSlices(options.slice))).keys()) {
    await restingBetween(store.versionSlices(name, options));
  }
  for (const name of tooBig) await kit.jobs.run(listNameJob, { home, name });
}

async function restingBetween<T>(slices: Generator<void, T>): Promise<T> {
  for (let step = slices.next(); ; step = slices.next()) {
    if (step.done) return step.value;
    await new Promise((turn) => setImmediate(turn));
  }
}

const ownKeys = () => Reflect.ownKeys(Object.prototype).map(String).join();

for (const hostile of corpus()) {
  for (const judged of importsOf(hostile)) {
    test(`${hostile.id} as ${judged.fileName} is handled as told by the extension's import`, async () => {
      const costs: Cost[] = [];
      while (costs.length < ATTEMPTS) {
        const cost = await importOnce(hostile, judged);
        costs.push(cost);
        if (cost.seconds <= hostile.seconds && cost.blockedMs <= MAX_BLOCKED_MS) return;
      }
      assert.fail(`too slow, or this thread was held: ${JSON.stringify(costs)}`);
    });
  }
}

for (const hostile of corpus().filter(({ group }) => group === "tag")) {
  test(`${hostile.id} is judged alike where a tag names a model to export`, async () => {
    const area = new HostileArea(folder, "unused", Buffer.alloc(0));
    try {
      const input = { home: area.home, tag: tagOf(hostile), destination: area.work };
      const failure = await kit.jobs.run(exportModelJob, input).then(
        () => undefined,
        (error: unknown) => error,
      );
      assert.ok(failure instanceof ModelbenchError, "there is no such model");
      const codes = {
        accept: /^model\.notFound$/,
        reject: /^tag\.invalid$/,
        either: /^(model\.notFound|tag\.invalid)$/,
      };
      assert.match(failure.code, codes[hostile.verdict === "inspect" ? "either" : hostile.verdict]);
      assertQuiet(failure.message);
      area.assertUnharmed({ error: failure, said: [] }, hostile.watch);
    } finally {
      area.remove();
    }
  });
}
