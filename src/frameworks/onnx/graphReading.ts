import { ModelbenchError } from "../../base/errors";
import type { JobOptions } from "../../base/ports";
import { type GraphEntry, graphAt } from "../../formats/onnx/graphIndex";
import type { NodeRow, OnnxGraphs, ValueRow } from "../../formats/onnx/graphTable";
import { readNodeDetails } from "../../formats/onnx/nodeDetails";
import { paced } from "../../store/pace";
import { shownValue } from "../../tensors/shownValues";
import type { ContentRef } from "../contentJobs";
import { contents } from "../contentReading";
import type { GraphRow, GraphSummary, Rows, RowsRequest, ShownNode } from "./graphJobs";

/** The work behind `describeGraphJob`. @throws ModelbenchError `format.corrupt`, `budget.exceeded`, `internal` */
export function runDescribeGraph(input: { readonly ref: ContentRef; readonly graph: number }): Promise<GraphSummary> {
  return withGraphs(input.ref, (graphs) => summaryOf(graphs, input.graph));
}

/** The work behind `listGraphsJob`. @throws ModelbenchError `format.corrupt`, `budget.exceeded` */
export function runListGraphs({ ref, query, start, count }: RowsRequest): Promise<Rows<GraphRow>> {
  return withGraphs(ref, (graphs) => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const found: GraphRow[] = [];
    graphs.index.graphs.forEach((_, graph) => {
      const row = graphRow(graphs, graph);
      const { kind, name, domain, owner } = row;
      const text = `${kind} ${domain}.${name} ${owner?.op ?? ""} ${owner?.attribute ?? ""}`.toLowerCase();
      if (words.every((word) => text.includes(word))) found.push(row);
    });
    return { rows: short(found.slice(start, start + count)), total: found.length };
  });
}

/** The work behind `listGraphNodesJob`. @throws ModelbenchError `format.corrupt`, `budget.exceeded`, `cancelled` */
export function runListGraphNodes(
  input: RowsRequest & { readonly graph: number; readonly op: string | null },
  { signal }: JobOptions = {},
): Promise<Rows<NodeRow>> {
  return withGraphs(input.ref, async (graphs) => {
    const graph = graphAt(graphs.index, input.graph);
    const walker = graphs.walker();
    const isAll = input.query.trim() === "" && input.op === null;
    const found = isAll ? undefined : await paced(graphs.findNodes(input), undefined, { signal });
    return part(input, found, graph.nodes.count, (node) => short(shortRow(walker.node(graph, node))));
  });
}

/** The work behind `listGraphValuesJob`. @throws ModelbenchError `format.corrupt`, `budget.exceeded`, `cancelled` */
export function runListGraphValues(
  input: RowsRequest & { readonly graph: number },
  { signal }: JobOptions = {},
): Promise<Rows<ValueRow>> {
  return withGraphs(input.ref, async (graphs) => {
    const graph = graphAt(graphs.index, input.graph);
    const walker = graphs.walker();
    const isAll = input.query.trim() === "";
    const found = isAll ? undefined : await paced(graphs.findValues(input.graph, input.query), undefined, { signal });
    return part(input, found, graph.values.count, (value) => short(walker.value(graph, value)));
  });
}

/** The work behind `describeNodeJob`. @throws ModelbenchError `format.corrupt`, `budget.exceeded`, `cancelled` */
export function runDescribeNode(
  { ref, graph, node }: { readonly ref: ContentRef; readonly graph: number; readonly node: number },
  { signal }: JobOptions = {},
): Promise<ShownNode> {
  return withGraphs(ref, async (graphs) => {
    const details = await paced(readNodeDetails(graphs, { graph, node }), undefined, { signal });
    return short({
      ...details,
      attributes: details.attributes.map((attribute) => ({
        ...attribute,
        values: attribute.values.map(shownValue),
        tensors: attribute.tensors.map((tensor) => ({ ...tensor, values: tensor.values.map(shownValue) })),
      })),
    });
  });
}

function withGraphs<T>(ref: ContentRef, use: (graphs: OnnxGraphs) => T | Promise<T>): Promise<T> {
  return contents.lend(ref, ({ content }) => {
    const graphs = content.graphs?.();
    if (!graphs) throw new ModelbenchError("internal", "There is no graph in it.");
    return use(graphs);
  });
}

/** Inputs and outputs that a row has. */
const MOST_NAMES = 16;
/** Longest text that is shown, in UTF-16 units: what crosses to the page stays small whatever a file holds. */
const MOST_TEXT = 300;

function shortRow(row: NodeRow): NodeRow {
  const { inputs, outputs } = row;
  const beyond = Math.max(0, inputs.length - MOST_NAMES) + Math.max(0, outputs.length - MOST_NAMES);
  const names = { inputs: inputs.slice(0, MOST_NAMES), outputs: outputs.slice(0, MOST_NAMES) };
  return { ...row, ...names, moreNames: row.moreNames + beyond, subgraphs: row.subgraphs.slice(0, MOST_NAMES) };
}

/** The same data with every long text cut; what is shown is small data, nested a few levels. */
function short<T>(value: T): T {
  if (typeof value === "string") return (value.length > MOST_TEXT ? `${value.slice(0, MOST_TEXT)}…` : value) as T;
  if (Array.isArray(value)) return value.map((item) => short<unknown>(item)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, short(item)])) as T;
}

/** Rows `[start, start + count)` of those found, or of all of them. */
function part<Row>(
  { start, count }: RowsRequest,
  found: readonly number[] | undefined,
  all: number,
  row: (index: number) => Row,
): Rows<Row> {
  const total = found?.length ?? all;
  const length = Math.max(0, Math.min(count, total - start));
  const indices = Array.from({ length }, (_, index) => found?.[start + index] ?? start + index);
  return { rows: indices.map(row), total };
}

function summaryOf(graphs: OnnxGraphs, graph: number): GraphSummary {
  const entry = graphAt(graphs.index, graph);
  const summary = {
    ...graphRow(graphs, graph),
    docString: entry.docString,
    path: pathTo(graphs, graph).map((number) => graphRow(graphs, number)),
    values: entry.values.count,
    ops: opCounts(graphs, entry),
    graphs: graphs.index.graphs.length,
  };
  return { file: graphs.file, ...short(summary) };
}

function pathTo(graphs: OnnxGraphs, graph: number): number[] {
  const path = [graph];
  for (let at = graphAt(graphs.index, graph); at.parent; at = graphAt(graphs.index, at.parent.graph)) {
    path.unshift(at.parent.graph);
  }
  return path[0] === 0 ? path : [0, ...path];
}

function graphRow({ index }: OnnxGraphs, graph: number): GraphRow {
  const { kind, name, domain, parent, nodes } = graphAt(index, graph);
  const op = parent && index.ops[index.graphs[parent.graph]?.nodeOps[parent.node] ?? -1];
  const owner = parent ? { ...parent, op: op ?? "" } : null;
  return { graph, kind, name, domain, owner, nodes: nodes.count };
}

/** Operators that are listed; the most frequent ones. A real graph has some fifty. */
const MOST_OPS = 500;

function opCounts({ index }: OnnxGraphs, { nodeOps }: GraphEntry): GraphSummary["ops"] {
  const counts = new Map<number, number>();
  for (const op of nodeOps) counts.set(op, (counts.get(op) ?? 0) + 1);
  const rows = [...counts].map(([op, count]) => ({ op: index.ops[op] ?? "", count }));
  return rows.sort((a, b) => b.count - a.count).slice(0, MOST_OPS);
}
