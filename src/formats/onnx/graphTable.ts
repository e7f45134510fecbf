import { Budget } from "../../base/budget";
import type { PositionalReader } from "../../base/ports";
import { ProtoReader } from "../protobuf";
import type { ValueSpec } from "../tensor";
import { AttributeReader, type NodeAttribute } from "./attributes";
import {
  functionKey,
  type GraphEntry,
  type GraphIndex,
  graphAt,
  indexGraphs,
  MOST_NAME_BYTES,
  plainDomain,
  type ValueKind,
} from "./graphIndex";
import { readSparse } from "./header";
import { readTensorHeader } from "./tensorHeader";
import { readValueInfo } from "./valueInfo";

/** Inputs and outputs of one node that are read; a `Concat` may have thousands. */
const MOST_NAMES = 1_000;
/** What one request may read; a search through the largest graphs stays below. */
const LIMITS = { nodes: 50_000_000, bytes: 512 * 2 ** 20, depth: 100, timeMs: 60_000 };
/** Nodes or values after which a long walk lets others have a turn. */
const STRIDE = 256;

/** A node as a row of a table. */
export interface NodeRow {
  /** Place among the nodes of its graph. */
  readonly index: number;
  readonly name: string;
  /** `Op` or `domain.Op`. */
  readonly op: string;
  /** An input that is left out is `""`. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Inputs and outputs beyond those that were read. */
  readonly moreNames: number;
  /** Its subgraphs, by the attribute each is in. */
  readonly subgraphs: readonly { readonly attribute: string; readonly graph: number }[];
  /** The function of this model that it calls. */
  readonly function: number | null;
}

/** A named value of a graph: an input, an output, an intermediate value with a type, or an initializer. */
export interface ValueRow {
  readonly index: number;
  readonly kind: ValueKind;
  /** `type`, `dtype` and `shape` are unknown (`tensor`, `null`, `null`) in functions, which are not typed. */
  readonly spec: ValueSpec;
  readonly docString: string;
}

/** Asks for some of the nodes of a graph. */
export interface NodeQuery {
  readonly graph: number;
  /** Words that must all be in operator, name, inputs or outputs, in any case; `""` = all nodes. */
  readonly query: string;
  /** Only nodes of this operator, as `NodeRow.op` has it. */
  readonly op: string | null;
}

/**
 * The graphs of one model as tables. What lies where is found once; rows are decoded when they are asked for.
 * Every method throws ModelbenchError `format.corrupt` or `budget.exceeded`.
 */
export class OnnxGraphs {
  readonly index: GraphIndex;
  /** What failures call the file. */
  readonly file: string;
  readonly #reader: PositionalReader;
  /** What the last search found, because a table asks for its rows part by part. */
  #found: { readonly key: string; readonly rows: readonly number[] } | undefined;

  constructor(reader: PositionalReader, file: string) {
    this.#reader = reader;
    this.file = file;
    this.index = indexGraphs(reader, file);
  }

  /** The walker over single messages, for one request. */
  walker(): GraphWalker {
    return new GraphWalker(this.#reader, this.file, this.index);
  }

  /** Numbers of the nodes that fit. Yields now and then, so that the walk can be stopped. */
  *findNodes({ graph, query, op }: NodeQuery): Generator<number, readonly number[]> {
    const entry = graphAt(this.index, graph);
    const wanted = op === null ? undefined : this.index.ops.indexOf(op);
    const isOp = (node: number): boolean => wanted === undefined || entry.nodeOps[node] === wanted;
    const walker = this.walker();
    const text = (node: number): string => nodeText(walker.node(entry, node));
    return yield* this.#find(`nodes ${graph} ${op} ${query}`, entry.nodes.count, query, text, isOp);
  }

  /** Numbers of the values that fit: the words are looked for in name, kind, type and shape. */
  *findValues(graph: number, query: string): Generator<number, readonly number[]> {
    const entry = graphAt(this.index, graph);
    const walker = this.walker();
    const text = (value: number): string => valueText(walker.value(entry, value));
    return yield* this.#find(`values ${graph} ${query}`, entry.values.count, query, text);
  }

  *#find(
    key: string,
    count: number,
    query: string,
    text: (index: number) => string,
    isWanted: (index: number) => boolean = () => true,
  ): Generator<number, readonly number[]> {
    if (this.#found?.key === key) return this.#found.rows;
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const rows: number[] = [];
    for (let index = 0; index < count; index++) {
      if (index % STRIDE === 0) yield 0;
      if (!isWanted(index)) continue;
      const all = words.length === 0 ? "" : text(index).toLowerCase();
      if (words.every((word) => all.includes(word))) rows.push(index);
    }
    this.#found = { key, rows };
    return rows;
  }
}

/** Decodes single nodes and values of an indexed model; one budget holds for all that a request decodes. */
export class GraphWalker {
  readonly #proto: ProtoReader;
  readonly #index: GraphIndex;
  readonly #attributes: AttributeReader;

