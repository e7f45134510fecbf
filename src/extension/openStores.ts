import { access, cp, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { ModelbenchError } from "../base/errors";
import { Emitter } from "../base/events";
import type { Disposable } from "../base/scope";
import { ModelStore } from "../store/modelStore";
import type { HomeChoice, NamedHome } from "./homeChoice";
import type { HostStore, Localize, OpenStore, StoreId, Stores } from "./services";

/** Where stores lie, and what is remembered of them for this workspace. */
export interface StorePlaces {
  /** Home of the user's own store as the window says now. */
  readonly own: () => HomeChoice;
  /** The further homes as the settings say now. */
  readonly further: () => readonly NamedHome[];
  /** The sample store inside the extension, never written to. */
  readonly sampleSource: string;
  /** Where its copy goes. */
  readonly sampleHome: string;
  /** Whether the sample store is open from the start. */
  readonly isSampleOpen: boolean;
  readonly rememberSample: (open: boolean) => Promise<void>;
  /** Names the stores. */
  readonly t: Localize;
}

/** The user's own store, the further homes of the settings, and the sample store while it is open. Nothing is read or written by opening one. */
export class OpenStores implements Stores, Disposable {
  readonly #places: StorePlaces;
  readonly #changed = new Emitter<void>();
  #choice: HomeChoice;
  #own: ModelStore;
  #homes: readonly OpenStore[] = [];
  #sample: ModelStore | undefined;

  readonly onDidChange = this.#changed.event;

  constructor(places: StorePlaces) {
    this.#places = places;
    this.#choice = places.own();
    this.#own = new ModelStore(this.#choice.home);
    this.#homes = this.#furtherHomes();
    this.#sample = places.isSampleOpen ? new ModelStore(places.sampleHome) : undefined;
  }

  get own(): ModelStore {
    return this.#own;
  }

  get sample(): ModelStore | undefined {
    return this.#sample;
  }

  get all(): readonly OpenStore[] {
    const { t } = this.#places;
    const sample = this.#sample;
    return [
      { id: "own", kind: "own", label: t("My Store"), store: this.#own, ...reasonOf(this.#choice, t) },
      ...this.#homes,
      ...(sample ? [{ id: "sample", kind: "sample", label: t("Sample Store"), store: sample } as const] : []),
    ];
  }

  of(ref: { readonly store: StoreId }): HostStore {
    const found = this.all.find(({ id }) => id === ref.store);
    if (found) return found.store;
    if (ref.store !== "sample") throw new ModelbenchError("model.notFound", "That store is not open any more.");
    throw new ModelbenchError("model.notFound", "The sample store is not open.", {
      remedy: "Open it with Open Sample Store.",
    });
  }

  /** Turns to what the window names now; a store that stays where it is stays the same object. */
  settingsChanged(): void {
    const before = this.#summary();
    this.#choice = this.#places.own();
    if (this.#choice.home !== this.#own.home) this.#own = new ModelStore(this.#choice.home);
    this.#homes = this.#furtherHomes();
    if (this.#summary() !== before) this.#changed.fire();
  }

  /** Makes the copy if the sample store was open from the start and its copy is gone. */
  async resumeSample(): Promise<void> {
    if (this.#sample && !(await isThere(this.#places.sampleHome))) await this.#copySample();
  }

  /** Files that are missing in the copy come back; what was added or changed there stays. */
  async openSample(): Promise<ModelStore> {
    const { sampleHome } = this.#places;
    if (await isThere(sampleHome)) await cp(this.#places.sampleSource, sampleHome, { recursive: true, force: false });
    else await this.#copySample();
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

  #summary(): string {
    return JSON.stringify([this.#choice, this.#homes.map(({ id, label }) => [id, label])]);
  }

  /** A folder has one root, whatever number of labels it was given. */
  #furtherHomes(): readonly OpenStore[] {
    const homes = new Map<StoreId, OpenStore>();
    for (const { label, home } of this.#places.further()) {
      const id = `home:${home}`;
      if (home === this.#choice.home || homes.has(id)) continue;
      const store = this.#homes.find((open) => open.id === id)?.store ?? new ModelStore(home);
      homes.set(id, { id, kind: "home", label, store });
    }
    return [...homes.values()];
  }

  /** The copy appears whole, because another window may be looking. */
  async #copySample(): Promise<void> {
    const { sampleSource, sampleHome } = this.#places;
    await mkdir(dirname(sampleHome), { recursive: true });
    const staged = await mkdtemp(`${sampleHome}.`);
    try {
      await cp(sampleSource, staged, { recursive: true });
      await rename(staged, sampleHome);
    } catch (error) {
      await rm(staged, { recursive: true, force: true });
      // Another window may have been faster.
      if (!(await isThere(sampleHome))) throw error;
    }
  }
}

/** Where the choice of the own store came from, unless nothing was chosen. */
function reasonOf({ origin, file }: HomeChoice, t: Localize): Pick<OpenStore, "from"> {
  if (origin === "default") return {};
  const from = {
    setting: () => t("from the settings"),
    terminal: () => t("from the terminal's settings"),
    envFile: () => t("from {0}", basename(file ?? "")),
    environment: () => t("from BENTOML_HOME"),
  }[origin]();
  return { from };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
