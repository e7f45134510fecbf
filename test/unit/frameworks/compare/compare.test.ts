import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { msgpackSerialize } from "../../../../src/formats/flaxMsgpack/serialization";
import type { FlaxTree } from "../../../../src/formats/flaxMsgpack/tree";
import { stringifyExact } from "../../../../src/formats/jsonExact";
import { writeNpy } from "../../../../src/formats/npy";
import { compare } from "../../../../src/frameworks/compare/compare";
import { runCompareTensors } from "../../../../src/frameworks/compare/compareWork";
import type { Comparison, TensorDifference } from "../../../../src/frameworks/compare/comparison";
import { contents } from "../../../../src/frameworks/contentReading";
import { ModelStore } from "../../../../src/store/modelStore";
import { float32s } from "../../../fixtures/flaxTrees";
import { model, node, tensorFields, tensorValue } from "../../../fixtures/onnxParts";
import { draftOf, tempFolder } from "../../store/storeKit";

const { path: folder, remove } = tempFolder();
after(() => {
  contents.dispose();
  remove();
});

type Weights = Readonly<Record<string, { readonly dims: readonly number[]; readonly values: readonly number[] }>>;

/** An ONNX file with float weights. */
function onnxFile(name: string, weights: Weights, ops: readonly string[] = ["Add"]): string {
  const path = join(folder, name);
  const initializers = Object.entries(weights).map(([key, { dims, values }]) =>
    tensorFields({ name: key, type: 1, dims, raw: Buffer.from(Float32Array.from(values).buffer) }),
  );
  const io = { inputs: [tensorValue("x", 1, ["batch", 3])], outputs: [tensorValue("y", 1, ["batch", 3])] };
  writeFileSync(path, model({ ...io, initializers, nodes: ops.map((op) => node(op, ["x"], ["y"])) }));
  return path;
}

const compareFiles = (a: string, b: string): Promise<Comparison> =>
  compare({ kind: "file", path: a }, { kind: "file", path: b }, {}, {});

const line = ({ changes, a, b }: TensorDifference): string =>
  `${changes.join("+")} ${a?.name ?? "-"} ${b?.name ?? "-"}`;

