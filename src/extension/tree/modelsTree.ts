import { homedir } from "node:os";
import {
  ConfigurationTarget,
  commands,
  EventEmitter,
  MarkdownString,
  type Memento,
  type TreeDataProvider,
  type TreeItem,
  TreeItemCollapsibleState,
  type TreeView,
  window,
  workspace,
} from "vscode";
import type { Log } from "../../base/log";
import type { Jobs } from "../../base/ports";
import type { Disposable } from "../../base/scope";
import { parseFilter } from "../../store/filter";
import type { Catalog } from "../catalog";
import { CONTEXT_KEYS, VIEWS } from "../ids";
import type { GroupBy, Localize, ModelRef, Settings, SortBy, StoreId, Stores, Tree, Trust } from "../services";
import type { StoreAccesses } from "../storeAccesses";
import { hasRoots } from "./arrange";
import { modelAppears } from "./modelAppears";
import { Pages } from "./pages";
import { Redraws } from "./redraws";
import { type ContentChange, TreeContent } from "./treeContent";
import { TreeDrops } from "./treeDrops";
import { treeItem } from "./treeItem";
import { TreeMemory } from "./treeMemory";
import { nodeId, type TreeNode, versionNode } from "./treeModel";
import { type Row, type RowContext, rowOf, type StoreFacts } from "./treeRow";
import { Turns } from "./turns";
import { Verdicts } from "./verdicts";
import { viewText } from "./viewText";

/** What the tree is built from. */
export interface TreeParts {
  readonly catalog: Catalog;
  readonly jobs: Jobs;
  readonly stores: Pick<Stores, "all">;
  readonly accesses: Pick<StoreAccesses, "of" | "onDidChange">;
  readonly settings: () => Settings;
  readonly trust: Trust;
  readonly t: Localize;
  readonly log: Log;
  /** Remembers what was expanded, filtered and selected in this workspace. */
  readonly memory: Memento;
}

/** In a store of at most this many names each shows its versions until the user folds it. */
const FEW_NAMES = 5;
/** Up to so many versions in all, groups show theirs. */
const FEW_GROUPED = 50;
/** Ages are coarse; a minute is the finest step they show. */
const AGES_MS = 60_000;

/** The models view: rows come from the catalog's memory, so drawing reads no file. */
export class ModelsTree implements Tree, TreeDataProvider<TreeNode>, Disposable {
  readonly #parts: TreeParts;
  readonly #content: TreeContent;
  readonly #memory: TreeMemory;
  readonly #drops = new TreeDrops();
  readonly #turns = new Turns();
  readonly #changed = new EventEmitter<TreeNode | undefined>();
  readonly #redraws = new Redraws((node) => this.#changed.fire(node));
  readonly #view: TreeView<TreeNode>;
  readonly #owned: { dispose(): unknown }[] = [];
  /** The very objects that stand for rows with others below them, by id. */
  readonly #nodes = new Map<string, TreeNode>();
  readonly #pages = new Pages();
  readonly #verdicts: Verdicts;
  #filter = "";
  /** What was selected when the window closed, until it is selected again. */
  #toSelect: string | undefined;

  readonly onDidChangeTreeData = this.#changed.event;
  readonly onDidDrop = this.#drops.onDidDrop;

