import { Budget } from "../../base/budget";
import { ModelbenchError } from "../../base/errors";
import type { PositionalReader } from "../../base/ports";
import { type ByteRange, ProtoReader } from "../protobuf";

/** Longest name that is read whole, in bytes; real ones are paths of a few hundred. */
export const MOST_NAME_BYTES = 4_000;

/** What is kept of one file: nodes, values and graphs together. At some 24 bytes each this bounds the memory. */
const MOST_KEPT = 2_000_000;
/** The walk itself is the header's, so its bounds are too. */
const LIMITS = { nodes: 20_000_000, bytes: 256 * 2 ** 20, depth: 100, timeMs: 30_000 };

/** What a named value of a graph is; those of a function are names without a type. */
export type ValueKind = "input" | "output" | "value" | "initializer" | "sparse" | "functionInput" | "functionOutput";

/** Where the messages of one kind lie, in file order. */
export class Extents {
  readonly #offsets: number[] = [];

  get count(): number {
    return this.#offsets.length / 2;
  }

  add({ start, end }: ByteRange): void {
    this.#offsets.push(start, end);
  }

  /** Where message `index` lies; an empty range at 0 beyond the end. */
  at(index: number): ByteRange {
    return { start: this.#offsets[2 * index] ?? 0, end: this.#offsets[2 * index + 1] ?? 0 };
  }
}

/** A graph or a function of a model, without what its nodes and values say. */
export interface GraphEntry {
  readonly kind: "main" | "subgraph" | "function";
  readonly name: string;
  /** Of a function; `""` is the standard domain. */
  readonly domain: string;
  readonly overload: string;
  readonly docString: string;
  /** The node that a subgraph belongs to. */
  readonly parent: { readonly graph: number; readonly node: number; readonly attribute: string } | undefined;
  readonly nodes: Extents;
  /** Per node the number of its operator in `GraphIndex.ops`. */
  readonly nodeOps: readonly number[];
  readonly values: Extents;
  readonly valueKinds: readonly ValueKind[];
  /** Subgraphs by the node they belong to, in the order of its attributes. */
  readonly subgraphs: ReadonlyMap<number, readonly number[]>;
}

/** Where everything of a model's graphs lies. */
export interface GraphIndex {
  /** The main graph first, then subgraphs and functions in file order. */
  readonly graphs: readonly GraphEntry[];
  /** Operators as `Op` or `domain.Op`. */
  readonly ops: readonly string[];
  /** Numbers of the functions by `functionKey`. */
  readonly functions: ReadonlyMap<string, number>;
}

/** What a node that calls a function and the function itself agree in. */
export function functionKey(domain: string, name: string, overload: string): string {
  return JSON.stringify([plainDomain(domain), name, overload]);
}

/** The standard domain has two names. */
export function plainDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

/**
 * Walks a model once and notes where its nodes and values lie, so that any of them can be read later by itself.
 * @throws ModelbenchError `format.corrupt`, `budget.exceeded` for more than 2,000,000 of them
 */
export function indexGraphs(reader: PositionalReader, name: string): GraphIndex {
  const indexer = new GraphIndexer(new Budget(name, { nodes: MOST_KEPT }));
  indexer.model(ProtoReader.open(reader, name, new Budget(name, LIMITS)));
  return indexer;
}

class Entry implements GraphEntry {
  name = "";
  domain = "";
  overload = "";
  docString = "";
  readonly nodes = new Extents();
  readonly nodeOps: number[] = [];
  readonly values = new Extents();
  readonly valueKinds: ValueKind[] = [];
  readonly subgraphs = new Map<number, number[]>();

  readonly id: number;
  readonly kind: GraphEntry["kind"];
  readonly parent: { graph: number; node: number; attribute: string } | undefined;

  constructor(id: number, kind: GraphEntry["kind"], parent: Entry["parent"]) {
    this.id = id;
    this.kind = kind;
    this.parent = parent;
  }
}

const GRAPH_VALUES: Readonly<Record<number, ValueKind>> = {
  5: "initializer",
  11: "input",
  12: "output",
  13: "value",
  15: "sparse",
};
const FUNCTION_VALUES: Readonly<Record<number, ValueKind>> = { 4: "functionInput", 5: "functionOutput", 12: "value" };

class GraphIndexer implements GraphIndex {
  readonly graphs: Entry[] = [];
  readonly ops: string[] = [];
  readonly functions = new Map<string, number>();
  readonly #opNumbers = new Map<string, number>();
  readonly #kept: Budget;

