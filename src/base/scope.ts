/** Anything that is released by `dispose`, awaited when it answers with a promise. */
export interface Disposable {
  dispose(): unknown;
}

/** Owns things and releases them in reverse order; what arrives after the end is released at once. */
export class Scope implements Disposable {
  readonly #owned: Disposable[] = [];
  #ended = false;

  /** Takes ownership of `thing` and returns it. */
  own<T extends Disposable>(thing: T): T {
    if (this.#ended) void thing.dispose();
    else this.#owned.push(thing);
    return thing;
  }

  /** Releases everything, last owned first; one failure does not keep the others, the first is rethrown. */
  async dispose(): Promise<void> {
    this.#ended = true;
    const failures: unknown[] = [];
    for (let thing = this.#owned.pop(); thing; thing = this.#owned.pop()) {
      try {
        await thing.dispose();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
