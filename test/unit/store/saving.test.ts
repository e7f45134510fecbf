import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { JobProgress } from "../../../src/base/ports";
import type { SourceFile } from "../../../src/store/model";
import { ModelStore } from "../../../src/store/modelStore";
import { faultFiles } from "./faultFiles";
import { draftOf, namesIn, plant, sourcesIn, tempFolder, treeOf, yamlOf } from "./storeKit";

function inStore(body: (home: string, store: ModelStore, sources: SourceFile[]) => Promise<void>): () => Promise<void> {
  return async () => {
    const temp = tempFolder();
    try {
      const sources = sourcesIn(join(temp.path, "sources"), { "a.bin": "AAAA", "deep/er/b.sh": "b" });
      const home = join(temp.path, "home");
      await body(home, new ModelStore(home), sources);
    } finally {
      temp.remove();
    }
  };
}

async function stage(store: ModelStore, yaml: string): Promise<string> {
  const folder = await store.stagingFolder();
  writeFileSync(join(folder, "model.yaml"), yaml);
  writeFileSync(join(folder, "w.bin"), "w");
  return folder;
}

const latest = (home: string): string => readFileSync(join(home, "models", "m", "latest"), "utf8");
const staged = (home: string): string[] => namesIn(join(home, ".modelbench", "staging"));

test(
  "a version folder is private, its files are readable, executable ones stay so",
  inStore(async (home, store, sources) => {
    chmodSync(sources[1]?.from ?? "", 0o750);
    const saved = await store.save(draftOf("m", "v1"), sources);
    assert.deepEqual(saved.tag, { name: "m", version: "v1" });
    const modes = Object.fromEntries(
      Object.entries(treeOf(saved.path)).map(([path, what]) => [path, what.split(" ")[1]]),
    );
    assert.deepEqual(modes, {
      "": "700",
      "/a.bin": "644",
      "/deep": "755",
      "/deep/er": "755",
      "/deep/er/b.sh": "755",
      "/model.yaml": "644",
    });
    assert.equal(latest(home), "v1");
    assert.deepEqual(staged(home), []);
    assert.deepEqual(store.open(saved.tag).info.tag, saved.tag);
  }),
);

test(
  "model.yaml is the last file to be written, and everything is flushed before the rename",
  inStore(async (home, _, sources) => {
    const files = faultFiles();
    await new ModelStore(home, { files }).save(draftOf("m", "v1"), sources);
    const short = files.log.map((line) => line.replaceAll(/\S*staging\/[^\s/]+/g, "S").replaceAll(home, "H"));
    const moved = short.indexOf("rename S H/models/m/v1");
    const contents = short.filter((line) => line.startsWith("create S/"));
    assert.equal(contents.at(-1), "create S/model.yaml");
    for (const path of ["S/a.bin", "S/deep/er/b.sh", "S/model.yaml", "S/deep/er", "S/deep", "S"]) {
      const at = short.indexOf(`sync ${path}`);
      assert.ok(at >= 0 && at < moved, `${path} is not flushed before the rename`);
    }
    assert.ok(short.lastIndexOf("sync S/deep/er") < short.lastIndexOf("sync S/deep"));
    assert.ok(short.lastIndexOf("sync S/deep") < short.lastIndexOf("sync S"));
    assert.ok(short.indexOf("sync H/models/m", moved) > moved);
    assert.ok(short.indexOf("rename S H/models/m/latest") > short.indexOf("sync H/models/m", moved));
  }),
);

test(
  "a version that is there, whole or not, is not written over",
  inStore(async (home, store, sources) => {
    plant(home, "m", "v1");
    mkdirSync(join(home, "models", "m", "half"));
    writeFileSync(join(home, "models", "m", "file"), "");
    const before = treeOf(home);
    for (const version of ["v1", "half", "file"]) {
      await assert.rejects(store.save(draftOf("m", version), sources), { code: "model.exists" });
    }
    assert.deepEqual(treeOf(home), before);
  }),
);

test(
  "the word latest is no version, and bad tags are refused before anything is written",
  inStore(async (home, store, sources) => {
    for (const [name, version] of [
      ["m", "latest"],
      ["m", "LATEST"],
      ["m", "-"],
      ["a/b", "v"],
      ["..", "v"],
    ] as const) {
      await assert.rejects(store.save(draftOf(name, version), sources), { code: "tag.invalid" });
    }
    assert.deepEqual(treeOf(home), {});
  }),
);

