import type { JobKey } from "../../base/ports";
import type { AttributeTensor, NodeAttribute } from "../../formats/onnx/attributes";
import type { GraphEntry } from "../../formats/onnx/graphIndex";
import type { NodeRow, ValueRow } from "../../formats/onnx/graphTable";
import type { NodeDetails } from "../../formats/onnx/nodeDetails";
import type { ShownValue } from "../../tensors/shownValues";
import type { ContentRef } from "../contentJobs";

export type { NodeRow, ValueRow };

/** A graph as a row of a table. */
export interface GraphRow {
  /** Its number in the model; 0 is the main graph. */
  readonly graph: number;
  readonly kind: GraphEntry["kind"];
  readonly name: string;
  /** Of a function; `""` is the standard domain. */
  readonly domain: string;
  /** The node that a subgraph belongs to, and the attribute it is in. */
  readonly owner: {
    readonly graph: number;
    readonly node: number;
    readonly op: string;
    readonly attribute: string;
  } | null;
  readonly nodes: number;
}

/** One graph as a whole. */
export interface GraphSummary extends GraphRow {
  /** The ONNX file, absolute. */
  readonly file: string;
  readonly docString: string;
  /** From the main graph to this one; of a function the main graph and itself. */
  readonly path: readonly GraphRow[];
  /** Named values: inputs, outputs, value infos, initializers. */
  readonly values: number;
  /** Nodes by operator, most frequent first, at most 500 of them; those inside of subgraphs are not counted. */
  readonly ops: readonly { readonly op: string; readonly count: number }[];
  /** Graphs and functions of the whole model. */
  readonly graphs: number;
}

/** Part of the rows that fit a query, and how many fit. */
export interface Rows<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
}

/** Which part of a table is wanted: rows that have every word of `query`. */
export interface RowsRequest {
  readonly ref: ContentRef;
  readonly query: string;
  readonly start: number;
  readonly count: number;
}

/** Values in their shown form. */
export interface ShownAttribute extends Omit<NodeAttribute, "values" | "tensors"> {
  readonly values: readonly ShownValue[];
  readonly tensors: readonly (Omit<AttributeTensor, "values"> & { readonly values: readonly ShownValue[] })[];
}

/** Everything about one node. */
export interface ShownNode extends Omit<NodeDetails, "attributes"> {
  readonly attributes: readonly ShownAttribute[];
}

/** A graph of an ONNX file; the first call looks the whole file through. */
export const describeGraphJob: JobKey<{ readonly ref: ContentRef; readonly graph: number }, GraphSummary> = {
  name: "graph.describe",
};

/** The graphs and functions of the model; the words are looked for in kind, name, domain and owner. */
export const listGraphsJob: JobKey<RowsRequest, Rows<GraphRow>> = { name: "graph.list" };

/** Nodes of a graph; the words are looked for in operator, name, inputs and outputs. */
export const listGraphNodesJob: JobKey<
  RowsRequest & { readonly graph: number; readonly op: string | null },
  Rows<NodeRow>
> = { name: "graph.nodes" };

/** Named values of a graph; the words are looked for in kind, name, type and shape. */
export const listGraphValuesJob: JobKey<RowsRequest & { readonly graph: number }, Rows<ValueRow>> = {
  name: "graph.values",
};

/** One node with attributes, and what its inputs and outputs connect to. */
export const describeNodeJob: JobKey<
  { readonly ref: ContentRef; readonly graph: number; readonly node: number },
  ShownNode
> = { name: "graph.node" };
