import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { stringifyExact } from "../../../src/formats/jsonExact";
import { writeNpy } from "../../../src/formats/npy";
import { formatOf, openContent } from "../../../src/frameworks/contentFormats";
import { inspectFile, inspectModel } from "../../../src/frameworks/inspect";
import { ModelStore } from "../../../src/store/modelStore";
import { failsWith } from "../../fixtures/failures";
import { addModel, floats, model, node, tensorFields, tensorValue } from "../../fixtures/onnxParts";
import { block, packed } from "../../fixtures/protoWriter";
import { draftOf } from "../store/storeKit";

const folder = mkdtempSync(join(tmpdir(), "mb-inspect-"));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

test("an ONNX file is one method `run`, its tensors with offsets, and its facts", () => {
  const path = file("add.onnx", addModel());
  const found = inspectFile(path);
  assert.deepEqual([found.kind, found.format, found.path, found.bytes], ["file", "onnx", path, addModel().length]);
  assert.deepEqual(found.files, [{ path: "add.onnx", bytes: addModel().length, format: "onnx" }]);
  assert.deepEqual(found.signatures["run"], {
    inputs: [{ name: "x", type: "tensor", dtype: "float32", shape: ["batch", 3] }],
    outputs: [{ name: "y", type: "tensor", dtype: "float32", shape: ["batch", 3] }],
    batchable: false,
    batchDim: [0, 0],
    source: "onnx",
  });
  const [weights] = found.tensors;
  assert.deepEqual(weights, {
    file: "add.onnx",
    name: "w",
    path: ["w"],
    kind: "ndarray",
    dtype: "float32",
    nativeDtype: "FLOAT",
    shape: [3],
    offset: addModel().indexOf(floats(1, 2, 3)),
    bytes: 12,
  });
  assert.equal(found.onnx?.producer, "maker 1.0");
  assert.doesNotThrow(() => JSON.parse(stringifyExact(found)));
});

test("an input that is also an initializer is not an input", () => {
  const both = model({
    inputs: [tensorValue("x", 1, [1]), tensorValue("w", 1, [1])],
    initializers: [tensorFields({ name: "w", type: 1, dims: [1], raw: floats(1) })],
  });
  assert.deepEqual(
    inspectFile(file("both.onnx", both)).signatures["run"]?.inputs.map(({ name }) => name),
    ["x"],
  );
});

test("digests cover raw, typed, packed and external values; texts have none", () => {
  file("w.bin", floats(7, 8, 9));
  const path = file(
    "digests.onnx",
    model({
      initializers: [
        tensorFields({ name: "raw", type: 1, dims: [1], raw: floats(1) }),
        tensorFields({ name: "typed", type: 7, dims: [2], more: [packed(7, [1, -1])] }),
        tensorFields({ name: "int4", type: 22, dims: [3], raw: Uint8Array.of(0x21, 0x03) }),
        tensorFields({ name: "outside", type: 1, dims: [2], external: { location: "w.bin", offset: "4" } }),
        tensorFields({ name: "text", type: 8, dims: [1], more: [block(6, "a")] }),
        tensorFields({ name: "gone", type: 1, dims: [2], external: { location: "none.bin" } }),
      ],
    }),
  );
  const { tensors, warnings, onnx } = inspectFile(path, { digest: true });
  assert.deepEqual(
    tensors.map(({ name, file: from, offset, sha256: sum }) => [name, from, offset === null, sum]),
    [
      ["raw", "digests.onnx", false, sha256(floats(1))],
      ["typed", "digests.onnx", true, sha256(Buffer.from(BigInt64Array.of(1n, -1n).buffer))],
      ["int4", "digests.onnx", false, sha256(Uint8Array.of(0x21, 0x03))],
      ["outside", "w.bin", false, sha256(floats(8, 9))],
      ["text", "digests.onnx", true, undefined],
      ["gone", "none.bin", true, undefined],
    ],
  );
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ["onnx.external.missing"],
  );
  assert.deepEqual(onnx?.externalData, [
    { tensor: "outside", location: "w.bin", offset: 4, length: null },
    { tensor: "gone", location: "none.bin", offset: 0, length: null },
  ]);
});

test("a pickle that joblib packed by its name is one, and never an archive", () => {
  const bytes = Buffer.from("cos\nsystem\n.");
  for (const [name, content, verdict] of [
    ["model.pkl.gz", gzipSync(bytes), "dangerous"],
    ["model.joblib.GZ", gzipSync(bytes), "dangerous"],
    ["model.pkl.z", deflateSync(bytes), "dangerous"],
    ["model.pickle.xz", Buffer.from("\xfd7zXZ\0\0\0", "latin1"), "opaque"],
  ] as const) {
    const { format, pickle } = inspectFile(file(name, content));
    assert.deepEqual([format, pickle?.verdict], ["pickle", verdict], name);
  }
  assert.equal(formatOf(file("weights.bin.gz", gzipSync(bytes))), "archive");
});

