import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { nodeFiles } from "../../../src/store/fileLayer";
import type { SourceFile } from "../../../src/store/model";
import { ModelStore } from "../../../src/store/modelStore";
import { draftOf, namesIn, plant, sourcesIn, tempFolder } from "./storeKit";

/** A store whose process is overtaken: `rival` runs once, just before the first rename whose target fits `moment`. */
function overtaken(home: string, moment: RegExp, rival: () => Promise<unknown>): ModelStore {
  let waiting = true;
  return new ModelStore(home, {
    files: {
      ...nodeFiles,
      async rename(from, to) {
        if (waiting && moment.test(to)) {
          waiting = false;
          await rival();
        }
        await nodeFiles.rename(from, to);
      },
    },
  });
}

async function inStore(body: (home: string, sources: SourceFile[]) => Promise<void>): Promise<void> {
  const temp = tempFolder();
  try {
    await body(join(temp.path, "home"), sourcesIn(join(temp.path, "sources"), { "a.bin": "AAAA" }));
  } finally {
    temp.remove();
  }
}

const latest = (home: string): string => readFileSync(join(home, "models/m/latest"), "utf8");

test("of two that delete one version the second finds no model, and latest does not name it again", () =>
  inStore(async (home) => {
    plant(home, "m", "v1", "2024-01-01T00:00:00+00:00");
    plant(home, "m", "v2", "2024-02-01T00:00:00+00:00");
    writeFileSync(join(home, "models/m/latest"), "v2");
    const tag = { name: "m", version: "v2" };
    const store = overtaken(home, /\/model$/, () => new ModelStore(home).delete(tag));
    await assert.rejects(store.delete(tag), { code: "model.notFound" });
    assert.equal(latest(home), "v1");
    assert.equal(store.trash().length, 1);
    assert.deepEqual(namesIn(join(home, ".modelbench/staging")), []);
  }));

test("a version that another process replaces during its deletion is deleted as it is now", () =>
  inStore(async (home, sources) => {
    plant(home, "m", "v1");
    let moved = false;
    const store = new ModelStore(home, {
      files: {
        ...nodeFiles,
        async rename(from, to) {
          if (to.endsWith("/model") && !moved) {
            moved = true;
            const peer = new ModelStore(home);
            await peer.delete({ name: "m", version: "v1" });
            await nodeFiles.rename(from, to).catch(async (error) => {
              await peer.save(draftOf("m", "v1"), sources);
              throw error;
            });
          } else await nodeFiles.rename(from, to);
        },
      },
    });
    await store.delete({ name: "m", version: "v1" });
    assert.deepEqual(store.list().models, []);
    assert.equal(store.trash().length, 2);
  }));

test("a name's folder that a peer clears away behind a deletion is no failure", () =>
  inStore(async (home) => {
    plant(home, "m", "v1");
    const store = new ModelStore(home, {
      files: {
        ...nodeFiles,
        async rename(from, to) {
          await nodeFiles.rename(from, to);
          if (to.endsWith("/model")) rmSync(join(home, "models/m"), { recursive: true });
        },
      },
    });
    const entry = await store.delete({ name: "m", version: "v1" });
    assert.deepEqual(
      store.trash().map(({ id }) => id),
      [entry.id],
    );
  }));

test("what a peer saved in place of a version that it deleted is not taken away again", () =>
  inStore(async (home, sources) => {
    for (const change of ["save", "restore"] as const) {
      const peer = new ModelStore(home);
      const swap = async (): Promise<void> => {
        rmSync(join(home, "models/m"), { recursive: true });
        plant(home, "m", "v1");
        throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
      };
      const store = overtaken(home, /\/latest$/, swap);
      const changing = change === "save" ? store.save(draftOf("m", "v1"), sources) : store.restore("m:v1");
      await assert.rejects(changing, { code: "store.access" });
      assert.equal(readFileSync(join(home, "models/m/v1/weights.bin"), "utf8"), "weights of m:v1");
      writeFileSync(join(home, "models/m/latest"), "v1");
      await peer.delete({ name: "m", version: "v1" });
    }
  }));

test("of two that restore one version the second finds nothing in the trash", () =>
  inStore(async (home) => {
    plant(home, "m", "v1");
    const { id } = await new ModelStore(home).delete({ name: "m", version: "v1" });
    const rival = async () => {
      await new ModelStore(home).restore(id);
      rmSync(join(home, "models/m/v1"), { recursive: true });
    };
    await assert.rejects(overtaken(home, /models\/m\/v1$/, rival).restore(id), { code: "trash.notFound" });
    assert.deepEqual(namesIn(join(home, ".modelbench/trash")), []);
  }));

test("of two that save one tag the loser leaves the winner's digests alone", () =>
  inStore(async (home, sources) => {
    const winner = new ModelStore(home);
    const loser = new ModelStore(home, {
      files: {
        ...nodeFiles,
        async create(path, mode) {
          if (path.endsWith("/model.yaml")) await winner.save(draftOf("m", "v1"), sources);
          return await nodeFiles.create(path, mode);
        },
      },
    });
    await assert.rejects(loser.save(draftOf("m", "v1"), []), { code: "model.exists" });
    writeFileSync(join(home, "models/m/v1/a.bin"), "AAAB");
    assert.deepEqual(
      winner.check().problems.map(({ kind }) => kind),
      ["file.changed"],
    );
  }));

test("a version that a peer deletes before its writer is done was saved all the same", () =>
  inStore(async (home, sources) => {
    const store = overtaken(home, /\/latest$/, async () => rmSync(join(home, "models/m"), { recursive: true }));
    const saved = await store.save(draftOf("m", "v1"), sources);
    assert.equal(existsSync(saved.path), false);
    assert.deepEqual(namesIn(join(home, ".modelbench/staging")), []);
  }));

test("of two that delete two versions neither leaves latest naming the other's", () =>
  inStore(async (home) => {
    for (const i of [1, 2, 3]) plant(home, "m", `v${i}`, `2024-0${i}-01T00:00:00+00:00`);
    const remove = (store: ModelStore, version: string) => store.delete({ name: "m", version });
    writeFileSync(join(home, "models/m/latest"), "v3");
    await remove(
      overtaken(home, /\/latest$/, () => remove(new ModelStore(home), "v2")),
      "v3",
    );
    assert.equal(latest(home), "v1");
    for (const i of [2, 3]) plant(home, "m", `v${i}`, `2024-0${i}-01T00:00:00+00:00`);
    writeFileSync(join(home, "models/m/latest"), "v3");
    await remove(
      overtaken(home, /\/model$/, () => remove(new ModelStore(home), "v3")),
      "v2",
    );
    assert.equal(latest(home), "v1");
  }));
