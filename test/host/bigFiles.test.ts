import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import type { TestApi } from "../../src/extension/extension";
import { manyLabels, plant, yamlOf } from "../unit/store/storeKit";
import { activated, answering, listedTags, temporaryFolder, unblocked, useStore } from "./kit";
import { until } from "./until";

describe("a store with model.yaml files that take long to read", () => {
  const folder = temporaryFolder();
  const home = join(folder.path, "store");
  const empty = join(folder.path, "empty");
  let api: TestApi;

  /** A version with this model.yaml beside 1,000 ordinary ones, two of them its neighbours. */
  const write = (tag: string, yaml: string) =>
    writeFileSync(join(plant(home, ...(tag.split(":") as [string, string])), "model.yaml"), yaml);

  before(async () => {
    for (let i = 0; i < 1_000; i++) plant(home, `model${i % 100}`, `v${i}`);
    write("model1:labels", manyLabels("model1", "labels"));
    write("long:v1", yamlOf("long", "v1").replace("metadata: {}", `metadata:\n  note: ${"x".repeat(900_000)}`));
    write("deep:v1", yamlOf("deep", "v1").replace("metadata: {}", `metadata: ${"[".repeat(30_000)}`));
    write("wide:v1", yamlOf("wide", "v1").replace("metadata: {}", `metadata:\n  a: [${"[[1]],".repeat(15_000)}]`));
    write("broken:v1", `${manyLabels("broken", "v1")}labels: [unclosed\n`);
    for (const version of ["v1", "v2", "v3"]) write(`big:${version}`, manyLabels("big", version));
    writeFileSync(join(home, "models/big/latest"), "v3");
    api = await activated();
    await vscode.commands.executeCommand("modelbench.models.focus");
    // The first change of a setting wakes VS Code's own JSON support, which takes its time on the same thread.
    await useStore(api, empty);
  });

  after(async () => {
    await useStore(api, "");
    folder.remove();
  });

  /** All readable versions and the tags of the broken ones, once nothing more is to come. */
  async function listed(): Promise<readonly string[]> {
    await until("all models to be listed", () => (listedTags(api).length === 1_006 ? true : undefined), 10_000);
    const names = () => [...(api.services.catalog.snapshot("own")?.names.values() ?? [])];
    const broken = () => names().flatMap((entry) => entry.broken.map(({ name, version }) => `${name}:${version}`));
    return until("the broken ones to be shown", () => (broken().length === 2 ? broken().sort() : undefined), 10_000);
  }

  it("lists all of them without holding the host's thread, the ordinary ones at once", async () => {
    await unblocked(async () => {
      await useStore(api, empty);
      await useStore(api, home);
      assert.ok(listedTags(api).length >= 1_000);
      assert.deepEqual(await listed(), ["broken:v1", "deep:v1"]);
    });
    for (const tag of ["model1:labels", "long:v1", "wide:v1"]) assert.ok(listedTags(api).includes(tag), tag);
    const { sizeBytes } = api.services.catalog.find({ store: "own", tag: "long:v1" }) ?? {};
    assert.ok(sizeBytes && sizeBytes > 900_000);
  });

  it("reads them again without holding the host's thread", async () => {
    await unblocked(async (attempt) => {
      await vscode.commands.executeCommand("modelbench.refresh");
      plant(home, "model1", `late${attempt}`);
      api.services.catalog.recheck();
      const tag = `model1:late${attempt}`;
      await until("the new version", () => (listedTags(api).includes(tag) ? true : undefined), 10_000);
      assert.ok(listedTags(api).includes("model1:labels"));
      rmSync(join(home, "models/model1", `late${attempt}`), { recursive: true });
      api.services.catalog.recheck();
      await listed();
    });
  });

  it("opens them without holding the host's thread", async () => {
    for (const tag of ["model1:labels", "long:v1", "broken:v1"]) {
      await unblocked(async () => {
        await vscode.commands.executeCommand("modelbench.openModel", { store: "own", tag });
        const isOpen = () => vscode.window.tabGroups.activeTabGroup.activeTab?.label.includes(tag) || undefined;
        await until("the details", isOpen);
        await new Promise((done) => setTimeout(done, 1_500));
        await vscode.commands.executeCommand("workbench.action.closeAllEditors");
      });
    }
  });

  it("deletes the latest of big ones and undoes it without holding the host's thread", async () => {
    const { restore } = answering(api, { confirm: true });
    try {
      await unblocked(async () => {
        await vscode.commands.executeCommand("modelbench.deleteModel", { store: "own", tag: "big:v3" });
        await until("it to go", () => (listedTags(api).includes("big:v3") ? undefined : true), 10_000);
        await vscode.commands.executeCommand("modelbench.undoDelete");
        await listed();
      });
    } finally {
      restore();
    }
  });
});
