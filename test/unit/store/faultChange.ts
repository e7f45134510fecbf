import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ModelbenchError } from "../../../src/base/errors";
import { ModelStore } from "../../../src/store/modelStore";
import { type FaultKind, faultFiles } from "./faultFiles";
import { asIfKilled, namesIn, treeOf } from "./storeKit";

/** When everything in these tests happens, in milliseconds since the epoch. */
export const NOW = Date.UTC(2025, 0, 1);
const CODES = ["EIO", "ENOSPC", "EACCES", "EINTR", "EMFILE"];
const DONE_BEFORE = ["model.exists", "model.notFound", "trash.notFound"];

/** One change of a store, and how the store was before it. */
export interface Change {
  readonly name: string;
  readonly prepare: (home: string) => Promise<void> | void;
  readonly run: (store: ModelStore) => Promise<unknown>;
  /** Folders below `models/` that are broken before. */
  readonly isDamaged?: true;
  /** What must be there after a sweep, wherever the change was stopped. */
  readonly keeps?: string;
  /** What of the store is changed; `models/` when left out. */
  readonly view?: (home: string) => Record<string, string>;
  /** Whether a change that is told as failed may be a half of what it was to be: what is removed does not come back. */
  readonly isRemoval?: true;
}

/** Tests that a change is whole or absent, whichever call fails or is its last. @param folder to work in */
export function testFaults(change: Change, folder: string): void {
  test(`${change.name} is whole or absent whichever call fails, and can be run again`, async () => {
    const before = join(folder, change.name, "before");
    mkdirSync(before, { recursive: true });
    await change.prepare(before);
    const complete = join(folder, change.name, "complete");
    cpSync(before, complete, COPY);
    const counting = faultFiles();
    await change.run(new ModelStore(complete, { files: counting, now: () => NOW }));
    const view = change.view ?? modelsOf;
    const [was, wanted] = [view(before), view(complete)];
    assert.notDeepEqual(was, wanted);
    assert.ok(counting.calls() >= 5, `only ${counting.calls()} calls`);

    for (const kind of ["transient", "persistent", "crash"] as const) {
      for (let at = 1; at <= counting.calls(); at++) {
        const where = `${kind} at ${at}: ${counting.log[at - 1]}`;
        await assertSurvives(change, folder, { kind, at }, was, wanted).catch((error) => {
          throw new Error(`${where}\n${error instanceof Error ? error.stack : error}`);
        });
      }
    }
  });
}

async function assertSurvives(
  change: Change,
  folder: string,
  fault: { readonly kind: FaultKind; readonly at: number },
  was: Record<string, string>,
  wanted: Record<string, string>,
): Promise<void> {
  const view = change.view ?? modelsOf;
  const home = join(folder, "home");
  cpSync(join(folder, change.name, "before"), home, COPY);
  try {
    const files = faultFiles({ ...fault, code: CODES[fault.at % CODES.length] ?? "EIO" });
    const failure = await failureOf(change.run(new ModelStore(home, { files, now: () => NOW })));
    const isNow = view(home);
    if (failure === undefined) assert.deepEqual(isNow, wanted, "reported as done, but it is not");
    else assertToldWell(failure);
    if (failure !== undefined && fault.kind === "transient" && !change.isRemoval)
      assert.deepEqual(isNow, was, "failed, but changed the store");
    assertWhole(change, home, was, wanted);

    asIfKilled(home);
    const store = new ModelStore(home, { now: () => NOW });
    await store.sweepStaging();
    assert.deepEqual(namesIn(join(home, ".modelbench", "staging")), [], "leftovers");
    assertWhole(change, home, was, wanted);
    if (change.keeps !== undefined) assert.ok(change.keeps in view(home), `${change.keeps} is gone`);
    const again = await failureOf(change.run(store));
    if (again !== undefined) assert.ok(DONE_BEFORE.includes(again.code), `run again: ${again.message}`);
    assert.deepEqual(view(home), wanted, "run again, but not the same");
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
function assertWhole(change: Change, home: string, was: Record<string, string>, wanted: Record<string, string>): void {
  const isNow = (change.view ?? modelsOf)(home);
  for (const item of new Set(Object.keys(isNow).flatMap((path) => path.match(/^\/[^/]+\/[^/]+/)?.[0] ?? []))) {
    const forms = [was, wanted].map((tree) => JSON.stringify(partOf(tree, item)));
    assert.ok(forms.includes(JSON.stringify(partOf(isNow, item))), `${item} is neither as before nor as wanted`);
  }
  if (change.isDamaged || change.view) return;
  const listing = new ModelStore(home, { now: () => NOW }).list();
  assert.deepEqual(listing.broken, []);
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

/** A version with all that is in it; of `latest` the text may also be that of a half-way state. */
function partOf(tree: Record<string, string>, item: string): [string, string][] {
  if (item.endsWith("/latest")) return [];
  return Object.entries(tree).filter(([path]) => path === item || path.startsWith(`${item}/`));
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

/** The tree of `models/`; a name folder without versions counts as no folder, as it does for a list. */
function modelsOf(home: string): Record<string, string> {
  const tree = Object.entries(treeOf(join(home, "models")));
  const isFilled = (folder: string): boolean => tree.some(([path]) => path.startsWith(`${folder}/`));
  // A name folder that went and came back is a new one: its mode may be another.
  return Object.fromEntries(
    tree.flatMap(([path, what]) => {
      if (path.lastIndexOf("/") > 0) return [[path, what]];
      return path !== "" && isFilled(path) ? [[path, "folder"]] : [];
    }),
  );
}

const COPY = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true } as const;