suite("a comparison of two files", () => {
  test("finds nothing between a file and its copy", async () => {
    const weights = { w: { dims: [2], values: [1, Number.NaN] } };
    const found = await compareFiles(onnxFile("a.onnx", weights), onnxFile("copy.onnx", weights));
    assert.deepEqual([found.same, found.facts, found.tensors, found.counts.equal], [true, [], [], 1]);
  });

  test("sorts by the norm of the change, names what came, went, moved and was reshaped", async () => {
    const a = onnxFile("sorted-a.onnx", {
      same: { dims: [2], values: [1, 2] },
      little: { dims: [2], values: [1, 2] },
      much: { dims: [2], values: [1, 2] },
      none: { dims: [1], values: [1] },
      reshaped: { dims: [2, 3], values: [1, 2, 3, 4, 5, 6] },
      "old.kernel": { dims: [3], values: [7, 8, 9] },
      "block.bias": { dims: [5], values: [1, 2, 3, 4, 5] },
      gone_scale: { dims: [4], values: [0, 0, 0, 1] },
    });
    const b = onnxFile("sorted-b.onnx", {
      same: { dims: [2], values: [1, 2] },
      little: { dims: [2], values: [1, 2.25] },
      much: { dims: [2], values: [1, -2] },
      none: { dims: [1], values: [Number.NaN] },
      reshaped: { dims: [3, 2], values: [1, 2, 3, 4, 5, 6] },
      "new.name": { dims: [3], values: [7, 8, 9] },
      "unit.bias": { dims: [5], values: [1, 2, 3, 4, 6] },
      gone_scales: { dims: [6], values: [0, 0, 0, 1, 1, 1] },
    });
    const { tensors, counts, same } = await compareFiles(a, b);
    assert.deepEqual(tensors.map(line), [
      "values none none",
      "values much much",
      "moved+values block.bias unit.bias",
      "values little little",
      "reshaped reshaped reshaped",
      "removed gone_scale -",
      "added - gone_scales",
      "moved old.kernel new.name",
    ]);
    assert.deepEqual(
      tensors.map(({ values }) => values?.norm ?? null),
      [0, 4, 1, 0.25, null, null, null, 0],
    );
    assert.deepEqual(tensors[5]?.near, ["gone_scales"]);
    assert.deepEqual(counts, {
      equal: 1,
      added: 1,
      removed: 1,
      moved: 2,
      reshaped: 1,
      recast: 0,
      kind: 0,
      values: 4,
      unreadable: 0,
    });
    assert.equal(same, false);
  });

  test("compares what the graphs say of themselves", async () => {
    const weights = { w: { dims: [1], values: [1] } };
    const { facts } = await compareFiles(
      onnxFile("ops-a.onnx", weights, ["Add", "Add"]),
      onnxFile("ops-b.onnx", weights, ["Add", "Relu"]),
    );
    assert.deepEqual(facts.slice(0, -1), [
      { part: "onnx", key: "op Add", change: "changed", a: 2, b: 1 },
      { part: "onnx", key: "op Relu", change: "added", b: 1 },
    ]);
    assert.equal(facts.at(-1)?.key, "content");
  });

  test("tells graphs apart that count the same nodes, and objects beside the same tensors", async () => {
    const content = [["files", "content", "changed"]];
    const weights = { w: { dims: [1], values: [1] } };
    const graphs = await compareFiles(
      onnxFile("order-a.onnx", weights, ["Relu", "Add"]),
      onnxFile("order-b.onnx", weights, ["Add", "Relu"]),
    );
    assert.deepEqual([graphs.same, graphs.tensors, graphs.counts.equal], [false, [], 1]);
    assert.deepEqual(
      graphs.facts.map(({ part, key, change }) => [part, key, change]),
      content,
    );
    const array = readFileSync("test/fixtures/vectors/pickle/numpy_p4.pkl").subarray(11, -1);
    const [a = "", b = ""] = [1, 2].map((epoch) => {
      const path = join(folder, `epoch-${epoch}.pkl`);
      writeFileSync(
        path,
        Buffer.concat([Buffer.from("\x80\x04(", "latin1"), array, Buffer.from([0x4b, epoch]), Buffer.from("t.")]),
      );
      return path;
    });
    const objects = await compareFiles(a, b);
    assert.deepEqual([objects.same, objects.tensors, objects.counts.equal > 0], [false, [], true]);
    assert.deepEqual(
      objects.facts.map(({ part, key, change }) => [part, key, change]),
      content,
    );
  });

  test("compares recast tensors as float64", async () => {
    const write = (name: string, dtype: "float32" | "float64" | "int64", values: NodeJS.TypedArray): string => {
      const path = join(folder, name);
      writeFileSync(path, writeNpy({ dtype, shape: [2], data: new Uint8Array(values.buffer) }));
      return path;
    };
    const narrow = write("narrow.npy", "float32", Float32Array.of(0.1, 2));
    const wide = write("wide.npy", "float64", Float64Array.of(0.1, 2));
    const whole = write("whole.npy", "int64", BigInt64Array.of(0n, 2n));
    const [found] = (await compareFiles(narrow, wide)).tensors;
    assert.deepEqual(found?.changes, ["recast", "values"]);
    assert.equal(found?.values?.maxAbs, Math.fround(0.1) - 0.1);
    const same = (await compareFiles(write("two.npy", "float32", Float32Array.of(0, 2)), whole)).tensors[0];
    assert.deepEqual([same?.changes, same?.values?.differing], [["recast"], 0]);
  });

  test("tells files without tensors apart by their bytes", async () => {
    const [a, b] = [join(folder, "a.dat"), join(folder, "b.dat")];
    writeFileSync(a, "aaaa");
    writeFileSync(b, "aaab");
    const { facts, same } = await compareFiles(a, b);
    assert.equal(same, false);
    assert.deepEqual(
      facts.map(({ part, key, change }) => [part, key, change]),
      [["files", "content", "changed"]],
    );
    assert.equal((await compareFiles(a, a)).same, true);
  });

  test("says why values cannot be read, and that an archive is to be imported", async () => {
    const header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".padEnd(117);
    const objects = join(folder, "objects.npy");
    writeFileSync(objects, `\x93NUMPY\x01\0v\0${header}\n`, "latin1");
    const { tensors, counts } = await compareFiles(objects, objects);
    assert.match(tensors[0]?.reason ?? "", /object/i);
    assert.equal(counts.unreadable, 1);
    const archive = join(folder, "x.bentomodel");
    writeFileSync(archive, "nothing");
    await assert.rejects(compareFiles(archive, objects), {
      code: "format.mismatch",
      message: /archive cannot be compared/,
    });
  });

  test("hears a cancel and tells of the bytes it reads", async () => {
    const many = Array.from({ length: 300_000 }, (_, i) => i);
    const [a, b] = ["big-a.onnx", "big-b.onnx"].map((name) => onnxFile(name, { w: { dims: [300_000], values: many } }));
    const stop = new AbortController();
    const seen: number[] = [];
    const onProgress = ({ doneBytes }: { doneBytes: number }): void => {
      seen.push(doneBytes);
      if (seen.length === 2) stop.abort();
    };
    const running = compare(
      { kind: "file", path: a ?? "" },
      { kind: "file", path: b ?? "" },
      {},
      { signal: stop.signal, onProgress },
    );
    await assert.rejects(running, { code: "cancelled" });
    assert.equal(seen.length, 2);
    let last = { doneBytes: 0, totalBytes: 0 };
    await compare(
      { kind: "file", path: a ?? "" },
      { kind: "file", path: b ?? "" },
      {},
      {
        onProgress: ({ doneBytes, totalBytes = 0 }) => {
          last = { doneBytes, totalBytes };
        },
      },
    );
    const bytes = 2_400_000 + 2 * statSync(a ?? "").size;
    assert.deepEqual(last, { doneBytes: bytes, totalBytes: bytes });
  });
});

