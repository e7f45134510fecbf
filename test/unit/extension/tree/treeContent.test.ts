import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { silentLog } from "../../../../src/base/log";
import { Catalog } from "../../../../src/extension/catalog";
import type { GroupBy } from "../../../../src/extension/services";
import { type ContentChange, TreeContent } from "../../../../src/extension/tree/treeContent";
import { viewText } from "../../../../src/extension/tree/viewText";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { parseFilter } from "../../../../src/store/filter";
import { ModelStore } from "../../../../src/store/modelStore";
import { plant, tempFolder, yamlOf } from "../../store/storeKit";
import { noWatch, t } from "../fakes";
import { outline } from "./treeText";

let folder: ReturnType<typeof tempFolder>;
let catalog: Catalog;
let content: TreeContent;
let groupBy: GroupBy;
let changes: ContentChange[];

beforeEach(async () => {
  folder = tempFolder();
  label("a", "v1", "prod");
  label("a", "v2", "dev");
  label("b", "v1", "prod");
  groupBy = "name";
  changes = [];
  catalog = new Catalog(inProcessJobs(), noWatch);
  catalog.follow([{ id: "own", store: new ModelStore(folder.path) }]);
  content = new TreeContent({ catalog, settings: () => ({ groupBy, sortBy: "name" }), t, log: silentLog });
  content.onDidChange((change) => changes.push(change));
  await catalog.ready("own");
  await content.settled();
});
afterEach(() => {
  content.dispose();
  catalog.dispose();
  folder.remove();
});

function label(name: string, version: string, stage: string): void {
  const path = plant(folder.path, name, version);
  writeFileSync(join(path, "model.yaml"), yamlOf(name, version).replace("labels: {}", `labels:\n  stage: ${stage}`));
}

function find(text: string): void {
  content.filter = text === "" ? undefined : { text, parsed: parseFilter(text) };
}

const said = (filter: string) => {
  const facts = { own: catalog.snapshot("own"), filter, t, userHome: "/home/ann", store: undefined };
  return viewText(content, facts).message;
};

test("a filter by label reads the labels and leaves what has it; without a filter all is back", async () => {
  find("stage=prod");
  await content.settled();
  assert.deepEqual(outline(content.arrangement), ["own/a?few", "  own/a/v1", "own/b?few", "  own/b/v1"]);
  assert.equal(said("stage=prod"), "stage=prod: 2 of 3 versions");
  find("");
  await content.settled();
  assert.equal(outline(content.arrangement).length, 5);
  assert.equal(said(""), "");
});

test("what fits only after a change on disk comes in with the change", async () => {
  find("stage=new");
  await content.settled();
  assert.deepEqual(outline(content.arrangement), ["own?unmatched"]);
  label("c", "v1", "new");
  await catalog.refresh();
  await content.settled();
  assert.deepEqual(outline(content.arrangement), ["own/c?few", "  own/c/v1"]);
});

test("several terms must all fit, and what cannot be read is found by its name only", async () => {
  mkdirSync(join(folder.path, "models/a/torn"));
  writeFileSync(join(folder.path, "models/a/torn/model.yaml"), "- no mapping");
  await catalog.refresh();
  find("a stage=dev");
  await content.settled();
  assert.deepEqual(outline(content.arrangement), ["own/a?few", "  own/a/v2"]);
  find("torn");
  await content.settled();
  assert.deepEqual(outline(content.arrangement), ["own/a?few", "  own/a/torn"]);
  find("size<1GiB age>1s torn");
  await content.settled();
  assert.deepEqual(outline(content.arrangement), ["own?unmatched"]);
});

test("groups follow a label that another program changes", async () => {
  groupBy = "label:stage";
  content.arrangeAnew();
  await content.settled();
  assert.deepEqual(outline(content.arrangement)[0], "own?with=dev");
  label("a", "v2", "prod");
  await catalog.refresh();
  await content.settled();
  assert.deepEqual(
    content.arrangement.tops.map((node) => node.kind === "group" && node.value),
    ["prod"],
  );
});

test("a version that came under a name redraws that name, and a new name everything", async () => {
  changes.length = 0;
  label("a", "v3", "dev");
  catalog.recheck();
  await catalogChange();
  assert.deepEqual(changes, [[{ store: "own", name: "a" }]]);
  changes.length = 0;
  label("c", "v1", "dev");
  catalog.recheck();
  await catalogChange();
  assert.deepEqual(changes, ["all"]);
});

test("pins are looked at when asked for, and nothing is drawn while they stay the same", async () => {
  changes.length = 0;
  content.lookAtPins();
  await content.settled();
  assert.deepEqual(changes, []);
  mkdirSync(join(folder.path, ".modelbench/pins/a"), { recursive: true });
  writeFileSync(join(folder.path, ".modelbench/pins/a/v1"), "");
  content.lookAtPins();
  await content.settled();
  assert.deepEqual(changes, ["all"]);
  assert.deepEqual(outline(content.arrangement).slice(0, 3), ["own/a", "  own/a/v1", "  own/a/v2"]);
});

test("changes that come while the tree is put together are not lost", async () => {
  find("a");
  find("b");
  await content.settled();
  assert.deepEqual(outline(content.arrangement), ["own/b?few", "  own/b/v1"]);
});

/** Until the next change of the catalog has gone through the content. */
async function catalogChange(): Promise<void> {
  await new Promise<void>((resolve) => {
    const subscription = content.onDidChange(() => {
      subscription.dispose();
      resolve();
    });
  });
}
