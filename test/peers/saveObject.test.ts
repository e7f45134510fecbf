import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { silentLog } from "../../src/base/log";
import { inProcessJobs } from "../../src/jobs/inProcess";
import { makeObject, type ObjectRequest, type ObjectValues, saveObject } from "../../src/runner/objectSaver";
import { layoutOf } from "../../src/store/layout";
import { ModelStore } from "../../src/store/modelStore";
import { readOrigin } from "../../src/store/origin";
import { tempFolder } from "../unit/store/storeKit";
import { askPython } from "./python";
import { PYTHON } from "./realStore";

const { path: folder, remove } = tempFolder();
const project = join(folder, "project");
const ours = join(folder, "ours");
const theirs = join(folder, "theirs");
const parts = { jobs: inProcessJobs(), log: silentLog };

before(() => {
  cpSync("test/peers/saveObjectProject", project, { recursive: true });
});
after(remove);

/** A file of the project: each imports only the frameworks that its objects are of, which takes most of the time. */
function file(name: string): string {
  return join(project, `${name}.py`);
}

interface Wish extends Partial<ObjectRequest["source"]> {
  readonly adapter?: ObjectRequest["adapter"];
}

function requestOf(target: string, { adapter = "auto", ...source }: Wish = {}): ObjectRequest {
  return {
    home: ours,
    adapter,
    source: { file: file("prices"), target, customObjects: [], externalModules: [], ...source },
    python: {
      interpreter: PYTHON,
      worker: join(process.cwd(), "src/frameworks/python"),
      paths: [project],
      preload: [],
      workingFolder: project,
    },
    dataFiles: [],
  };
}

async function save(name: string, target: string, wish: Wish = {}, values: Partial<ObjectValues> = {}): Promise<void> {
  await saveObject(requestOf(target, wish), { name, labels: {}, metadata: {}, ...values }, parts);
}

function versionIn(home: string, name: string): string {
  const names = join(home, "models", name);
  const [version = ""] = readdirSync(names).filter((entry) => entry !== "latest");
  return join(names, version);
}

/** model.yaml without what differs between any two saves, and the digest of every other file. */
function content(home: string, name: string): Record<string, string> {
  const path = versionIn(home, name);
  return Object.fromEntries(
    readdirSync(path).map((file) => {
      const bytes = readFileSync(join(path, file));
      if (file !== "model.yaml") return [file, createHash("sha256").update(bytes).digest("hex")];
      return [file, bytes.toString().replace(/^(version|creation_time): .*$/gm, "$1:")];
    }),
  );
}

test("objects are saved to the very bytes of BentoML's own save_model, and run there with the numbers of the plain library", async () => {
  const objects = [
    { name: "double", expression: "double" },
    { name: "n", expression: "1 + 2" },
  ];
  const price = { batchable: true, batchDim: [0, 0] } as const;
  await save(
    "pricing",
    "pricing",
    {},
    {
      labels: { owner: "me" },
      metadata: { epochs: "3", rate: "0.1" },
      signatures: { price },
    },
  );
  await save("plain", "plain", { customObjects: objects });
  await save("forest", "forest:forest", { file: file("forest") });
  const classes = [{ name: "classes", expression: '["a", "b"]' }];
  const nets = { file: file("nets") };
  await save("dict", "net", { ...nets, state: "variables", customObjects: classes });
  await save("frozen", "dense", { ...nets, state: "nets:frozen" });
  await save("trained", "dense", { file: file("trained"), state: "trained", adapter: "flax" });
  await save("negate", "negate()", { file: file("graphs") });
  askPython("saveObjectPeer.py", "save", project, theirs);
  for (const name of ["pricing", "plain", "forest", "dict", "frozen", "trained", "negate"]) {
    assert.deepEqual(content(ours, name), content(theirs, name), name);
  }
  // Unlike BentoML's own, a save may say what arguments a method is called with.
  const store = new ModelStore(ours);
  await store.delete(store.get("pricing").tag);
  await save("pricing", "pricing", {}, { signatures: { price }, partialKwargs: { price: '{"fixed": 7.0}' } });
  const read = askPython("saveObjectPeer.py", "read", project, ours) as Record<string, [unknown, unknown]>;
  assert.deepEqual(Object.keys(read).length, 10);
  for (const [name, [loaded, plain]] of Object.entries(read)) assert.deepEqual(loaded, plain, name);
});

