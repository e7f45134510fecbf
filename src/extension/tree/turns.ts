import { setImmediate } from "node:timers/promises";
import type { Disposable } from "../../base/scope";

/** Longest time the thread is held at a stretch. */
const TURN_MS = 6;

/**
 * Small pieces of work that are asked for all at once and done a few milliseconds at a time, in order: VS Code asks for
 * every row of a list in one breath.
 */
export class Turns implements Disposable {
  readonly #waiting: (() => void)[] = [];
  #end = 0;
  #looping = false;
  #ended = false;

  /** Does a piece of work at once while its turn lasts, else in one of the next. */
  take<T>(work: () => T): T | Promise<T> {
    const now = performance.now();
    if (!this.#looping && this.#waiting.length === 0) {
      // A turn that nobody has used up begins with whoever comes first after the thread was free.
      if (this.#end === 0) this.#begin(now);
      if (now < this.#end) return work();
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
      void this.#loop();
    });
  }

  dispose(): void {
    this.#ended = true;
    this.#waiting.length = 0;
  }

  #begin(now: number): void {
    this.#end = now + TURN_MS;
    void setImmediate().then(() => {
      this.#end = 0;
    });
  }

  async #loop(): Promise<void> {
    if (this.#looping) return;
    this.#looping = true;
    while (this.#waiting.length > 0 && !this.#ended) {
      await setImmediate();
      // What goes on with a row once it is made counts, too, and happens after this loop.
      const end = performance.now() + TURN_MS / 2;
      do this.#waiting.shift()?.();
      while (this.#waiting.length > 0 && performance.now() < end);
    }
    this.#looping = false;
  }
}
