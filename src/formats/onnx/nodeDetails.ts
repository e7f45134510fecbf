import { ModelbenchError } from "../../base/errors";
import type { NodeAttribute } from "./attributes";
import { type GraphEntry, graphAt, MOST_NAME_BYTES } from "./graphIndex";
import type { GraphWalker, NodeRow, OnnxGraphs, ValueRow } from "./graphTable";
import { readPair } from "./tensorHeader";

/** Attributes, pairs and consumers of one node that are read; how many more there are is said beside them. */
const MOST = { attributes: 100, pairs: 50, consumers: 20, values: 200 };
/** Nodes or values after which a long walk lets others have a turn. */
const STRIDE = 256;

/** A node that makes or takes a value. */
export interface NodeLink {
  readonly graph: number;
  readonly node: number;
  readonly op: string;
  readonly name: string;
}

/** An input or output of a node: what is known of the value, and which other nodes it connects to. */
export interface NodeValue {
  readonly name: string;
  /** Where the value is declared, in this graph or one around it; `null` when nothing tells its type. */
  readonly declared: ValueRow | null;
  /** The node whose output an input is. */
  readonly producer: NodeLink | null;
  /** Nodes that take an output, also those in subgraphs. */
  readonly consumers: readonly NodeLink[];
  readonly moreConsumers: number;
  /** An output of the node that is an output of its graph. */
  readonly isGraphOutput: boolean;
}

/** Everything about one node. */
export interface NodeDetails extends Omit<NodeRow, "inputs" | "outputs"> {
  readonly docString: string;
  readonly attributes: readonly NodeAttribute[];
  readonly moreAttributes: number;
  readonly metadata: readonly (readonly [key: string, value: string])[];
  readonly inputs: readonly NodeValue[];
  readonly outputs: readonly NodeValue[];
}

/**
 * Reads a node, and looks through its graph and those around it for what its inputs and outputs are. Yields now and
 * then, so that the walk can be stopped.
 * @throws ModelbenchError `format.corrupt`, `budget.exceeded`, `internal` when there is no such node
 */
export function* readNodeDetails(
  graphs: OnnxGraphs,
  at: { readonly graph: number; readonly node: number },
): Generator<number, NodeDetails> {
  const entry = graphAt(graphs.index, at.graph);
  if (at.node >= entry.nodes.count) {
    throw new ModelbenchError("internal", `There is no node ${at.node}; ${entry.nodes.count} are there.`);
  }
  const walker = graphs.walker();
  const row = walker.node(entry, at.node);
  const links = new Links(graphs, walker, row);
  yield* links.look(at.graph);
  const own = readOwn(walker, entry, at.node);
  return {
    ...row,
    ...own,
    moreNames: row.moreNames + beyond(row.inputs) + beyond(row.outputs),
    inputs: row.inputs.slice(0, MOST.values).map((name) => links.input(name)),
    outputs: row.outputs.slice(0, MOST.values).map((name) => links.output(name)),
  };
}

function beyond(names: readonly string[]): number {
  return Math.max(0, names.length - MOST.values);
}

type Own = Pick<NodeDetails, "docString" | "attributes" | "moreAttributes" | "metadata">;

function readOwn(walker: GraphWalker, graph: GraphEntry, node: number): Own {
  const proto = walker.nodeMessage(graph, node);
  const attributes: NodeAttribute[] = [];
  const metadata: [string, string][] = [];
  let [docString, moreAttributes] = ["", 0];
  while (proto.next()) {
    if (proto.field === 6) docString = proto.shortText(MOST_NAME_BYTES);
    else if (proto.field === 5 && attributes.length < MOST.attributes) {
      attributes.push(proto.message((attribute) => walker.attribute(attribute)));
    } else if (proto.field === 5) moreAttributes += 1;
    else if (proto.field === 9 && metadata.length < MOST.pairs) {
      readPair(proto, (key, value) => metadata.push([key, value.slice(0, MOST_NAME_BYTES)]));
    }
  }
  return { docString, attributes, moreAttributes, metadata };
}

interface Found {
  declared: ValueRow | null;
  producer: NodeLink | null;
  consumers: NodeLink[];
  moreConsumers: number;
  isGraphOutput: boolean;
}

/** Gathers what a node's names mean: inner graphs see the names of those around them, functions do not. */
class Links {
  readonly #graphs: OnnxGraphs;
  readonly #walker: GraphWalker;
  readonly #inputs: Map<string, Found>;
  readonly #outputs: Map<string, Found>;

