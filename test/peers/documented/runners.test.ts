import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { askPython } from "../python";
import { ExampleKit, json, type Nested, nested, plainValue, runTogether, signature } from "./exampleKit";

interface BatchExample {
  readonly folder: string;
  readonly method: string;
  readonly batchDim: readonly [number, number];
  readonly calls: readonly (readonly Nested[])[];
  readonly alone: readonly Nested[];
  readonly joined: readonly Nested[];
  readonly received: readonly Nested[];
}

interface Theirs {
  readonly iris_clf: {
    readonly folder: string;
    readonly rows: Nested[];
    readonly loaded: Nested;
    readonly runner: Nested;
    readonly classify: Nested;
    readonly plain: Nested;
    readonly privateName: Nested;
  };
  readonly demo_mnist: {
    readonly folder: string;
    readonly plain: readonly [Nested, Nested];
    readonly classify: Nested;
    readonly call: Nested;
    readonly batched: Nested;
    readonly joined: readonly Nested[];
  };
  readonly batch_dims: Readonly<Record<string, BatchExample>>;
  readonly rf_classifier: {
    readonly rows: Nested;
    readonly plain: Nested;
    readonly predictions: Nested;
    readonly runner: Nested;
    readonly frame: unknown;
    readonly ofFrame: Nested;
  };
  readonly custom_predictor: {
    readonly folder: string;
    readonly x: Nested;
    readonly plain: Nested;
    readonly runner: Nested;
    readonly privateName: Nested;
    readonly counter: { readonly folder: string; readonly runner: readonly Nested[] };
  };
  readonly partial_kwargs: { readonly x: Nested; readonly runner: Nested; readonly won: Nested };
  readonly external_modules: { readonly source: string; readonly texts: unknown; readonly runner: unknown };
  readonly boosted: {
    readonly folder: string;
    readonly rows: Nested[];
    readonly plain: Nested;
    readonly runner: Nested;
  };
}

const FLOWER = "[[5.9, 3, 5.1, 1.8]]";
const MODEL_INPUT = [
  [0.0, 0.5, -1.0],
  [2.0, 0.25, 1.0],
];

let kit: ExampleKit;
let theirs: Theirs;
before(async () => {
  kit = await ExampleKit.open();
  theirs = toNumbers(askPython("documented/runnersPeer.py", kit.home, kit.project)) as Theirs;
});
after(() => kit.dispose());

/** Python's integers of these examples are all small. */
function toNumbers(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, item) => (typeof item === "bigint" ? Number(item) : item)));
}

const input = (value: unknown) => ["--input", `0=${JSON.stringify(value)}`];

test("iris_clf: predict.run([[5.9, 3, 5.1, 1.8]]) is what the loaded model and BentoML's runner give", async () => {
  const { data } = await kit.output("iris_clf:latest", "--method", "predict", "--input", `0=${FLOWER}`);
  assert.deepEqual(data, theirs.iris_clf.loaded);
  assert.deepEqual(data, theirs.iris_clf.runner);
  const asList = await kit.outputs("iris_clf", "--input", `0=${FLOWER}`, "--as", "list");
  assert.deepEqual(asList["output"]?.data, theirs.iris_clf.runner);
});

test("classify: the service's function gives what one run of predict gives for its array", async () => {
  const { rows, classify, plain } = theirs.iris_clf;
  assert.deepEqual(classify, plain);
  assert.deepEqual((await kit.output("iris_clf", ...input(rows))).data, classify);
});

test("demo_mnist: labels, metadata and custom objects are there, and classify.run(MODEL_INPUT) answers", async () => {
  const { labels, metadata } = await kit.cli.json<Record<string, unknown>>("get", "demo_mnist:classify");
  assert.deepEqual(labels, { owner: "nlp_team", stage: "dev" });
  assert.deepEqual(metadata, { acc: 0.9, cv_stats: [0.88, 0.91], dataset_version: "20210820" });
  const { data } = await kit.output("demo_mnist:classify", "--method", "classify", ...input(MODEL_INPUT));
  assert.deepEqual([data, data], [theirs.demo_mnist.classify, theirs.demo_mnist.plain[0]]);
});

