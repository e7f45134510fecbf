import assert from "node:assert/strict";
import { cpSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { runCopyModel } from "../../../src/store/copyModelJob";
import { layoutOf } from "../../../src/store/layout";
import { ModelStore } from "../../../src/store/modelStore";
import { isForeign, type Origin, provenOrigin, readOrigin } from "../../../src/store/origin";
import { creationKey } from "../../../src/store/record";
import { plant, tempFolder } from "./storeKit";

const { path: folder, remove } = tempFolder();
after(remove);

const DRAFT = {
  ...{ name: "m", version: "v1", module: "", labels: {}, metadata: new Map(), options: new Map(), signatures: {} },
  ...{ apiVersion: "v1", frameworkName: "", frameworkVersions: {} },
};

async function save(home: string): Promise<void> {
  const store = new ModelStore(home);
  const staged = await store.stagingFolder();
  writeFileSync(join(staged, "saved_model.pkl"), "N.");
  await store.saveStaged(DRAFT, staged, { origin: { kind: "saved", from: "/work/train.py" } });
}

function provenIn(home: string, tag = "m:v1"): Origin {
  return provenOrigin(layoutOf(home), new ModelStore(home).get(tag));
}

test("that a model was saved here is believed of the folder that was saved, whatever becomes of it, and of no copy", async () => {
  const home = join(folder, "home");
  await save(home);
  assert.deepEqual([provenIn(home).kind, provenIn(home).from], ["saved", "/work/train.py"]);
  await new ModelStore(home).delete({ name: "m", version: "v1" });
  await new ModelStore(home).restore("m:v1");
  const moved = join(folder, "moved");
  renameSync(home, moved);
  assert.equal(provenIn(moved).kind, "saved");
  const unpacked = join(folder, "unpacked");
  cpSync(moved, unpacked, { recursive: true, preserveTimestamps: true });
  assert.equal(readOrigin(layoutOf(unpacked), new ModelStore(unpacked).get("m:v1").info).kind, "saved");
  assert.equal(provenIn(unpacked).kind, "unknown");
  assert.ok(isForeign(provenIn(unpacked)) && !isForeign(provenIn(moved)));
});

test("a note that came with a store does not make its model one of this machine's", () => {
  const home = join(folder, "cloned");
  plant(home, "m", "v1");
  const { info } = new ModelStore(home).get("m:v1");
  const notes = join(layoutOf(home).origins, "m");
  mkdirSync(notes, { recursive: true });
  for (const made of [{}, { folder: "" }, { folder: "12 34.5" }]) {
    const note = { creationTime: creationKey(info), atMs: 1, kind: "saved", ...made };
    writeFileSync(join(notes, "v1.json"), JSON.stringify(note));
    assert.equal(readOrigin(layoutOf(home), info).kind, "saved");
    assert.equal(provenIn(home).kind, "unknown", JSON.stringify(made));
  }
});

test("a copy of what came from elsewhere came from elsewhere, too", async () => {
  const home = join(folder, "mixed");
  await save(home);
  plant(home, "foreign", "v1");
  for (const [name, is] of [
    ["m", false],
    ["foreign", true],
  ] as const) {
    await runCopyModel({ home, from: { name, version: "v1" }, to: `${name}:v2` }, {});
    await runCopyModel({ home, from: { name, version: "v2" }, to: `${name}:v3` }, {});
    for (const tag of [`${name}:v2`, `${name}:v3`]) {
      assert.equal(provenIn(home, tag).kind, "copied");
      assert.equal(isForeign(provenIn(home, tag)), is, tag);
    }
  }
});
