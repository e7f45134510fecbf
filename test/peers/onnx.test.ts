import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openFileReader } from "../../src/formats/fileReader";
import { stringifyExact } from "../../src/formats/jsonExact";
import type { Tensor } from "../../src/formats/tensor";
import { tensorToNested } from "../../src/formats/tensorJson";
import { readTensorProto } from "../../src/formats/tensorProto";
import { inspectFile } from "../../src/frameworks/inspect";
import { createOnnxSession } from "../../src/frameworks/onnx/run";
import { draftFromFiles } from "../../src/frameworks/saveTable";
import type { StoredModel } from "../../src/store/model";
import { ModelStore } from "../../src/store/modelStore";
import { askPython } from "./python";

/** What onnxPeer.py says about one model. */
interface Expected {
  readonly facts: {
    readonly irVersion: number;
    readonly producer: string;
    readonly opsets: Record<string, number>;
    readonly ops: Record<string, number>;
    readonly inputs: string[];
    readonly outputs: string[];
    readonly metadata: Record<string, string>;
    readonly tensors: Record<string, [string, number[], string | null]>;
    readonly inputSpecs: unknown;
    readonly outputSpecs: unknown;
  };
  readonly outputs?: Record<string, unknown>;
  readonly feeds?: Record<string, string>;
}

/** Outputs of the family that are no tensors. */
const UNFETCHABLE: Readonly<Record<string, readonly string[]>> = { sequence: ["s"], zipmap: ["output_probability"] };

let folder: string;
let family: Readonly<Record<string, Expected>>;

before(() => {
  folder = mkdtempSync(join(tmpdir(), "mb-onnx-peer-"));
  mkdirSync(join(folder, "models"));
  family = askPython("onnxPeer.py", "models", join(folder, "models")) as Readonly<Record<string, Expected>>;
});

after(() => rmSync(folder, { recursive: true, force: true }));

function modelFile(name: string): string {
  return join(folder, "models", `${name}.onnx`);
}

test("headers, weights and their digests are what the onnx package reads", () => {
  assert.ok(Object.keys(family).length >= 7);
  for (const [name, { facts }] of Object.entries(family)) {
    const found = inspectFile(modelFile(name), { digest: true });
    const run = found.signatures["run"];
    const tensors = found.tensors.map((t) => [t.name, [t.nativeDtype, t.shape, t.sha256 ?? null]]);
    const ours = {
      irVersion: found.onnx?.irVersion,
      producer: found.onnx?.producer,
      opsets: found.onnx?.opsets,
      ops: found.onnx?.ops,
      inputs: run?.inputs.map((spec) => spec.name),
      outputs: run?.outputs.map((spec) => spec.name),
      metadata: Object.fromEntries(found.metadata),
      tensors: Object.fromEntries(tensors),
    };
    const { inputSpecs: _, outputSpecs: __, ...theirs } = facts;
    assert.deepEqual(ours, theirs, name);
  }
});

test("the options of a draft are what bentoml.onnx.save_model would write", () => {
  for (const [name, { facts }] of Object.entries(family)) {
    const { draft } = draftFromFiles([modelFile(name)]);
    const specs = { input_specs: { run: facts.inputSpecs }, output_specs: { run: facts.outputSpecs } };
    const wanted = { ...specs, providers: null, session_options: null };
    assert.equal(stringifyExact(draft.options), stringifyExact(wanted), name);
  }
});

test("runs answer as onnxruntime in Python, to the last bit and for every type", async () => {
  let ran = 0;
  for (const [name, { feeds, outputs }] of Object.entries(family)) {
    if (!feeds) continue;
    const session = await createOnnxSession(modelFile(name), "cpu");
    const answers = await session.run(
      Object.fromEntries(Object.entries(feeds).map(([key, file]) => [key, readFeed(file)])),
    );
    const values = Object.fromEntries(Object.entries(answers).map(([key, tensor]) => [key, tensorToNested(tensor)]));
    assert.equal(stringifyExact(values), stringifyExact(outputs), name);
    assert.deepEqual(
      session.unfetchable.map((output) => output.name),
      UNFETCHABLE[name] ?? [],
      name,
    );
    await session.release();
    ran++;
  }
  assert.ok(ran >= 7);
});

function readFeed(file: string): Tensor {
  const reader = openFileReader(file);
  try {
    return readTensorProto(reader, file).tensor;
  } finally {
    reader.close();
  }
}

test("the real bentoml gets, loads and runs what we saved, external data included", async () => {
  const home = join(folder, "ours");
  const store = new ModelStore(home);
  await save(store, "plain", modelFile("add"));
  await save(store, "outside", join(folder, "models", "external", "net.onnx"));
  assert.deepEqual(
    store.files({ name: "outside", version: "v1" }).map(({ path }) => path),
    ["model.yaml", "saved_model.onnx", "w.bin"],
  );
  const answers = askPython("onnxPeer.py", "load", home, "plain:v1", "outside:latest");
  assert.deepEqual(answers, [
    { tag: "plain:v1", outputs: [[[2, 4, 6]]] },
    { tag: "outside:v1", outputs: [[[2, 4, 6]]] },
  ]);
});

test("our model.yaml is the real one but for the time and the Python version", async () => {
  const theirs = String(askPython("onnxPeer.py", "save", join(folder, "theirs"), modelFile("add"), "same:v1"));
  const { path } = await save(new ModelStore(join(folder, "mine")), "same", modelFile("add"));
  const neutral = (text: string): string => text.replace(/^(creation_time| {2}python_version): .*$/gm, "$1");
  assert.equal(neutral(readFileSync(join(path, "model.yaml"), "utf8")), neutral(theirs));
});

function save(store: ModelStore, name: string, file: string): Promise<StoredModel> {
  const { draft, files } = draftFromFiles([file]);
  const signatures = { run: { batchable: true, batchDim: [0, 0] as const } };
  return store.save(
    { ...draft, name, version: "v1", signatures, labels: { a: "b" }, metadata: new Map([["k", 1]]) },
    files,
  );
}
