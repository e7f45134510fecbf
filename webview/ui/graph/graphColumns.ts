import type { GraphRow, NodeRow, ValueRow } from "../../protocol/graph";
import type { StringKey } from "../../protocol/strings";
import { formatShape } from "../format";
import type { Translate } from "../texts";
import type { GraphTable, TableRow } from "./graphState";

/** One column of a table. */
export interface Column {
  readonly title: StringKey;
  /** As a grid template has it. */
  readonly width: string;
  /** What is too long loses its beginning: names of neighbours differ at their ends. */
  readonly keepsEnd?: boolean;
  readonly cell: (row: TableRow, t: Translate) => string;
}

const NAME = "minmax(140px, 2fr)";

/** The columns of each table. */
export const COLUMNS: Readonly<Record<GraphTable, readonly Column[]>> = {
  nodes: [
    { title: "graph.column.number", width: "56px", cell: node(({ index }) => String(index)) },
    { title: "graph.column.op", width: "minmax(120px, 1fr)", cell: node(opText) },
    { title: "graph.column.name", width: NAME, keepsEnd: true, cell: node(({ name }) => name) },
    { title: "graph.column.inputs", width: NAME, keepsEnd: true, cell: node(({ inputs }) => names(inputs)) },
    { title: "graph.column.outputs", width: NAME, keepsEnd: true, cell: node(({ outputs }) => names(outputs)) },
  ],
  values: [
    { title: "graph.column.name", width: "minmax(160px, 3fr)", keepsEnd: true, cell: value(({ spec }) => spec.name) },
    { title: "graph.column.kind", width: "minmax(110px, 1fr)", cell: value(({ kind }, t) => t(`graph.kind.${kind}`)) },
    { title: "graph.column.type", width: "minmax(100px, 1fr)", cell: value(({ spec }) => spec.dtype ?? spec.type) },
    {
      title: "graph.column.shape",
      width: "minmax(120px, 2fr)",
      cell: value(({ spec }, t) => shapeText(spec.shape, t)),
    },
  ],
  graphs: [
    { title: "graph.column.name", width: "minmax(160px, 3fr)", cell: graph(graphName) },
    { title: "graph.column.kind", width: "minmax(110px, 1fr)", cell: graph(({ kind }, t) => t(`graph.kind.${kind}`)) },
    { title: "graph.column.owner", width: "minmax(140px, 2fr)", cell: graph(({ owner }) => ownerText(owner)) },
    { title: "graph.column.nodes", width: "80px", cell: graph(({ nodes }) => String(nodes)) },
  ],
};

/** What a graph is called: a function with its domain, a subgraph by its attribute when it has no name. */
export function graphName({ kind, name, domain, owner }: GraphRow, t: Translate): string {
  if (kind === "function") return domain === "" ? name : `${domain}.${name}`;
  if (kind === "main") return name === "" ? t("graph.kind.main") : name;
  return name === "" ? (owner?.attribute ?? "") : name;
}

/** A type as a text: `float32 [N, 3]`; unknown parts are left out. */
export function typeText({ type, dtype, shape }: ValueRow["spec"], t: Translate): string {
  if (type !== "tensor") return type;
  return [dtype ?? "", shape === null && dtype === null ? "" : shapeText(shape, t)].filter(Boolean).join(" ");
}

/** Whether a node can be gone into. */
function opText({ op, subgraphs, function: called }: NodeRow): string {
  return subgraphs.length > 0 || called !== null ? `${op} ▸` : op;
}

function ownerText(owner: GraphRow["owner"]): string {
  return owner === null ? "" : `${owner.op} ${owner.node}, ${owner.attribute}`;
}

function shapeText(shape: ValueRow["spec"]["shape"], t: Translate): string {
  return shape === null ? t("graph.anyShape") : formatShape(shape);
}

/** An input that is left out has no name. */
function names(all: readonly string[]): string {
  return all.map((name) => (name === "" ? "–" : name)).join(", ");
}

function node(cell: (row: NodeRow, t: Translate) => string): Column["cell"] {
  return (row, t) => ("op" in row ? cell(row, t) : "");
}

function value(cell: (row: ValueRow, t: Translate) => string): Column["cell"] {
  return (row, t) => ("spec" in row ? cell(row, t) : "");
}

function graph(cell: (row: GraphRow, t: Translate) => string): Column["cell"] {
  return (row, t) => ("graph" in row ? cell(row, t) : "");
}
