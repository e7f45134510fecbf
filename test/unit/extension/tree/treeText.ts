import type { Slice } from "../../../../src/base/slice";
import { type Arrangement, arrange, type TreeState } from "../../../../src/extension/tree/arrange";
import { nodeId, type TreeNode } from "../../../../src/extension/tree/treeModel";
import { type RowContext, rowOf } from "../../../../src/extension/tree/treeRow";
import { frameworkOf } from "../../../../src/store/filter";

/** A state with everything at its default. */
export function treeState(snapshots: TreeState["snapshots"], parts: Partial<TreeState> = {}): TreeState {
  return {
    ...{ snapshots, sortBy: "created", groupBy: "name", accepts: undefined, labels: new Map(), pins: new Map() },
    ...{ frameworkOf, ...parts },
  };
}

/** The arrangement of a state, with how often the work let others run. */
export function arranged(state: TreeState, slice?: Slice): Arrangement & { readonly pauses: number } {
  const work = arrange(state, slice);
  for (let pauses = 0; ; pauses++) {
    const step = work.next();
    if (step.done) return Object.assign(step.value, { pauses });
  }
}

/** Every row as its id, indented. */
export function outline(arrangement: Arrangement): string[] {
  const lines: string[] = [];
  const add = (node: TreeNode, depth: number): void => {
    lines.push(`${"  ".repeat(depth)}${nodeId(node)}`);
    for (const child of arrangement.children(node)) add(child, depth + 1);
  };
  for (const node of arrangement.tops) add(node, 0);
  return lines;
}

/** The whole tree as text, one row a line, as a golden file holds it. */
export function treeText(context: RowContext): string {
  const lines: string[] = [];
  const add = (node: TreeNode, depth: number): void => {
    const row = rowOf(node, context);
    const margin = "  ".repeat(depth);
    lines.push(`${margin}(${row.icon}${row.warns ? "!" : ""}) ${row.label} | ${row.description}`);
    lines.push(`${margin}    id=${row.id} context="${row.contextValue}"`);
    lines.push(`${margin}    says "${row.spoken}"`);
    for (const line of row.tooltip().split("\n")) lines.push(`${margin}    tip ${line.trimEnd()}`);
    for (const child of context.arrangement.children(node)) add(child, depth + 1);
  };
  for (const node of context.arrangement.tops) add(node, 0);
  return `${lines.join("\n")}\n`;
}
