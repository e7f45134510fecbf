import assert from "node:assert/strict";
import { test } from "node:test";
import { bufferReader } from "../../../../src/formats/bufferReader";
import { OnnxGraphs } from "../../../../src/formats/onnx/graphTable";
import { type NodeDetails, readNodeDetails } from "../../../../src/formats/onnx/nodeDetails";
import { answersOrFails, failsWith, mutant } from "../../../fixtures/failures";
import { floats, model, node, tensorFields, tensorValue } from "../../../fixtures/onnxParts";
import { block, int, packed } from "../../../fixtures/protoWriter";
import { randomFrom } from "../../../fixtures/random";

function read(bytes: Uint8Array): OnnxGraphs {
  return new OnnxGraphs(bufferReader(bytes, "m.onnx"), "m.onnx");
}

function ended<T>(walk: Generator<number, T>): T {
  for (;;) {
    const step = walk.next();
    if (step.done) return step.value;
  }
}

function found(graphs: OnnxGraphs, query: string, op: string | null = null, graph = 0): readonly number[] {
  return ended(graphs.findNodes({ graph, query, op }));
}

function details(graphs: OnnxGraphs, at: number, graph = 0): NodeDetails {
  return ended(readNodeDetails(graphs, { graph, node: at }));
}

/** x → Relu → h; h, w → Gemm → y inside the branches of an If; Twice is a function. */
function nested(): Buffer {
  const branch = (name: string, op: string): Buffer =>
    block(
      5,
      block(1, name),
      block(
        6,
        block(1, node(op, ["h", "w"], ["inner"], block(3, `${name}_node`))),
        block(2, name),
        block(12, tensorValue("inner", 1, ["n", 2])),
      ),
      int(20, 5),
    );
  return model({
    nodes: [
      node("Relu", ["x"], ["h"], block(3, "first"), block(6, "what it is for")),
      node("If", ["c"], ["z"], branch("then_branch", "Gemm"), branch("else_branch", "MatMul")),
      node("Twice", ["z", ""], ["y"], block(7, "local"), block(3, "last")),
    ],
    inputs: [tensorValue("x", 1, ["n", 3]), tensorValue("c", 9, [])],
    outputs: [tensorValue("y", 1, null)],
    initializers: [tensorFields({ name: "w", type: 1, dims: [3, 1], raw: floats(1, 2, 3) })],
    more: [
      block(
        25,
        block(1, "Twice"),
        block(10, "local"),
        block(4, "a"),
        block(5, "b"),
        block(7, node("Add", ["a", "a"], ["b"])),
      ),
    ],
  });
}

test("nodes are found by operator, name, inputs and outputs, in any case and by several words", () => {
  const graphs = read(nested());
  assert.deepEqual(found(graphs, "relu"), [0]);
  assert.deepEqual(found(graphs, "FIRST"), [0]);
  assert.deepEqual(found(graphs, "local z"), [2]);
  assert.deepEqual(found(graphs, "z"), [1, 2]);
  assert.deepEqual(found(graphs, "z nothing"), []);
  assert.deepEqual(found(graphs, "", "If"), [1]);
  assert.deepEqual(found(graphs, "first", "If"), []);
  assert.deepEqual(found(graphs, "", "NoSuchOp"), []);
  assert.deepEqual(found(graphs, "gemm", null, 1), [0]);
});

test("values are found by name, kind, type and shape", () => {
  const graphs = read(nested());
  const names = (query: string): string[] => {
    const main = graphs.index.graphs[0];
    assert.ok(main);
    return ended(graphs.findValues(0, query)).map((value) => graphs.walker().value(main, value).spec.name);
  };
  assert.deepEqual(names("initializer"), ["w"]);
  assert.deepEqual(names("float32 [n, 3]"), ["x"]);
  assert.deepEqual(names("bool"), ["c"]);
  assert.deepEqual(names("").length, 4);
});

test("a node knows where its inputs come from and where its outputs go, across subgraphs", () => {
  const graphs = read(nested());
  const first = details(graphs, 0);
  assert.equal(first.docString, "what it is for");
  assert.deepEqual(
    first.inputs.map(({ name, declared, producer }) => [name, declared?.kind, declared?.spec.shape, producer]),
    [["x", "input", ["n", 3], null]],
  );
  assert.deepEqual(
    first.outputs[0]?.consumers.map(({ graph, node: at, op }) => [graph, at, op]),
    [
      [1, 0, "Gemm"],
      [2, 0, "MatMul"],
    ],
  );
  const gemm = details(graphs, 0, 1);
  assert.deepEqual(
    gemm.inputs.map(({ name, declared, producer }) => [name, declared?.kind ?? null, producer?.op ?? null]),
    [
      ["h", null, "Relu"],
      ["w", "initializer", null],
    ],
  );
  assert.equal(gemm.outputs[0]?.isGraphOutput, true);
  const last = details(graphs, 2);
  assert.deepEqual([last.function, last.inputs[0]?.producer?.op, last.inputs[1]?.name], [3, "If", ""]);
  assert.equal(last.outputs[0]?.isGraphOutput, true);
  assert.deepEqual(details(graphs, 1).subgraphs, [
    { attribute: "then_branch", graph: 1 },
    { attribute: "else_branch", graph: 2 },
  ]);
});

