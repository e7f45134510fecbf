import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Catalog } from "../../../../src/extension/catalog";
import { emptyTrash } from "../../../../src/extension/commands/emptyTrash";
import { restoreFromTrash } from "../../../../src/extension/commands/restoreFromTrash";
import { TrashBin } from "../../../../src/extension/trashBin";
import { type TrashNode, trashRow } from "../../../../src/extension/tree/trashRow";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { ModelStore } from "../../../../src/store/modelStore";
import { watchFolder } from "../../../../src/store/watch";
import { plant, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";
import { noWatch, t } from "../fakes";

const DAY = 24 * 3_600_000;

let folder: ReturnType<typeof tempFolder>;
let bin: TrashBin;
let catalog: Catalog;
let store: ModelStore;

beforeEach(() => {
  folder = tempFolder();
  for (const version of ["v1", "v2"]) plant(folder.path, "a", version);
  store = new ModelStore(folder.path);
  catalog = new Catalog(inProcessJobs(), noWatch);
  const all = [{ id: "own", kind: "own", label: "My Store", store }] as const;
  bin = new TrashBin({ catalog, stores: { all }, jobs: inProcessJobs(), watchFolder });
  catalog.follow(all);
});
afterEach(() => {
  bin.dispose();
  catalog.dispose();
  folder.remove();
});

/** Does something and waits until the bin tells of a change. */
async function told(work: () => Promise<unknown>): Promise<void> {
  let isTold = false;
  const subscription = bin.onDidChange(() => {
    isTold = true;
  });
  await work();
  for (const deadline = Date.now() + 5_000; !isTold && Date.now() < deadline; ) await setTimeout(10);
  subscription.dispose();
  assert.ok(isTold);
}

test("the trash of a store is looked at once its models have been, and tells what comes and goes", async () => {
  await store.delete({ name: "a", version: "v1" });
  assert.equal(bin.isEmpty, true, "nobody has looked at the store yet");
  await catalog.ready("own");
  assert.equal(bin.isEmpty, false);
  await told(() => store.delete({ name: "a", version: "v2" }));
  const rows = await bin.list();
  assert.deepEqual(
    rows.map(({ entry }) => entry.tag.version),
    ["v2", "v1"],
  );
  for (const { entry } of rows) await told(() => store.restore(entry.id));
  assert.equal(bin.isEmpty, true);
  assert.deepEqual(await bin.list(), []);
});

test("a row of the trash tells when it was deleted, its size and how long it can still come back", () => {
  const entry = { id: "1-a-v1", tag: { name: "a", version: "v1" }, deletedMs: 0, wasLatest: true, bytes: 5949 };
  const node: TrashNode = { kind: "trashed", store: "own", entry, keptMs: 7 * DAY };
  const row = (nowMs: number, storeLabel?: string) => trashRow(node, { t, nowMs, storeLabel });
  assert.equal(row(2 * DAY).description, "5 days left · 5.81 KiB");
  assert.equal(row(6.5 * DAY, "team").description, "1 day left · 5.81 KiB · team");
  assert.equal(row(8 * DAY).spoken, "a:v1, deleted 1 week ago, 5.81 KiB, goes soon");
  assert.match(row(0).tooltip(), /It was the latest version/);
});

test("several rows are restored, the one deleted last first, and one of them is shown", async () => {
  for (const version of ["v1", "v2"]) {
    await store.delete({ name: "a", version });
    await setTimeout(2);
  }
  await catalog.ready("own");
  const rows = await bin.list();
  const { services: parts, lines } = services(folder.path);
  await restoreFromTrash(parts, rows[0], rows);
  assert.deepEqual(lines, ["reveal: a:v1"]);
  assert.deepEqual(readdirSync(join(folder.path, "models/a")).sort(), ["v1", "v2"]);
});

test("emptying the trash asks once, with names, sizes and the sum, and removes only what was named", async () => {
  for (const version of ["v1", "v2"]) await store.delete({ name: "a", version });
  const { services: careful, lines } = services(folder.path, { confirm: false });
  await emptyTrash(careful);
  assert.match(
    lines.join(),
    /^confirm: Remove 2 versions in the trash for good \([\d.]+ B\)\? \[Empty Trash\] a:v\d \(/,
  );
  assert.equal(store.trash().length, 2);
  await emptyTrash(services(folder.path, { confirm: true }).services);
  assert.equal(store.trash().length, 0);
  assert.ok(!existsSync(join(folder.path, "models/a/v1")));
  const { services: again, lines: last } = services(folder.path);
  await emptyTrash(again);
  assert.deepEqual(last, ["inform: The trash is empty."]);
});

test("what is removed for good is what was named, also when the store is another one meanwhile", async () => {
  const other = tempFolder();
  await store.delete({ name: "a", version: "v1" });
  const { services: parts } = services(folder.path);
  const stores = { ...parts.stores };
  const confirm: typeof parts.ui.confirm = async () => {
    stores.of = () => new ModelStore(other.path);
    return true;
  };
  await emptyTrash({ ...parts, stores, ui: { ...parts.ui, confirm } });
  assert.equal(store.trash().length, 0);
  other.remove();
});
