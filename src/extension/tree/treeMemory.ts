import type { Memento } from "vscode";

const EXPANSION = "tree.expansion";
const FILTER = "tree.filter";
const RECENT_FILTERS = "tree.recentFilters";
const SELECTED = "tree.selected";

/** How many filters are offered again. */
const RECENT_AT_MOST = 10;

/** What the tree remembers for this workspace beyond a reload of the window. */
export class TreeMemory {
  readonly #memento: Memento;
  /** What the user expanded or folded, by node id. */
  readonly #expansion: Map<string, boolean>;
  readonly #passing = new Map<string, boolean>();

  constructor(memento: Memento) {
    this.#memento = memento;
    this.#expansion = new Map(Object.entries(memento.get<Record<string, boolean>>(EXPANSION, {})));
  }

  /** Whether the user expanded or folded a row; `undefined` = neither yet. */
  expanded(id: string): boolean | undefined {
    return this.#passing.get(id) ?? this.#expansion.get(id);
  }

  /** @param passing for this window only, as under a filter */
  rememberExpanded(id: string, expanded: boolean, passing: boolean): void {
    if (passing) this.#passing.set(id, expanded);
    else this.#expansion.set(id, expanded);
    if (!passing) void this.#memento.update(EXPANSION, Object.fromEntries(this.#expansion));
  }

  /** The filter in force, as it was typed. */
  get filter(): string {
    return this.#memento.get(FILTER, "");
  }

  set filter(text: string) {
    void this.#memento.update(FILTER, text);
  }

  /** The filters that were kept, last first. */
  get recentFilters(): readonly string[] {
    return this.#memento.get<string[]>(RECENT_FILTERS, []);
  }

  rememberFilter(text: string): void {
    const recent = [text, ...this.recentFilters.filter((other) => other !== text)].slice(0, RECENT_AT_MOST);
    void this.#memento.update(RECENT_FILTERS, recent);
  }

  /** Id of the row that was selected first. */
  get selected(): string | undefined {
    return this.#memento.get(SELECTED);
  }

  set selected(id: string | undefined) {
    void this.#memento.update(SELECTED, id);
  }
}