test("long attributes are cut and counted, small tensors are shown with their values", () => {
  const longs = block(
    5,
    block(1, "longs"),
    packed(
      8,
      Array.from({ length: 1000 }, (_, i) => i),
    ),
    int(20, 7),
  );
  const small = block(
    5,
    block(1, "value"),
    block(5, tensorFields({ name: "k", type: 1, dims: [2], raw: floats(1.5, -2) })),
    int(20, 4),
  );
  const large = block(
    5,
    block(1, "big"),
    block(5, tensorFields({ name: "g", type: 1, dims: [1000], raw: Buffer.alloc(4000) })),
    int(20, 4),
  );
  const text = block(5, block(1, "s"), block(4, "é".repeat(10_000)), int(20, 3));
  const [ints, shown, hidden, cut] = details(
    read(model({ nodes: [node("A", [], [], longs, small, large, text)] })),
    0,
  ).attributes;
  assert.deepEqual([ints?.count, ints?.values.length, ints?.values[15]], [1000, 16, 15n]);
  assert.deepEqual(shown?.tensors[0]?.values, [1.5, -2]);
  assert.deepEqual([hidden?.tensors[0]?.shape, hidden?.tensors[0]?.values], [[1000], []]);
  const value = String(cut?.values[0]);
  assert.ok(value.length <= 2001 && value.endsWith("é…"), value.slice(-5));
});

test("parts of a graph that is stored in two pieces are one graph", () => {
  const first = model({ nodes: [node("Relu", ["x"], ["y"])] });
  const graphs = read(Buffer.concat([first, model({ nodes: [node("Add", ["y", "y"], ["z"])] })]));
  assert.equal(graphs.index.graphs.length, 1);
  assert.equal(details(graphs, 1).inputs[0]?.producer?.op, "Relu");
});

test("a bomb of nested subgraphs or of empty nodes ends at a limit, in bounded memory", () => {
  let deep = node("Relu", ["x"], ["y"]);
  for (let i = 0; i < 40; i++) deep = node("If", ["c"], ["y"], block(5, block(6, block(1, deep))));
  failsWith("budget.exceeded", () => read(model({ nodes: [deep] })));
  const before = process.memoryUsage().rss;
  const empty = Buffer.alloc(2 * 2_100_000);
  for (let at = 0; at < empty.length; at += 2) empty[at] = 0x0a;
  failsWith("budget.exceeded", () => read(block(7, empty)));
  assert.ok(process.memoryUsage().rss - before < 200 * 2 ** 20);
});

test("a file cut at every byte, and two thousand mutants, only ever fail as ours", () => {
  const bytes = nested();
  const lookAtAll = (changed: Uint8Array): void => {
    const graphs = read(changed);
    graphs.index.graphs.forEach((entry, graph) => {
      for (let at = 0; at < entry.nodes.count; at++) details(graphs, at, graph);
      ended(graphs.findValues(graph, "x"));
    });
  };
  lookAtAll(bytes);
  for (let end = 0; end < bytes.length; end++) answersOrFails(() => lookAtAll(bytes.subarray(0, end)), `cut at ${end}`);
  const random = randomFrom(5);
  for (let i = 0; i < 2000; i++) {
    const changed = mutant(bytes, random);
    answersOrFails(() => lookAtAll(changed), changed.toString("hex"));
  }
});

test("of 100,000 nodes a part is read without the others, and a search sees all of them", () => {
  const nodes = Array.from({ length: 100_000 }, (_, i) =>
    node(i % 3 === 0 ? "Add" : "Relu", [`t${i}`], [`t${i + 1}`], block(3, `/layer.${Math.floor(i / 10)}/n${i}`)),
  );
  const bytes = model({ nodes });
  let taken = 0;
  const inner = bufferReader(bytes, "big.onnx");
  const reader = {
    size: inner.size,
    read(at: number, length: number) {
      taken += length;
      return inner.read(at, length);
    },
  };
  const graphs = new OnnxGraphs(reader, "big.onnx");
  const [main] = graphs.index.graphs;
  assert.ok(main);
  assert.equal(main.nodes.count, 100_000);
  taken = 0;
  const walker = graphs.walker();
  const rows = Array.from({ length: 50 }, (_, i) => walker.node(main, 70_000 + i));
  assert.equal(rows[0]?.name, "/layer.7000/n70000");
  assert.ok(taken <= 16_384, `${taken} bytes for 50 rows`);
  assert.deepEqual(found(graphs, "layer.7000/ add").length, 3);
  // The same search again reads nothing.
  taken = 0;
  assert.deepEqual(found(graphs, "layer.7000/ add").length, 3);
  assert.equal(taken, 0);
  assert.equal(found(graphs, "", "Add").length, 33_334);
  assert.equal(details(graphs, 50_000).inputs[0]?.producer?.node, 49_999);
});