  constructor(graphs: OnnxGraphs, walker: GraphWalker, row: NodeRow) {
    this.#graphs = graphs;
    this.#walker = walker;
    // An input or output that is left out has an empty name.
    const founds = (names: readonly string[]): Map<string, Found> =>
      new Map(names.filter((name) => name !== "").map((name) => [name, nothing()]));
    this.#inputs = founds(row.inputs);
    this.#outputs = founds(row.outputs);
  }

  input(name: string): NodeValue {
    return { name, ...(this.#inputs.get(name) ?? nothing()) };
  }

  output(name: string): NodeValue {
    return { name, ...(this.#outputs.get(name) ?? nothing()) };
  }

  *look(graph: number): Generator<number> {
    const own = graphAt(this.#graphs.index, graph);
    yield* this.#values(own, [this.#inputs, this.#outputs], true);
    yield* this.#nodes(graph, own, true);
    const open = new Map([...this.#inputs].filter(([, found]) => !isResolved(found)));
    for (let around = own.parent; around && open.size > 0; ) {
      const outer = graphAt(this.#graphs.index, around.graph);
      yield* this.#values(outer, [open], false);
      yield* this.#producers(around.graph, outer, open);
      for (const [name, found] of open) if (isResolved(found)) open.delete(name);
      around = outer.parent;
    }
  }

  /** Notes the declarations; the type that an initializer or an output has counts as well as a value info's. */
  *#values(graph: GraphEntry, wanted: readonly Map<string, Found>[], isOwn: boolean): Generator<number> {
    for (let index = 0; index < graph.values.count; index++) {
      if (index % STRIDE === 0) yield 0;
      const name = this.#walker.valueName(graph, index);
      for (const found of wanted.flatMap((names) => names.get(name) ?? [])) {
        const value = this.#walker.value(graph, index);
        if (isOwn && (value.kind === "output" || value.kind === "functionOutput")) found.isGraphOutput = true;
        if (found.declared === null || isBetter(value, found.declared)) found.declared = value;
      }
    }
  }

  /** Producers of the inputs and consumers of the outputs, in the node's own graph and those inside it. */
  *#nodes(number: number, graph: GraphEntry, isOwn: boolean): Generator<number> {
    for (let index = 0; index < graph.nodes.count; index++) {
      if (index % STRIDE === 0) yield 0;
      const row = this.#walker.node(graph, index);
      const link = { graph: number, node: index, op: row.op, name: row.name };
      if (isOwn) this.#produced(row, link, this.#inputs);
      for (const name of new Set(row.inputs)) this.#consumed(link, this.#outputs.get(name));
      for (const { graph: inner } of row.subgraphs)
        yield* this.#nodes(inner, graphAt(this.#graphs.index, inner), false);
    }
  }

  *#producers(number: number, graph: GraphEntry, wanted: ReadonlyMap<string, Found>): Generator<number> {
    for (let index = 0; index < graph.nodes.count; index++) {
      if (index % STRIDE === 0) yield 0;
      const row = this.#walker.node(graph, index);
      this.#produced(row, { graph: number, node: index, op: row.op, name: row.name }, wanted);
    }
  }

  #produced(row: NodeRow, link: NodeLink, wanted: ReadonlyMap<string, Found>): void {
    for (const name of row.outputs) {
      const found = wanted.get(name);
      if (found) found.producer ??= link;
    }
  }

  #consumed(link: NodeLink, found: Found | undefined): void {
    if (!found) return;
    if (found.consumers.length < MOST.consumers) found.consumers.push(link);
    else found.moreConsumers += 1;
  }
}

function nothing(): Found {
  return { declared: null, producer: null, consumers: [], moreConsumers: 0, isGraphOutput: false };
}

/** Where the value comes from is known; a declared type alone may be of an inner name. */
function isResolved({ declared, producer }: Found): boolean {
  return producer !== null || (declared !== null && declared.kind !== "value" && declared.kind !== "output");
}

/** An initializer says more than the graph input of the same name, and a type more than none. */
function isBetter(value: ValueRow, known: ValueRow): boolean {
  if (value.kind === "initializer" || value.kind === "sparse") return known.kind !== "initializer";
  return (
    known.spec.dtype === null && known.spec.shape === null && (value.spec.dtype !== null || value.spec.shape !== null)
  );
}