test("text that is said to be in another file cannot be read", () => {
  file("text.bin", floats(1, 2, 3, 4));
  const text = tensorFields({ name: "t", type: 8, dims: [2], external: { location: "text.bin" } });
  const { content } = openContent(file("outsideText.onnx", model({ initializers: [text] })));
  assert.throws(() => content.data(0), { code: "tensor.unreadable", message: /in another file/ });
  content.close();
});

test("of equal metadata keys the last one counts, and a warning says so", () => {
  const found = inspectFile(
    file(
      "twice.onnx",
      model({
        metadata: [
          ["k", "1"],
          ["__proto__", "p"],
          ["k", "2"],
        ],
      }),
    ),
  );
  assert.deepEqual(
    [...found.metadata],
    [
      ["k", "2"],
      ["__proto__", "p"],
    ],
  );
  assert.deepEqual(
    found.warnings.map(({ code }) => code),
    ["onnx.metadata.duplicate"],
  );
});

test("a file whose inside is not read says what it is, and so does what is no pickle in spite of its name", () => {
  const cases: [string, Uint8Array | string, RegExp][] = [
    ["a.h5", "\x89HDF\r\n", /^a.h5: is an HDF5 file; ONNX, /],
    ["b.gguf", "GGUF\x03", /is a GGUF model;/],
    ["c.tflite", "\x1c\0\0\0TFL3", /is a TensorFlow Lite model;/],
    ["h.ort", "\x18\0\0\0ORTM\0\0", /is a model in the format of ONNX Runtime/],
    ["m.keras", `PK\x03\x04${"\0".repeat(26)}metadata.json{}`, /is a Keras model;/],
    ["i.cbm", "CBM1x&\0\0", /is a CatBoost model;/],
    ["j.txt", "tree\nversion=v4\nnum_class=1\n", /is a LightGBM model;/],
    ["k.ubj", "{L\0\0\0\0\0\0\0\x07learner{L", /is an XGBoost model;/],
    ["l.json", '{"learner":{"attributes":{}}}', /is an XGBoost model;/],
    ["d.ckpt", "version https://git-lfs.github.com/spec/v1\n", /is a Git LFS pointer/],
    ["e.bin", "", /is an empty file;/],
    ["f.pt", "version https://git-lfs.github.com/spec/v1\n", /^f.pt: is no pickle but a Git LFS pointer/],
    ["g.pkl", "<!DOCTYPE html><p>", /is no pickle but a web page/],
  ];
  for (const [name, content, words] of cases) {
    const { warnings } = inspectFile(
      file(name, typeof content === "string" ? Buffer.from(content, "latin1") : content),
    );
    assert.match(warnings.map(({ message }) => message).join(), words);
  }
});

test("an extension claims its format: other content is a mismatch that says what it looks like", () => {
  const safetensors = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from("{}")]);
  const cases: [string, Uint8Array | string, RegExp][] = [
    ["a.onnx", safetensors, /a safetensors file/],
    ["b.onnx", "", /an empty file/],
    ["c.onnx", "version https://git-lfs.github.com/spec/v1\n", /Git LFS/],
    ["d.onnx", "<!DOCTYPE html><p>", /a web page/],
    ["e.onnx", Buffer.from([0x80, 4, 0x4b, 1, 0x2e]), /a pickle/],
    ["f.onnx", addModel().subarray(0, 30), /damaged/],
    ["g.npy", addModel(), /an ONNX model/],
  ];
  for (const [name, content, words] of cases) {
    const error = failsWith("format.mismatch", () => inspectFile(file(name, content)));
    assert.match(error.message, words);
    assert.equal(error.path, join(folder, name));
  }
});

test("without a known extension the content decides, and unknown content is no failure", () => {
  assert.equal(inspectFile(file("model.xyz", addModel())).format, "onnx");
  assert.equal(
    inspectFile(file("array.xyz", writeNpy({ dtype: "bool", shape: [1], data: Uint8Array.of(1) }))).format,
    "npy",
  );
  assert.equal(inspectFile(file("pickle.xyz", Buffer.from([0x80, 4, 0x4b, 1, 0x2e]))).format, "pickle");
  assert.equal(inspectFile(file("noise.xyz", Buffer.from([1, 2, 3]))).format, "unknown");
  assert.equal(inspectFile(file("empty.xyz", "")).format, "unknown");
});

