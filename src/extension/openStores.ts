import { cp, mkdir } from "node:fs/promises";
import { ModelbenchError } from "../base/errors";
import { Emitter } from "../base/events";
import type { Disposable } from "../base/scope";
import { ModelStore } from "../store/modelStore";
import type { StoreId, Stores } from "./services";

/** Where stores lie, and what is remembered of them for this workspace. */
export interface StorePlaces {
  /** Home of the user's own store as the settings say now. */
  readonly ownHome: () => string;
  /** The sample store inside the extension, never written to. */
  readonly sampleSource: string;
  /** Where its copy goes. */
  readonly sampleHome: string;
  /** Whether the sample store was open when this workspace was last used. */
  readonly wasSampleOpen: boolean;
  readonly rememberSample: (open: boolean) => Promise<void>;
}

/** The user's own store, and the sample store while it is open. Nothing is read or written by opening one. */
export class OpenStores implements Stores, Disposable {
  readonly #places: StorePlaces;
  readonly #changed = new Emitter<void>();
  #own: ModelStore;
  #sample: ModelStore | undefined;

  readonly onDidChange = this.#changed.event;

  constructor(places: StorePlaces) {
    this.#places = places;
    this.#own = new ModelStore(places.ownHome());
    this.#sample = places.wasSampleOpen ? new ModelStore(places.sampleHome) : undefined;
  }

  get own(): ModelStore {
    return this.#own;
  }

  get sample(): ModelStore | undefined {
    return this.#sample;
  }

  of(ref: { readonly store: StoreId }): ModelStore {
    const store = ref.store === "own" ? this.#own : this.#sample;
    if (store) return store;
    throw new ModelbenchError("model.notFound", "The sample store is not open.", {
      remedy: "Open it with Open Sample Store.",
    });
  }

  /** Turns to another home when the settings name one. */
  settingsChanged(): void {
    const home = this.#places.ownHome();
    if (home === this.#own.home) return;
    this.#own = new ModelStore(home);
    this.#changed.fire();
  }

  /** Files that are missing in the copy come back; what was added or changed there stays. */
  async openSample(): Promise<ModelStore> {
    const { sampleSource, sampleHome } = this.#places;
    await mkdir(sampleHome, { recursive: true });
    await cp(sampleSource, sampleHome, { recursive: true, force: false });
    await this.#places.rememberSample(true);
    const opened = this.#sample ?? new ModelStore(sampleHome);
    const isNew = this.#sample === undefined;
    this.#sample = opened;
    if (isNew) this.#changed.fire();
    return opened;
  }

  async closeSample(): Promise<void> {
    if (!this.#sample) return;
    this.#sample = undefined;
    this.#changed.fire();
    await this.#places.rememberSample(false);
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
