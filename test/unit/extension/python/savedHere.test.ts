import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type PythonModel, PythonTest } from "../../../../src/extension/python/pythonTest";
import { adapterFor } from "../../../../src/frameworks/registry";
import { ModelStore } from "../../../../src/store/modelStore";
import { tempFolder } from "../../store/storeKit";
import { fakeConsents, fakePythonTests } from "../fakePython";

const { path: root, remove } = tempFolder();
after(remove);

const MODULE = "bentoml.picklable_model";
const DRAFT = {
  ...{ name: "clf", module: MODULE, labels: {}, metadata: new Map(), options: new Map(), signatures: {} },
  ...{ apiVersion: "v1", frameworkName: "cloudpickle", frameworkVersions: {} },
};
const project = join(root, "project");

async function saved(home: string, version: string, from: string): Promise<PythonModel> {
  const store = new ModelStore(home);
  const staged = await store.stagingFolder();
  writeFileSync(join(staged, "saved_model.pkl"), `V${version}\n.`);
  await store.saveStaged({ ...DRAFT, version }, staged, { origin: { kind: "saved", from } });
  const python = adapterFor(MODULE)?.python;
  assert.ok(python);
  return { ref: { store: "own", tag: `clf:${version}` }, home, python };
}

/** What is said of a model, and the answers that the question offers. */
async function asked(model: PythonModel, consents = fakeConsents(), answer = "") {
  let offered: readonly string[] = [];
  const decide = async <A extends string>(_message: string, _detail: string, actions: readonly A[]) => {
    offered = actions;
    return actions.find((action) => action.startsWith(answer || "nothing"));
  };
  const { ui, ...port } = fakePythonTests({ consents, folders: () => [project] });
  const test = new PythonTest(model, { ...port, ui: { ...ui, decide } });
  await test.askToAllow();
  const { state } = test.consent ?? {};
  test.dispose();
  return { state, offered: offered.length };
}

test("a name is allowed only for what was saved from this workspace, and covers nothing from elsewhere", async () => {
  const home = join(root, "home");
  const consents = fakeConsents();
  const first = await saved(home, "v1", join(project, "train.py"));
  assert.deepEqual(await asked(first, consents, "Always Allow"), { state: "byName", offered: 2 });
  const next = await saved(home, "v2", join(project, "src/more/train.py"));
  assert.deepEqual(await asked(next, consents), { state: "byName", offered: 0 });
  const places = [join(root, "downloads/model.pkl"), join(root, "project2/train.py"), join(project, "../x.py"), "x.py"];
  for (const [i, from] of places.entries()) {
    const other = await saved(home, `w${i}`, from);
    assert.deepEqual(await asked(other, consents), { state: "needed", offered: 1 }, from);
  }
});

test("nor for what lies in an opened folder, whoever saved it", async () => {
  const model = await saved(join(project, "store"), "v1", join(project, "train.py"));
  assert.deepEqual(await asked(model), { state: "needed", offered: 1 });
});
