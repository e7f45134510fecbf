import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { unloadModel } from "../../../../src/extension/commands/unloadModel";
import { tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const iris = { ref: { store: "sample", tag: "iris_clf:v2" }, busy: false } as const;
const digits = { ref: { store: "own", tag: "digits:v1" }, busy: true } as const;

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
