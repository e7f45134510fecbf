import assert from "node:assert/strict";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { runCopyModel } from "../../../src/store/copyModelJob";
import { layoutOf } from "../../../src/store/layout";
import { ModelStore } from "../../../src/store/modelStore";
import { namedFileState, runDigestFiles } from "../../../src/store/namedFiles";
import { readOrigin } from "../../../src/store/origin";
import { type Provenance, readProvenance } from "../../../src/store/provenance";
import { formatTag } from "../../../src/store/tag";
import { draftOf, tempFolder } from "./storeKit";

const { path: folder, remove } = tempFolder();
after(remove);

const PROVENANCE: Provenance = {
  expression: "train:model",
  script: { path: "/work/train.py", bytes: 3, mtimeMs: 1.5, sha256: "ab" },
  git: {
    folder: "/work",
    commit: "0123456789012345678901234567890123456789",
    branch: "main",
    isDirty: true,
    remote: "https://host/a.git",
    script: "train.py",
  },
  data: [{ path: "/work/data.csv", bytes: 2, mtimeMs: 7, sha256: "cd" }],
  versions: { python: "3.11.7", flax: "0.12.8" },
};

test("what made a model is noted with its origin, follows its copies, and goes with it for good", async () => {
  const home = join(folder, "home");
  const store = new ModelStore(home);
  const staged = await store.stagingFolder();
  writeFileSync(join(staged, "saved_model.pkl"), "N.");
  const origin = { kind: "saved", from: "/work/train.py", provenance: PROVENANCE } as const;
  const saved = await store.saveStaged(draftOf("made", "v1"), staged, { origin });
  assert.deepEqual(readOrigin(layoutOf(home), saved.info).provenance, PROVENANCE);
  const copied = await runCopyModel({ home, from: saved.tag, to: "copied:v1" }, {});
  const copy = readOrigin(layoutOf(home), store.get(copied.tag).info);
  assert.deepEqual([copy.kind, copy.from, copy.provenance], ["copied", formatTag(saved.tag), PROVENANCE]);
  await store.delete(saved.tag);
  await store.restore("made:v1");
  assert.deepEqual(readOrigin(layoutOf(home), saved.info).provenance, PROVENANCE);
  await store.delete(saved.tag);
  await store.emptyTrash();
  assert.equal(readOrigin(layoutOf(home), saved.info).kind, "unknown");
});

test("a staged folder whose tag is taken can be saved under another one", async () => {
  const store = new ModelStore(join(folder, "twice"));
  for (const [name, version] of [
    ["made", "v1"],
    ["made", "v2"],
  ] as const) {
    const staged = await store.stagingFolder();
    writeFileSync(join(staged, "a"), name);
    if (version === "v2") {
      await assert.rejects(store.saveStaged(draftOf("made", "v1"), staged), { code: "model.exists" });
      await assert.rejects(store.saveStaged(draftOf("-", version), staged), { code: "tag.invalid" });
    }
    await store.saveStaged(draftOf("made", version), staged);
  }
  assert.deepEqual(
    store.list().models.map(({ tag }) => formatTag(tag)),
    ["made:v1", "made:v2"],
  );
});

test("a note that somebody wrote is believed as far as it is one", () => {
  assert.deepEqual(readProvenance(JSON.parse(JSON.stringify(PROVENANCE))), PROVENANCE);
  const { git: _, ...without } = PROVENANCE;
  for (const git of [{ ...PROVENANCE.git, commit: "--output=/etc/passwd" }, { ...PROVENANCE.git, folder: 3 }, []]) {
    assert.deepEqual(readProvenance({ ...PROVENANCE, git }), without);
  }
  assert.deepEqual(readProvenance({ ...PROVENANCE, data: [1, null, { path: "/a" }] })?.data, []);
  for (const note of [null, 1, [], {}, { ...PROVENANCE, script: {} }, { ...PROVENANCE, expression: "x".repeat(1e5) }]) {
    assert.equal(readProvenance(note), undefined);
  }
});

test("a named file is the same, changed or missing; one that was only touched is read again", async () => {
  const path = join(folder, "data.csv");
  writeFileSync(path, "1,2\n");
  const [named] = await runDigestFiles({ paths: [path] }, {});
  assert.ok(named);
  assert.equal(named.bytes, 4);
  assert.equal(await namedFileState(named), "same");
  utimesSync(path, 1, 1);
  assert.equal(await namedFileState(named), "same");
  writeFileSync(path, "1,3\n");
  assert.equal(await namedFileState(named), "changed");
  writeFileSync(path, readFileSync(path, "utf8").repeat(2));
  assert.equal(await namedFileState(named), "changed");
  assert.equal(await namedFileState({ ...named, path: folder }), "missing");
  assert.equal(await namedFileState({ ...named, path: join(folder, "gone") }), "missing");
  mkdirSync(join(folder, "empty"));
  await assert.rejects(runDigestFiles({ paths: [join(folder, "empty")] }, {}), { code: "file.access" });
});