suite("a comparison of two versions", () => {
  test("covers what their model.yaml say, release notes included, and their files", async () => {
    const home = join(folder, "home");
    const store = new ModelStore(home);
    mkdirSync(join(folder, "sources"), { recursive: true });
    const save = async (version: string, extra: string, more: Parameters<typeof draftOf>[2]) => {
      const weights = onnxFile(`${version}.onnx`, { w: { dims: [1], values: [version === "v1" ? 1 : 2] } });
      const notes = join(folder, "sources", `${version}.txt`);
      writeFileSync(notes, extra);
      const sources = [
        { from: weights, to: "saved_model.onnx" },
        { from: notes, to: "classes.txt" },
      ];
      await store.save(draftOf("add", version, { module: "bentoml.onnx", ...more }), sources);
      return store.get(`add:${version}`);
    };
    const v1 = await save("v1", "one", {
      labels: { stage: "dev", owner: "a", release: "May" },
      metadata: new Map<string, string | number>([["notes", "First."]]),
      frameworkVersions: { onnx: "1.16" },
    });
    const v2 = await save("v2", "two", {
      labels: { stage: "prod", owner: "a", release: "June" },
      metadata: new Map<string, string | number>([
        ["notes", "Second."],
        ["acc", 1],
      ]),
      frameworkVersions: { onnx: "1.17" },
    });
    const found = await compare({ kind: "model", model: v1 }, { kind: "model", model: v2 }, {}, {});
    const facts = found.facts.map(({ part, key, change }) => `${change} ${part} ${key}`);
    assert.deepEqual(facts, [
      "changed labels stage",
      "changed labels release",
      "changed metadata notes",
      "added metadata acc",
      "changed context framework_versions.onnx",
      "changed files classes.txt",
      "changed files saved_model.onnx",
    ]);
    assert.deepEqual([found.a.name, found.b.name], ["add:v1", "add:v2"]);
    assert.deepEqual(found.tensors.map(line), ["values w w"]);
    assert.doesNotThrow(() => JSON.parse(stringifyExact(found)));
    const bare = await compare({ kind: "model", model: v1 }, { kind: "file", path: join(folder, "v1.onnx") }, {}, {});
    assert.deepEqual([bare.same, bare.facts], [true, []]);
    // The same weights and the same nodes, wired otherwise.
    const [wired, rewired] = [
      ["Relu", "Add"],
      ["Add", "Relu"],
    ].map((ops, i) => onnxFile(`wired-${i}.onnx`, { w: { dims: [1], values: [1] } }, ops));
    await store.save(draftOf("wired", "v1", { module: "bentoml.onnx" }), [
      { from: wired ?? "", to: "saved_model.onnx" },
    ]);
    const version = { kind: "model", model: store.get("wired:v1") } as const;
    const other = { kind: "file", path: rewired ?? "" } as const;
    const both = [await compare(version, other, {}, {}), await compare(other, version, {}, {})];
    for (const { same, facts: differing } of both) {
      assert.deepEqual([same, differing.map(({ part, key }) => [part, key])], [false, [["files", "content"]]]);
    }
    const job = { home, tag: "add:v1", kind: "model" } as const;
    const pair = { a: { ref: job, tensor: 0 }, b: { ref: { ...job, tag: "add:v2" }, tensor: 0 } };
    const { ulps, maxAbs } = await runCompareTensors(pair, {});
    assert.equal(maxAbs, 1);
    assert.equal(ulps?.counts.findIndex(Boolean), 24);
  });
});

