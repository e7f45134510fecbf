import assert from "node:assert/strict";
import { copyFileSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { silentLog } from "../../../src/base/log";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { type ObjectRequest, type ObjectSource, type ObjectValues, saveObject } from "../../../src/runner/objectSaver";
import { tempFolder } from "../../unit/store/storeKit";
import { askPython } from "../python";
import { PYTHON } from "../realStore";
import { difference, type Nested } from "./exampleKit";

/** What a loaded model gives, what BentoML's runner gives, and the plain object. */
type Three = readonly [loaded: Nested, runner: Nested, plain: Nested];

interface Theirs {
  readonly iris_clf: Three;
  readonly demo_mnist: Three;
  readonly about: unknown;
  readonly rf_classifier: Three;
  readonly custom_predictor: Three;
  readonly mnist: Three;
  readonly batch_dims: Readonly<Record<string, { readonly joined: Nested; readonly received: Nested }>>;
  readonly states: Readonly<Record<string, { readonly loaded: Nested; readonly plain: Nested }>>;
}

interface Example {
  readonly name: string;
  readonly target: string;
  readonly state?: string;
  readonly adapter?: "picklable";
  readonly signatures?: ObjectValues["signatures"];
  readonly more?: Partial<Pick<ObjectValues, "labels" | "metadata">>;
  readonly customObjects?: ObjectSource["customObjects"];
}

const { path: folder, remove } = tempFolder();
const project = join(folder, "project");
const home = join(folder, "home");
const parts = { jobs: inProcessJobs(), log: silentLog };

const alone = { batchable: false, batchDim: [0, 0] } as const;
const along = (inAxis: number, outAxis: number) => ({ batchable: true, batchDim: [inAxis, outAxis] }) as const;

const PLAIN: readonly Example[] = [
  { name: "iris_clf", target: "clf" },
  {
    name: "demo_mnist",
    target: "TrainedModel()",
    signatures: { classify: alone },
    customObjects: [{ name: "tokenizer", expression: "tokenizer" }],
    more: {
      labels: { owner: "nlp_team", stage: "dev" },
      metadata: { acc: "0.9", cv_stats: "[0.88, 0.91]", dataset_version: '"20210820"' },
    },
  },
  { name: "demo0", target: "Recorder()", signatures: { predict: along(0, 0), received: alone } },
  { name: "demo1", target: "Recorder()", signatures: { predict: along(1, 1), received: alone } },
  { name: "in1_out0", target: "Recorder()", signatures: { sums: along(1, 0), received: alone } },
  { name: "rf_classifier", target: "forest", adapter: "picklable", signatures: { predict: alone } },
  { name: "custom_predictor", target: "MyPredictor()" },
];

const FLAX: readonly Example[] = [
  { name: "mnist", target: "model", state: "params" },
  { name: "batch_norm", target: "normed", state: "variables" },
  { name: "train_state", target: "normed", state: "trained" },
];

let theirs: Theirs;
before(async () => {
  mkdirSync(project);
  for (const name of ["documents.py", "flaxDocuments.py"]) {
    copyFileSync(resolve("test/peers/documented", name), join(project, name));
  }
  await Promise.all([saveAll("documents", PLAIN), saveAll("flaxDocuments", FLAX)]);
  const answer = askPython("documented/reversePeer.py", home, project);
  theirs = JSON.parse(JSON.stringify(answer, (_, item) => (typeof item === "bigint" ? Number(item) : item))) as Theirs;
});
after(remove);

async function saveAll(module: string, examples: readonly Example[]): Promise<void> {
  for (const { name, target, state, adapter = "auto", signatures, more = {}, customObjects = [] } of examples) {
    const file = join(project, `${module}.py`);
    const worker = resolve("src/frameworks/python");
    const request: ObjectRequest = {
      home,
      adapter,
      source: { file, target, state, customObjects, externalModules: [module] },
      python: { interpreter: PYTHON, worker, paths: [project], preload: [], workingFolder: project },
      dataFiles: [],
    };
    await saveObject(request, { name, labels: {}, metadata: {}, signatures, ...more }, parts);
  }
}

function assertSame([loaded, runner, plain]: Three, tolerance = 0): void {
  assert.deepEqual(loaded, plain);
  assert.ok(difference(runner, plain) <= tolerance);
}

test("iris_clf, saved here: BentoML's load_model and runner predict [[5.9, 3, 5.1, 1.8]] as the plain model does", () => {
  assertSame(theirs.iris_clf);
});

test("demo_mnist, saved here: BentoML's runner has classify, and finds labels, metadata and the tokenizer", () => {
  assertSame(theirs.demo_mnist);
  assert.deepEqual(theirs.about, {
    labels: { owner: "nlp_team", stage: "dev" },
    metadata: { acc: 0.9, cv_stats: [0.88, 0.91], dataset_version: "20210820" },
    tokens: ["to", "be"],
  });
});

test("demo0, demo1 and (1, 0), saved here: BentoML batches along the dimension that was saved", () => {
  const columns = [
    [1, 2, 5],
    [3, 4, 6],
  ];
  const small = [
    [10, 20],
    [30, 40],
  ];
  assert.deepEqual(theirs.batch_dims, {
    demo0: { joined: [small, [[50, 60]]], received: [[...small.map((row) => row.map((item) => item / 10)), [5, 6]]] },
    demo1: { joined: [small, [[50], [60]]], received: [columns] },
    in1_out0: { joined: [[4, 6], [11]], received: [columns] },
  });
});

test("rf_classifier, saved here as any object: BentoML's load_model and runner predict X_test", () => {
  assertSame(theirs.rf_classifier);
});

test("custom_predictor, saved here: BentoML's load_model and runner double what they get", () => {
  assertSame(theirs.custom_predictor);
});

test("mnist, saved here: BentoML's load_model and runner give what jax gives for jnp.ones((1, 784))", () => {
  assertSame(theirs.mnist, 1e-6);
});

for (const name of ["batch_norm", "train_state"]) {
  test(`${name}, saved here: BentoML loads every collection of its state`, () => {
    const { loaded, plain } = theirs.states[name] as Theirs["states"][string];
    assert.deepEqual(loaded, plain);
  });
}
