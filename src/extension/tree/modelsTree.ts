import { homedir } from "node:os";
import {
  ConfigurationTarget,
  commands,
  EventEmitter,
  MarkdownString,
  type Memento,
  ThemeColor,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeView,
  window,
  workspace,
} from "vscode";
import type { Log } from "../../base/log";
import type { Disposable } from "../../base/scope";
import type { Catalog, CatalogChange } from "../catalog";
import { CONTEXT_KEYS, VIEWS } from "../ids";
import type { Localize, ModelRef, Settings, SortBy, StoreId, Stores, Tree, Trust } from "../services";
import {
  childNodes,
  hasRoots,
  nodeId,
  parentNode,
  type TreeNode,
  type TreeState,
  topNodes,
  versionNode,
} from "./treeModel";
import { type Row, rowOf, shortPath } from "./treeRow";

/** What the tree is built from. */
export interface TreeParts {
  readonly catalog: Catalog;
  readonly stores: Pick<Stores, "all">;
  readonly settings: () => Settings;
  readonly trust: Trust;
  readonly t: Localize;
  readonly log: Log;
  /** Remembers what was expanded in this workspace. */
  readonly memory: Memento;
}

const EXPANSION_KEY = "tree.expansion";
/** In a store of at most this many names each shows its versions until the user folds it. */
const FEW_NAMES = 5;
/** Ages are coarse; a minute is the finest step they show. */
const AGES_MS = 60_000;
/** How long `reveal` waits for the catalog to notice a new version. */
const REVEAL_WAIT_MS = 3_000;

