import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Catalog } from "../../../src/extension/catalog";
import { StoreAccesses } from "../../../src/extension/storeAccesses";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { ModelStore } from "../../../src/store/modelStore";
import { plant, tempFolder } from "../store/storeKit";
import { noWatch } from "./fakes";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

test("a store is asked about when it was read, and again with what changes while it is not writable", async () => {
  const home = join(folder.path, "home");
  const catalog = new Catalog(inProcessJobs(), noWatch);
  const accesses = new StoreAccesses(catalog);
  const told: unknown[] = [];
  const next = () => new Promise<void>((resolve) => accesses.onDidChange(() => resolve()));
  accesses.onDidChange((id) => told.push([id, accesses.of(id)]));
  catalog.follow([{ id: "own", store: new ModelStore(home) }]);
  assert.equal(accesses.of("own"), undefined, "nobody has looked yet");
  const missing = next();
  await catalog.ready("own");
  await missing;
  const writable = next();
  mkdirSync(home);
  plant(home, "a", "v1");
  await catalog.refresh();
  await writable;
  await catalog.refresh();
  assert.deepEqual(told, [
    ["own", "missing"],
    ["own", "writable"],
  ]);
  catalog.dispose();
  accesses.dispose();
});
