import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ExportFormat } from "../../../../src/store/archive/archiveJobs";
import { exportModel } from "../../../../src/store/archive/exportModel";
import { importArchive } from "../../../../src/store/archive/importArchive";
import { layoutOf } from "../../../../src/store/layout";
import { ModelStore } from "../../../../src/store/modelStore";
import { readOrigin } from "../../../../src/store/origin";
import { draftOf, plant, sourcesIn, tempFolder } from "../storeKit";

const FORMATS: readonly ExportFormat[] = ["bentomodel", "tar", "tar.gz", "tar.xz", "tar.bz2", "zip", "folder"];
const V1 = { name: "m", version: "v1" };

async function inStore(body: (home: string, store: ModelStore, out: string) => Promise<void>): Promise<void> {
  const temp = tempFolder();
  try {
    const home = join(temp.path, "home");
    const store = new ModelStore(home);
    const weights = "w".repeat(1_500_000);
    await store.save(
      draftOf("m", "v1"),
      sourcesIn(join(temp.path, "sources"), { "a.bin": "A", "deep/w.bin": weights }),
    );
    await body(home, store, join(temp.path, "out"));
  } finally {
    temp.remove();
  }
}

test("an export in any format of a file that is not what was saved names file and range, and leaves nothing behind", () =>
  inStore(async (home, store, out) => {
    const path = join(home, "models/m/v1/deep/w.bin");
    const whole = readFileSync(path);
    for (const format of FORMATS) {
      const good = await exportModel(store, { tag: "m:v1", destination: `${out}-good.${format}`, format });
      assert.ok(good.bytes > 0, format);
      const changed = Buffer.from(whole);
      changed[1_200_000] = 0;
      writeFileSync(path, changed);
      const destination = `${out}-bad.${format}`;
      await assert.rejects(exportModel(store, { tag: "m:v1", destination, format }), {
        code: "model.changed",
        path,
        message: /^m:v1 is damaged: .*deep\/w\.bin is not what was saved: bytes 1048576 to 1499999 differ\.$/,
        remedy: /Import the model again/,
      });
      writeFileSync(path, whole);
    }
    const left = readdirSync(join(out, "..")).filter((name) => name.includes("bad") || name.includes("part"));
    assert.deepEqual(left, []);
  }));

test("an export of a model that lost a file is refused; of one whose model.yaml was edited it is not", () =>
  inStore(async (home, store, out) => {
    const yaml = join(home, "models/m/v1/model.yaml");
    writeFileSync(yaml, readFileSync(yaml, "utf8").replace("labels: {}", "labels:\n  by: hand"));
    await exportModel(store, { tag: "m:v1", destination: `${out}.tar` });
    rmSync(join(home, "models/m/v1/a.bin"));
    await assert.rejects(exportModel(store, { tag: "m:v1", destination: `${out}-2.tar` }), {
      code: "model.changed",
      message: /a\.bin was saved with the model and is gone/,
    });
  }));

test("what a peer saved, and what was saved with nothing recorded, is exported as it is", () =>
  inStore(async (home, store, out) => {
    plant(home, "theirs", "v1");
    await exportModel(store, { tag: "theirs:v1", destination: `${out}.tar` });
    rmSync(join(home, ".modelbench/digests"), { recursive: true });
    writeFileSync(join(home, "models/m/v1/a.bin"), "B");
    await exportModel(store, { tag: "m:v1", destination: `${out}-2.tar` });
  }));

test("importing a damaged model again replaces it, and the damaged one can be brought back", () =>
  inStore(async (home, store, out) => {
    const source = (await exportModel(store, { tag: "m:v1", destination: `${out}.tar` })).path;
    const file = join(home, "models/m/v1/a.bin");
    writeFileSync(file, "B");
    assert.equal(store.check().problems.length, 1);
    const { action } = await importArchive(store, { source, onConflict: "replace" });
    assert.equal(action, "replaced");
    assert.deepEqual([store.check().problems, readFileSync(file, "utf8")], [[], "A"]);
    const [entry] = store.trash();
    await store.delete(V1);
    await store.restore(entry?.id ?? "");
    assert.equal(readFileSync(file, "utf8"), "B");
  }));

test("where a version came from is remembered until it is gone for good, and only of that very version", () =>
  inStore(async (home, store, out) => {
    const originOf = (version = "v1") => {
      const { info } = store.open({ name: "m", version });
      return readOrigin(layoutOf(home), info);
    };
    const { kind, from, atMs } = originOf();
    assert.deepEqual([kind, from], ["saved", join(out, "../sources/a.bin")]);
    assert.ok(Math.abs(Date.now() - atMs) < 60_000);
    const source = (await exportModel(store, { tag: "m:v1", destination: `${out}.tar` })).path;
    await importArchive(store, { source, onConflict: "replace" });
    assert.deepEqual([originOf().kind, originOf().from], ["imported", source]);
    await store.delete(V1);
    await store.emptyTrash();
    assert.deepEqual(readdirSync(join(home, ".modelbench/origins/m")), []);
    assert.deepEqual(readdirSync(join(home, ".modelbench/digests/m")), []);
    plant(home, "m", "v1");
    assert.deepEqual(originOf(), { kind: "unknown", atMs: store.open(V1).info.creationTime.epochMs });
  }));
