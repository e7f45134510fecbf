import { Budget } from "../../base/budget";
import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { ProtoReader } from "../protobuf";
import { readPair, readTensorHeader, type TensorHeader } from "./tensorHeader";
import { type OnnxValue, readValueInfo } from "./valueInfo";

/** An ONNX model without its weights. */
export interface OnnxHeader {
  readonly irVersion: number;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly domain: string;
  readonly modelVersion: bigint;
  readonly docString: string;
  readonly graphName: string;
  /** By domain; the standard one is `""`. */
  readonly opsets: ReadonlyMap<string, number>;
  /** All graph inputs, also those that are initializers (IR versions before 4 list both). */
  readonly graphInputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Node counts by `Op` or `domain.Op`, subgraphs and functions included, in order of first use. */
  readonly ops: ReadonlyMap<string, number>;
  /** Initializers of the main graph. */
  readonly initializers: readonly TensorHeader[];
  /** Every other tensor whose data is external: in subgraphs and in attributes. */
  readonly otherExternal: readonly TensorHeader[];
  /** Sparse initializers: the name and the dense shape. Their values are not listed. */
  readonly sparse: readonly { readonly values: TensorHeader; readonly shape: readonly number[] }[];
  readonly functions: readonly string[];
  /** In file order; keys may repeat. */
  readonly metadataProps: readonly (readonly [key: string, value: string])[];
}

/** Fields, text bytes and nesting that a header may have. Real ones of 100,000 nodes stay below a tenth. */
const LIMITS = { nodes: 20_000_000, bytes: 256 * 2 ** 20, depth: 100, timeMs: 30_000 };

/**
 * Reads everything of a model but its weights, which are skipped unread.
 * @param name what failures call the file.
 * @throws ModelbenchError `format.corrupt` with the offset, `budget.exceeded`
 * @see onnx 1.23 onnx.proto, message ModelProto
 */
export function readOnnxHeader(reader: PositionalReader, name: string, budget?: Budget): OnnxHeader {
  const model = new HeaderBuilder();
  const proto = ProtoReader.open(reader, name, budget ?? new Budget(name, LIMITS));
  while (proto.next()) model.field(proto);
  if (!model.hasGraph) {
    throw new ModelbenchError("format.corrupt", `${name}: no ONNX graph in it.`, { path: name, offset: 0 });
  }
  return model;
}

class HeaderBuilder implements OnnxHeader {
  hasGraph = false;
  irVersion = 0;
  producerName = "";
  producerVersion = "";
  domain = "";
  modelVersion = 0n;
  docString = "";
  graphName = "";
  readonly opsets = new Map<string, number>();
  readonly graphInputs: OnnxValue[] = [];
  readonly outputs: OnnxValue[] = [];
  readonly ops = new Map<string, number>();
  readonly initializers: TensorHeader[] = [];
  readonly otherExternal: TensorHeader[] = [];
  readonly sparse: { values: TensorHeader; shape: readonly number[] }[] = [];
  readonly functions: string[] = [];
  readonly metadataProps: [string, string][] = [];

  /** Takes one field of ModelProto. */
  field(proto: ProtoReader): void {
    switch (proto.field) {
      case 1:
        this.irVersion = proto.integer();
        break;
      case 2:
        this.producerName = proto.text();
        break;
      case 3:
        this.producerVersion = proto.text();
        break;
      case 4:
        this.domain = proto.text();
        break;
      case 5:
        this.modelVersion = proto.varint();
        break;
      case 6:
        this.docString = proto.text();
        break;
      case 7:
        this.hasGraph = true;
        proto.message((graph) => this.#mainGraph(graph));
        break;
      case 8:
        proto.message((entry) => this.#opset(entry));
        break;
      case 14:
        readPair(proto, (key, value) => this.metadataProps.push([key, value]));
        break;
      case 25:
        proto.message((entry) => this.#function(entry));
    }
  }

  #mainGraph(graph: ProtoReader): void {
    while (graph.next()) {
      if (graph.field === 1) graph.message((node) => this.#node(node));
      else if (graph.field === 2) this.graphName = graph.text();
      else if (graph.field === 5) this.initializers.push(graph.message(readTensorHeader));
      else if (graph.field === 11) this.graphInputs.push(graph.message(readValueInfo));
      else if (graph.field === 12) this.outputs.push(graph.message(readValueInfo));
      else if (graph.field === 15) this.sparse.push(graph.message(readSparse));
    }
  }

  #subgraph(graph: ProtoReader): void {
    while (graph.next()) {
      if (graph.field === 1) graph.message((node) => this.#node(node));
      else if (graph.field === 5) this.#tensor(graph);
    }
  }

  #node(node: ProtoReader): void {
    let op = "";
    let domain = "";
    while (node.next()) {
      if (node.field === 4) op = node.text();
      else if (node.field === 5) node.message((attribute) => this.#attribute(attribute));
      else if (node.field === 7) domain = node.text();
    }
    const key = domain === "" || domain === "ai.onnx" ? op : `${domain}.${op}`;
    this.ops.set(key, (this.ops.get(key) ?? 0) + 1);
  }

  #attribute(attribute: ProtoReader): void {
    while (attribute.next()) {
      if (attribute.field === 5 || attribute.field === 10) this.#tensor(attribute);
      else if (attribute.field === 6 || attribute.field === 11) attribute.message((graph) => this.#subgraph(graph));
    }
  }

  #tensor(parent: ProtoReader): void {
    const header = parent.message(readTensorHeader);
    if (header.external) this.otherExternal.push(header);
  }

  #function(entry: ProtoReader): void {
    while (entry.next()) {
      if (entry.field === 1) this.functions.push(entry.text());
      else if (entry.field === 7) entry.message((node) => this.#node(node));
    }
  }

  #opset(entry: ProtoReader): void {
    let domain = "";
    let version = 0;
    while (entry.next()) {
      if (entry.field === 1) domain = entry.text();
      else if (entry.field === 2) version = entry.integer();
    }
    this.opsets.set(domain, version);
  }
}

/** Reads a SparseTensorProto: its values, and the dense shape. @throws ModelbenchError `format.corrupt` */
export function readSparse(proto: ProtoReader): { values: TensorHeader; shape: readonly number[] } {
  let values: TensorHeader | undefined;
  const shape: number[] = [];
  while (proto.next()) {
    if (proto.field === 1) values = proto.message(readTensorHeader);
    else if (proto.field === 3) proto.integers((dim) => shape.push(Number(dim)));
  }
  if (!values) throw proto.fault("has a sparse tensor without values");
  return { values, shape };
}
