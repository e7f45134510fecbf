import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { ModelbenchError } from "../../../../src/base/errors";
import { copyPath } from "../../../../src/extension/commands/copyPath";
import { copyTag } from "../../../../src/extension/commands/copyTag";
import { openInNetron } from "../../../../src/extension/commands/openInNetron";
import { openModel } from "../../../../src/extension/commands/openModel";
import { openModelYaml } from "../../../../src/extension/commands/openModelYaml";
import { sortBy } from "../../../../src/extension/commands/sortBy";
import { testModel } from "../../../../src/extension/commands/testModel";
import { guard } from "../../../../src/extension/guard";
import { suggestedName } from "../../../../src/extension/suggestedName";
import type { TreeNode } from "../../../../src/extension/tree/treeModel";
import { runRefusal } from "../../../../src/extension/trust";
import { plant, tempFolder } from "../../store/storeKit";
import { services } from "../fakeServices";
import { t } from "../fakes";

let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
  plant(folder.path, "a", "v1", "2024-01-01T00:00:00+00:00");
  plant(folder.path, "a", "v2", "2024-01-02T00:00:00+00:00");
  writeFileSync(join(folder.path, "models/a/latest"), "v2");
});
afterEach(() => folder.remove());

const name: TreeNode = { kind: "name", store: "own", name: "a" };

test("opening a name opens its latest version, and the palette asks with the newest first", async () => {
  const { services: parts, lines } = services(folder.path, { pick: () => "a:v1" });
  await parts.catalog.ready("own");
  await openModel(parts, name);
  await openModel(parts);
  assert.deepEqual(lines, ["details: a:v2", "pick: Open which model? [a:v2, a:v1]", "details: a:v1"]);
});

test("an empty store says what to do instead of showing an empty list", async () => {
  const { services: parts } = services(join(folder.path, "nothing"));
  await assert.rejects(openModel(parts), (error: ModelbenchError) => {
    assert.equal(error.code, "model.notFound");
    assert.match(error.remedy ?? "", /sample store/);
    return true;
  });
});

test("testing a model that cannot run here says why and opens no test", async () => {
  const { services: parts, lines } = services(folder.path, { presses: true });
  await testModel(parts, { store: "own", tag: "a:v1" });
  assert.deepEqual(lines, ["inform: a:v1 has no framework: there is nothing to run. [Open]", "details: a:v1"]);
});

test("a model that lacks trust is refused with the reason and the way out", async () => {
  const { services: parts, lines } = services(folder.path);
  const trust = {
    ...parts.trust,
    refusal: () => ({ code: "trust.required" as const, reason: "Not here.", remedy: "Trust it." }),
  };
  await assert.rejects(testModel({ ...parts, trust }, { store: "own", tag: "a:v1" }), { code: "trust.required" });
  assert.deepEqual(lines, []);
});

test("tags and paths of a selection are copied one a line, and a lone name as a name", async () => {
  const { services: parts, lines } = services(folder.path);
  await parts.catalog.ready("own");
  await copyTag(parts, name);
  await copyTag(parts, { store: "own", tag: "a:v1" });
  await copyPath(parts, name);
  await copyPath(parts, { kind: "root", store: "own" });
  assert.deepEqual(lines, ["copy: a", "copy: a:v1", `copy: ${join(folder.path, "models/a")}`, `copy: ${folder.path}`]);
});

test("the model.yaml of a broken folder opens as text", async () => {
  mkdirSync(join(folder.path, "models/a/3"));
  writeFileSync(join(folder.path, "models/a/3/model.yaml"), "- not a mapping");
  const { services: parts, lines } = services(folder.path);
  const item = (await parts.catalog.ready("own"))?.names.get("a")?.broken[0];
  assert.ok(item);
  await openModelYaml(parts, { kind: "broken", store: "own", item });
  assert.deepEqual(lines, [`openText: ${join(folder.path, "models/a/3/model.yaml")}`]);
});

test("Netron is opened with the ONNX file of a model", async () => {
  const jobs = {
    "graph.describe": async ({ ref }: { ref: unknown }) => ({ file: `the file of ${JSON.stringify(ref)}` }),
  };
  const { services: parts, lines } = services(folder.path, { jobs });
  await openInNetron(parts, { store: "own", tag: "a:v1" });
  const ref = { kind: "model", home: folder.path, tag: "a:v1" };
  assert.deepEqual(lines, ["job: graph.describe", `netron: the file of ${JSON.stringify(ref)}`]);
});

test("choosing the present order changes nothing", async () => {
  const { services: parts, lines } = services(folder.path, { pick: (_, [first]) => first });
  await sortBy(parts);
  const { services: others, lines: otherLines } = services(folder.path, { pick: () => "Name" });
  await sortBy(others);
  assert.deepEqual([lines.length, otherLines.at(-1)], [1, "sortBy: name"]);
});

test("a failure is shown once, in words: silent when cancelled, with its remedy when ours, as a bug otherwise", async () => {
  const { services: parts, lines } = services(folder.path);
  const fail = (error: unknown) => guard("modelbench.test", parts, () => Promise.reject(error));
  await fail(new ModelbenchError("cancelled", "Cancelled."));
  await fail(new DOMException("This operation was aborted", "AbortError"));
  await fail(new ModelbenchError("store.access", "No.", { remedy: "Do this." }));
  await fail(new TypeError("x is not a function"));
  assert.deepEqual(lines, [
    "failure: No. Do this.",
    "failure: modelbench.test failed unexpectedly. See the Modelbench log.",
  ]);
});

test("in Restricted Mode data models run from the two stores only, and models that need Python nowhere", () => {
  const codes = (isTrusted: boolean) =>
    (["own", "sample", "file"] as const).map((origin) => runRefusal(t, "bentoml.onnx", isTrusted, origin)?.code);
  assert.deepEqual(codes(true), [undefined, undefined, undefined]);
  assert.deepEqual(codes(false), [undefined, undefined, "trust.required"]);
  for (const module of ["bentoml.sklearn", "bentoml.picklable_model"]) {
    assert.equal(runRefusal(t, module, true, "own"), undefined, module);
    assert.equal(runRefusal(t, module, false, "own")?.code, "trust.required", module);
  }
  for (const module of ["os.path", ""])
    assert.equal(runRefusal(t, module, true, "own")?.code, "run.unsupported", module);
});

test("a file name makes a model name within the grammar", () => {
  const names = ["/x/My Net (v2).onnx", "model.onnx", "/x/___.onnx", "/x/.onnx", `/x/${"a".repeat(99)}.onnx`];
  assert.deepEqual(names.map(suggestedName), ["my_net_v2", "model", "model", "onnx", "a".repeat(63)]);
});
