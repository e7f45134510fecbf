import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { decodeElements, type Element } from "../../src/formats/elements";
import { openFileReader } from "../../src/formats/fileReader";
import type { NodeAttribute } from "../../src/formats/onnx/attributes";
import { onnxDataType } from "../../src/formats/onnx/dataTypes";
import type { GraphEntry } from "../../src/formats/onnx/graphIndex";
import { type GraphWalker, OnnxGraphs, type ValueRow } from "../../src/formats/onnx/graphTable";
import { type NodeDetails, readNodeDetails } from "../../src/formats/onnx/nodeDetails";
import { openOnnxFile } from "../../src/frameworks/onnx/describe";
import { askPython } from "./python";

const folder = mkdtempSync(join(tmpdir(), "mb-onnx-graph-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A value of a graph: kind, name, type, number of its data type, shape. */
type PeerValue = readonly [string, string, string, number | null, readonly unknown[] | null];

/** A node as `tables` of onnxGraphPeer.py has it. */
interface PeerNode {
  readonly name: string;
  readonly attributes: readonly unknown[];
}

interface PeerGraph {
  readonly nodes: readonly PeerNode[];
  readonly values: readonly PeerValue[];
}

const MODELS = 250;

test("graphs, nodes, attributes and values of random models are what the onnx package reads", () => {
  const models = askPython("onnxGraphPeer.py", "graphs", folder, "1", String(MODELS)) as {
    path: string;
    graphs: PeerGraph[];
  }[];
  let nodes = 0;
  let inner = 0;
  for (const { path, graphs: theirs } of models) {
    const reader = openFileReader(path);
    const graphs = new OnnxGraphs(reader, path);
    const walker = graphs.walker();
    const ours = graphs.index.graphs.map((entry, graph) => tableOf(graphs, walker, entry, graph));
    const wanted = theirs.map((one) => ({ ...one, values: byKind(one.values.map(dtyped)) }));
    assert.deepEqual(JSON.parse(JSON.stringify(ours)), texts(wanted), path);
    reader.close();
    nodes += theirs.reduce((sum, one) => sum + one.nodes.length, 0);
    inner += theirs.length - 1;
  }
  assert.ok(nodes > 3_000 && inner > 500, `${nodes} nodes and ${inner} inner graphs were compared`);
});

function tableOf(graphs: OnnxGraphs, walker: GraphWalker, entry: GraphEntry, graph: number): unknown {
  const { kind, name, domain, docString, parent, nodes, values } = entry;
  return {
    kind,
    name,
    domain,
    docString,
    owner: parent ? [parent.graph, parent.node, parent.attribute] : null,
    values: byKind(Array.from({ length: values.count }, (_, index) => valueRow(walker.value(entry, index)))),
    nodes: Array.from({ length: nodes.count }, (_, node) => nodeOf(walked(readNodeDetails(graphs, { graph, node })))),
  };
}

function nodeOf(node: NodeDetails): unknown {
  const { name, op, inputs, outputs, docString, subgraphs, metadata, attributes, function: called } = node;
  return {
    name,
    op,
    inputs: inputs.map((input) => input.name),
    outputs: outputs.map((output) => output.name),
    docString,
    subgraphs: subgraphs.map((one) => [one.attribute, one.graph]),
    metadata,
    attributes: attributes.map(attributeOf),
    function: called,
  };
}

function attributeOf({ name, type, values, refersTo, docString, tensors }: NodeAttribute): unknown {
  return {
    name,
    type,
    values: values.map(textOf),
    refersTo,
    docString,
    tensors: tensors.map((one) => [one.name, one.nativeDtype, one.shape.map(String), one.values.map(textOf)]),
  };
}

function valueRow({ kind, spec: { name, type, dtype, shape } }: ValueRow): readonly [string, ...unknown[]] {
  return [kind, name, type, dtype, shape];
}

/** Numbers of the peer's values become the dtypes that we show. */
function dtyped([kind, name, type, number, shape]: PeerValue): readonly [string, ...unknown[]] {
  return [kind, name, type, number === null ? null : onnxDataType(number).dtype, shape];
}

/** The order between kinds is the file's; within a kind it is the same. */
function byKind(rows: readonly (readonly [string, ...unknown[]])[]): unknown[] {
  return [...rows].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
}

/** Numbers inside attributes as texts, and native names for numbers of types. */
function texts(graphs: readonly { readonly nodes: readonly PeerNode[] }[]): unknown[] {
  return graphs.map((graph) => ({
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...node,
      attributes: node.attributes.map((one) => {
        const { values, tensors, ...rest } = one as {
          values: unknown[];
          tensors: [string, number, unknown[], unknown[]][];
        };
        return {
          ...rest,
          values: values.map(String),
          tensors: tensors.map(([name, type, dims, held]) => [
            name,
            onnxDataType(type).nativeDtype,
            dims.map(String),
            held.map(String),
          ]),
        };
      }),
    })),
  }));
}

function textOf(element: Element): unknown {
  if (typeof element === "object") return [textOf(element.re), textOf(element.im)];
  return Object.is(element, -0) ? "-0" : String(element);
}

/** Runs a walk to its end. */
function walked<T>(walk: Generator<number, T>): T {
  for (;;) {
    const step = walk.next();
    if (step.done) return step.value;
  }
}

test("values of every type, raw, in typed fields and outside, are what numpy_helper reads", () => {
  const { files, values } = askPython("onnxValuesPeer.py", folder) as {
    files: string[];
    values: Record<string, unknown[]>;
  };
  for (const file of files) {
    const content = openOnnxFile(file);
    assert.equal(content.tensors.length, Object.keys(values).length);
    content.tensors.forEach(({ name, shape, dtype }, index) => {
      const data = content.data(index);
      assert.deepEqual([data.dtype, data.shape], [dtype, shape], name);
      const read = data.read(
        0,
        shape.reduce((product, dim) => product * dim, 1),
      );
      const ours = decodeElements({ dtype: data.dtype, shape, data: read }).map(textOf);
      const theirs = values[name]?.map((value) => (Array.isArray(value) ? value.map(String) : String(value)));
      assert.deepEqual(ours, theirs, `${file} ${name}`);
      // A part in the middle is the same part of the whole.
      const middle = data.read(2, 3);
      assert.deepEqual(
        decodeElements({ dtype: data.dtype, shape: [3], data: middle }).map(textOf),
        ours.slice(2, 5),
        name,
      );
    });
    content.close();
  }
});