test(
  "files that would leave the model or share a place are refused",
  inStore(async (home, store, sources) => {
    const from = sources[0]?.from ?? "";
    for (const places of [
      ["../x"],
      ["/x"],
      ["a//b"],
      ["."],
      ["a/../b"],
      ["model.yaml"],
      ["x", "x"],
      ["x", "X"],
      [""],
    ]) {
      await assert.rejects(
        store.save(
          draftOf("m", "v1"),
          places.map((to) => ({ from, to })),
        ),
        { code: "usage" },
      );
    }
    assert.deepEqual(treeOf(home), {});
  }),
);

test(
  "a source that cannot be read leaves nothing behind",
  inStore(async (home, store, sources) => {
    for (const from of [join(home, "nowhere"), join(sources[1]?.from ?? "", "..")]) {
      await assert.rejects(store.save(draftOf("m", "v1"), [...sources, { from, to: "x" }]), {
        code: "file.access",
        path: from,
      });
    }
    assert.deepEqual(store.list(), { models: [], broken: [] });
    assert.deepEqual(staged(home), []);
  }),
);

test(
  "progress counts to the total, and a cancel leaves nothing behind",
  inStore(async (home, store, sources) => {
    const big = join(home, "..", "big.bin");
    writeFileSync(big, "");
    truncateSync(big, 5 * 2 ** 20);
    const files = [...sources, { from: big, to: "big.bin" }];
    const seen: JobProgress[] = [];
    await store.save(draftOf("m", "v1"), files, { onProgress: (progress) => seen.push(progress) });
    const total = 5 * 2 ** 20 + 5;
    assert.ok(seen.length >= 6 && seen.every(({ totalBytes }) => totalBytes === total));
    assert.equal(seen.at(-1)?.doneBytes, total);

    const controller = new AbortController();
    const save = store.save(draftOf("m", "v2"), files, {
      signal: controller.signal,
      onProgress: ({ doneBytes }) => doneBytes > 2 ** 20 && controller.abort(),
    });
    await assert.rejects(save, { code: "cancelled" });
    assert.deepEqual(
      store.list().models.map(({ tag }) => tag.version),
      ["v1"],
    );
    assert.deepEqual(staged(home), []);
  }),
);

test(
  "an adopted version that is older does not become the latest, a newer one does",
  inStore(async (home, store) => {
    plant(home, "m", "v2", "2024-02-01T00:00:00+00:00");
    writeFileSync(join(home, "models", "m", "latest"), "v2");
    await store.adopt(await stage(store, yamlOf("m", "v1", "2024-01-01T00:00:00+00:00")));
    assert.equal(latest(home), "v2");
    await store.adopt(await stage(store, yamlOf("m", "v3", "2024-02-01T00:00:00+00:00")));
    assert.equal(latest(home), "v3");
    writeFileSync(join(home, "models", "m", "latest"), "gone");
    await store.adopt(await stage(store, yamlOf("m", "v4", "2020-01-01T00:00:00+00:00")));
    assert.equal(latest(home), "v3");
  }),
);

test(
  "a folder that is no model, or names a taken tag, stays staged",
  inStore(async (home, store) => {
    plant(home, "m", "v1");
    const taken = await stage(store, yamlOf("m", "v1"));
    await assert.rejects(store.adopt(taken), { code: "model.exists" });
    const bad = await stage(store, "name: [");
    await assert.rejects(store.adopt(bad), { code: "yaml.invalid" });
    await assert.rejects(store.adopt(await stage(store, yamlOf("m", "latest"))), { code: "tag.invalid" });
    await assert.rejects(store.adopt(await store.stagingFolder()), { code: "model.broken" });
    assert.equal(staged(home).length, 4);
    await store.discard(taken);
    await store.discard(bad);
    assert.equal(staged(home).length, 2);
  }),
);

test(
  "a name that a peer removes meanwhile is made again",
  inStore(async (home, _, sources) => {
    const files = faultFiles();
    const rename = files.rename;
    let vanished = 0;
    const racing = {
      ...files,
      rename: async (from: string, to: string) => {
        if (to.endsWith("/m/v1") && vanished++ < 2) await files.rmdir(join(home, "models", "m"));
        await rename(from, to);
      },
    };
    await new ModelStore(home, { files: racing }).save(draftOf("m", "v1"), sources);
    assert.equal(vanished, 3);
    assert.equal(latest(home), "v1");
  }),
);

