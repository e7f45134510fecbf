import { signal } from "@preact/signals";
import type { LoadedObjectsView } from "../protocol/madeViews";
import type { PagePeer } from "../protocol/pagePeer";
import { failureOf } from "./editState";
import type { Loadable } from "./pageState";

/** The custom objects of the model, as far as the user had them loaded. */
export class ObjectsState {
  /** `undefined` = nobody asked for them, or it was refused. */
  readonly loaded = signal<Loadable<LoadedObjectsView> | undefined>(undefined);
  readonly #peer: PagePeer;
  #loading: AbortController | undefined;

  constructor(peer: PagePeer) {
    this.#peer = peer;
  }

  /** Loads them in the model's process; whether its code may run is asked outside the page. */
  async load(tag: string): Promise<void> {
    this.reset();
    const loading = new AbortController();
    this.#loading = loading;
    this.loaded.value = { state: "loading" };
    const next = await this.#peer.request("model/objects", { tag }, loading.signal).then(
      (value): Loadable<LoadedObjectsView> | undefined => (value === null ? undefined : { state: "ready", value }),
      (error): Loadable<LoadedObjectsView> | undefined => {
        const failure = failureOf(error);
        return failure.code === "cancelled" ? undefined : { state: "failed", error: failure };
      },
    );
    if (this.#loading === loading) this.loaded.value = next;
  }

  /** Stops loading them, and forgets what they were. */
  reset(): void {
    this.#loading?.abort();
    this.#loading = undefined;
    this.loaded.value = undefined;
  }
}
