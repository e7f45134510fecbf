import { nodeId, type TreeNode } from "./treeModel";

/** How many rows of one list are drawn at once: each costs both processes time, and nobody reads more of them. */
export const PAGE_ROWS = 500;

/** What of a long list is drawn: the first pages, and single rows further down that somebody asked to see. */
interface Page {
  rows: number;
  readonly single: Set<string>;
}

/** Which rows of long lists are drawn, by the row above them. */
export class Pages {
  readonly #pages = new Map<string, Page>();

  /** The rows to draw, and one that stands for the rest. @param below the row above them; `undefined` = the top */
  of(nodes: readonly TreeNode[], below: TreeNode | undefined): TreeNode[] {
    const { rows, single } = this.#page(below);
    if (nodes.length <= rows) return [...nodes];
    const further = single.size === 0 ? [] : nodes.slice(rows).filter((node) => single.has(nodeId(node)));
    const shown = [...nodes.slice(0, rows), ...further];
    const hidden = nodes.length - shown.length;
    const store = below?.store ?? nodes[0]?.store ?? "own";
    return hidden === 0 ? shown : [...shown, { kind: "more", store, below, hidden }];
  }

  /** Draws the next rows of a list. */
  more(below: TreeNode | undefined): void {
    this.#page(below).rows += PAGE_ROWS;
  }

  /** Draws one row of a list; answers whether it was left out before. */
  include(node: TreeNode, nodes: readonly TreeNode[], below: TreeNode | undefined): boolean {
    const { rows, single } = this.#page(below);
    const id = nodeId(node);
    if (nodes.length <= rows || single.has(id)) return false;
    if (nodes.findIndex((other) => nodeId(other) === id) < rows) return false;
    single.add(id);
    return true;
  }

  /** Back to the first page of every list. */
  clear(): void {
    this.#pages.clear();
  }

  #page(below: TreeNode | undefined): Page {
    const key = below ? nodeId(below) : "";
    const page = this.#pages.get(key) ?? { rows: PAGE_ROWS, single: new Set() };
    this.#pages.set(key, page);
    return page;
  }
}
