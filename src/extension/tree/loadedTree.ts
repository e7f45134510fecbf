import {
  EventEmitter,
  MarkdownString,
  ThemeColor,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  type TreeView,
  window,
} from "vscode";
import type { Log } from "../../base/log";
import type { Disposable } from "../../base/scope";
import { residentBytes } from "../../runner/processMemory";
import { type Commands, VIEWS } from "../ids";
import type { LoadedView } from "../runningModel";
import type { Localize, ModelRef, Pages, Stores } from "../services";
import { LoadedList } from "./loadedList";
import type { LoadedNode, LoadedRowContext } from "./loadedRow";

/** What the view is made from. */
export interface LoadedTreeParts {
  readonly pages: Pick<Pages, "loaded" | "onDidChangeLoaded">;
  readonly stores: Pick<Stores, "all">;
  readonly log: Log;
  readonly t: Localize;
}

/** The view of the loaded models: what has a process now, what that costs, and until when it stays. */
export class LoadedTree implements TreeDataProvider<LoadedNode>, LoadedView, Disposable {
  readonly #parts: LoadedTreeParts;
  readonly #list: LoadedList;
  readonly #changed = new EventEmitter<undefined>();
  readonly #view: TreeView<LoadedNode>;
  readonly #owned: { dispose(): unknown }[];

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(parts: LoadedTreeParts) {
    this.#parts = parts;
    const { pages } = parts;
    this.#list = new LoadedList({
      loaded: () => pages.loaded(),
      onDidChangeLoaded: pages.onDidChangeLoaded,
      memory: residentBytes,
      context: () => this.#context(),
    });
    this.#view = window.createTreeView(VIEWS.loaded, { treeDataProvider: this, canSelectMany: true });
    this.#owned = [
      ...[this.#list, this.#view, this.#changed],
      this.#list.onDidChange(() => this.#show()),
      this.#view.onDidChangeVisibility(({ visible }) => this.#list.setSeen(visible)),
    ];
    this.#list.setSeen(this.#view.visible);
  }

  get selection(): readonly ModelRef[] {
    return this.#view.selection;
  }

  async reveal({ store, tag }: ModelRef): Promise<void> {
    await this.#list.look();
    const found = this.#list.rows.find((node) => node.store === store && node.tag === tag);
    if (!found) return;
    try {
      await this.#view.reveal(found, { select: true, focus: false });
    } catch (error) {
      // The row may be gone again by now.
      this.#parts.log.warn(`The row of ${tag} could not be shown: ${error}`);
    }
  }

  getTreeItem(node: LoadedNode): TreeItem {
    const { row } = node;
    const item = new TreeItem(row.label);
    item.id = row.id;
    item.description = row.description;
    item.tooltip = new MarkdownString(row.tooltip());
    item.contextValue = row.contextValue;
    item.iconPath = new ThemeIcon(row.icon, row.warns ? new ThemeColor("list.errorForeground") : undefined);
    item.accessibilityInformation = { label: row.spoken };
    const command: keyof Commands = "modelbench.openModel";
    item.command = { command, title: this.#parts.t("Open Model"), arguments: [node] };
    return item;
  }

  getChildren(node?: LoadedNode): LoadedNode[] {
    return node ? [] : [...this.#list.rows];
  }

  getParent(): undefined {
    return undefined;
  }

  dispose(): void {
    for (const thing of this.#owned.reverse()) thing.dispose();
  }

  #show(): void {
    const { length } = this.#list.rows;
    this.#view.description = length === 0 ? "" : `${length}`;
    this.#changed.fire(undefined);
  }

  #context(): LoadedRowContext {
    const { stores, t } = this.#parts;
    const { all } = stores;
    const storeLabel = ({ store }: ModelRef) =>
      all.length > 1 ? all.find(({ id }) => id === store)?.label : undefined;
    return { t, nowMs: Date.now(), storeLabel };
  }
}
