import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import type { TestApi } from "../../src/extension/extension";
import { plant } from "../unit/store/storeKit";
import { activated, answering, listedTags, temporaryFolder, unblocked, useStore } from "./kit";
import { until } from "./until";

/** How soon a change on disk has to be seen. */
const LIVE_MS = 1_000;

describe("the models tree", () => {
  const folder = temporaryFolder();
  const home = join(folder.path, "store");
  const big = join(folder.path, "big");
  let api: TestApi;

  before(async () => {
    plant(home, "old", "v1");
    for (let i = 0; i < 1_000; i++) plant(big, `model${i % 100}`, `v${i}`);
    api = await activated();
    await vscode.commands.executeCommand("modelbench.models.focus");
    await useStore(api, home);
  });

  after(async () => {
    await useStore(api, "");
    folder.remove();
  });

  /** Answers how long it took until exactly these tags were listed. */
  async function listed(...tags: string[]): Promise<number> {
    const started = performance.now();
    await until(`the tree to list ${tags}`, () => (listedTags(api).join() === tags.join() ? true : undefined), 5_000);
    return performance.now() - started;
  }

  it("lists a store and shows the row that a command reveals", async () => {
    assert.deepEqual(listedTags(api), ["old:v1"]);
    await api.services.tree.reveal({ store: "own", tag: "old:v1" });
    const selected = await until("the row to be selected", () => api.services.tree.selection[0]);
    assert.ok("tag" in selected && selected.tag === "old:v1");
  });

  it("shows a model that is renamed into place, as a writer of ours does, within a second", async () => {
    await unblocked(async (attempt) => {
      const staged = plant(join(folder.path, "staged"), "ours", `v${attempt}`);
      mkdirSync(join(home, "models", `ours${attempt}`));
      renameSync(staged, join(home, "models", `ours${attempt}`, `v${attempt}`));
      const took = await listed("old:v1", `ours${attempt}:v${attempt}`);
      assert.ok(took <= LIVE_MS, `${took} ms`);
      rmSync(join(home, "models", `ours${attempt}`), { recursive: true });
      await listed("old:v1");
    });
  });

  it("shows a model that is copied into place file by file, as BentoML does, within a second of the last file", async () => {
    const source = plant(join(folder.path, "staged"), "theirs", "v1");
    const target = join(home, "models", "theirs", "v1");
    await unblocked(async () => {
      mkdirSync(target, { recursive: true });
      writeFileSync(join(target, "weights.bin"), "weights");
      await new Promise((done) => setTimeout(done, 400));
      cpSync(join(source, "model.yaml"), join(target, "model.yaml"));
      writeFileSync(join(home, "models", "theirs", "latest"), "v1");
      const took = await listed("old:v1", "theirs:v1");
      assert.ok(took <= LIVE_MS, `${took} ms`);
      rmSync(join(home, "models", "theirs"), { recursive: true });
      await listed("old:v1");
    });
  });

  it("notices a new version and a moved latest inside an expanded name within a second", async () => {
    await api.services.tree.reveal({ store: "own", tag: "old:v1" });
    plant(home, "old", "v2");
    writeFileSync(join(home, "models", "old", "latest"), "v2");
    const took = await listed("old:v1", "old:v2");
    assert.ok(took <= LIVE_MS, `${took} ms`);
    const isLatest = () => api.services.catalog.find({ store: "own", tag: "old:v2" })?.isLatest;
    await until("latest to move", () => isLatest() || undefined, LIVE_MS);
    rmSync(join(home, "models", "old", "v2"), { recursive: true });
    await listed("old:v1");
  });

  it("lists 1,000 models without holding the host's thread", async () => {
    await useStore(api, big);
    await unblocked(async () => {
      await vscode.commands.executeCommand("modelbench.refresh");
      assert.equal(listedTags(api).length, 1_000);
    });
    await useStore(api, home);
  });

  it("says why a store cannot be read, and recovers when it can", async () => {
    const bad = join(folder.path, "bad");
    mkdirSync(bad);
    writeFileSync(join(bad, "models"), "a file where a folder should be");
    await useStore(api, bad);
    assert.equal(api.services.catalog.snapshot("own")?.phase, "failed");
    rmSync(join(bad, "models"));
    plant(bad, "back", "v1");
    await listed("back:v1");
    await useStore(api, home);
  });

  it("opens the sample store as a root of its own and leaves the user's untouched", async () => {
    const { lines, restore } = answering(api, {});
    try {
      await vscode.commands.executeCommand("modelbench.openSampleStore");
      const sample = api.services.stores.sample;
      assert.ok(sample);
      assert.notEqual(sample.home, home);
      const snapshot = await api.services.catalog.ready("sample");
      assert.ok(snapshot?.names.has("iris_clf"));
      assert.deepEqual(listedTags(api), ["old:v1"]);
      const shipped = vscode.extensions.getExtension("modelbench.modelbench")?.extensionPath ?? "";
      const yaml = "models/iris_clf/v1/model.yaml";
      assert.equal(
        readFileSync(join(sample.home, yaml), "utf8"),
        readFileSync(join(shipped, "media/sample-store", yaml), "utf8"),
      );
      await vscode.commands.executeCommand("modelbench.showMyStore");
      assert.equal(api.services.stores.sample, undefined);
      assert.deepEqual(lines, []);
    } finally {
      restore();
    }
  });
});
