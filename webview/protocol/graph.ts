import * as z from "zod/mini";
import { cellSchema } from "./views";

/*
 * What a page shows of the graphs of an ONNX file: the main graph, subgraphs and functions, each by its number in the
 * model. Rows are asked for part by part, so that a graph may have any number of them; long texts are cut.
 */

const count = z.int().check(z.gte(0));
const list = <T extends z.ZodMiniType>(item: T) => z.readonly(z.array(item));
const shape = z.nullable(list(z.nullable(z.union([z.string(), z.number()]))));

/** Most rows that one answer carries. */
export const GRAPH_PART = 200;

/** A graph or function as a row. */
export const graphRowSchema = z.strictObject({
  graph: count,
  kind: z.enum(["main", "subgraph", "function"]),
  name: z.string(),
  /** Of a function; `""` is the standard domain. */
  domain: z.string(),
  /** The node that a subgraph belongs to, and the attribute it is in. */
  owner: z.nullable(z.strictObject({ graph: count, node: count, op: z.string(), attribute: z.string() })),
  nodes: count,
});
/** A graph or function as a row. */
export type GraphRow = z.infer<typeof graphRowSchema>;

/** One graph as a whole. */
export const graphViewSchema = z.strictObject({
  ...graphRowSchema.shape,
  docString: z.string(),
  /** From the main graph to this one. */
  path: list(graphRowSchema),
  values: count,
  /** Nodes by operator, the most frequent first. */
  ops: list(z.strictObject({ op: z.string(), count })),
  /** Graphs and functions of the whole model. */
  graphs: count,
  /** Whether an extension is there that draws the file. */
  hasNetron: z.boolean(),
});
/** One graph as a whole. */
export type GraphView = z.infer<typeof graphViewSchema>;

const subgraphs = list(z.strictObject({ attribute: z.string(), graph: count }));

/** A node as a row. */
export const nodeRowSchema = z.strictObject({
  /** Place among the nodes of its graph. */
  index: count,
  name: z.string(),
  op: z.string(),
  /** An input that is left out is `""`. */
  inputs: list(z.string()),
  outputs: list(z.string()),
  moreNames: count,
  subgraphs,
  /** The function that the node calls. */
  function: z.nullable(count),
});
/** A node as a row. */
export type NodeRow = z.infer<typeof nodeRowSchema>;

/** A named value of a graph. */
export const valueRowSchema = z.strictObject({
  index: count,
  kind: z.enum(["input", "output", "value", "initializer", "sparse", "functionInput", "functionOutput"]),
  spec: z.strictObject({
    name: z.string(),
    type: z.enum(["tensor", "sequence", "map", "optional"]),
    dtype: z.nullable(z.string()),
    shape,
  }),
  docString: z.string(),
});
/** A named value of a graph. */
export type ValueRow = z.infer<typeof valueRowSchema>;

const linkSchema = z.strictObject({ graph: count, node: count, op: z.string(), name: z.string() });
/** A node that makes or takes a value. */
export type NodeLink = z.infer<typeof linkSchema>;

/** An input or output of a node, and what it connects to. */
export const nodeValueSchema = z.strictObject({
  name: z.string(),
  declared: z.nullable(valueRowSchema),
  producer: z.nullable(linkSchema),
  consumers: list(linkSchema),
  moreConsumers: count,
  isGraphOutput: z.boolean(),
});
/** An input or output of a node, and what it connects to. */
export type NodeValue = z.infer<typeof nodeValueSchema>;

/** An attribute of a node with its first values. */
export const attributeSchema = z.strictObject({
  name: z.string(),
  type: z.string(),
  values: list(cellSchema),
  count,
  tensors: list(
    z.strictObject({
      name: z.string(),
      dtype: z.nullable(z.string()),
      nativeDtype: z.string(),
      shape: list(z.number()),
      values: list(cellSchema),
    }),
  ),
  /** The attribute of the function's caller that gives the value; else `""`. */
  refersTo: z.string(),
  docString: z.string(),
});
/** An attribute of a node with its first values. */
export type AttributeView = z.infer<typeof attributeSchema>;

/** Everything about one node. */
export const nodeViewSchema = z.strictObject({
  ...nodeRowSchema.shape,
  docString: z.string(),
  attributes: list(attributeSchema),
  moreAttributes: count,
  metadata: list(z.readonly(z.tuple([z.string(), z.string()]))),
  inputs: list(nodeValueSchema),
  outputs: list(nodeValueSchema),
});
/** Everything about one node. */
export type NodeView = z.infer<typeof nodeViewSchema>;

const part = { query: z.string(), start: count, count: z.int().check(z.gte(1), z.lte(GRAPH_PART)) };
const rowsOf = <T extends z.ZodMiniType>(row: T) => z.strictObject({ rows: list(row), total: count });

/** Parameters and result of every request about graphs. */
export const graphRequestSchemas = {
  "graph/describe": [z.strictObject({ graph: count }), graphViewSchema],
  "graph/graphs": [z.strictObject(part), rowsOf(graphRowSchema)],
  "graph/nodes": [z.strictObject({ graph: count, op: z.nullable(z.string()), ...part }), rowsOf(nodeRowSchema)],
  "graph/values": [z.strictObject({ graph: count, ...part }), rowsOf(valueRowSchema)],
  "graph/node": [z.strictObject({ graph: count, node: count }), nodeViewSchema],
  "graph/openNetron": [z.strictObject({}), z.null()],
} as const;

type Schemas = typeof graphRequestSchemas;
type Request<K extends keyof Schemas> = [z.infer<Schemas[K][0]>, z.infer<Schemas[K][1]>];

/** Every request about the graphs of a page's subject, `[parameters, result]`. */
export interface GraphRequests {
  /** The first request looks the whole file through. */
  "graph/describe": Request<"graph/describe">;
  /** Graphs and functions that have every word of `query`. */
  "graph/graphs": Request<"graph/graphs">;
  /** Nodes that have every word of `query` in operator, name, inputs or outputs. */
  "graph/nodes": Request<"graph/nodes">;
  /** Values that have every word of `query` in kind, name, type or shape. */
  "graph/values": Request<"graph/values">;
  "graph/node": Request<"graph/node">;
  /** Opens the file in the extension that draws it. */
  "graph/openNetron": Request<"graph/openNetron">;
}
