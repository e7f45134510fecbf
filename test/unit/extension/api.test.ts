import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { createApi } from "../../../src/extension/api";
import type { OpenStore } from "../../../src/extension/services";
import { ModelStore } from "../../../src/store/modelStore";
import { plant, tempFolder } from "../store/storeKit";
import { services } from "./fakeServices";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  plant(folder.path, "a", "v1");
  plant(folder.path, "a", "v2");
});
afterEach(() => folder.remove());

test("in Restricted Mode everything can be looked at and nothing is written", async () => {
  const { services: parts } = services(folder.path);
  const api = createApi({ ...parts, trust: { ...parts.trust, isTrusted: false } });
  assert.equal((await api.list()).length, 2);
  assert.equal((await api.get("a:v1")).tag, "a:v1");
  const archive = join(folder.path, "a.tar");
  await assert.rejects(api.delete(["a:v1"]), { code: "trust.required" });
  await assert.rejects(api.export("a:v1", { destination: archive }), { code: "trust.required" });
  await assert.rejects(api.import(archive), { code: "trust.required" });
  assert.ok(!existsSync(archive) && existsSync(join(folder.path, "models/a/v1")));
});

test("a call works on the store it names, and lists all of them when it names none", async () => {
  const { services: parts } = services(folder.path);
  const home = join(folder.path, "team");
  plant(home, "b", "v1");
  const team: OpenStore = { id: `home:${home}`, kind: "home", label: "team", store: new ModelStore(home) };
  const all = [...parts.stores.all, team];
  parts.catalog.follow([...all.map(({ id }) => ({ id, store: new ModelStore(id === "own" ? folder.path : home) }))]);
  const api = createApi({ ...parts, stores: { ...parts.stores, all } });
  assert.deepEqual((await api.list()).map(({ tag, store }) => [store, tag]).at(-1), [team.id, "b:v1"]);
  assert.equal((await api.list({ store: "own" })).length, 2);
  await assert.rejects(api.get("b:v1"), { code: "model.notFound" });
  assert.equal((await api.get("b", { store: team.id })).path, join(home, "models/b/v1"));
  await api.delete(["b:v1"], { store: team.id });
  assert.ok(!existsSync(join(home, "models/b/v1")));
});

test("nothing is deleted when one of the tags is not there", async () => {
  const api = createApi(services(folder.path).services);
  await assert.rejects(api.delete(["a:v1", "a:v9"]), { code: "model.notFound" });
  for (const tags of [["a"], ["a:latest"], [3], "a:v1"]) {
    await assert.rejects(api.delete(tags as unknown as string[]), { code: "usage" });
  }
  assert.equal((await api.list()).length, 2);
});

test("a listener that throws keeps nobody else from hearing, and an ended one hears nothing", async () => {
  const { services: parts } = services(folder.path);
  const api = createApi(parts);
  const heard: string[] = [];
  const disposables: { dispose(): unknown }[] = [];
  api.onDidChangeModels(() => {
    throw new Error("mine");
  });
  api.onDidChangeModels(
    function (this: unknown, { store }) {
      heard.push(`${String(this)} ${store}`);
    },
    "me",
    disposables,
  );
  await parts.catalog.refresh();
  assert.ok(heard.includes("me own"));
  for (const disposable of disposables) disposable.dispose();
  heard.length = 0;
  await parts.catalog.refresh();
  assert.deepEqual(heard, []);
});

test("flax's functions are there: what they write they restore, and a failure names the path", () => {
  const { flax } = createApi(services(folder.path).services);
  const kernel = { kind: "ndarray" as const, dtype: "float32", shape: [1], data: Uint8Array.of(0, 0, 128, 63) };
  const target = new Map([["params", [kernel]]]);
  const restored = flax.fromBytes(target, flax.toBytes(target)).get("params")?.[0];
  assert.deepEqual({ ...restored, data: Uint8Array.from(restored?.data ?? []) }, kernel);
  const empty = flax.msgpackRestore(flax.msgpackSerialize(new Map([["params", new Map()]])));
  assert.throws(() => flax.fromStateDict(target, empty), { code: "state.mismatch", message: /at path \.\/params/ });
  assert.throws(() => flax.msgpackRestore("81" as unknown as Uint8Array), { code: "usage" });
  assert.throws(() => flax.msgpackSerialize({ ...kernel, dtype: "float99" }), { code: "usage" });
});