  constructor(kept: Budget) {
    this.#kept = kept;
  }

  model(model: ProtoReader): void {
    const main = this.#entry("main", undefined);
    while (model.next()) {
      if (model.field === 7) model.message((graph) => this.#graph(graph, main));
      else if (model.field === 25) model.message((proto) => this.#function(proto));
    }
  }

  #entry(kind: Entry["kind"], parent: Entry["parent"]): Entry {
    this.#kept.nodes();
    const entry = new Entry(this.graphs.length, kind, parent);
    this.graphs.push(entry);
    return entry;
  }

  #graph(graph: ProtoReader, entry: Entry): void {
    while (graph.next()) {
      if (graph.field === 1) this.#node(graph, entry);
      else if (graph.field === 2) entry.name = graph.shortText(MOST_NAME_BYTES);
      else if (graph.field === 10) entry.docString = graph.shortText(MOST_NAME_BYTES);
      else this.#value(graph, entry, GRAPH_VALUES[graph.field]);
    }
  }

  #function(proto: ProtoReader): void {
    const entry = this.#entry("function", undefined);
    while (proto.next()) {
      if (proto.field === 1) entry.name = proto.shortText(MOST_NAME_BYTES);
      else if (proto.field === 7) this.#node(proto, entry);
      else if (proto.field === 8) entry.docString = proto.shortText(MOST_NAME_BYTES);
      else if (proto.field === 10) entry.domain = proto.shortText(MOST_NAME_BYTES);
      else if (proto.field === 13) entry.overload = proto.shortText(MOST_NAME_BYTES);
      else this.#value(proto, entry, FUNCTION_VALUES[proto.field]);
    }
    this.functions.set(functionKey(entry.domain, entry.name, entry.overload), entry.id);
  }

  #value(proto: ProtoReader, entry: Entry, kind: ValueKind | undefined): void {
    if (kind === undefined) return;
    this.#kept.nodes();
    entry.values.add(proto.range());
    entry.valueKinds.push(kind);
  }

  #node(graph: ProtoReader, entry: Entry): void {
    this.#kept.nodes();
    const number = entry.nodes.count;
    graph.message((node) => {
      entry.nodes.add(node.extent);
      let op = "";
      let domain = "";
      while (node.next()) {
        if (node.field === 4) op = node.shortText(MOST_NAME_BYTES);
        else if (node.field === 7) domain = node.shortText(MOST_NAME_BYTES);
        else if (node.field === 5) node.message((attribute) => this.#attribute(attribute, entry, number));
      }
      entry.nodeOps.push(this.#opNumber(op, plainDomain(domain)));
    });
  }

  #attribute(attribute: ProtoReader, owner: Entry, node: number): void {
    let name = "";
    let single: Entry | undefined;
    const found: Entry[] = [];
    const subgraph = (): Entry => {
      const entry = this.#entry("subgraph", { graph: owner.id, node, attribute: "" });
      found.push(entry);
      return entry;
    };
    while (attribute.next()) {
      if (attribute.field === 1) name = attribute.shortText(MOST_NAME_BYTES);
      else if (attribute.field === 6) {
        // Two of a field that is not repeated are one message.
        single ??= subgraph();
        const entry = single;
        attribute.message((graph) => this.#graph(graph, entry));
      } else if (attribute.field === 11) {
        const entry = subgraph();
        attribute.message((graph) => this.#graph(graph, entry));
      }
    }
    if (found.length === 0) return;
    // The attribute's name may stand behind its graphs.
    for (const { parent } of found) if (parent) parent.attribute = name;
    const known = owner.subgraphs.get(node);
    const ids = found.map(({ id }) => id);
    owner.subgraphs.set(node, known ? [...known, ...ids] : ids);
  }

  #opNumber(op: string, domain: string): number {
    const key = domain === "" ? op : `${domain}.${op}`;
    const known = this.#opNumbers.get(key);
    if (known !== undefined) return known;
    this.#opNumbers.set(key, this.ops.length);
    this.ops.push(key);
    return this.ops.length - 1;
  }
}

/** A graph by its number. @throws ModelbenchError `internal` when there is none */
export function graphAt(index: GraphIndex, graph: number): GraphEntry {
  const entry = index.graphs[graph];
  if (!entry) throw new ModelbenchError("internal", `There is no graph ${graph}; ${index.graphs.length} are there.`);
  return entry;
}
