import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { parseExactJson } from "../../src/formats/jsonExact";
import { tensorToNested } from "../../src/formats/tensorJson";
import { exampleInputs } from "../../src/frameworks/example";
import { inspectModel } from "../../src/frameworks/inspect";
import { createOnnxSession } from "../../src/frameworks/onnx/run";
import { ModelStore } from "../../src/store/modelStore";
import { floats } from "../fixtures/onnxParts";
import { treeOf } from "../fixtures/tree";
import { askPython, runPython } from "./python";

const SAMPLE = join(process.cwd(), "media/sample-store");
const folder = mkdtempSync(join(tmpdir(), "mb-sample-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("the committed sample store is what the script makes, and at most 300 kB", () => {
  const made = join(folder, "made");
  runPython("media/makeSampleStore.py", made);
  assert.deepEqual(treeOf(made), treeOf(SAMPLE));
  const bytes = [...treeOf(SAMPLE).keys()].reduce((sum, path) => sum + statSync(join(SAMPLE, path)).size, 0);
  assert.ok(bytes <= 300_000, `${bytes} bytes`);
});

test("the real bentoml lists it, gets it and answers as we do", async () => {
  const home = join(folder, "home");
  cpSync(SAMPLE, home, { recursive: true });
  const theirs = askPython("samplePeer.py", home) as { tags: string[]; probabilities: number[]; label: number };
  assert.deepEqual(theirs.tags.sort(), ["digits:v1", "flagged_pickle:v1", "iris_clf:v1", "iris_clf:v2"]);
  const model = new ModelStore(SAMPLE).get("iris_clf");
  assert.equal(model.tag.version, "v2");
  const session = await createOnnxSession(join(model.path, "saved_model.onnx"), "cpu");
  const outputs = await session.run({ input: { dtype: "float32", shape: [1, 4], data: floats(5.9, 3, 5.1, 1.8) } });
  assert.deepEqual(outputs["probabilities"] && tensorToNested(outputs["probabilities"]), [theirs.probabilities]);
  assert.deepEqual(outputs["label"] && tensorToNested(outputs["label"]), [BigInt(theirs.label)]);
  assert.equal(theirs.label, 2);
  await session.release();
});

test("each ONNX model brings an example and the names of its classes", () => {
  const store = new ModelStore(SAMPLE);
  for (const tag of ["iris_clf:v1", "iris_clf:v2", "digits"]) {
    const model = store.get(tag);
    const { signatures } = inspectModel(model);
    const [input] = signatures["run"]?.inputs ?? [];
    assert.ok(input);
    const example = exampleInputs(signatures, model.info.metadata)["run"]?.[input.name];
    assert.notDeepEqual(
      example,
      exampleInputs(signatures)["run"]?.[input.name],
      `${tag}: the example is not made of zeros`,
    );
    const classes = model.info.metadata.get("classes");
    const width = signatures["run"]?.outputs[1]?.shape?.[1];
    assert.ok(Array.isArray(classes) && classes.length === width);
  }
  const iris = store.get("iris_clf");
  assert.deepEqual(exampleInputs(inspectModel(iris).signatures, iris.info.metadata), {
    run: { input: parseExactJson("[[5.9, 3, 5.1, 1.8]]") },
  });
});

test("the two iris versions differ in accuracy, the newer one is better", () => {
  const store = new ModelStore(SAMPLE);
  const [first, second] = ["v1", "v2"].map((v) => store.get(`iris_clf:${v}`).info.metadata.get("accuracy"));
  const value = (float: unknown): number => Number((float as { value: number }).value);
  assert.ok(value(first) < value(second));
});

test("the newest model is the one to begin with, and the flagged pickle is not among the first", () => {
  const models = [...new ModelStore(SAMPLE).list().models].sort((a, b) => b.creationMs - a.creationMs);
  assert.deepEqual(
    models.map(({ tag }) => `${tag.name}:${tag.version}`),
    ["iris_clf:v2", "digits:v1", "flagged_pickle:v1", "iris_clf:v1"],
  );
});
