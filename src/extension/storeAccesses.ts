import { Emitter } from "../base/events";
import type { Disposable } from "../base/scope";
import { type StoreAccess, storeAccess } from "../store/access";
import type { Catalog, CatalogChange } from "./catalog";
import type { StoreId } from "./services";

/**
 * What can be done with the open stores, asked once after a whole reading, and again with every change while a store
 * is not writable; drawing asks nothing.
 */
export class StoreAccesses implements Disposable {
  readonly #catalog: Pick<Catalog, "snapshot">;
  readonly #known = new Map<string, StoreAccess>();
  readonly #changed = new Emitter<StoreId>();
  readonly #subscription: Disposable;

  /** Fires with the store whose answer became another. */
  readonly onDidChange = this.#changed.event;

  constructor(catalog: Pick<Catalog, "snapshot" | "onDidChange">) {
    this.#catalog = catalog;
    this.#subscription = catalog.onDidChange((change) => void this.#ask(change));
  }

  /** What is known now; `undefined` for a store that nobody has looked at. */
  of(id: StoreId): StoreAccess | undefined {
    const home = this.#catalog.snapshot(id)?.home;
    return home === undefined ? undefined : this.#known.get(home);
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#changed.dispose();
  }

  async #ask({ store, names }: CatalogChange): Promise<void> {
    const { home, phase } = this.#catalog.snapshot(store) ?? {};
    if (home === undefined || phase === "loading") return;
    if (names !== "all" && this.#known.get(home) === "writable") return;
    const answer = await storeAccess(home);
    if (this.#known.get(home) === answer) return;
    this.#known.set(home, answer);
    this.#changed.fire(store);
  }
}
