import { signal } from "@preact/signals";
import type { ContentProgress, ContentView } from "../protocol/content";
import type { PagePeer } from "../protocol/pagePeer";
import { failureOf } from "./editState";
import type { Loadable } from "./pageState";

/** What the headers of the page's subject say, read once for all sections, and how far work on its tensors is. */
export class ContentState {
  readonly summary = signal<Loadable<ContentView>>({ state: "loading" });
  /** What the host said last of work under way. */
  readonly progress = signal<ContentProgress | undefined>(undefined);
  readonly #peer: PagePeer;
  readonly #changed: () => void;
  #reading: AbortController | undefined;

  /** @param changed is called when other content was read: whatever was derived from the old one is out of date */
  constructor(peer: PagePeer, changed: () => void) {
    this.#peer = peer;
    this.#changed = changed;
  }

  /** Reads the headers, or reads them again; what is shown stays until they are there. */
  async load(): Promise<void> {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    const next = await this.#peer.request("content/describe", {}, reading.signal).then(
      (value): Loadable<ContentView> => ({ state: "ready", value }),
      (error): Loadable<ContentView> => ({ state: "failed", error: failureOf(error) }),
    );
    if (this.#reading !== reading) return;
    const before = stampOf(this.summary.value);
    this.summary.value = next;
    // It is read again for much that concerns none of its files, as when another version of the name is saved.
    if (before === null || before !== stampOf(next)) this.#changed();
  }

  /** The page is about something else now, or about nothing. */
  reset(): void {
    this.#reading?.abort();
    this.#reading = undefined;
    this.summary.value = { state: "loading" };
    this.progress.value = undefined;
  }
}

/** What tells this content from another one, where it is known. */
function stampOf(summary: Loadable<ContentView>): string | null {
  return summary.state === "ready" ? summary.value.stamp : null;
}
