import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { contents } from "../../../../src/frameworks/contentReading";
import {
  runDescribeGraph,
  runDescribeNode,
  runListGraphNodes,
  runListGraphs,
  runListGraphValues,
} from "../../../../src/frameworks/onnx/graphReading";
import { ModelStore } from "../../../../src/store/modelStore";
import { graphModel } from "../../../fixtures/onnxGraphModel";
import { addModel, floats, model, node, tensorFields } from "../../../fixtures/onnxParts";
import { block } from "../../../fixtures/protoWriter";
import { draftOf, tempFolder } from "../../store/storeKit";

const { path: folder, remove } = tempFolder();
after(() => {
  contents.dispose();
  remove();
});

function file(name: string, bytes: Uint8Array): { readonly kind: "file"; readonly path: string } {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { kind: "file", path };
}

const all = { query: "", start: 0, count: 10 };

test("a graph tells its size, its operators and the way to it", async () => {
  const ref = file("chain.onnx", graphModel(8));
  const main = await runDescribeGraph({ ref, graph: 0 });
  assert.deepEqual([main.kind, main.nodes, main.values, main.graphs, main.file], ["main", 11, 5, 4, ref.path]);
  assert.deepEqual(main.ops.slice(0, 2), [
    { op: "MatMul", count: 2 },
    { op: "Add", count: 2 },
  ]);
  const inner = await runDescribeGraph({ ref, graph: 2 });
  assert.deepEqual(inner.owner, { graph: 0, node: 8, op: "If", attribute: "else_branch" });
  assert.deepEqual(
    inner.path.map(({ graph }) => graph),
    [0, 2],
  );
  const called = await runDescribeGraph({ ref, graph: 3 });
  assert.deepEqual(
    [called.kind, called.name, called.domain, called.docString],
    ["function", "Scale", "local", "Multiplies by a factor."],
  );
  assert.deepEqual(
    called.path.map(({ graph }) => graph),
    [0, 3],
  );
});

test("rows come part by part, with how many fit", async () => {
  const ref = file("parts.onnx", graphModel(1000));
  const part = await runListGraphNodes({ ref, graph: 0, op: null, query: "", start: 998, count: 10 });
  assert.deepEqual([part.total, part.rows.map(({ index }) => index)], [1003, [998, 999, 1000, 1001, 1002]]);
  const found = await runListGraphNodes({ ref, graph: 0, op: "Add", query: "layers.24", start: 1, count: 2 });
  assert.deepEqual(
    [found.total, found.rows.map(({ name }) => name)],
    [11, ["/encoder/layers.240/scale.1", "/encoder/layers.241/scale.1"]],
  );
  const beyond = await runListGraphNodes({ ref, graph: 0, op: null, query: "", start: 5000, count: 10 });
  assert.deepEqual([beyond.total, beyond.rows], [1003, []]);
  const values = await runListGraphValues({ ref, graph: 0, ...all, query: "initializer" });
  assert.deepEqual(
    values.rows.map(({ spec }) => spec.name),
    ["w", "b"],
  );
  const graphs = await runListGraphs({ ref, ...all, query: "branch" });
  assert.deepEqual([graphs.total, graphs.rows.map(({ graph }) => graph)], [2, [1, 2]]);
});

test("a cancelled search ends, and the next one answers", async () => {
  const ref = file("cancel.onnx", graphModel(20_000));
  const input = { ref, graph: 0, op: null, ...all, query: "nothing like it" };
  const stopped = new AbortController();
  const search = runListGraphNodes(input, { signal: stopped.signal });
  stopped.abort();
  await assert.rejects(search, { code: "cancelled" });
  assert.equal((await runListGraphNodes(input)).total, 0);
});

test("what is long in a file is short in a row", async () => {
  const names = Array.from({ length: 500 }, (_, i) => `${"n".repeat(2000)}${i}`);
  const values = block(
    5,
    block(1, "v"),
    block(5, tensorFields({ name: "", type: 1, dims: [1], raw: floats(Number.NaN) })),
  );
  const ref = file(
    "long.onnx",
    model({ nodes: [node("Concat", names, ["y"], block(3, "n".repeat(100_000)), values)] }),
  );
  const { rows } = await runListGraphNodes({ ref, graph: 0, op: null, ...all });
  assert.deepEqual([rows[0]?.inputs.length, rows[0]?.moreNames, rows[0]?.name.length], [16, 484, 301]);
  const shown = await runDescribeNode({ ref, graph: 0, node: 0 });
  assert.deepEqual(
    [shown.inputs.length, shown.moreNames, shown.attributes[0]?.tensors[0]?.values],
    [200, 300, ["NaN"]],
  );
  assert.ok(JSON.stringify(shown).length < 200_000);
});

test("a saved model has the graph of the file that it runs, beside its tensors", async () => {
  const home = join(folder, "home");
  const store = new ModelStore(home);
  const from = file("saved.onnx", graphModel(4)).path;
  const other = file("other.onnx", addModel()).path;
  await store.save(draftOf("m", "v1", { module: "bentoml.onnx" }), [
    { from: other, to: "a.onnx" },
    { from, to: "saved_model.onnx" },
  ]);
  const ref = { kind: "model", home, tag: "m:v1" } as const;
  const main = await runDescribeGraph({ ref, graph: 0 });
  assert.deepEqual([main.nodes, main.file], [7, join(home, "models/m/v1/saved_model.onnx")]);
  assert.equal((await runListGraphNodes({ ref, graph: 0, op: null, ...all })).total, 7);
});

test("a graph, a node or a file that is not there is a failure in words", async () => {
  const ref = file("few.onnx", addModel());
  await assert.rejects(runDescribeGraph({ ref, graph: 1 }), { code: "internal", message: /no graph 1/ });
  await assert.rejects(runDescribeNode({ ref, graph: 0, node: 9 }), { code: "internal", message: /no node 9/ });
  await assert.rejects(runDescribeGraph({ ref: file("a.bin", Buffer.from("x")), graph: 0 }), { code: "internal" });
});
