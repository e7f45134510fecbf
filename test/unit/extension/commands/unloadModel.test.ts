import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { unloadAllModels, unloadModel } from "../../../../src/extension/commands/unloadModel";
import { tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";
import { loadedNode, running } from "../fakes";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const iris = running({ store: "sample", tag: "iris_clf:v2" });
const digits = running({ store: "own", tag: "digits:v1" }, { state: "busy", busy: true });

test("of several loaded models one is unloaded, or all at once", async () => {
  const loaded = [iris, digits];
  const one = services(folder.path, { loaded, pick: () => "digits:v1" });
  await unloadModel(one.services);
  assert.deepEqual(one.lines, ["pick: Unload which model? [iris_clf:v2, digits:v1, Unload All]", "unload: digits:v1"]);
  const all = services(folder.path, { loaded, pick: () => "Unload All" });
  await unloadModel(all.services);
  assert.equal(all.lines.at(-1), "unload: iris_clf:v2, digits:v1");
});

test("a lone model needs no Unload All, a dismissed question unloads nothing, and no model is said", async () => {
  const { services: parts, lines } = services(folder.path, { loaded: [iris] });
  await unloadModel(parts);
  assert.deepEqual(lines, ["pick: Unload which model? [iris_clf:v2]"]);
  const none = services(folder.path);
  await unloadModel(none.services);
  assert.deepEqual(none.lines, ["inform: No model is loaded."]);
});

test("rows of the view are unloaded without a question, those that are selected together with one another", async () => {
  const loaded = [iris, digits];
  const row = services(folder.path, { loaded });
  await unloadModel(row.services, loadedNode(iris));
  assert.deepEqual(row.lines, ["unload: iris_clf:v2"]);
  const several = services(folder.path, { loaded });
  await unloadModel(several.services, loadedNode(iris), [loadedNode(digits), loadedNode(iris)]);
  assert.deepEqual(several.lines, ["unload: digits:v1, iris_clf:v2"]);
  const keys = services(folder.path, { loaded, selected: [digits.ref] });
  await unloadModel(keys.services, "selection");
  assert.deepEqual(keys.lines, ["unload: digits:v1"]);
  const nothing = services(folder.path, { loaded });
  await unloadModel(nothing.services, "selection");
  assert.deepEqual(nothing.lines, [], "a key on an empty selection does nothing");
});

test("Unload All asks nothing, and says when there is nothing", async () => {
  const all = services(folder.path, { loaded: [iris, digits] });
  await unloadAllModels(all.services);
  assert.deepEqual(all.lines, ["unload: iris_clf:v2, digits:v1"]);
  const none = services(folder.path);
  await unloadAllModels(none.services);
  assert.deepEqual(none.lines, ["inform: No model is loaded."]);
});
