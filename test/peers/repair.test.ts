import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Problem } from "../../src/store/model";
import { ModelStore } from "../../src/store/modelStore";
import { formatTag } from "../../src/store/tag";
import { runRandom } from "../fixtures/random";
import { draftOf, plant, yamlOf } from "../unit/store/storeKit";
import { realStoreCopy } from "./realStore";
import { StorePeer } from "./storePeer";

/** A damage of a store, and how BentoML suffers from it: its list fails, lists what is not there, or a get fails. */
interface Damage {
  readonly kind: Problem["kind"];
  readonly suffers: "list" | "get" | "wrong";
  readonly make: (home: string) => void;
}

const models = (home: string, ...path: string[]): string => join(home, "models", ...path);
const LONG_AGO = "2020-01-01T00:00:00+00:00";

/** Each of a store that has `m` with the versions v1 and v2, which is the latest. */
const DAMAGES: readonly Damage[] = [
  {
    kind: "model.incomplete",
    suffers: "list",
    make: (home) => {
      mkdirSync(models(home, "m/half"));
      utimesSync(models(home, "m/half"), 1, 1);
    },
  },
  {
    kind: "model.incomplete",
    suffers: "list",
    make: (home) => {
      rmSync(models(home, "m/v2/model.yaml"));
      utimesSync(models(home, "m/v2"), 1, 1);
    },
  },
  { kind: "yaml.invalid", suffers: "list", make: (home) => writeFileSync(models(home, "m/v1/model.yaml"), "name: [") },
  {
    kind: "yaml.invalid",
    suffers: "list",
    make: (home) => writeFileSync(models(home, "m/v1/model.yaml"), "name: m\n"),
  },
  { kind: "tag.mismatch", suffers: "list", make: (home) => void plant(home, "UPPER", "v1") },
  { kind: "tag.mismatch", suffers: "list", make: (home) => mkdirSync(models(home, ".cache/x"), { recursive: true }) },
  { kind: "tag.mismatch", suffers: "list", make: (home) => void plant(home, "m", "V_3") },
  {
    kind: "tag.mismatch",
    suffers: "wrong",
    make: (home) => writeFileSync(join(plant(home, "m", "v9"), "model.yaml"), yamlOf("m", "v5", LONG_AGO)),
  },
  {
    kind: "tag.mismatch",
    suffers: "wrong",
    make: (home) => writeFileSync(join(plant(home, "other", "v1"), "model.yaml"), yamlOf("m", "v1", LONG_AGO)),
  },
  { kind: "latest.torn", suffers: "get", make: (home) => truncateSync(models(home, "m/latest"), 0) },
  {
    kind: "link.stray",
    suffers: "list",
    make: (home) => {
      mkdirSync(join(home, "folders/a/b"), { recursive: true });
      symlinkSync("../folders", models(home, "linked"));
    },
  },
  { kind: "link.stray", suffers: "wrong", make: (home) => symlinkSync("m", models(home, "alias")) },
  {
    kind: "link.stray",
    suffers: "list",
    make: (home) => {
      mkdirSync(join(home, "empty"));
      symlinkSync("../../empty", models(home, "m/v7"));
    },
  },
];

async function inStore(peer: StorePeer, body: (home: string, store: ModelStore) => Promise<void>): Promise<void> {
  const temp = mkdtempSync(join(tmpdir(), "modelbench-repair-"));
  try {
    const home = join(temp, "home");
    await peer.save(home, "m:v1", { "w.bin": "one" });
    await peer.save(home, "m:v2", { "w.bin": "two" });
    await body(home, new ModelStore(home));
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

/** What BentoML makes of a store. */
async function viewOf(peer: StorePeer, home: string): Promise<{ list?: readonly string[]; latest?: string }> {
  const tags = await peer.list(home).then(
    (listed) => listed.map(({ tag }) => tag),
    () => undefined,
  );
  const latest = await peer.get(home, "m").then(
    ({ tag }) => tag,
    () => undefined,
  );
  return { ...(tags && { list: tags }), ...(latest && { latest }) };
}

test("every damage that a repair mends keeps BentoML from its work before, and no longer after", async () => {
  const peer = new StorePeer();
  try {
    for (const [i, { kind, suffers, make }] of DAMAGES.entries()) {
      await inStore(peer, async (home, store) => {
        make(home);
        const where = `${i} ${kind}`;
        const before = await viewOf(peer, home);
        if (suffers === "list") assert.equal(before.list, undefined, where);
        if (suffers === "get") assert.equal(before.latest, undefined, where);
        if (suffers === "wrong") assert.notDeepEqual(before.list, foldersOf(store), where);
        const { problems } = await store.repair();
        assert.deepEqual(
          problems.map((problem) => [problem.kind, problem.repaired]),
          [[kind, true]],
          where,
        );
        const { list, latest } = await viewOf(peer, home);
        assert.deepEqual(list, foldersOf(store), where);
        assert.ok(list.includes(latest ?? ""), `${where}: latest is ${latest}`);
        assert.deepEqual(store.check().problems, [], where);
        assert.ok(store.trash().length > 0 || ["tag.mismatch", "latest.torn"].includes(kind), where);
      });
    }
  } finally {
    peer.dispose();
  }
});

test("stores that BentoML wrote, however it and we went on with them, are healthy", async () => {
  const random = runRandom();
  const pick = (count: number): number => Math.floor(random() * count);
  const peer = new StorePeer();
  const real = realStoreCopy();
  try {
    assert.deepEqual(new ModelStore(real.home).check().problems, []);
    const temp = `${real.home}-more`;
    for (let run = 0; run < 40; run++) {
      cpSync(real.home, temp, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
      const store = new ModelStore(temp);
      for (let step = 0; step < 4; step++) await change(store, peer, pick, step);
      assert.deepEqual(store.check().problems, [], `run ${run}`);
      rmSync(temp, { recursive: true });
    }
  } finally {
    peer.dispose();
    real.remove();
  }
});

/** One change by them or by us. */
async function change(
  store: ModelStore,
  peer: StorePeer,
  pick: (count: number) => number,
  step: number,
): Promise<void> {
  const { models: listed } = store.list();
  const chosen = listed[pick(listed.length)];
  if (chosen === undefined) return;
  const tag = formatTag(chosen.tag);
  switch (pick(5)) {
    case 0:
      await peer.save(store.home, `theirs:v${step}`, { "w.bin": "theirs", "deep/x": "x" });
      return;
    case 1:
      await peer.delete(store.home, tag);
      return;
    case 2:
      await store.save(draftOf("ours", `v${step}`), [{ from: join(chosen.path, "model.yaml"), to: "copy.txt" }]);
      return;
    case 3:
      await store.delete(chosen.tag);
      return;
    default:
      await store.restore((await store.delete(chosen.tag)).id);
  }
}

/** The tags that the folders say. */
function foldersOf(store: ModelStore): string[] {
  return store.list().models.map(({ path }) => path.split("/").slice(-2).join(":"));
}