  constructor(reader: PositionalReader, file: string, index: GraphIndex) {
    const budget = new Budget(file, LIMITS);
    // Values of tensors are read beside the walk, and a view lives only until the reader's next call: the walk copies.
    const copying = {
      size: reader.size,
      read: (at: number, length: number) => new Uint8Array(reader.read(at, length)),
    };
    this.#proto = ProtoReader.open(copying, file, budget);
    this.#index = index;
    this.#attributes = new AttributeReader(reader, file, budget);
  }

  /** The message of a node, to read more of it than a row has. */
  nodeMessage(graph: GraphEntry, node: number): ProtoReader {
    return this.#proto.within(graph.nodes.at(node));
  }

  /** A node without its attributes. */
  node(graph: GraphEntry, index: number): NodeRow {
    const proto = this.nodeMessage(graph, index);
    const inputs: string[] = [];
    const outputs: string[] = [];
    let [name, op, domain, overload, moreNames] = ["", "", "", "", 0];
    while (proto.next()) {
      const names = proto.field === 1 ? inputs : proto.field === 2 ? outputs : undefined;
      if (names && names.length < MOST_NAMES) names.push(proto.shortText(MOST_NAME_BYTES));
      else if (names) moreNames += 1;
      else if (proto.field === 3) name = proto.shortText(MOST_NAME_BYTES);
      else if (proto.field === 4) op = proto.shortText(MOST_NAME_BYTES);
      else if (proto.field === 7) domain = proto.shortText(MOST_NAME_BYTES);
      else if (proto.field === 8) overload = proto.shortText(MOST_NAME_BYTES);
    }
    const subgraphs = (graph.subgraphs.get(index) ?? []).map((number) => {
      return { attribute: this.#index.graphs[number]?.parent?.attribute ?? "", graph: number };
    });
    const called = this.#index.functions.get(functionKey(domain, op, overload)) ?? null;
    const plain = plainDomain(domain);
    const shownOp = plain === "" ? op : `${plain}.${op}`;
    return { index, name, op: shownOp, inputs, outputs, moreNames, subgraphs, function: called };
  }

  /** An attribute, from its message. */
  attribute(proto: ProtoReader): NodeAttribute {
    return this.#attributes.read(proto);
  }

  /** A named value with its type. */
  value(graph: GraphEntry, index: number): ValueRow {
    const kind = graph.valueKinds[index] ?? "value";
    const extent = graph.values.at(index);
    if (kind === "functionInput" || kind === "functionOutput") {
      const name = this.#proto.textAt(extent, MOST_NAME_BYTES);
      return { index, kind, spec: { name, type: "tensor", dtype: null, shape: null }, docString: "" };
    }
    const proto = this.#proto.within(extent);
    if (kind === "initializer" || kind === "sparse") {
      const { values, shape } = kind === "sparse" ? readSparse(proto) : dense(proto);
      const { name, dtype } = values;
      return { index, kind, spec: { name, type: "tensor", dtype, shape }, docString: "" };
    }
    const { spec, document } = readValueInfo(proto);
    const docString = document.get("docString");
    return { index, kind, spec, docString: typeof docString === "string" ? docString : "" };
  }

  /** The name of a value; its type is not read. */
  valueName(graph: GraphEntry, index: number): string {
    const kind = graph.valueKinds[index];
    const extent = graph.values.at(index);
    if (kind === "functionInput" || kind === "functionOutput") return this.#proto.textAt(extent, MOST_NAME_BYTES);
    const proto = this.#proto.within(extent);
    const field = kind === "initializer" ? 8 : 1;
    let name = "";
    while (proto.next()) {
      if (proto.field !== field) continue;
      name = kind === "sparse" ? proto.message(nameOfTensor) : proto.shortText(MOST_NAME_BYTES);
    }
    return name;
  }
}

function dense(proto: ProtoReader): ReturnType<typeof readSparse> {
  const values = readTensorHeader(proto);
  return { values, shape: values.shape };
}

function nameOfTensor(proto: ProtoReader): string {
  let name = "";
  while (proto.next()) if (proto.field === 8) name = proto.shortText(MOST_NAME_BYTES);
  return name;
}

function nodeText({ op, name, inputs, outputs }: NodeRow): string {
  return [op, name, ...inputs, ...outputs].join(" ");
}

function valueText({ kind, spec: { name, type, dtype, shape } }: ValueRow): string {
  return `${kind} ${name} ${dtype ?? type} [${(shape ?? []).map((dim) => dim ?? "?").join(", ")}]`;
}