  constructor(parts: TreeParts) {
    this.#parts = parts;
    this.#memory = new TreeMemory(parts.memory);
    this.#content = new TreeContent(parts);
    this.#verdicts = new Verdicts(parts.jobs);
    this.#toSelect = this.#memory.selected;
    this.#view = window.createTreeView(VIEWS.models, {
      treeDataProvider: this,
      dragAndDropController: this.#drops,
      canSelectMany: true,
      showCollapseAll: true,
    });
    this.#restoreFilter();
    this.#listen();
  }

  get selection(): readonly TreeNode[] {
    return this.#view.selection;
  }

  get filter(): string {
    return this.#filter;
  }

  get recentFilters(): readonly string[] {
    return this.#memory.recentFilters;
  }

  filterBy(text: string, keep: boolean): void {
    const typed = text.trim();
    this.#content.filter = typed === "" ? undefined : { text: typed, parsed: parseFilter(typed) };
    this.#filter = typed;
    this.#pages.clear();
    void commands.executeCommand("setContext", CONTEXT_KEYS.filtered, typed !== "");
    if (!keep) return;
    this.#memory.filter = typed;
    if (typed !== "") this.#memory.rememberFilter(typed);
  }

  async show(): Promise<void> {
    if (!this.#view.visible) await commands.executeCommand(`${VIEWS.models}.focus`, { preserveFocus: true });
  }

  async reveal(ref: ModelRef): Promise<void> {
    const summary = await modelAppears(this.#parts.catalog, ref);
    if (!summary) return;
    await this.#content.settled();
    const { state } = this.#content.arrangement;
    // What an operation was about is to be seen; the filter stays among the recent ones.
    if (state.accepts && !state.accepts.version(ref.store, summary)) {
      this.filterBy("", true);
      await this.#content.settled();
    }
    await this.#select(versionNode(ref.store, summary));
  }

  async revealStore(store: StoreId): Promise<void> {
    await this.#parts.catalog.named(store);
    await this.#content.settled();
    const root: TreeNode = { kind: "root", store };
    if (!hasRoots(this.#content.arrangement.state)) return;
    await this.#select(this.#known(root));
  }

  async sortBy(order: SortBy): Promise<void> {
    await workspace.getConfiguration("modelbench").update("tree.sortBy", order, ConfigurationTarget.Global);
  }

  async groupBy(groups: GroupBy): Promise<void> {
    await workspace.getConfiguration("modelbench").update("tree.groupBy", groups, ConfigurationTarget.Global);
  }

  pinsChanged(): void {
    this.#content.lookAtPins();
  }

  below(node: TreeNode): readonly TreeNode[] {
    return this.#content.arrangement.children(node);
  }

  showMore(below: TreeNode | undefined): void {
    this.#pages.more(below);
    this.#redrawBelow(below);
  }

  getTreeItem(node: TreeNode): TreeItem | Promise<TreeItem> {
    return this.#turns.take(() => this.#item(node));
  }

  resolveTreeItem(item: TreeItem, node: TreeNode): TreeItem {
    const row = rowOf(node, this.#rowContext());
    const tooltip = row.tooltip();
    item.tooltip = tooltip === "" ? row.spoken : new MarkdownString(tooltip);
    return item;
  }

  async getChildren(node?: TreeNode): Promise<TreeNode[]> {
    if (node === undefined) return this.#topNodes();
    const { catalog } = this.#parts;
    if (node.kind === "root") await catalog.named(node.store);
    if (node.kind === "name") {
      if (this.#isExpanded(node)) catalog.watchName(node.store, node.name, true);
      if (catalog.snapshot(node.store)?.names.get(node.name)?.pending) await catalog.details(node.store, node.name);
    }
    await this.#content.settled();
    return this.#drawn(this.#content.arrangement.children(node), node);
  }

  getParent(node: TreeNode): TreeNode | undefined {
    const parent = this.#content.arrangement.parent(node);
    return parent && this.#known(parent);
  }

  dispose(): void {
    for (const thing of this.#owned.reverse()) thing.dispose();
  }

  #listen(): void {
    const { accesses, catalog, trust } = this.#parts;
    const ages = setInterval(() => this.#view.visible && this.#redraws.all(), AGES_MS);
    const lookAgain = (): void => {
      catalog.recheck();
      this.#content.lookAtPins();
    };
    this.#owned.push(
      ...[this.#drops, this.#content, this.#view, this.#changed, this.#redraws, this.#turns, this.#verdicts],
      this.#verdicts.onDidChange((nodes) => this.#redrawAround(nodes)),
      { dispose: () => clearInterval(ages) },
      this.#content.onDidChange((change) => this.#show(change)),
      trust.onDidGrant(() => this.#redraws.all()),
      accesses.onDidChange(() => this.#redraws.all()),
      this.#view.onDidExpandElement(({ element }) => this.#remember(element, true)),
      this.#view.onDidCollapseElement(({ element }) => this.#remember(element, false)),
      this.#view.onDidChangeSelection(({ selection: [first] }) => this.#rememberSelected(first)),
      this.#view.onDidChangeVisibility(({ visible }) => visible && lookAgain()),
      window.onDidChangeWindowState(({ focused }) => focused && this.#view.visible && lookAgain()),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("modelbench.tree")) this.#content.arrangeAnew();
      }),
    );
  }

  /** A filter that an older version wrote may not be read any more. */
  #restoreFilter(): void {
    try {
      this.filterBy(this.#memory.filter, false);
    } catch (error) {
      this.#parts.log.warn(`The filter ${this.#memory.filter} was left out: ${error}`);
    }
  }

  async #topNodes(): Promise<TreeNode[]> {
    const { catalog } = this.#parts;
    this.#redraws.asked();
    this.#describe();
    if (catalog.stores.length === 1) await catalog.named("own");
    await this.#content.settled();
    this.#describe();
    this.#nodes.clear();
    void this.#selectAgain();
    return this.#drawn(this.#content.arrangement.tops, undefined);
  }

  /** What of a list is drawn. */
  #drawn(nodes: readonly TreeNode[], below: TreeNode | undefined): TreeNode[] {
    return this.#pages.of(nodes, below).map((node) => this.#keepIdentity(node));
  }

  /** A part of the tree can only be drawn anew through the very object that stood for it. */
  #keepIdentity(node: TreeNode): TreeNode {
    if (node.kind !== "name" && node.kind !== "root" && node.kind !== "group") return node;
    const known = this.#known(node);
    this.#nodes.set(nodeId(node), known);
    return known;
  }

  #redrawBelow(node: TreeNode | undefined): void {
    if (node) this.#redraws.some([this.#known(node)]);
    else this.#redraws.all();
  }

  /** A version can only be drawn anew with what stands above it. */
  #redrawAround(nodes: readonly TreeNode[]): void {
    const above = new Set(nodes.map((node) => this.getParent(node)));
    const known = [...above].filter((node) => node !== undefined);
    if (known.length < above.size) this.#redraws.all();
    else this.#redraws.some(known);
  }

  #known(node: TreeNode): TreeNode {
    return this.#nodes.get(nodeId(node)) ?? node;
  }

  #show(change: ContentChange): void {
    this.#describe();
    if (change === "all") {
      this.#redraws.all();
      return;
    }
    const { arrangement } = this.#content;
    const narrowed = arrangement.tops.find((node) => node.kind === "name")?.narrowed;
    const nodes = change.map(({ store, name }) => this.#nodes.get(nodeId({ kind: "name", store, name, narrowed })));
    this.#redraws.some(nodes.filter((node) => node !== undefined));
  }

  /** Tells the welcome texts and menus what there is to say, and title and message what is shown. */
  #describe(): void {
    const { catalog, t } = this.#parts;
    const shown = { filter: this.#filter, t, userHome: homedir(), store: this.#factsOf("own") };
    const text = viewText(this.#content, { own: catalog.snapshot("own"), ...shown });
    void commands.executeCommand("setContext", CONTEXT_KEYS.state, text.state);
    void commands.executeCommand("setContext", CONTEXT_KEYS.sampleOpen, catalog.stores.includes("sample"));
    this.#view.description = text.description;
    // An empty one is none.
    if (this.#view.message !== text.message) this.#view.message = text.message;
  }

  #item(node: TreeNode): TreeItem {
    const row = rowOf(node, this.#rowContext());
    return treeItem(node, row, this.#collapsibleState(node, row), this.#parts.t);
  }

  #rowContext(): RowContext {
    const { t, trust } = this.#parts;
    return {
      ...{ t, nowMs: Date.now(), userHome: homedir(), arrangement: this.#content.arrangement },
      store: (id) => this.#factsOf(id),
      refusal: (module, store) => trust.refusal(module, store),
      verdict: (node) => this.#verdicts.of(node),
    };
  }

  #factsOf(id: StoreId): StoreFacts | undefined {
    const { accesses, stores } = this.#parts;
    const open = stores.all.find((store) => store.id === id);
    return open && { ...open, access: accesses.of(id) };
  }

  #collapsibleState(node: TreeNode, row: Row): TreeItemCollapsibleState {
    if (!row.expandable) return TreeItemCollapsibleState.None;
    return this.#isExpanded(node) ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed;
  }

  #isExpanded(node: TreeNode): boolean {
    return this.#memory.expanded(nodeId(node)) ?? this.#isExpandedAtFirst(node);
  }

  #isExpandedAtFirst(node: TreeNode): boolean {
    if (node.kind === "root") return true;
    if (node.kind !== "name" && node.kind !== "group") return false;
    if (node.narrowed) return node.narrowed === "few";
    if (node.kind === "group") return this.#content.arrangement.all <= FEW_GROUPED;
    return (this.#parts.catalog.snapshot(node.store)?.names.size ?? 0) <= FEW_NAMES;
  }

  #remember(node: TreeNode, expanded: boolean): void {
    const passing = (node.kind === "name" || node.kind === "group") && node.narrowed !== undefined;
    this.#memory.rememberExpanded(nodeId(node), expanded, passing);
    if (node.kind !== "name") return;
    this.#parts.catalog.watchName(node.store, node.name, expanded);
    if (expanded) this.#parts.catalog.recheck();
  }

  #rememberSelected(node: TreeNode | undefined): void {
    this.#toSelect = undefined;
    this.#memory.selected = node?.kind === "version" ? `${node.store} ${node.tag}` : undefined;
  }

  /** After a reload: the row that was selected then, where it is in sight without unfolding anything. */
  async #selectAgain(): Promise<void> {
    const [, store, tag] = /^(.*) (\S+)$/.exec(this.#toSelect ?? "") ?? [];
    const summary = store !== undefined && tag !== undefined && this.#parts.catalog.find({ store, tag });
    if (!store || !summary || !this.#view.visible) return;
    this.#toSelect = undefined;
    const node = versionNode(store, summary);
    const { accepts } = this.#content.arrangement.state;
    if (accepts && !accepts.version(store, summary)) return;
    for (let above = this.getParent(node); above; above = this.getParent(above)) if (!this.#isExpanded(above)) return;
    // The rows are handed out first.
    setTimeout(() => void this.#select(node), 0);
  }

  /** The row may be gone again by now; what was done before it was to be shown is done all the same. */
  async #select(node: TreeNode): Promise<void> {
    this.#draw(node);
    await this.#redraws.quiet();
    try {
      await this.#view.reveal(node, { select: true, focus: false, expand: true });
    } catch (error) {
      this.#parts.log.warn(`The row ${nodeId(node)} could not be shown: ${error}`);
    }
  }

  /** Draws a row and those above it, should it stand far down in a long list. */
  #draw(node: TreeNode): void {
    const { arrangement } = this.#content;
    for (let row: TreeNode | undefined = node; row; row = arrangement.parent(row)) {
      const above = arrangement.parent(row);
      const list = above ? arrangement.children(above) : arrangement.tops;
      if (this.#pages.include(row, list, above)) this.#redrawBelow(above);
    }
  }
}