test("demo_mnist: run(MODEL_INPUT) is __call__, batchable or not", async () => {
  const { call, batched, plain } = theirs.demo_mnist;
  assert.deepEqual([call, batched], [plain[1], plain[1]]);
  for (const version of ["call", "batched"]) {
    assert.deepEqual((await kit.output(`demo_mnist:${version}`, ...input(MODEL_INPUT))).data, plain[1]);
  }
});

test("demo_mnist: calls of a batchable __call__ are one inference, and no more rows than a batch may have", async () => {
  const { folder, joined } = theirs.demo_mnist;
  const signatures = { __call__: signature([0, 0]), shapes: signature(), hold: signature() };
  for (const maxBatchSize of [100, 2]) {
    await kit.withModel({ adapter: "picklable", folder, signatures, maxBatchSize }, async (session) => {
      const rows = [...MODEL_INPUT, ...MODEL_INPUT.slice(0, 1)].map((row) => json([row]));
      const runs = await runTogether(session, "__call__", rows);
      assert.deepEqual(runs.map(nested), [...joined, joined[0]]);
      const shapes = plainValue(await session.run({ method: "shapes", inputs: {}, batch: false }));
      const rowsOfEach = maxBatchSize === 100 ? [3] : [2, 1];
      assert.deepEqual(shapes, { shapes: rowsOfEach.map((count) => [count, 3]) });
    });
  }
});

const BATCH_DIMS: Readonly<Record<string, string>> = {
  demo0: "batch_dim 0: the model receives [[1, 2], [3, 4], [5, 6]]",
  demo1: "batch_dim 1: the model receives [[1, 2, 5], [3, 4, 6]]",
  two_inputs0: "[1, 2] and [3, 4] along batch dimension 0 are [[1, 2], [3, 4]]",
  two_inputs1: "[1, 2] and [3, 4] along batch dimension 1 are [[1, 3], [2, 4]]",
  in1_out0: "batch_dim (1, 0): batched along the first axis, answered along the zeroth",
  in0_out1: "batch_dim (0, 1): batched along the zeroth axis, answered along the first",
  in0_out0: "batch_dim (0, 0): both along the zeroth axis",
  two_arguments: "all arguments use the one batch dimension",
};

for (const [name, title] of Object.entries(BATCH_DIMS)) {
  test(`${name}: ${title}`, async () => {
    const { folder, method, batchDim, calls, alone, joined, received } = theirs.batch_dims[name] as BatchExample;
    const signatures = { [method]: signature(batchDim), received: signature(), hold: signature() };
    await kit.withModel({ adapter: "picklable", folder, signatures }, async (session) => {
      const ask = async () => plainValue(await session.run({ method: "received", inputs: {}, batch: false }));
      const runs = await runTogether(
        session,
        method,
        calls.map((call) => json(...call)),
      );
      assert.deepEqual(runs.map(nested), joined);
      assert.deepEqual(await ask(), { inputs: received });
      for (const [i, call] of calls.entries()) {
        const direct = await session.run({ method, inputs: json(...call), batch: false });
        assert.deepEqual(nested(direct), alone[i]);
      }
      const whole = calls.map((call) => (call.length === 1 ? call[0] : call));
      assert.deepEqual(await ask(), { inputs: whole });
    });
  });
}

test("every batch_dim example that BentoML ran was run", () => {
  assert.deepEqual(Object.keys(theirs.batch_dims).sort(), Object.keys(BATCH_DIMS).sort());
});

test("demo1: the command line batches and answers as the signature in model.yaml says", async () => {
  const { calls, alone } = theirs.batch_dims["demo1"] as BatchExample;
  const { data } = await kit.output("demo1", "--method", "predict", ...input(calls[0]?.[0]));
  assert.deepEqual(data, alone[0]);
});

test("iris_clf: what is exported here is deleted, imported and run again", async () => {
  const path = join(kit.cli.folder, "iris_clf.bentomodel");
  const { tag } = await kit.cli.json<{ tag: string }>("get", "iris_clf:latest");
  await kit.cli.json("export", "iris_clf:latest", path);
  assert.equal((await kit.cli.run(["delete", "iris_clf:latest", "-y"])).code, 0);
  assert.equal((await kit.cli.run(["get", "iris_clf:latest"])).code, 1);
  assert.equal((await kit.cli.run(["import", path])).code, 0);
  assert.equal((await kit.cli.json<{ tag: string }>("get", "iris_clf:latest")).tag, tag);
  assert.deepEqual((await kit.outputs("iris_clf", "--input", `0=${FLOWER}`))["output"]?.data, theirs.iris_clf.runner);
});

