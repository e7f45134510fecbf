import {
  commands,
  EventEmitter,
  MarkdownString,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  type TreeView,
  window,
} from "vscode";
import type { Disposable } from "../../base/scope";
import { CONTEXT_KEYS, VIEWS } from "../ids";
import type { Localize, Stores } from "../services";
import type { TrashBin } from "../trashBin";
import { type TrashNode, trashRow } from "./trashRow";
import type { Row } from "./treeRow";

/** The trash view: what was deleted, and until when it can be brought back. Shown only when there is something. */
export class TrashTree implements TreeDataProvider<TrashNode>, Disposable {
  readonly #bin: TrashBin;
  readonly #stores: Pick<Stores, "all">;
  readonly #t: Localize;
  readonly #changed = new EventEmitter<undefined>();
  readonly #view: TreeView<TrashNode>;
  readonly #owned: { dispose(): unknown }[];

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(bin: TrashBin, stores: Pick<Stores, "all">, t: Localize) {
    this.#bin = bin;
    this.#stores = stores;
    this.#t = t;
    this.#view = window.createTreeView(VIEWS.trash, { treeDataProvider: this, canSelectMany: true });
    this.#owned = [
      ...[this.#view, this.#changed],
      bin.onDidChange(() => this.#show()),
      window.onDidChangeWindowState(({ focused }) => focused && this.#show()),
    ];
  }

  getTreeItem(node: TrashNode): TreeItem {
    const row = this.#row(node);
    const item = new TreeItem(row.label);
    item.id = row.id;
    item.description = row.description;
    item.tooltip = new MarkdownString(row.tooltip());
    item.contextValue = row.contextValue;
    item.iconPath = new ThemeIcon(row.icon);
    item.accessibilityInformation = { label: row.spoken };
    return item;
  }

  async getChildren(node?: TrashNode): Promise<TrashNode[]> {
    return node ? [] : this.#bin.list();
  }

  dispose(): void {
    for (const thing of this.#owned.reverse()) thing.dispose();
  }

  #show(): void {
    void commands.executeCommand("setContext", CONTEXT_KEYS.trash, !this.#bin.isEmpty);
    this.#changed.fire(undefined);
  }

  #row(node: TrashNode): Row {
    const { all } = this.#stores;
    const storeLabel = all.length > 1 ? all.find(({ id }) => id === node.store)?.label : undefined;
    return trashRow(node, { t: this.#t, nowMs: Date.now(), storeLabel });
  }
}
