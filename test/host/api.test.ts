import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import { plant } from "../unit/store/storeKit";
import type { ApiClient } from "./fixtures/apiClient/extension";
import { activated, temporaryFolder, useStore } from "./kit";
import { until } from "./until";

const LARGE_BYTES = 256 * 2 ** 20;

describe("the API for other extensions", () => {
  const folder = temporaryFolder();
  const home = join(folder.path, "own");
  let client: ApiClient;

  before(async () => {
    plant(home, "kept", "v1");
    plant(home, "kept", "v2");
    writeFileSync(join(home, "models/kept/latest"), "v2");
    await useStore(await activated(), home);
    const extension = vscode.extensions.getExtension<ApiClient>("modelbench-tests.api-client");
    assert.ok(extension, "the second extension is not installed");
    client = await extension.activate();
  });

  after(async () => {
    await useStore(await activated(), "");
    folder.remove();
  });

  /** A model that takes a while to import: a small one is there before a cancel has crossed to another process. */
  async function largeArchive(): Promise<string> {
    const path = plant(home, "large", "v1");
    truncateSync(join(path, "weights.bin"), LARGE_BYTES);
    const archive = await client.api.export("large:v1", { destination: join(folder.path, "large.tar") });
    rmSync(join(home, "models/large"), { recursive: true });
    return archive.path;
  }

  it("is there once Modelbench is active, in version 1, and is what its types say", async () => {
    assert.equal(client.api.version, 1);
    const surface = ["version", "stores", "list", "get", "import", "export", "delete", "onDidChangeModels", "flax"];
    assert.deepEqual(Object.keys(client.api).sort(), surface.sort());
    const [own] = client.api.stores();
    assert.deepEqual({ id: own?.id, home: own?.home }, { id: "own", home });
  });

  it("lists and describes models as plain data", async () => {
    const all = await client.api.list();
    assert.deepEqual(all.map(({ tag }) => tag).sort(), ["kept:v1", "kept:v2"]);
    assert.deepEqual(await client.api.list({ name: "other" }), []);
    assert.deepEqual(await client.api.list({ labels: { none: "such" } }), []);
    const model = await client.api.get("kept");
    assert.equal(model.path, join(home, "models", "kept", model.version));
    assert.equal(model.isLatest, true);
    assert.ok(model.files.some(({ path }) => path === "model.yaml"));
    assert.deepEqual(structuredClone(model), model);
  });

  it("exports, deletes and imports, and tells of each change", async () => {
    const { api, changes } = client;
    const { path, bytes } = await api.export("kept:v1", { destination: join(folder.path, "kept.bentomodel") });
    assert.ok(existsSync(path) && bytes > 0);
    const [gone] = await api.delete(["kept:v1"]);
    assert.equal(gone?.tag, "kept:v1");
    assert.deepEqual(
      (await api.list()).map(({ tag }) => tag),
      ["kept:v2"],
    );
    const before = changes.length;
    const steps: number[] = [];
    const back = await api.import(path, { onProgress: ({ doneBytes }) => steps.push(doneBytes) });
    assert.deepEqual([back.tag, back.action, back.store], ["kept:v1", "imported", "own"]);
    assert.ok(steps.length > 0);
    await until("the change to be told", () => {
      const told = changes.slice(before).some(({ store, names }) => store === "own" && names.includes("kept"));
      return told || undefined;
    });
    assert.equal((await api.import(path, { onConflict: "skip" })).action, "skipped");
    const small = { destination: join(folder.path, "small.zip"), format: "zip", compression: "small" } as const;
    assert.equal((await api.export("kept:v1", small)).path, small.destination);
  });

  it("rejects with a code for everything that can go wrong", async () => {
    const { api, failureOf } = client;
    const code = async (call: () => Promise<unknown>) => (await failureOf(call))?.code;
    assert.equal(await code(() => api.get("none")), "model.notFound");
    assert.equal(await code(() => api.get("kept:v1", { store: "home:/nowhere" })), "model.notFound");
    assert.equal(await code(() => api.get("Not a tag!")), "tag.invalid");
    assert.equal(await code(() => api.delete(["kept"])), "usage");
    assert.equal(await code(() => api.delete(["kept:v2", "kept:v9"])), "model.notFound");
    assert.equal(await code(() => api.import("relative.bentomodel")), "usage");
    assert.equal(await code(() => api.import(join(folder.path, "kept.bentomodel"))), "model.exists");
    assert.equal(await code(() => api.export("kept:v2", { destination: "x.tar" })), "usage");
    assert.equal(await code(() => api.get(7 as unknown as string)), "usage");
    assert.equal((await failureOf(() => api.get("none")))?.name, "ModelbenchError");
    assert.ok(existsSync(join(home, "models/kept/v2")), "nothing was deleted on the way");
  });

  it("stops when a token or a signal says so, and leaves nothing behind", async () => {
    const { api, failureOf, importAndCancel } = client;
    const archive = join(folder.path, "kept.bentomodel");
    await api.delete(["kept:v1"]);
    const aborted = { signal: AbortSignal.abort() };
    assert.equal((await failureOf(() => api.import(archive, aborted)))?.code, "cancelled");
    assert.equal((await failureOf(() => api.delete(["kept:v2"], aborted)))?.code, "cancelled");
    assert.equal(await importAndCancel(await largeArchive()), "cancelled");
    assert.deepEqual(readdirSync(join(home, "models")), ["kept"]);
    assert.deepEqual(readdirSync(join(home, "models/kept")).sort(), ["latest", "v2"]);
    assert.deepEqual(readdirSync(join(home, ".modelbench/staging")), []);
  });
});