test("an NPY file is one tensor; one of objects is a warning", () => {
  const data = new Uint8Array(Float32Array.of(1, 2).buffer);
  const { tensors } = inspectFile(file("a.npy", writeNpy({ dtype: "float32", shape: [2], data })), { digest: true });
  assert.deepEqual(
    tensors.map(({ dtype, nativeDtype, shape, offset, sha256: sum }) => [dtype, nativeDtype, shape, offset, sum]),
    [["float32", "<f4", [2], 128, sha256(data)]],
  );
  const header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n";
  const objects = Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00", "latin1"),
    Buffer.from([header.length, 0]),
    Buffer.from(header),
  ]);
  assert.deepEqual(
    inspectFile(file("objects.npy", objects)).warnings.map(({ code }) => code),
    ["npy.unreadable"],
  );
});

test("statistics keep 64-bit integers in full, and text has none", () => {
  const longs = BigInt64Array.of(2n ** 63n - 1n, 0n);
  const path = join(folder, "longs.npy");
  writeFileSync(path, writeNpy({ dtype: "int64", shape: [2], data: new Uint8Array(longs.buffer) }));
  const [tensor] = inspectFile(path, { stats: true }).tensors;
  assert.match(stringifyExact(tensor?.stats), /^\{"min":0,"max":9223372036854775807,/);
  writeFileSync(path, writeNpy({ dtype: "string", shape: [1], data: Uint8Array.of(1, 0, 0, 0, 65) }));
  assert.equal(inspectFile(path, { stats: true }).tensors[0]?.stats, undefined);
  assert.equal(inspectFile(path).tensors[0]?.stats, undefined);
});

test("a stored ONNX model has the methods of its model.yaml on the header's inputs", async () => {
  const store = new ModelStore(join(folder, "home"));
  const draft = draftOf("m", "v1", {
    module: "bentoml.onnx",
    metadata: new Map([["big", 2n ** 70n]]),
    signatures: { run: { batchable: true, batchDim: [1, 0] } },
  });
  const from = file("saved.onnx", model({ nodes: [node("Relu", ["x"], ["y"])], inputs: [tensorValue("x", 7, ["n"])] }));
  const saved = await store.save(draft, [{ from, to: "saved_model.onnx" }]);
  const found = inspectModel(saved);
  assert.deepEqual([found.kind, found.format, found.path], ["model", "onnx", saved.path]);
  assert.deepEqual(
    found.files.map(({ path, format }) => [path, format]),
    [
      ["model.yaml", "unknown"],
      ["saved_model.onnx", "onnx"],
    ],
  );
  assert.deepEqual([found.signatures["run"]?.batchable, found.signatures["run"]?.batchDim], [true, [1, 0]]);
  assert.equal(found.signatures["run"]?.inputs[0]?.dtype, "int64");
  assert.match(stringifyExact(found), /"big":1180591620717411303424/);
});

test("a model of a module that needs Python lists its methods and files; an unknown one warns", async () => {
  const store = new ModelStore(join(folder, "home"));
  const from = file("model.pkl", Buffer.from([0x80, 4, 0x4b, 1, 0x2e]));
  const signatures = { predict: { batchable: true, batchDim: [0, 0] as const } };
  const known = await store.save(draftOf("sk", "v1", { module: "bentoml._internal.frameworks.sklearn", signatures }), [
    { from, to: "saved_model.pkl" },
  ]);
  assert.deepEqual(inspectModel(known).signatures["predict"], {
    inputs: [],
    outputs: [],
    batchable: true,
    batchDim: [0, 0],
    source: "model.yaml",
  });
  assert.equal(inspectModel(known).format, "pickle");
  const other = await store.save(draftOf("odd", "v1", { module: "os; evil" }), [{ from, to: "a.bin" }]);
  assert.deepEqual(
    inspectModel(other).warnings.map(({ code }) => code),
    ["model.module"],
  );
});

test("a method is listed whatever model.yaml calls it", async () => {
  const store = new ModelStore(join(folder, "names"));
  const signatures = { ["__proto__"]: { batchable: true, batchDim: [0, 0] as const } };
  for (const module of ["bentoml.onnx", "bentoml.keras"]) {
    const from = file("named.onnx", addModel());
    const draft = draftOf("odd", module.slice(8), { module, signatures });
    const saved = await store.save(draft, [{ from, to: "saved_model.onnx" }]);
    assert.deepEqual(Object.keys(inspectModel(saved).signatures), ["__proto__"], module);
  }
});
