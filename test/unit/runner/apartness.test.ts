import assert from "node:assert/strict";
import { test } from "node:test";
import { howApart, NOT_APART } from "../../../src/runner/apartness";
import type { LoadResult, PythonLoad } from "../../../src/runner/protocol";

const python: PythonLoad = {
  ...{ interpreter: "/usr/bin/python3", worker: "/worker", folder: "/model", files: [], options: "{}" },
  ...{ paths: [], preload: [], isolate: true },
};
const loaded: LoadResult = { loadMs: 1, device: "cpu", unfetchable: {} };
const obstacle = async () => "There is no bubblewrap.";

test("where a model cannot be kept apart it says so, and does not run at all if it was allowed to run apart only", async () => {
  const apart = await howApart(python, "cpu", obstacle);
  const fallbacks = [`${NOT_APART} There is no bubblewrap.`];
  assert.deepEqual(apart.told(loaded), { ...loaded, fallbacks, isIsolated: false });
  const refused = howApart({ ...python, onlyIsolated: true }, "cpu", obstacle);
  await assert.rejects(refused, { code: "run.unsupported", message: /There is no bubblewrap/ });
});

test("a model that was made here is not asked whether it can be", async () => {
  const asked = howApart({ ...python, isolate: false, onlyIsolated: true }, "cpu", () => assert.fail("was asked"));
  assert.deepEqual((await asked).told(loaded), loaded);
});
