import { childNodes, type TreeNode, type TreeState, topNodes } from "../../../../src/extension/tree/treeModel";
import { type RowContext, rowOf } from "../../../../src/extension/tree/treeRow";

/** The whole tree as text, one row a line, as a golden file holds it. */
export function treeText(state: TreeState, context: RowContext): string {
  const lines: string[] = [];
  const add = (node: TreeNode, depth: number): void => {
    const row = rowOf(node, context);
    const margin = "  ".repeat(depth);
    lines.push(`${margin}(${row.icon}${row.warns ? "!" : ""}) ${row.label} | ${row.description}`);
    lines.push(`${margin}    id=${row.id} context="${row.contextValue}"`);
    lines.push(`${margin}    says "${row.spoken}"`);
    for (const line of row.tooltip.split("\n")) lines.push(`${margin}    tip ${line.trimEnd()}`);
    for (const child of childNodes(node, state)) add(child, depth + 1);
  };
  for (const node of topNodes(state)) add(node, 0);
  return `${lines.join("\n")}\n`;
}
