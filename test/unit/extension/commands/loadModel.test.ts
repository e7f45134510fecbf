import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { loadModel, restartModel } from "../../../../src/extension/commands/loadModel";
import { openModel } from "../../../../src/extension/commands/openModel";
import { plant, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";
import { loadedNode, running } from "../fakes";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const iris = running({ store: "sample", tag: "iris_clf:v2" });
const digits = running({ store: "own", tag: "digits:v1" }, { state: "failed", pid: undefined });

test("a model is loaded under a progress and then shown among the loaded ones", async () => {
  const { services: parts, lines } = services(folder.path);
  await loadModel(parts, { store: "own", tag: "iris_clf:v2" });
  assert.deepEqual(lines, ["progress: Loading iris_clf:v2", "load: iris_clf:v2", "reveal loaded: iris_clf:v2"]);
});

test("the button of the view asks for a model, whichever row is selected there", async () => {
  plant(folder.path, "a", "v1", "2024-01-01T00:00:00+00:00");
  const { services: parts, lines } = services(folder.path, { pick: () => "a:v1" });
  await loadModel(parts, loadedNode(iris));
  assert.deepEqual(lines.slice(0, 2), ["pick: Load which model? [a:v1]", "progress: Loading a:v1"]);
});

test("a model whose code nobody allows is neither loaded nor restarted", async () => {
  const { services: parts, lines } = services(folder.path, { allows: false });
  await loadModel(parts, { store: "own", tag: "iris_clf:v2" });
  await restartModel(parts, loadedNode(iris));
  assert.deepEqual(lines, ["not allowed: iris_clf:v2", "not allowed: iris_clf:v2"]);
});

test("a model that does not load is not shown; its failure goes to who meets the user", async () => {
  const { services: parts, lines } = services(folder.path);
  const failing = { ...parts, pages: { ...parts.pages, load: async () => Promise.reject(new Error("no")) } };
  await assert.rejects(loadModel(failing, { store: "own", tag: "iris_clf:v2" }), /no/);
  assert.deepEqual(lines, ["progress: Loading iris_clf:v2"]);
});

test("rows are restarted one after the other, a failed one too; from the palette one is asked for", async () => {
  const loaded = [iris, digits];
  const rows = services(folder.path, { loaded });
  await restartModel(rows.services, loadedNode(iris), [loadedNode(iris), loadedNode(digits)]);
  assert.deepEqual(rows.lines, [
    "progress: Restarting iris_clf:v2",
    "restart: iris_clf:v2",
    "progress: Restarting digits:v1",
    "restart: digits:v1",
  ]);
  const asked = services(folder.path, { loaded, pick: () => "digits:v1" });
  await restartModel(asked.services);
  assert.deepEqual(asked.lines, [
    "pick: Restart which model? [iris_clf:v2, digits:v1]",
    "progress: Restarting digits:v1",
    "restart: digits:v1",
  ]);
});

test("a row among the loaded ones opens its model at the test", async () => {
  const { services: parts, lines } = services(folder.path);
  await openModel(parts, loadedNode(iris));
  await openModel(parts, iris.ref);
  assert.deepEqual(lines, ["details: iris_clf:v2 (test)", "details: iris_clf:v2"]);
});
