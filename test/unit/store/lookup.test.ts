import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ModelStore } from "../../../src/store/modelStore";
import { plant, tempFolder, treeOf } from "./storeKit";

function inStore(body: (home: string, store: ModelStore) => void): () => void {
  return () => {
    const temp = tempFolder();
    try {
      body(temp.path, new ModelStore(temp.path));
    } finally {
      temp.remove();
    }
  };
}

/** Three versions whose order by time is not that of their names. */
function plantThree(home: string): void {
  plant(home, "m", "v1", "2024-03-01T00:00:00+00:00");
  plant(home, "m", "v2", "2024-01-01T00:00:00+00:00");
  plant(home, "m", "w", "2024-02-01T00:00:00+00:00");
}

function latestIs(home: string, text: string): void {
  writeFileSync(join(home, "models", "m", "latest"), text);
}

test(
  "a bare name and :latest mean what the latest file names",
  inStore((home, store) => {
    plantThree(home);
    latestIs(home, " v2\n");
    assert.equal(store.get("m").tag.version, "v2");
    assert.equal(store.get("m:latest").tag.version, "v2");
    assert.equal(store.get("M:LATEST").tag.version, "v2");
    assert.equal(store.latestOf("m"), "v2");
  }),
);

for (const [state, text] of [
  ["missing", undefined],
  ["dangling", "v9"],
  ["empty", ""],
  ["leading out of the store", "../../etc"],
] as const) {
  test(
    `a latest file that is ${state} means the newest version, and looking writes nothing`,
    inStore((home, store) => {
      plantThree(home);
      if (text !== undefined) latestIs(home, text);
      const before = treeOf(home);
      assert.equal(store.get("m").tag.version, "v1");
      assert.equal(store.latestOf("m"), undefined);
      assert.deepEqual(treeOf(home), before);
    }),
  );
}

test(
  "of versions made at the same time the first by name is the latest, broken ones never",
  inStore((home, store) => {
    plant(home, "m", "b", "2024-01-01T00:00:00.000002+00:00");
    plant(home, "m", "a", "2024-01-01T00:00:00.000002+00:00");
    plant(home, "m", "0", "2024-01-01T00:00:00.000001+00:00");
    writeFileSync(join(plant(home, "m", "z"), "model.yaml"), "nonsense");
    assert.equal(store.get("m").tag.version, "a");
  }),
);

test(
  "a version is found exactly, else by a beginning that fits one",
  inStore((home, store) => {
    for (const version of ["v1", "v10", "v2", "w1"]) plant(home, "m", version);
    latestIs(home, "v1");
    assert.equal(store.get("m:v1").tag.version, "v1");
    assert.equal(store.get("m:w").tag.version, "w1");
    assert.throws(() => store.get("m:v"), { code: "tag.ambiguous", message: /v1, v10, v2/ });
    assert.throws(() => store.get("m:zz"), { code: "model.notFound", message: /'m:zz' is not found in the store/ });
    assert.throws(() => store.get("m:l"), { code: "model.notFound" });
  }),
);

test(
  "unknown names and tags outside the grammar are told apart",
  inStore((home, store) => {
    plant(home, "m", "v1");
    assert.throws(() => store.get("nobody"), { code: "model.notFound", message: /'nobody'/ });
    for (const bad of ["m:", "a/b", "..", "a:b:c", ""]) assert.throws(() => store.get(bad), { code: "tag.invalid" });
  }),
);

test(
  "a version without model.yaml, and a name with none that can be read, say so",
  inStore((home, store) => {
    mkdirSync(join(home, "models", "m", "v1"), { recursive: true });
    assert.throws(() => store.get("m:v1"), { code: "model.broken", message: /model\.yaml/ });
    assert.throws(() => store.get("m"), { code: "model.broken" });
    rmSync(join(home, "models", "m", "v1"), { recursive: true });
    assert.throws(() => store.get("m"), { code: "model.notFound" });
  }),
);
