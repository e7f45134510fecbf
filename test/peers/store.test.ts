import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { StoredModel } from "../../src/store/model";
import { ModelStore } from "../../src/store/modelStore";
import { formatTag } from "../../src/store/tag";
import { draftOf, sourcesIn, treeOf } from "../unit/store/storeKit";
import { PYTHON, realStoreCopy } from "./realStore";
import { type PeerModel, StorePeer } from "./storePeer";

const temp = mkdtempSync(join(tmpdir(), "modelbench-peer-"));
const peer = new StorePeer();
after(() => {
  peer.dispose();
  rmSync(temp, { recursive: true, force: true });
});
const sources = sourcesIn(join(temp, "sources"), { "a.bin": "weights\n", "deep/er/b.txt": "b", empty: "" });

let homes = 0;
function newHome(): string {
  homes += 1;
  return join(temp, `home${homes}`);
}

function latestOf(home: string, name: string): string {
  return readFileSync(join(home, "models", name, "latest"), "utf8");
}

function digestsOf(store: ModelStore, model: Pick<StoredModel, "tag" | "path">): Record<string, string> {
  const digest = (path: string): string =>
    createHash("sha256")
      .update(readFileSync(join(model.path, path)))
      .digest("hex");
  return Object.fromEntries(store.files(model.tag).map(({ path }) => [path, digest(path)]));
}

function assertSame(store: ModelStore, ours: StoredModel, theirs: PeerModel): void {
  assert.equal(formatTag(ours.tag), theirs.tag);
  assert.equal(ours.path, theirs.path);
  assert.equal(ours.info.module, theirs.module);
  assert.equal(ours.info.creationTime.text, theirs.creation);
  assert.deepEqual(digestsOf(store, ours), theirs.files);
}

test("what BentoML made is listed and got with the same tags, files, sizes and times", async () => {
  const real = realStoreCopy();
  try {
    const store = new ModelStore(real.home);
    const { models, broken } = store.list();
    assert.deepEqual(broken, []);
    const theirs = await peer.list(real.home);
    assert.deepEqual(
      models.map(({ tag }) => formatTag(tag)),
      theirs.map(({ tag }) => tag),
    );
    assert.ok(models.length >= 10);
    for (const [i, summary] of models.entries()) {
      const their = theirs[i];
      assert.ok(their);
      assert.equal(summary.sizeBytes, their.bytes);
      assert.deepEqual(summary.warnings, []);
      assertSame(store, store.open(summary.tag), their);
      assert.deepEqual(digestsOf(store, summary), real.manifest.models[their.tag]?.files);
    }
    for (const name of new Set(models.map(({ tag }) => tag.name))) {
      const their = await peer.get(real.home, name);
      assert.equal(formatTag(store.get(name).tag), their.tag);
      assert.equal(store.latestOf(name), latestOf(real.home, name));
      const latest = models.filter(({ tag, isLatest }) => tag.name === name && isLatest);
      assert.deepEqual(
        latest.map(({ tag }) => formatTag(tag)),
        [their.tag],
      );
    }
    assert.deepEqual(store.check().problems, []);
  } finally {
    real.remove();
  }
});

test("what we save is listed and got by BentoML, with latest where BentoML would have put it", async () => {
  const home = newHome();
  const store = new ModelStore(home);
  const first = await store.save(draftOf("ours", "v1", { labels: { stage: "é: #1" } }), sources);
  const second = await store.save(draftOf("ours"), sources);
  const theirs = await peer.list(home);
  assert.deepEqual(theirs.map(({ tag }) => tag).sort(), [formatTag(first.tag), formatTag(second.tag)].sort());
  assertSame(store, first, await peer.get(home, "ours:v1"));
  assertSame(store, second, await peer.get(home, "ours"));
  assert.equal(latestOf(home, "ours"), second.tag.version);
});

test("both save the same tree: folders, modes and every byte but the time and the versions of the tools", async () => {
  const [ours, theirs] = [newHome(), newHome()];
  mkdirSync(join(theirs, "models"), { recursive: true });
  await new ModelStore(ours).save(draftOf("same", "v1"), sources);
  const contents = Object.fromEntries(sources.map(({ from, to }) => [to, readFileSync(from, "utf8")]));
  await peer.save(theirs, "same:v1", contents);
  const tree = (home: string): Record<string, string> => {
    const found = treeOf(join(home, "models"));
    const yaml = readFileSync(join(home, "models/same/v1/model.yaml"), "utf8");
    return {
      ...found,
      "/same/v1/model.yaml": yaml.replace(/^creation_time: .*|^ {2}python_version: .*/gm, ""),
    };
  };
  assert.deepEqual(tree(ours), tree(theirs));
});

test("both may save and delete under one name in turn", async () => {
  const home = newHome();
  const store = new ModelStore(home);
  await store.save(draftOf("both", "a1"), sources);
  await peer.save(home, "both:b1", { "x.txt": "x" });
  assert.equal(store.get("both").tag.version, "b1");
  await store.save(draftOf("both", "a2"), sources);
  assert.equal((await peer.get(home, "both")).tag, "both:a2");
  await peer.delete(home, "both:a2");
  assert.equal(latestOf(home, "both"), "b1");
  const entry = await store.delete({ name: "both", version: "b1" });
  assert.equal((await peer.get(home, "both:latest")).tag, "both:a1");
  await store.restore(entry.id);
  assert.equal((await peer.get(home, "both")).tag, "both:b1");
  await store.delete({ name: "both", version: "a1" });
  await store.delete({ name: "both", version: "b1" });
  assert.deepEqual(await peer.list(home), []);
});

test("after every deletion latest is what BentoML's own deletion would have left", async () => {
  const creations = ["2024-03-01", "2024-01-01", "2024-02-01", "2024-02-01"];
  for (const order of [
    [0, 1, 2],
    [3, 0, 2],
    [2, 3, 0],
    [1, 0, 3],
  ]) {
    const [ours, theirs] = [newHome(), newHome()];
    for (const home of [ours, theirs]) {
      mkdirSync(join(home, "models"), { recursive: true });
      for (const [i, day] of creations.entries()) {
        await peer.save(home, `m:v${i}`, { f: "f" });
        const path = join(home, "models/m", `v${i}`, "model.yaml");
        const yaml = readFileSync(path, "utf8").replace(
          /^creation_time: .*/m,
          `creation_time: '${day}T00:00:00+00:00'`,
        );
        writeFileSync(path, yaml);
      }
      writeFileSync(join(home, "models/m/latest"), "v0");
    }
    for (const i of order) {
      const wasLatest = latestOf(ours, "m") === `v${i}`;
      await new ModelStore(ours).delete({ name: "m", version: `v${i}` });
      await peer.delete(theirs, `m:v${i}`);
      if (wasLatest) assert.equal(latestOf(ours, "m"), latestOf(theirs, "m"), `${order}, deleting v${i}`);
    }
  }
});

test("the command line of BentoML lists what we saved", async () => {
  const home = newHome();
  await new ModelStore(home).save(draftOf("ours", "v1"), sources);
  const env = { ...process.env, BENTOML_HOME: home, BENTOML_DO_NOT_TRACK: "True", NO_COLOR: "1" };
  const bentoml = join(PYTHON, "../bentoml");
  const output = execFileSync(bentoml, ["models", "list", "-o", "json"], { env, encoding: "utf8", timeout: 60_000 });
  const listed: unknown = JSON.parse(output);
  assert.ok(Array.isArray(listed));
  assert.deepEqual(
    listed.map((model: { tag: string }) => model.tag),
    ["ours:v1"],
  );
});
