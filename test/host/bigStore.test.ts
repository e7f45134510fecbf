import assert from "node:assert/strict";
import { join } from "node:path";
import * as vscode from "vscode";
import type { TestApi } from "../../src/extension/extension";
import type { HostStore } from "../../src/extension/services";
import { plant } from "../unit/store/storeKit";
import { activated, listedTags, temporaryFolder, unblocked, useStore } from "./kit";
import { until } from "./until";

const NAMES = 500;
const VERSIONS = 20;

describe("a store of 10,000 models", () => {
  const folder = temporaryFolder();
  const home = join(folder.path, "big");
  let api: TestApi;

  before(async function () {
    this.timeout(120_000);
    for (let i = 0; i < NAMES * VERSIONS; i++) plant(home, `model${i % NAMES}`, `v${i}`);
    api = await activated();
    await vscode.commands.executeCommand("modelbench.models.focus");
  });

  after(async function () {
    this.timeout(120_000);
    await useStore(api, "");
    folder.remove();
  });

  it("shows its names before a single version is read, and then reads first what is looked into", async function () {
    this.timeout(60_000);
    const reads = gateReads(api.services.stores.own);
    try {
      const settings = vscode.workspace.getConfiguration("modelbench");
      await settings.update("storePath", home, vscode.ConfigurationTarget.Global);
      await until("the store to change", () => (api.services.stores.own.home === home ? true : undefined));
      const named = await api.services.catalog.named("own");
      assert.equal(named?.names.size, NAMES);
      assert.equal(named?.phase, "named");
      assert.deepEqual(reads.names, []);
      const last = [...(named?.names.keys() ?? [])].at(-1) ?? "";
      const details = api.services.catalog.details("own", last);
      reads.allow(2);
      assert.equal((await details)?.models.length, VERSIONS);
      assert.ok(reads.names.length <= 2, `${reads.names.length} names were read`);
      reads.allow(Number.POSITIVE_INFINITY);
      await api.services.catalog.ready("own");
      assert.equal(listedTags(api).length, NAMES * VERSIONS);
    } finally {
      reads.restore();
    }
  });

  it("is listed without holding the host's thread", async function () {
    this.timeout(120_000);
    await useStore(api, home);
    await unblocked(async () => {
      await vscode.commands.executeCommand("modelbench.refresh");
      assert.equal(listedTags(api).length, NAMES * VERSIONS);
    });
  });

  it("reads the one name that changed, and no other", async function () {
    this.timeout(60_000);
    await useStore(api, home);
    const reads = gateReads(api.services.stores.own);
    try {
      reads.allow(Number.POSITIVE_INFINITY);
      plant(home, "model7", "another");
      api.services.catalog.recheck();
      const ref = { store: "own", tag: "model7:another" } as const;
      await until("the new version to be listed", () => api.services.catalog.find(ref), 10_000);
      assert.deepEqual([...new Set(reads.names)], ["model7"]);
    } finally {
      reads.restore();
    }
  });
});

/** Counts the names whose versions any store reads, and lets no more of them be read than allowed. */
function gateReads(store: HostStore) {
  const type = Object.getPrototypeOf(store) as Pick<HostStore, "versionSlices">;
  const real = type.versionSlices;
  const names: string[] = [];
  let allowed = 0;
  type.versionSlices = function* (this: HostStore, ...args) {
    while (names.length >= allowed) yield;
    names.push(args[0]);
    return yield* real.apply(this, args);
  };
  return {
    names,
    allow(count: number) {
      allowed = names.length + count;
    },
    restore() {
      type.versionSlices = real;
    },
  };
}
