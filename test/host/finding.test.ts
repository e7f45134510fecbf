import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { TestApi } from "../../src/extension/extension";
import { plant, tempFolder } from "../unit/store/storeKit";
import { activated, unblocked, useStore } from "./kit";
import { until } from "./until";

/** Names in the store, each with one version. */
const MANY = 10_000;

describe("finding in a store of 10,000 models", () => {
  const folder = tempFolder();
  let api: TestApi;

  before(async function () {
    this.timeout(60_000);
    for (let i = 0; i < MANY; i++)
      plant(folder.path, `model${i}`, "v1", `2026-01-01T00:00:00.${String(i).padStart(6, "0")}+00:00`);
    api = await activated();
    await vscode.commands.executeCommand("modelbench.models.focus");
  });

  after(async function () {
    this.timeout(120_000);
    api.services.tree.filterBy("", true);
    await vscode.workspace
      .getConfiguration("modelbench")
      .update("tree.groupBy", undefined, vscode.ConfigurationTarget.Global);
    await useStore(api, "");
    folder.remove();
  });

  /** Selects a row, which VS Code does only with rows that it has. */
  async function shows(tag: string): Promise<void> {
    await api.services.tree.reveal({ store: "own", tag });
    await until(`${tag} to be selected`, () => {
      const [first] = api.services.tree.selection;
      return first && "tag" in first && first.tag === tag ? true : undefined;
    });
  }

  it("opens, narrows, groups and shows the last row without holding the host's thread", async function () {
    this.timeout(120_000);
    await useStore(api, folder.path);
    const { tree } = api.services;
    await unblocked(async () => {
      await api.services.catalog.refresh();
      tree.filterBy("model12", true);
      await shows("model1234:v1");
      tree.filterBy("", true);
      await tree.groupBy("framework");
      await shows("model9999:v1");
      await tree.groupBy("none");
      await shows("model0:v1");
      await tree.groupBy("name");
      await shows("model0:v1");
    });
  });

  it("takes a filter away that hides what a command shows", async () => {
    const { tree } = api.services;
    tree.filterBy("model1234", true);
    await shows("model5:v1");
    assert.equal(tree.filter, "");
    assert.deepEqual(tree.recentFilters.slice(0, 1), ["model1234"]);
  });
});
