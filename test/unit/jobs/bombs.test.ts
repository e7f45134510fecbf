import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import { importArchiveJob } from "../../../src/store/archive/archiveJobs";
import type { SettableLimits } from "../../../src/store/archive/limits";
import { type Bomb, bombs, timeSinks } from "../../fixtures/bombs";
import { HostileArea } from "../../fixtures/hostileArea";
import { type HostileJobsKit, openHostileJobs } from "../../fixtures/hostileJobsKit";
import { namesIn, tempFolder } from "../store/storeKit";

const MIB = 1024 ** 2;
const MAX_WRITTEN = 64 * MIB;
const MAX_GROWN = 256 * MIB;
const MAX_SECONDS = 10;
/** How soon a cancelled import has to end for whoever waits for it. */
const MAX_CANCEL_MS = 500;
/** When the reading is well under way and far from its end. */
const CANCEL_AFTER_MS = 60;
/** Reports and headers are written, too. */
const ASIDE = MIB;
/** A slow answer counts when it comes every time: other programs of the machine hold things up as well. */
const ATTEMPTS = 3;

const { path: folder, remove } = tempFolder();
let kit: HostileJobsKit;
before(async () => {
  kit = await openHostileJobs();
});
after(() => {
  kit.dispose();
  remove();
});

interface Run {
  readonly error: ModelbenchError | undefined;
  readonly tag: string | undefined;
  /** On the clock of `performance.now()`. */
  readonly endedAt: number;
  readonly seconds: number;
  readonly grownBytes: number;
  readonly writtenBytes: number;
}

/** Imports in the jobs process; afterwards the store and what surrounds it must be as they were. */
async function run(
  { fileName, content }: Bomb,
  {
    limits = {},
    signal,
    onStart,
  }: {
    limits?: Partial<SettableLimits>;
    signal?: AbortSignal;
    onStart?: () => void;
  } = {},
): Promise<Run> {
  const area = new HostileArea(folder, fileName, content);
  try {
    const { home, source } = area;
    const start = await kit.facts();
    const began = performance.now();
    onStart?.();
    const { tag, error } = await kit.jobs
      .run(importArchiveJob, { home, source, onConflict: "fail", limits }, { signal })
      .then(
        (result) => ({ tag: result.tag, error: undefined }),
        (thrown: unknown) => ({ tag: undefined, error: thrown }),
      );
    const endedAt = performance.now();
    assert.ok(error === undefined || error instanceof ModelbenchError, String(error));
    await untilEmpty(join(home, ".modelbench", "staging"));
    const end = await kit.facts();
    area.assertUnharmed({ ...(tag ? { tag } : {}), ...(error ? { error } : {}), said: kit.logged.splice(0) });
    return {
      error,
      tag,
      endedAt,
      seconds: (endedAt - began) / 1000,
      grownBytes: end.peakBytes - start.residentBytes,
      writtenBytes: end.writtenBytes - start.writtenBytes,
    };
  } finally {
    area.remove();
  }
}

/** A cancelled job is let go by its caller before it has cleaned up. */
async function untilEmpty(staging: string): Promise<void> {
  for (let i = 0; i < 200 && namesIn(staging).length > 0; i++) await new Promise((later) => setTimeout(later, 10));
}

test("a bomb is refused before it has written 64 MiB, taken 256 MiB or lasted 10 s, and names its member", async (t) => {
  for (const bomb of await bombs()) {
    await t.test(bomb.id, async () => {
      const runs: number[] = [];
      while (runs.length < ATTEMPTS) {
        const { error, seconds, grownBytes, writtenBytes } = await run(bomb);
        assert.match(error?.code ?? "accepted", /^archive\.(unsafe|corrupt)$/, error?.message);
        assert.match(error?.message ?? "", /"(zeros\d*|s|z)"|dictionary|behind "model\.yaml"|\d bytes\.$/);
        assert.ok(grownBytes <= MAX_GROWN, `memory grew by ${grownBytes} bytes`);
        assert.ok(writtenBytes <= MAX_WRITTEN + ASIDE, `${writtenBytes} bytes were written`);
        runs.push(seconds);
        if (seconds <= MAX_SECONDS) return;
      }
      assert.fail(`it took ${runs.join(", ")} s`);
    });
  }
});

test("a bomb that was let through its limits, and what only wastes time, can be cancelled within 500 ms", async (t) => {
  const limits = { expandedBytes: 64 * 1024 * MIB, ratio: 10_000_000 };
  const open = (await bombs()).filter(({ id }) => /one member$|zip: many members/.test(id));
  for (const bomb of [...open, ...(await timeSinks())]) {
    await t.test(bomb.id, async () => {
      const waits: number[] = [];
      while (waits.length < ATTEMPTS) {
        const controller = new AbortController();
        let cancelledAt = Number.NaN;
        const onStart = () => {
          setTimeout(() => {
            cancelledAt = performance.now();
            controller.abort();
          }, CANCEL_AFTER_MS);
        };
        const { error, endedAt } = await run(bomb, { limits, signal: controller.signal, onStart });
        assert.equal(error?.code, "cancelled", error?.message ?? "it was over before");
        const wait = endedAt - cancelledAt;
        assert.ok(!kit.logged.some((line) => /did not hear/.test(line)), kit.logged.join("\n"));
        waits.push(wait);
        if (wait <= MAX_CANCEL_MS) return;
      }
      assert.fail(`it took ${waits.join(", ")} ms`);
    });
  }
});
