/** Names that are to be read, each once, in the order they were added; those that somebody waits for before them. */
export class NamesToRead {
  /** With the time of the folder, where that was looked at already. */
  readonly #names = new Map<string, number | undefined>();
  readonly #awaited = new Map<string, Awaited>();

  get size(): number {
    return this.#names.size;
  }

  /** @param folderMs `undefined` = to be looked at when the name is read */
  add(name: string, folderMs: number | undefined): void {
    this.#names.set(name, folderMs);
  }

  /** Puts a name before the others; answers when it was read. */
  first(name: string): Promise<void> {
    const awaited = this.#awaited.get(name) ?? new Awaited();
    this.#awaited.set(name, awaited);
    return awaited.promise;
  }

  /** The next one, which is no longer in it. */
  take(): readonly [name: string, folderMs: number | undefined] | undefined {
    const next = this.#nextName();
    if (next === undefined) return undefined;
    const folderMs = this.#names.get(next);
    this.#names.delete(next);
    return [next, folderMs];
  }

  /** Says that a name was read. */
  done(name: string): void {
    this.#awaited.get(name)?.resolve();
    this.#awaited.delete(name);
  }

  clear(): void {
    this.#names.clear();
    for (const awaited of this.#awaited.values()) awaited.resolve();
    this.#awaited.clear();
  }

  #nextName(): string | undefined {
    for (const name of this.#awaited.keys()) if (this.#names.has(name)) return name;
    const [first] = this.#names.keys();
    return first;
  }
}

/** A promise that somebody else resolves. */
export class Awaited {
  resolve: () => void = () => undefined;
  readonly promise = new Promise<void>((resolve) => {
    this.resolve = resolve;
  });
}
