import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import { ModelStore } from "../../../src/store/modelStore";
import { type FaultKind, faultFiles } from "./faultFiles";
import { asIfKilled, draftOf, namesIn, plant, sourcesIn, tempFolder, treeOf, yamlOf } from "./storeKit";

const NOW = Date.UTC(2025, 0, 1);
const CODES = ["EIO", "ENOSPC", "EACCES", "EINTR", "EMFILE"];
const DONE_BEFORE = ["model.exists", "model.notFound", "trash.notFound"];

const temp = tempFolder();
after(temp.remove);
const sources = sourcesIn(join(temp.path, "sources"), { "a.bin": "A".repeat(3000), "deep/er/b.txt": "b", empty: "" });

/** One change of a store, and how the store was before it. */
interface Change {
  readonly name: string;
  readonly prepare: (home: string) => Promise<void> | void;
  readonly run: (store: ModelStore) => Promise<unknown>;
}

const changes: Change[] = [
  {
    name: "the first save",
    prepare: () => {},
    run: (store) => store.save(draftOf("m", "v2"), sources),
  },
  {
    name: "the save of another version",
    prepare: (home) => plantLatest(home, "v1"),
    run: (store) => store.save(draftOf("m", "v2"), sources),
  },
  {
    name: "deleting the latest version",
    prepare: (home) => {
      plant(home, "m", "v1", "2024-01-01T00:00:00+00:00");
      plantLatest(home, "v2");
    },
    run: (store) => store.delete({ name: "m", version: "v2" }),
  },
  {
    name: "deleting the only version",
    prepare: (home) => plantLatest(home, "v2"),
    run: (store) => store.delete({ name: "m", version: "v2" }),
  },
  {
    name: "restoring the latest version",
    prepare: async (home) => {
      plant(home, "m", "v1", "2024-01-01T00:00:00+00:00");
      plantLatest(home, "v2");
      await new ModelStore(home, { now: () => NOW }).delete({ name: "m", version: "v2" });
    },
    run: (store) => store.restore("m:v2"),
  },
  {
    name: "restoring the only version",
    prepare: async (home) => {
      plantLatest(home, "v2");
      await new ModelStore(home, { now: () => NOW }).delete({ name: "m", version: "v2" });
    },
    run: (store) => store.restore("m:v2"),
  },
  {
    name: "adopting a staged folder",
    prepare: (home) => plantLatest(home, "v1"),
    run: adoptOne,
  },
];

for (const change of changes) {
  test(`${change.name} is whole or absent whichever call fails, and can be run again`, async () => {
    const before = join(temp.path, change.name, "before");
    mkdirSync(before, { recursive: true });
    await change.prepare(before);
    const complete = join(temp.path, change.name, "complete");
    cpSync(before, complete, { recursive: true, preserveTimestamps: true });
    const counting = faultFiles();
    await change.run(new ModelStore(complete, { files: counting, now: () => NOW }));
    const [was, wanted] = [modelsOf(before), modelsOf(complete)];
    assert.notDeepEqual(was, wanted);
    assert.ok(counting.calls() >= 8, `only ${counting.calls()} calls`);

    for (const kind of ["transient", "persistent", "crash"] as const) {
      for (let at = 1; at <= counting.calls(); at++) {
        const where = `${kind} at ${at}: ${counting.log[at - 1]}`;
        await assertSurvives(change, before, { kind, at }, was, wanted).catch((error) => {
          throw new Error(`${where}\n${error instanceof Error ? error.stack : error}`);
        });
      }
    }
  });
}

async function assertSurvives(
  change: Change,
  before: string,
  fault: { readonly kind: FaultKind; readonly at: number },
  was: Record<string, string>,
  wanted: Record<string, string>,
): Promise<void> {
  const home = join(temp.path, "home");
  cpSync(before, home, { recursive: true, preserveTimestamps: true });
  try {
    const files = faultFiles({ ...fault, code: CODES[fault.at % CODES.length] ?? "EIO" });
    const failure = await failureOf(change.run(new ModelStore(home, { files, now: () => NOW })));
    const isNow = modelsOf(home);
    if (failure === undefined) assert.deepEqual(isNow, wanted, "reported as done, but it is not");
    else assertToldWell(failure);
    if (failure !== undefined && fault.kind === "transient")
      assert.deepEqual(isNow, was, "failed, but changed the store");
    assertWhole(home, was, wanted);

    asIfKilled(home);
    const store = new ModelStore(home, { now: () => NOW });
    await store.sweepStaging();
    assert.deepEqual(namesIn(join(home, ".modelbench", "staging")), [], "leftovers");
    assertWhole(home, was, wanted);
    const again = await failureOf(change.run(store));
    if (again !== undefined) assert.ok(DONE_BEFORE.includes(again.code), `run again: ${again.message}`);
    assert.deepEqual(modelsOf(home), wanted, "run again, but not the same");
    for (const id of namesIn(join(home, ".modelbench", "trash"))) {
      assert.ok(
        store.trash().some((entry) => entry.id === id),
        `half an entry in the trash: ${id}`,
      );
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** Each version is there with all its bytes or not at all, and `latest` names one that is there. */
function assertWhole(home: string, was: Record<string, string>, wanted: Record<string, string>): void {
  const listing = new ModelStore(home, { now: () => NOW }).list();
  assert.deepEqual(listing.broken, []);
  for (const { tag, path } of listing.models) {
    const prefix = `/m/${tag.version}`;
    const full = Object.entries({ ...was, ...wanted }).filter(
      ([key]) => key === prefix || key.startsWith(`${prefix}/`),
    );
    const there = Object.entries(treeOf(path)).map(([key, value]) => [prefix + key, value]);
    assert.deepEqual(there, full);
  }
  if (namesIn(join(home, "models", "m")).includes("latest")) {
    const latest = readFileSync(join(home, "models", "m", "latest"), "utf8");
    assert.ok(
      listing.models.some(({ tag }) => tag.version === latest),
      `latest names '${latest}'`,
    );
  } else {
    assert.ok(listing.models.every(({ isLatest }) => !isLatest));
  }
}

function assertToldWell(failure: ModelbenchError): void {
  assert.equal(failure.code, "store.access", failure.message);
  assert.ok(failure.cause, "no cause");
  assert.ok(failure.path, "no path");
}

async function failureOf(run: Promise<unknown>): Promise<ModelbenchError | undefined> {
  try {
    await run;
    return undefined;
  } catch (error) {
    if (error instanceof ModelbenchError) return error;
    throw error;
  }
}

async function adoptOne(store: ModelStore): Promise<unknown> {
  const folder = await store.stagingFolder();
  try {
    writeFileSync(join(folder, "model.yaml"), yamlOf("m", "v2", "2024-07-01T00:00:00+00:00"));
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "sub", "weights.bin"), "weights");
    return await store.adopt(folder);
  } catch (error) {
    await store.discard(folder);
    throw error;
  }
}

function plantLatest(home: string, version: string): void {
  plant(home, "m", version, "2024-06-01T00:00:00+00:00");
  writeFileSync(join(home, "models", "m", "latest"), version);
}

/** The tree of `models/`; a name folder without versions counts as no folder, as it does for a list. */
function modelsOf(home: string): Record<string, string> {
  const tree = treeOf(join(home, "models"));
  if (!Object.keys(tree).some((key) => key.startsWith("/m/"))) return {};
  return tree;
}
