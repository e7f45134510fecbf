import { type FSWatcher, watch } from "node:fs";
import { dirname, join } from "node:path";
import type { Disposable } from "../base/scope";
import { layoutOf, nameFolder } from "./layout";
import { identityOf, statOf } from "./modelFiles";

/** Events this close together are told as one. */
const COALESCE_MS = 50;

/** How often a folder is looked at where the system has no watches left to give. */
const POLL_MS = 1000;

/** How long a name that just appeared is watched by itself: BentoML fills a version after making its folder. */
const SETTLE_MS = 5000;

/** Whom to tell of changes. */
export interface WatchOptions {
  /** Called with the name whose versions changed, or with nothing when any may have. Must not throw. */
  readonly onChange: (name?: string) => void;
}

/** A running watch of a store. */
export interface StoreWatch extends Disposable {
  /** Also reports changes inside this name from now on. */
  watchName(name: string): void;
  /** Reports changes inside this name no more. */
  unwatchName(name: string): void;
}

/**
 * Watches which names a store holds and, for those asked for, their versions and `latest`; never the files of a
 * version. The store need not exist yet, and may be removed and made again. Where the system refuses a watch, that
 * folder is polled instead.
 */
export function watchStore(home: string, options: WatchOptions): StoreWatch {
  return new Watch(home, options);
}

/**
 * Watches one folder for entries that come, go or change. It need not exist yet, and may be removed and made again;
 * where the system refuses a watch it is polled. @param onChange is told once for what happens at a time
 */
export function watchFolder(path: string, onChange: () => void): Disposable {
  const changes = new Coalesced(() => onChange());
  const folder = new FolderWatch(path, () => changes.add(undefined));
  return {
    dispose() {
      changes.dispose();
      folder.dispose();
    },
  };
}

class Watch implements StoreWatch {
  readonly #layout;
  readonly #changes: Coalesced;
  readonly #models: FolderWatch;
  readonly #names = new Map<string, FolderWatch>();
  readonly #settling = new Map<string, { readonly folder: FolderWatch; readonly timer: NodeJS.Timeout }>();

  constructor(home: string, { onChange }: WatchOptions) {
    this.#layout = layoutOf(home);
    this.#changes = new Coalesced(onChange);
    this.#models = new FolderWatch(this.#layout.models, (name) => this.#modelsChanged(name));
  }

  watchName(name: string): void {
    if (this.#names.has(name)) return;
    this.#names.set(name, this.#watchFolder(name));
  }

  unwatchName(name: string): void {
    this.#names.get(name)?.dispose();
    this.#names.delete(name);
  }

  dispose(): void {
    this.#changes.dispose();
    this.#models.dispose();
    for (const folder of this.#names.values()) folder.dispose();
    for (const name of [...this.#settling.keys()]) this.#endSettling(name);
    this.#names.clear();
  }

  #modelsChanged(name: string | undefined): void {
    this.#changes.add(name);
    if (name === undefined) {
      // The whole folder may be another one now, and so may be those in it.
      for (const folder of this.#names.values()) folder.rearm();
    } else {
      this.#names.get(name)?.rearm();
      this.#settle(name);
    }
  }

  #settle(name: string): void {
    this.#endSettling(name);
    if (this.#names.has(name) || !statOf(nameFolder(this.#layout, name))?.isDirectory()) return;
    const timer = setTimeout(() => this.#endSettling(name), SETTLE_MS).unref();
    this.#settling.set(name, { folder: this.#watchFolder(name), timer });
  }

  #endSettling(name: string): void {
    const settling = this.#settling.get(name);
    if (settling === undefined) return;
    clearTimeout(settling.timer);
    settling.folder.dispose();
    this.#settling.delete(name);
  }

  #watchFolder(name: string): FolderWatch {
    return new FolderWatch(nameFolder(this.#layout, name), () => this.#changes.add(name));
  }
}

/** Watches one folder, or while that is not there the nearest one above it, until it is there. */
class FolderWatch implements Disposable {
  readonly #path: string;
  readonly #onEvent: (entry: string | undefined) => void;
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #watched = "";
  #identity = "";
  #ended = false;

  constructor(path: string, onEvent: (entry: string | undefined) => void) {
    this.#path = path;
    this.#onEvent = onEvent;
    this.#arm();
  }

  /** Looks again at what is to be watched, because the folder may be another one under the same name. */
  rearm(): void {
    if (!this.#ended && (this.#watched !== nearestFolder(this.#path) || this.#identity !== identityOf(this.#watched))) {
      this.#arm();
    }
  }

  dispose(): void {
    this.#ended = true;
    this.#disarm();
  }

  #arm(): void {
    this.#disarm();
    this.#watched = nearestFolder(this.#path);
    this.#identity = identityOf(this.#watched);
    try {
      this.#watcher = watch(this.#watched, { persistent: false }, (_, entry) => this.#happened(entry ?? undefined));
      this.#watcher.on("error", () => this.#startPolling());
    } catch {
      this.#startPolling();
    }
    // It may have been made or changed between the look and the watch.
    if (nearestFolder(this.#path) !== this.#watched) this.#happened(undefined);
  }

  #disarm(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  #happened(entry: string | undefined): void {
    if (this.#ended) return;
    const isTarget = this.#watched === this.#path;
    if (isTarget && identityOf(this.#path) === this.#identity) {
      this.#onEvent(entry);
      return;
    }
    const before = this.#watched;
    this.rearm();
    // What happens around a folder that is still missing is nobody's concern.
    if (isTarget || this.#watched === this.#path || before === this.#path) this.#onEvent(undefined);
  }

  #startPolling(): void {
    if (this.#ended || this.#poll !== undefined) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    let seen = stateOf(this.#watched);
    this.#poll = setInterval(() => {
      const state = stateOf(this.#watched);
      if (state === seen) return;
      seen = state;
      this.#happened(undefined);
    }, POLL_MS).unref();
  }
}

/** Gathers names for a moment and tells each once; an unknown one stands for all. */
class Coalesced implements Disposable {
  readonly #tell: (name?: string) => void;
  readonly #names = new Set<string | undefined>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (name?: string) => void) {
    this.#tell = tell;
  }

  add(name: string | undefined): void {
    this.#names.add(name);
    this.#timer ??= setTimeout(() => this.#flush(), COALESCE_MS).unref();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#names.clear();
  }

  #flush(): void {
    this.#timer = undefined;
    const names = this.#names.has(undefined) ? [undefined] : [...this.#names];
    this.#names.clear();
    for (const name of names) this.#tell(name);
  }
}

function nearestFolder(path: string): string {
  for (let folder = path; ; folder = dirname(folder)) {
    if (statOf(folder)?.isDirectory() || dirname(folder) === folder) return folder;
  }
}

/** Changes whenever an entry or the `latest` file in the folder does. */
function stateOf(path: string): string {
  const latest = statOf(join(path, "latest"));
  return `${identityOf(path)} ${statOf(path)?.mtimeMs} ${latest?.mtimeMs} ${latest?.ino}`;
}
