import { type FSWatcher, watch } from "node:fs";
import type { Disposable } from "../../base/scope";
import { identityOf } from "../../store/modelFiles";

/** An editor writes a file in several steps; they count as one. */
const GATHER_MS = 150;

/**
 * Follows what is written inside one folder. The listing watches folders of names only, and notices nothing of a file
 * that is written in place, as editors do.
 */
export class FolderWatch implements Disposable {
  readonly #path: string;
  readonly #onChange: () => void;
  #watcher: FSWatcher | undefined;
  #identity = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(path: string, onChange: () => void) {
    this.#path = path;
    this.#onChange = onChange;
    this.renew();
  }

  /** Looks again for the folder: it may have gone, and another one of its path may be there. */
  renew(): void {
    const identity = identityOf(this.#path);
    if (identity === this.#identity) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#identity = identity;
    if (identity !== "") this.#watcher = this.#start();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  #start(): FSWatcher | undefined {
    try {
      const watcher = watch(this.#path, { persistent: false }, () => {
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          this.#onChange();
        }, GATHER_MS);
      });
      // Without it the page shows what it read last, until it is looked at again.
      watcher.on("error", () => watcher.close());
      return watcher;
    } catch {
      return undefined;
    }
  }
}