test(
  "a rename that the system refuses as one across devices leaves nothing behind",
  inStore(async (home, store, sources) => {
    const files = {
      ...faultFiles(),
      rename: () => Promise.reject(Object.assign(new Error("EXDEV"), { code: "EXDEV" })),
    };
    await assert.rejects(new ModelStore(home, { files }).save(draftOf("m", "v1"), sources), {
      code: "store.crossDevice",
    });
    assert.deepEqual(store.list(), { models: [], broken: [] });
    assert.deepEqual(staged(home), []);
  }),
);

test(
  "models/ on another device is found out before anything is copied",
  inStore(async (home, _, sources) => {
    const elsewhere = mkdtempSync(join(tmpdir(), "modelbench-device-"));
    try {
      mkdirSync(home);
      symlinkSync(elsewhere, join(home, "models"));
      assert.notEqual(statSync(elsewhere).dev, statSync(home).dev, "this machine has one device only");
      const files = faultFiles();
      const save = new ModelStore(home, { files }).save(draftOf("m", "v1"), sources);
      await assert.rejects(save, { code: "store.crossDevice", path: join(home, "models") });
      assert.ok(!files.log.some((line) => /^create .*a\.bin/.test(line)));
      assert.deepEqual(namesIn(elsewhere), []);
      assert.deepEqual(staged(home), []);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  }),
);

test(
  "writers in parallel lose nothing, and the newest is the latest",
  inStore(async (home, _, sources) => {
    let time = Date.UTC(2025, 0, 1);
    const store = new ModelStore(home, { now: () => time++ });
    const saved = await Promise.all(Array.from({ length: 12 }, (_, i) => store.save(draftOf("m", `v${i}`), sources)));
    assert.equal(store.list().models.length, 12);
    const newest = saved.sort((a, b) => b.info.creationTime.epochMs - a.info.creationTime.epochMs)[0];
    assert.equal(latest(home), newest?.tag.version);
    const results = await Promise.allSettled([1, 2, 3].map(() => store.save(draftOf("m", "same"), sources)));
    assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    await Promise.all(saved.map(({ tag }) => store.delete(tag)));
    assert.deepEqual(
      store.list().models.map(({ tag }) => tag.version),
      ["same"],
    );
    assert.equal(latest(home), "same");
  }),
);

test(
  "the trash is purged of what is older than 7 days, and of nothing else",
  inStore(async (home, _, sources) => {
    let time = Date.UTC(2025, 0, 1);
    const store = new ModelStore(home, { now: () => time });
    for (const version of ["old", "young"]) {
      await store.save(draftOf("m", version), sources);
      await store.delete({ name: "m", version });
      time += 5 * 24 * 3600 * 1000;
    }
    assert.deepEqual(
      (await store.purgeTrash()).map(({ tag }) => tag.version),
      ["old"],
    );
    assert.deepEqual(
      store.trash().map(({ tag }) => tag.version),
      ["young"],
    );
    assert.deepEqual(namesIn(join(home, ".modelbench", "trash")).length, 1);
    assert.deepEqual(namesIn(join(home, ".modelbench", "digests", "m")), ["young.json"]);
    await store.restore("m");
    assert.equal(store.get("m").tag.version, "young");
  }),
);

test(
  "a layout of a newer Modelbench is not written to",
  inStore(async (home, store, sources) => {
    mkdirSync(join(home, ".modelbench"), { recursive: true });
    writeFileSync(join(home, ".modelbench", "format"), "2\n");
    await assert.rejects(store.save(draftOf("m", "v1"), sources), { code: "store.access", message: /layout 2/ });
  }),
);

test(
  "what does not fit on the disk is refused before a byte of it is copied",
  inStore(async (home, _, sources) => {
    const from = join(home, "..", "huge.bin");
    writeFileSync(from, "");
    // Sparse: it takes no room itself.
    truncateSync(from, 2 ** 42);
    const files = faultFiles();
    const saving = new ModelStore(home, { files }).save(draftOf("m", "v1"), [...sources, { from, to: "huge.bin" }]);
    await assert.rejects(saving, { code: "store.access", message: /4.00 TiB are needed/ });
    assert.ok(!files.log.some((line) => line.startsWith("create") && line.endsWith("a.bin")));
  }),
);