/** The models view: rows come from the catalog's memory, so drawing reads no file. */
export class ModelsTree implements Tree, TreeDataProvider<TreeNode>, Disposable {
  readonly #parts: TreeParts;
  readonly #changed = new EventEmitter<TreeNode | undefined>();
  readonly #view: TreeView<TreeNode>;
  /** What the user expanded or folded, by node id. */
  readonly #expansion: Map<string, boolean>;
  readonly #owned: { dispose(): unknown }[] = [];
  #names = new Map<string, TreeNode>();

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(parts: TreeParts) {
    this.#parts = parts;
    this.#expansion = new Map(Object.entries(parts.memory.get<Record<string, boolean>>(EXPANSION_KEY, {})));
    this.#view = window.createTreeView(VIEWS.models, {
      treeDataProvider: this,
      canSelectMany: true,
      showCollapseAll: true,
    });
    const ages = setInterval(() => this.#view.visible && this.#changed.fire(undefined), AGES_MS);
    this.#owned.push(
      this.#view,
      this.#changed,
      { dispose: () => clearInterval(ages) },
      parts.catalog.onDidChange((change) => this.#show(change)),
      parts.trust.onDidGrant(() => this.#changed.fire(undefined)),
      this.#view.onDidExpandElement(({ element }) => this.#remember(element, true)),
      this.#view.onDidCollapseElement(({ element }) => this.#remember(element, false)),
      this.#view.onDidChangeVisibility(({ visible }) => visible && parts.catalog.recheck()),
      window.onDidChangeWindowState(({ focused }) => focused && this.#view.visible && parts.catalog.recheck()),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("modelbench.tree")) this.#changed.fire(undefined);
      }),
    );
  }

  get selection(): readonly TreeNode[] {
    return this.#view.selection;
  }

  async reveal(ref: ModelRef): Promise<void> {
    const summary = await this.#awaitModel(ref);
    if (!summary) return;
    await this.#select(versionNode(ref.store, summary));
  }

  async revealStore(store: StoreId): Promise<void> {
    await this.#parts.catalog.ready(store);
    const root: TreeNode = { kind: "root", store };
    if (!hasRoots(this.#state())) return;
    await this.#select(this.#names.get(nodeId(root)) ?? root);
  }

  async sortBy(order: SortBy): Promise<void> {
    await workspace.getConfiguration("modelbench").update("tree.sortBy", order, ConfigurationTarget.Global);
  }

  getTreeItem(node: TreeNode): TreeItem {
    const row = rowOf(node, {
      t: this.#parts.t,
      nowMs: Date.now(),
      userHome: homedir(),
      snapshot: (store) => this.#parts.catalog.snapshot(store),
      store: (id) => this.#parts.stores.all.find((open) => open.id === id),
      refusal: (module, store) => this.#parts.trust.refusal(module, store),
    });
    const item = new TreeItem(row.label, this.#collapsibleState(node, row));
    item.id = row.id;
    item.description = row.description;
    item.tooltip = row.tooltip === "" ? row.spoken : new MarkdownString(row.tooltip);
    item.contextValue = row.contextValue;
    item.iconPath = new ThemeIcon(row.icon, row.warns ? new ThemeColor("list.warningForeground") : undefined);
    item.accessibilityInformation = { label: row.spoken };
    const ref = detailsOf(node);
    if (ref) item.command = { command: "modelbench.openModel", title: this.#parts.t("Open Model"), arguments: [ref] };
    return item;
  }

  async getChildren(node?: TreeNode): Promise<TreeNode[]> {
    if (node === undefined) return this.#topNodes();
    if (node.kind === "root") await this.#parts.catalog.ready(node.store);
    if (node.kind === "name" && this.#isExpanded(node)) {
      this.#parts.catalog.watchName(node.store, node.name, true);
    }
    return this.#keepIdentity(childNodes(node, this.#state()));
  }

  getParent(node: TreeNode): TreeNode | undefined {
    const parent = parentNode(node, this.#state());
    return parent && (this.#names.get(nodeId(parent)) ?? parent);
  }

  dispose(): void {
    for (const thing of this.#owned.reverse()) thing.dispose();
  }

  async #topNodes(): Promise<TreeNode[]> {
    const { catalog } = this.#parts;
    this.#describe();
    if (catalog.stores.length === 1) await catalog.ready("own");
    this.#describe();
    this.#names = new Map();
    return this.#keepIdentity(topNodes(this.#state()));
  }

  #state(): TreeState {
    const { catalog, settings } = this.#parts;
    const known = catalog.stores.flatMap((id) => {
      const snapshot = catalog.snapshot(id);
      return snapshot ? [[id, snapshot] as const] : [];
    });
    return { snapshots: new Map(known), sortBy: settings().sortBy };
  }

  /** A part of the tree can only be drawn anew through the very object that stood for it. */
  #keepIdentity(nodes: TreeNode[]): TreeNode[] {
    for (const node of nodes) if (node.kind === "name" || node.kind === "root") this.#names.set(nodeId(node), node);
    return nodes;
  }

  /** Draws only the names that changed, unless names came, went or moved. */
  #show(change: CatalogChange): void {
    this.#describe();
    const nodes =
      change.names === "all"
        ? []
        : change.names.map((name) => this.#names.get(nodeId({ kind: "name", store: change.store, name })));
    if (nodes.length === 0 || nodes.includes(undefined) || this.#orderChanged(change.store)) {
      this.#changed.fire(undefined);
      return;
    }
    for (const node of nodes) this.#changed.fire(node);
  }

  #orderChanged(store: StoreId): boolean {
    const state = this.#state();
    const rows = hasRoots(state) ? childNodes({ kind: "root", store }, state) : topNodes(state);
    const shown = [...this.#names.values()].filter((node) => node.kind === "name" && node.store === store);
    const wanted = rows.filter((node) => node.kind === "name");
    return wanted.length !== shown.length || wanted.some((node, i) => nodeId(node) !== nodeId(shown[i] ?? node));
  }

  /** Tells the welcome texts and menus what there is to say, and the title whose store it is. */
  #describe(): void {
    const { catalog } = this.#parts;
    const own = catalog.snapshot("own");
    const phase = own?.phase === "ready" && own.names.size === 0 ? "empty" : own?.phase;
    void commands.executeCommand("setContext", CONTEXT_KEYS.state, phase);
    void commands.executeCommand("setContext", CONTEXT_KEYS.sampleOpen, catalog.stores.includes("sample"));
    this.#view.description = shortPath(own?.home ?? "", homedir());
  }

  #collapsibleState(node: TreeNode, row: Row): TreeItemCollapsibleState {
    if (!row.expandable) return TreeItemCollapsibleState.None;
    return this.#isExpanded(node) ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed;
  }

  #isExpanded(node: TreeNode): boolean {
    const names = this.#parts.catalog.snapshot(node.store)?.names.size ?? 0;
    return this.#expansion.get(nodeId(node)) ?? (node.kind === "root" || names <= FEW_NAMES);
  }

  #remember(node: TreeNode, expanded: boolean): void {
    this.#expansion.set(nodeId(node), expanded);
    if (node.kind === "name") {
      this.#parts.catalog.watchName(node.store, node.name, expanded);
      if (expanded) this.#parts.catalog.recheck();
    }
    void this.#parts.memory.update(EXPANSION_KEY, Object.fromEntries(this.#expansion));
  }

  /** The row may be gone again by now; what was done before it was to be shown is done all the same. */
  async #select(node: TreeNode): Promise<void> {
    try {
      await this.#view.reveal(node, { select: true, focus: false, expand: true });
    } catch (error) {
      this.#parts.log.warn(`The row ${nodeId(node)} could not be shown: ${error}`);
    }
  }

  async #awaitModel(ref: ModelRef) {
    const { catalog } = this.#parts;
    await catalog.ready(ref.store);
    catalog.recheck();
    const known = catalog.find(ref);
    if (known) return known;
    return new Promise<ReturnType<Catalog["find"]>>((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        subscription.dispose();
        resolve(catalog.find(ref));
      };
      const timer = setTimeout(finish, REVEAL_WAIT_MS);
      const subscription = catalog.onDidChange(() => catalog.find(ref) && finish());
    });
  }
}

/** What a click on a row opens: versions, also one that cannot be read, whose page says what is wrong with it. */
function detailsOf(node: TreeNode): ModelRef | undefined {
  if (node.kind === "version") return node;
  if (node.kind !== "broken" || node.item.beingWritten || node.item.version === undefined) return undefined;
  return { store: node.store, tag: `${node.item.name}:${node.item.version}` };
}
