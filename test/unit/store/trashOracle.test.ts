import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Tag } from "../../../src/store/model";
import { ModelStore } from "../../../src/store/modelStore";
import { fc } from "../../fixtures/fastCheck";
import { draftOf, sourcesIn, tempFolder, treeOf } from "./storeKit";

const temp = tempFolder();
after(temp.remove);
const sources = sourcesIn(join(temp.path, "sources"), { "w.bin": "weights", "deep/x": "x" });

const tag = fc.record({ name: fc.constantFrom("a", "b"), version: fc.constantFrom("v1", "v2", "v3", "v4") });
const step = fc.record({
  action: fc.constantFrom("save", "save", "delete", "undo", "restore"),
  tag,
  /** Which of those that can be deleted or restored. */
  pick: fc.nat(),
  /** Clocks of different machines need not agree. */
  day: fc.integer({ min: 1, max: 9 }),
});

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** A version as the oracle knows it. */
interface Version {
  readonly day: number;
  /** Its tree on the disk when it was saved: it never changes. */
  readonly tree: Readonly<Record<string, string>>;
}

/** A deletion as the oracle knows it. */
interface Deletion extends Version {
  readonly id: string;
  readonly tag: Tag;
  readonly wasLatest: boolean;
  readonly latestBefore: string | undefined;
  readonly latestAfter: string | undefined;
}

/** What a store and its trash hold after any saves, deletions and restores, without any disk. */
class Oracle {
  readonly versions = new Map<string, Version>();
  readonly latest = new Map<string, string>();
  readonly trash: Deletion[] = [];

  has({ name, version }: Tag): boolean {
    return this.versions.has(`${name}/${version}`);
  }

  save({ name, version }: Tag, saved: Version): void {
    this.versions.set(`${name}/${version}`, saved);
    if (this.#isNewest(name, saved.day)) this.latest.set(name, version);
  }

  delete(tag: Tag, id: string): void {
    const { name, version } = tag;
    const gone = this.versions.get(`${name}/${version}`);
    assert.ok(gone);
    this.versions.delete(`${name}/${version}`);
    const latestBefore = this.latest.get(name);
    const wasLatest = latestBefore === version;
    if (wasLatest) this.#setLatest(name, this.#newestOf(name));
    this.trash.push({ ...gone, id, tag, wasLatest, latestBefore, latestAfter: this.latest.get(name) });
  }

  restore({ id, tag, day, tree, wasLatest, latestBefore, latestAfter }: Deletion): void {
    const { name, version } = tag;
    this.trash.splice(
      this.trash.findIndex((entry) => entry.id === id),
      1,
    );
    const current = this.latest.get(name);
    const isNewest = this.#isNewest(name, day);
    this.versions.set(`${name}/${version}`, { day, tree });
    if (current === latestAfter) this.#setLatest(name, latestBefore);
    else if ((wasLatest || current === undefined) && isNewest) this.latest.set(name, version);
  }

  /** The tree of `models/`; the modes of name folders are nobody's promise. */
  tree(): Record<string, string> {
    const tree: Record<string, string> = {};
    for (const [key, { tree: files }] of this.versions) {
      for (const [path, what] of Object.entries(files)) tree[`/${key}${path}`] = what;
    }
    for (const [name, text] of this.latest)
      tree[`/${name}/latest`] = `file 644 ${Buffer.from(text).toString("base64")}`;
    return tree;
  }

  #isNewest(name: string, day: number): boolean {
    const current = this.versions.get(`${name}/${this.latest.get(name)}`);
    return current === undefined || day >= current.day;
  }

  #newestOf(name: string): string | undefined {
    const own = [...this.versions].filter(([key]) => key.startsWith(`${name}/`)).sort(([a], [b]) => (a < b ? -1 : 1));
    const newest = own.reduce<[string, Version] | undefined>(
      (best, v) => (best && best[1].day > v[1].day ? best : v),
      undefined,
    );
    return newest?.[0].slice(name.length + 1);
  }

  #setLatest(name: string, version: string | undefined): void {
    if (version === undefined) this.latest.delete(name);
    else this.latest.set(name, version);
  }
}

test("1,000 sequences of saves, deletions and undos leave the very bytes and latest that an oracle without a disk has", async (t) => {
  let undone = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 10 }), async (steps) => {
      const home = join(temp.path, "home");
      let day = 1;
      const store = new ModelStore(home, { now: () => Date.UTC(2025, 0, day) });
      const oracle = new Oracle();
      try {
        for (const chosen of steps) {
          day = chosen.day;
          undone += await perform(chosen, store, oracle);
          if (chosen.action === "save" && chosen !== steps.at(-1)) continue;
          assert.deepEqual(versionsIn(home), oracle.tree());
          assert.deepEqual(idsOf(store.trash()), idsOf(oracle.trash));
        }
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
    }),
    { numRuns: 1000 },
  );
  t.diagnostic(`${undone} deletions undone`);
  assert.ok(undone >= 400);
});

/** Makes one change on both sides, if it can be made; answers how many deletions it undid. */
async function perform({ action, tag, pick, day }: Step, store: ModelStore, oracle: Oracle): Promise<number> {
  if (action === "save" && !oracle.has(tag)) {
    const { path } = await store.save(draftOf(tag.name, tag.version), sources);
    oracle.save(tag, { day, tree: treeOf(path) });
  } else if (action === "delete") {
    const all = [...oracle.versions.keys()];
    const [name, version] = all[pick % all.length]?.split("/") ?? [];
    if (name === undefined || version === undefined) return 0;
    const { id } = await store.delete({ name, version });
    oracle.delete({ name, version }, id);
  } else if (action === "undo" || action === "restore") {
    const entry = action === "undo" ? oracle.trash.at(-1) : oracle.trash[pick % oracle.trash.length];
    if (entry === undefined || oracle.has(entry.tag)) return 0;
    await store.restore(entry.id);
    oracle.restore(entry);
    return 1;
  }
  return 0;
}

function versionsIn(home: string): Record<string, string> {
  const tree = Object.entries(treeOf(join(home, "models")));
  return Object.fromEntries(tree.filter(([path]) => path.lastIndexOf("/") > 0));
}

function idsOf(entries: readonly { readonly id: string }[]): string[] {
  return entries.map(({ id }) => id).sort();
}
