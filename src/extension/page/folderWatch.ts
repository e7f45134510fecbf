import { type FSWatcher, watch } from "node:fs";
import type { Disposable } from "../../base/scope";
import { identityOf } from "../../store/modelFiles";

/** An editor writes a file in several steps; they count as one. */
const GATHER_MS = 150;

/** How often a folder that has gone is looked for. */
const RETURN_MS = 1_000;

/**
 * Follows what is written inside one folder. The listing watches folders of names only, and notices nothing of a file
 * that is written in place, as editors do.
 */
export class FolderWatch implements Disposable {
  readonly #pathNow: () => string | undefined;
  readonly #onChange: () => void;
  #watcher: FSWatcher | undefined;
  #identity = "";
  readonly #isPatient: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waiting: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param pathNow where the folder is, absolute, asked whenever it is looked for; `undefined` = nowhere now
   * @param isPatient whether a folder that went is waited for, where nobody else says that it is back
   */
  constructor(pathNow: () => string | undefined, onChange: () => void, isPatient = false) {
    this.#pathNow = pathNow;
    this.#onChange = onChange;
    this.#isPatient = isPatient;
    if (isPatient) this.#goOn();
    else this.renew();
  }

  /** Looks again for the folder: it may have gone, and another one may be in its place, or somewhere else. */
  renew(): void {
    const path = this.#pathNow();
    const identity = path === undefined ? "" : identityOf(path);
    if (identity === this.#identity) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#identity = identity;
    if (path !== undefined && identity !== "") this.#watcher = this.#start(path);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#waiting);
    this.#watcher?.close();
  }

  /** Follows the folder that has the path now, which a build or a checkout may have made anew, or waits for one. */
  #goOn(): void {
    this.renew();
    if (this.#identity !== "" || this.#waiting !== undefined) return;
    this.#waiting = setTimeout(() => {
      this.#waiting = undefined;
      this.#goOn();
      if (this.#identity !== "") this.#onChange();
    }, RETURN_MS);
    this.#waiting.unref();
  }

  #start(path: string): FSWatcher | undefined {
    try {
      const watcher = watch(path, { persistent: false }, () => {
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          if (this.#isPatient) this.#goOn();
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
