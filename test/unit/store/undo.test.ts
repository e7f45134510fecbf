import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs, { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";
import type { TrashEntry } from "../../../src/store/model";
import { ModelStore } from "../../../src/store/modelStore";
import { formatTag } from "../../../src/store/tag";
import { runTidyStore } from "../../../src/store/trashJobs";
import { fc } from "../../fixtures/fastCheck";
import { asIfKilled, draftOf, plant, sourcesIn, tempFolder, treeOf } from "./storeKit";

const temp = tempFolder();
after(temp.remove);
const sources = sourcesIn(join(temp.path, "sources"), { "w.bin": "weights" });
const models = (home: string): Record<string, string> => treeOf(join(home, "models"));

const NAMES = ["a", "b"];
const VERSIONS = ["v1", "v2", "v3"];
const tag = fc.record({ name: fc.constantFrom(...NAMES), version: fc.constantFrom(...VERSIONS) });
/** Also texts that only a hand could have written. */
const latest = fc.constantFrom(undefined, "v1", "v2", "v3", "v3\n", "", "gone", "\u00e9");

test("undoing deletions in reverse gives back every byte, latest included", async () => {
  let undone = 0;
  const planted = fc.record({
    versions: fc.uniqueArray(fc.tuple(tag, fc.integer({ min: 1, max: 4 })), {
      selector: ([t]) => `${t.name}:${t.version}`,
      minLength: 3,
    }),
    latest: fc.tuple(latest, latest),
    deletions: fc.array(fc.nat(), { minLength: 3, maxLength: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(planted, async ({ versions, latest: texts, deletions }) => {
      const home = join(temp.path, "home");
      try {
        for (const [{ name, version }, day] of versions) plant(home, name, version, `2024-01-0${day}T00:00:00+00:00`);
        NAMES.forEach((name, i) => {
          const text = texts[i];
          const has = versions.some(([t]) => t.name === name);
          if (has && text !== undefined) writeFileSync(join(home, "models", name, "latest"), text, "latin1");
        });
        const store = new ModelStore(home);
        const undo: { before: Record<string, string>; entry: TrashEntry }[] = [];
        const left = versions.map(([t]) => t);
        for (const choice of deletions) {
          const [gone] = left.splice(choice % (left.length || 1), 1);
          if (gone === undefined) break;
          const before = models(home);
          undo.push({ before, entry: await store.delete(gone) });
          const now = store.list();
          assert.deepEqual(now.broken, []);
          assert.equal(now.models.length, left.length);
          for (const name of NAMES) if (!left.some((t) => t.name === name)) assert.ok(!(`/${name}` in models(home)));
        }
        for (const { before, entry } of undo.reverse()) {
          assert.equal(formatTag(await store.restore(entry.id)), formatTag(entry.tag));
          assert.deepEqual(withoutModesOfNames(models(home)), withoutModesOfNames(before));
          undone++;
        }
        assert.deepEqual(store.trash(), []);
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(undone >= 1000, `${undone} deletions undone`);
});

test("after any changes latest names the newest version, and the trash holds what is deleted", async () => {
  const step = fc.record({ action: fc.constantFrom("save", "delete", "restore"), tag });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const home = join(temp.path, "home");
      let time = Date.UTC(2025, 0, 1);
      const store = new ModelStore(home, { now: () => time });
      const there = new Map<string, number>();
      const deleted: { key: string; time: number }[] = [];
      try {
        for (const { action, tag } of steps) {
          time += 1000;
          const key = `${tag.name}:${tag.version}`;
          if (action === "save" && !there.has(key)) {
            await store.save(draftOf(tag.name, tag.version), sources);
            there.set(key, time);
          } else if (action === "delete" && there.has(key)) {
            await store.delete(tag);
            deleted.push({ key, time: there.get(key) ?? 0 });
            there.delete(key);
          } else if (action === "restore" && !there.has(key)) {
            const at = deleted.map((entry) => entry.key).lastIndexOf(key);
            if (at < 0) await assert.rejects(store.restore(key), { code: "trash.notFound" });
            else {
              await store.restore(key);
              there.set(key, deleted.splice(at, 1)[0]?.time ?? 0);
            }
          }
          assertNewest(store, there);
          assert.equal(store.trash().length, deleted.length);
        }
        assert.deepEqual(store.check().problems, []);
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
    }),
    { numRuns: 50 },
  );
});

function assertNewest(store: ModelStore, there: ReadonlyMap<string, number>): void {
  const listed = store.list().models.map((model) => `${model.tag.name}:${model.tag.version}`);
  assert.deepEqual(listed, [...there.keys()].sort());
  for (const name of NAMES) {
    const own = [...there].filter(([key]) => key.startsWith(`${name}:`)).sort((a, b) => b[1] - a[1]);
    assert.equal(store.latestOf(name), own[0]?.[0].split(":")[1]);
  }
}

/** A name folder that went and came back is a new one: what it holds is the same, its mode may differ. */
function withoutModesOfNames(tree: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).map(([path, what]) => [path, path.lastIndexOf("/") <= 0 ? "" : what]));
}

test("emptying the trash reads it once or twice, however much is in it", async (t) => {
  const home = join(temp.path, "emptied");
  const store = new ModelStore(home);
  const versions = Array.from({ length: 30 }, (_, i) => ({ name: "m", version: `v${i}` }));
  for (const version of versions) {
    plant(home, "m", version.version);
    await store.pin(version, true);
    await store.delete(version);
  }
  plant(home, "m", "v7");
  const [kept] = store.trash();
  const reads = t.mock.method(fs, "readFileSync");
  syncBuiltinESMExports();
  const gone = await store.emptyTrash(store.trash().flatMap(({ id }) => (id === kept?.id ? [] : [id])));
  t.mock.restoreAll();
  syncBuiltinESMExports();
  assert.equal(gone.length, 29);
  const entries = reads.mock.calls.filter(({ arguments: [path] }) => String(path).endsWith("entry.json"));
  assert.ok(entries.length > 0 && entries.length <= 3 * versions.length, `${entries.length} reads`);
  // What is in the store or still in the trash keeps its pin.
  assert.deepEqual([...store.pinned()].sort(), ["m:v29", "m:v7"]);
});

const isRoot = process.geteuid?.() === 0;

test("what another user has deleted, or left half done, keeps nobody from tidying up their own", {
  skip: !isRoot && "only root can be two users",
}, async () => {
  const shared = join(temp.path, "shared");
  const own = join(shared, ".modelbench");
  const old = new ModelStore(shared, { now: () => 1000 });
  const deleted = async (version: string): Promise<string> => {
    plant(shared, "m", version);
    return join(own, "trash", (await old.delete({ name: "m", version })).id);
  };
  const theirs = await deleted("v1");
  for (const folder of [temp.path, shared, own, join(own, "trash"), join(own, "staging")]) chmodSync(folder, 0o777);
  const tidy = async (ours: string): Promise<unknown> => {
    execFileSync("chown", ["-R", "65534", ours]);
    process.seteuid?.(65534);
    try {
      return await runTidyStore({ home: shared });
    } finally {
      process.seteuid?.(0);
      assert.deepEqual([existsSync(theirs), existsSync(ours)], [true, false]);
    }
  };
  await tidy(await deleted("v2"));
  await old.stagingFolder();
  asIfKilled(shared);
  await assert.rejects(tidy(await deleted("v3")), { code: "store.access", message: /staging/ });
});