test("with its modules by value a model needs no project", async () => {
  await save("by_value", "pricing", { externalModules: ["prices", "rates"] });
  const net = { file: file("nets"), state: "variables", externalModules: ["nets"] };
  await save("net_by_value", "net", net);
  const alone = askPython("saveObjectPeer.py", "alone", ours);
  assert.deepEqual(alone, { price: [3, 6], module: "Net", width: 4 });
});

test("a module of NNX is saved with its own weights, keys as texts, and without its random keys", async () => {
  const made = await makeObject(requestOf("perceptron", { file: file("perceptron") }), parts);
  assert.deepEqual([made.drafted.draft.module, made.type], ["bentoml.flax", "perceptron.Perceptron"]);
  assert.ok(made.methods.includes("__call__"));
  await made.save({ name: "perceptron", labels: {}, metadata: {} });
  assert.deepEqual(Object.keys(content(ours, "perceptron")).sort(), [
    "custom_objects.pkl",
    "model.yaml",
    "saved_model.msgpack",
  ]);
});

test("where a model came from is kept beside its origin, with the versions that made it", async () => {
  const data = join(project, "iris.csv");
  writeFileSync(data, "1,2,3\n");
  const saved = await saveObject(
    { ...requestOf("plain", { file: file("small") }), dataFiles: [data] },
    { name: "known", labels: {}, metadata: {} },
    parts,
  );
  const { info } = new ModelStore(ours).get(saved.tag);
  const { kind, from, provenance } = readOrigin(layoutOf(ours), info);
  assert.deepEqual([kind, from], ["saved", file("small")]);
  assert.equal(provenance?.expression, "plain");
  assert.equal(provenance?.git, undefined);
  assert.deepEqual(
    provenance?.data.map(({ path, bytes, sha256 }) => [path, bytes, sha256]),
    [[data, 6, createHash("sha256").update("1,2,3\n").digest("hex")]],
  );
  assert.deepEqual(Object.keys(provenance?.versions ?? {}), ["python", "cloudpickle"]);
  assert.match(info.context.pythonVersion, /^3\.\d+\.\d+$/);
  assert.deepEqual([...info.context.frameworkVersions.keys()], ["cloudpickle"]);
});

const FAILURES: readonly (readonly [string, string, Wish, { code: string; message: RegExp }])[] = [
  [
    "an attribute that is not there",
    "small:nothing",
    { file: file("small") },
    { code: "run.failed", message: /AttributeError/ },
  ],
  ["an expression that fails", "1 / 0", { file: file("small") }, { code: "run.failed", message: /ZeroDivisionError/ }],
  ["no expression at all", "1 +", { file: file("small") }, { code: "run.failed", message: /SyntaxError/ }],
  [
    "an object of another framework",
    "plain",
    { file: file("small"), adapter: "sklearn" },
    { code: "model.framework", message: /dict/ },
  ],
  ["a Linen module without its state", "net", { file: file("nets") }, { code: "input.notFound", message: /state/ }],
  [
    "an object that cannot be pickled",
    "(x for x in [1])",
    { file: file("small") },
    { code: "run.failed", message: /pickle/ },
  ],
  [
    "an external module that is not there",
    "plain",
    { file: file("small"), externalModules: ["nowhere"] },
    { code: "python.module", message: /nowhere/ },
  ],
];

for (const [what, target, wish, failure] of FAILURES) {
  test(`${what} is told in Python's own words, and leaves nothing in the store`, async () => {
    const before = readdirSync(join(ours, "models"));
    await assert.rejects(save("failing", target, wish), failure);
    assert.deepEqual(readdirSync(join(ours, "models")), before);
    assert.deepEqual(readdirSync(join(ours, ".modelbench/staging")), []);
  });
}
