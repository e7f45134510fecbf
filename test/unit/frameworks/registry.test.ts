import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { stringifyExact } from "../../../src/formats/jsonExact";
import { adapterFor, whyNotRunnable } from "../../../src/frameworks/registry";
import { draftFromFiles } from "../../../src/frameworks/saveTable";
import { failsWith } from "../../fixtures/failures";
import { addModel, model, tensorFields, tensorValue } from "../../fixtures/onnxParts";

const folder = mkdtempSync(join(tmpdir(), "mb-registry-"));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function withExternal(name: string, location: string): string {
  const tensor = tensorFields({ name: "w", type: 1, dims: [2], external: { location } });
  return file(name, model({ initializers: [tensor], outputs: [tensorValue("y", 1, [2])] }));
}

test("a module is found by its public and its private name, and by nothing else", () => {
  assert.equal(adapterFor("bentoml.onnx"), adapterFor("bentoml._internal.frameworks.onnx"));
  assert.equal(adapterFor("bentoml.sklearn"), adapterFor("_bentoml_impl.frameworks.sklearn"));
  assert.equal(adapterFor("bentoml.onnx")?.runnable, true);
  for (const unknown of ["onnx", "bentoml.", "os", "__proto__", "bentoml._internal.frameworks."]) {
    assert.equal(adapterFor(unknown), undefined, unknown);
  }
});

test("every framework says what runs it, and what its Python needs there", () => {
  assert.deepEqual([adapterFor("bentoml.onnx")?.engine, adapterFor("")?.engine], ["onnx", undefined]);
  const python = (name: string) => adapterFor(`bentoml._internal.frameworks.${name}`);
  const facts = ["picklable_model", "sklearn", "flax", "pytorch"].map((name) => python(name));
  assert.deepEqual(
    facts.map((adapter) => [
      adapter?.engine,
      adapter?.runnable,
      adapter?.python?.worker,
      adapter?.python?.needs[0]?.[0],
    ]),
    [
      ["python", true, "picklable", "cloudpickle"],
      ["python", true, "sklearn", "scikit-learn"],
      ["python", true, "flax", "flax"],
      ["python", true, "bentoml", "bentoml"],
    ],
  );
});

test("what cannot run here says so in one sentence", () => {
  assert.equal(whyNotRunnable("bentoml.onnx"), undefined);
  assert.equal(whyNotRunnable("bentoml.sklearn"), undefined);
  assert.match(whyNotRunnable("my.module") ?? "", /my\.module is a framework that this version does not know/);
  assert.match(whyNotRunnable("") ?? "", /no method/);
});

test("an .onnx file becomes a bentoml.onnx draft with the specs of its graph", () => {
  const path = file("net.ONNX", addModel());
  const { draft, files } = draftFromFiles([path]);
  assert.deepEqual(files, [{ from: path, to: "saved_model.onnx" }]);
  assert.deepEqual(
    [draft.module, draft.apiVersion, draft.frameworkName, draft.signatures],
    ["bentoml.onnx", "v2", "onnx", { run: { batchable: false, batchDim: [0, 0] } }],
  );
  const shape = { dim: [{ dimParam: "batch" }, { dimValue: "3" }] };
  const spec = (name: string): unknown => ({ name, type: { tensorType: { elemType: 1, shape } } });
  assert.equal(
    stringifyExact(draft.options),
    stringifyExact({
      input_specs: { run: [spec("x")] },
      output_specs: { run: [spec("y")] },
      providers: null,
      session_options: null,
    }),
  );
});

test("external data comes along under its own name, named or not", () => {
  const data = file("weights.bin", new Uint8Array(8));
  const path = withExternal("ext.onnx", "weights.bin");
  const wanted = [
    { from: path, to: "saved_model.onnx" },
    { from: data, to: "weights.bin" },
  ];
  assert.deepEqual(draftFromFiles([path]).files, wanted);
  assert.deepEqual(draftFromFiles([data, path]).files, wanted);
  failsWith("usage", () => draftFromFiles([path, file("other.bin", "x")]));
});

test("external data that is missing, outside or in the way keeps a model from being saved", () => {
  file("model.yaml", new Uint8Array(8));
  for (const location of ["none.bin", "../x", "/etc/hostname", "model.yaml", "./model.yaml"]) {
    failsWith("onnx.external", () => draftFromFiles([withExternal("bad.onnx", location)]));
  }
});

test("a file that is not ONNX is named for what it looks like; two models are too many", () => {
  const error = failsWith("format.mismatch", () => draftFromFiles([file("page.onnx", "<html>")]));
  assert.match(error.message, /a web page/);
  failsWith("usage", () => draftFromFiles([file("a.onnx", addModel()), file("b.onnx", addModel())]));
  failsWith("file.access", () => draftFromFiles([join(folder, "none.onnx")]));
});

test("the empty module keeps files as they are; other modules cannot be saved yet", () => {
  const a = file("a.bin", "a");
  assert.deepEqual(draftFromFiles([a], "").files, [{ from: a, to: "a.bin" }]);
  failsWith("usage", () => draftFromFiles([a, a], ""));
  failsWith("usage", () => draftFromFiles([file("model.yaml", "")], ""));
  failsWith("usage", () => draftFromFiles([a]));
  failsWith("usage", () => draftFromFiles([a], "bentoml.pytorch"));
  failsWith("format.mismatch", () => draftFromFiles([a], "bentoml.sklearn"));
});
