import { type Command, ThemeColor, ThemeIcon, TreeItem, type TreeItemCollapsibleState } from "vscode";
import type { Localize, ModelRef } from "../services";
import type { TreeNode } from "./treeModel";
import type { Row } from "./treeRow";

/** A row as VS Code draws it. The tooltip follows when it is asked for; it names no file, because a drag would carry it. */
export function treeItem(node: TreeNode, row: Row, state: TreeItemCollapsibleState, t: Localize): TreeItem {
  const item = new TreeItem(row.label, state);
  item.id = row.id;
  item.description = row.description;
  item.contextValue = row.contextValue;
  item.iconPath = new ThemeIcon(row.icon, row.warns ? new ThemeColor("list.warningForeground") : undefined);
  item.accessibilityInformation = { label: row.spoken };
  const command = commandOf(node, t);
  if (command) item.command = command;
  return item;
}

function commandOf(node: TreeNode, t: Localize): Command | undefined {
  const ref = detailsOf(node);
  if (ref) return { command: "modelbench.openModel", title: t("Open Model"), arguments: [ref] };
  if (node.kind === "more") return { command: "modelbench.showMore", title: t("Show More"), arguments: [node] };
  const clears = node.kind === "note" && node.note === "unmatched";
  return clears ? { command: "modelbench.clearFilter", title: t("Clear Filter") } : undefined;
}

/** What a click on a row opens: versions, also one that cannot be read, whose page says what is wrong with it. */
function detailsOf(node: TreeNode): ModelRef | undefined {
  if (node.kind === "version") return { store: node.store, tag: node.tag };
  if (node.kind !== "broken" || node.item.beingWritten || node.item.version === undefined) return undefined;
  return { store: node.store, tag: `${node.item.name}:${node.item.version}` };
}