suite("a comparison of two trees", () => {
  const flaxFile = (name: string, tree: FlaxTree): string => {
    const path = join(folder, name);
    writeFileSync(path, msgpackSerialize(tree));
    return path;
  };
  const array = (...values: number[]): FlaxTree => float32s(values);

  test("says what leaves that are no arrays hold, and which became something else", async () => {
    const a = flaxFile(
      "a.msgpack",
      new Map<string, FlaxTree>([
        ["step", 3n],
        ["rate", 1],
        ["none", null],
        ["w", array(1)],
      ]),
    );
    const b = flaxFile(
      "b.msgpack",
      new Map<string, FlaxTree>([
        ["step", 4n],
        ["rate", 1],
        ["none", array(1)],
        ["w", array(1)],
      ]),
    );
    const { tensors, counts } = await compareFiles(a, b);
    assert.deepEqual(
      tensors.map(({ changes, a: head, leaf }) => [head?.name, changes, leaf]),
      [
        ["step", ["values"], { a: "3", b: "4" }],
        ["none", ["kind"], undefined],
      ],
    );
    assert.equal(counts.equal, 2);
  });

  test("tells leaves of any length apart", async () => {
    const long = (last: number): FlaxTree => {
      const bytes = Buffer.alloc((1 << 20) + 7, 0x61);
      bytes[bytes.length - 1] = last;
      const blob = new Uint8Array(bytes);
      return new Map<string, FlaxTree>([
        ["blob", blob],
        ["text", bytes.toString()],
        ["same", blob.subarray(0, -1)],
        ["w", array(1)],
      ]);
    };
    const [a, b] = [flaxFile("long-a.msgpack", long(0x62)), flaxFile("long-b.msgpack", long(0x63))];
    const { tensors, counts, same } = await compareFiles(a, b);
    assert.deepEqual(
      [same, tensors.map(({ a: head, changes }) => [head?.name, changes]), counts.equal],
      [
        false,
        [
          ["blob", ["values"]],
          ["text", ["values"]],
        ],
        2,
      ],
    );
    assert.match(tensors[0]?.leaf?.a ?? "", /^1048583 bytes, sha256 [0-9a-f]{64}$/);
    // An extension of a type that nobody knows.
    const ext = (name: string, last: number): string => {
      const head = Buffer.from([0x81, 0xa1, 0x65, 0xc9, 0, 0x10, 0, 1, 99]);
      const path = join(folder, name);
      writeFileSync(path, Buffer.concat([head, Buffer.alloc(1 << 20), Buffer.from([last])]));
      return path;
    };
    const found = await compareFiles(ext("ext-a.msgpack", 1), ext("ext-b.msgpack", 2));
    assert.deepEqual(
      found.tensors.map(({ changes }) => changes),
      [["values"]],
    );
  });

  test("tells integer keys from texts", async () => {
    const a = flaxFile("int.msgpack", new Map<string, FlaxTree>([["layers", new Map([[0, array(1)]])]]));
    const b = flaxFile("text.msgpack", new Map<string, FlaxTree>([["layers", new Map([["0", array(1)]])]]));
    const { tensors, same } = await compareFiles(a, b);
    assert.deepEqual([same, tensors.map(line)], [false, ["moved layers/0 layers/0"]]);
  });
});
