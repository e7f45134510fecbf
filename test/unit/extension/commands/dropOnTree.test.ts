import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { dropOnTree } from "../../../../src/extension/commands/dropOnTree";
import type { TreeDrop } from "../../../../src/extension/treeDrop";
import { inProcessJobs } from "../../../../src/jobs/inProcess";
import { exportModelJob } from "../../../../src/store/archive/archiveJobs";
import { ModelStore } from "../../../../src/store/modelStore";
import { plant, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
let home: string;
let team: string;
let released: number;
beforeEach(() => {
  folder = tempFolder();
  home = join(folder.path, "own");
  team = join(folder.path, "team");
  plant(home, "a", "v1");
  released = 0;
});
afterEach(() => folder.remove());

function drop(parts: Partial<TreeDrop>): TreeDrop {
  const release = async () => void released++;
  return { store: undefined, paths: [], models: [], elsewhere: 0, failure: undefined, release, ...parts };
}

/** Services with a second home beside the user's own. */
function twoHomes(answers: Parameters<typeof services>[1] = {}) {
  const { services: parts, lines } = services(home, answers);
  const stores = { own: new ModelStore(home), [`home:${team}`]: new ModelStore(team) };
  const all = Object.entries(stores).map(([id, store]) => ({
    ...{ id, label: id, store },
    kind: id === "own" ? ("own" as const) : ("home" as const),
  }));
  const of = ({ store }: { readonly store: string }) => stores[store as "own"];
  return { parts: { ...parts, stores: { ...parts.stores, all, of } }, lines };
}

test("an archive goes into the store of the row it was dropped on", async () => {
  const destination = join(folder.path, "a.bentomodel");
  await inProcessJobs().run(exportModelJob, { home, tag: "a:v1", destination });
  const { parts, lines } = twoHomes({ review: "accept" });
  await dropOnTree(parts, drop({ store: `home:${team}`, paths: [destination] }));
  assert.ok(existsSync(join(team, "models/a/v1/model.yaml")), lines.join("\n"));
  assert.equal(released, 1);
});

test("weights open the save form, and are not taken for an archive", async () => {
  const source = "media/sample-store/models/iris_clf/v1/saved_model.onnx";
  const { parts, lines } = twoHomes({ form: () => undefined });
  await dropOnTree(parts, drop({ store: "own", paths: [source] }));
  assert.deepEqual(lines, ["form: saved_model"]);
  assert.equal(released, 1);
});

test("a version dropped on another store is copied there under its tag, and on its own store nothing happens", async () => {
  const { parts, lines } = twoHomes();
  const models = [{ store: "own", tag: "a:v1" }];
  await dropOnTree(parts, drop({ store: "own", models }));
  await dropOnTree(parts, drop({ store: undefined, models }));
  assert.deepEqual(lines, []);
  await dropOnTree(parts, drop({ store: `home:${team}`, models }));
  assert.deepEqual(lines, ["progress: Copying a:v1", "reveal: a:v1"]);
  assert.deepEqual(
    readFileSync(join(team, "models/a/v1/weights.bin")),
    readFileSync(join(home, "models/a/v1/weights.bin")),
  );
  assert.deepEqual(readdirSync(join(home, "models/a")), ["v1"]);
});

test("what is no file on this machine is refused with what to do, and nothing is left of the drop", async () => {
  const { parts } = twoHomes();
  await assert.rejects(dropOnTree(parts, drop({ elsewhere: 2 })), { code: "usage" });
  await assert.rejects(dropOnTree(parts, drop({ failure: new Error("no space") })), { message: "no space" });
  assert.equal(released, 2);
});