test("rf_classifier: a pickled RandomForest predicts X_test as the loaded one and the runner do", async () => {
  const { rows, plain, predictions, runner } = theirs.rf_classifier;
  assert.deepEqual([predictions, runner], [plain, plain]);
  assert.deepEqual((await kit.output("rf_classifier", ...input(rows))).data, plain);
  const { labels, metadata } = await kit.cli.json<Record<string, unknown>>("get", "rf_classifier:latest");
  assert.deepEqual([labels, metadata], [{ team: "ml" }, { accuracy: 0.95 }]);
});

test("rf_classifier: a DataFrame is taken as pandas has it", async () => {
  const { frame, ofFrame } = theirs.rf_classifier;
  assert.deepEqual((await kit.once("rf_classifier", ...input(frame), "--as", "dataframe")).data, ofFrame);
});

test("custom_predictor: MyPredictor doubles what it gets", async () => {
  const { x, plain, runner } = theirs.custom_predictor;
  assert.deepEqual(plain, runner);
  assert.deepEqual((await kit.output("custom_predictor", ...input(x))).data, runner);
});

test("models that name the private path of their module run as those that name the public one", async () => {
  const { x, privateName } = theirs.custom_predictor;
  assert.deepEqual((await kit.once("old_name", ...input(x))).data, privateName);
  assert.deepEqual((await kit.once("old_iris", "--input", `0=${FLOWER}`)).data, theirs.iris_clf.privateName);
});

test("a model of another module is refused, naming both", async () => {
  const loading = { adapter: "sklearn", folder: theirs.custom_predictor.folder, signatures: { __call__: signature() } };
  await kit.withModel(loading, async (session) => {
    await assert.rejects(session.load(), {
      code: "model.framework",
      message: /bentoml\.picklable_model.*bentoml\.sklearn/,
    });
  });
  const unknown = await kit.failure(["nobodys", "--input", "0=[1]"]);
  assert.match(unknown.message, /bentoml\.nobody/);
});

test("partial kwargs of model.yaml are given to the method, and the call's own win", async () => {
  const { x, runner, won } = theirs.partial_kwargs;
  assert.deepEqual((await kit.output("scaled", ...input(x))).data, runner);
  assert.deepEqual((await kit.once("scaled", ...input(x), "--input", "shift=5.0")).data, won);
});

test("external_modules: what was saved by value runs alone, what was not needs the project's src", async () => {
  const { texts, runner, source } = theirs.external_modules;
  const args = ["--input", `0=${JSON.stringify(texts)}`];
  const { json: answer } = await kit.once("reader_by_value", ...args);
  assert.deepEqual(answer, runner);
  const missing = await kit.failure(["reader_by_name", ...args]);
  assert.deepEqual([missing.code, /\btokens\b/.test(missing.message)], ["python.module", true]);
  assert.deepEqual((await kit.once("reader_by_name", ...args, "--python-path", source)).json, runner);
});

test("a model whose answers change is asked every time: nothing is remembered, batched or not", async () => {
  const { x, counter } = theirs.custom_predictor;
  for (const batch of [true, false]) {
    const signatures = { __call__: signature([0, 0]) };
    await kit.withModel({ adapter: "picklable", folder: counter.folder, signatures }, async (session) => {
      for (const expected of counter.runner) {
        assert.deepEqual(nested(await session.run({ method: "__call__", inputs: json(x), batch })), expected);
      }
    });
  }
});

test("a framework that only BentoML runs answers through it, alone and batched", async () => {
  const { folder, rows, plain, runner } = theirs.boosted;
  assert.deepEqual(plain, runner);
  assert.deepEqual((await kit.output("boosted", ...input(rows))).data, plain);
  await kit.withModel({ adapter: "bentoml", folder, signatures: { predict: signature([0, 0]) } }, async (session) => {
    await session.load();
    const each = await Promise.all(
      rows.map((row) => session.run({ method: "predict", inputs: json([row]), batch: true })),
    );
    assert.deepEqual(each.flatMap(nested), plain);
  });
});
