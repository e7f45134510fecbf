import { Emitter } from "../base/events";
import type { Disposable } from "../base/scope";
import type { RunnerSession } from "../runner/client";
import type { LoadRequest } from "../runner/protocol";

/** One model that has a process of its own now. */
export interface LoadedModel {
  /** What the session was opened under. */
  readonly key: string;
  readonly label: string;
  readonly busy: boolean;
}

/** How sessions are opened and how many may stay. */
export interface SessionsOptions {
  open(request: LoadRequest): RunnerSession;
  /** Most models loaded at once. */
  readonly maxLoaded: () => number;
  /** Milliseconds after which an idle model is unloaded; 0 = never. */
  readonly idleMs: () => number;
}

interface Entry {
  readonly key: string;
  readonly session: RunnerSession;
  readonly subscription: Disposable;
  loaded: boolean;
  users: number;
  /** Order of last use. */
  lastUse: number;
  idleTimer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * The loaded models of this window: one session a model, kept warm after use, unloaded when idle for long or
 * when another model needs the place. A model in use is never unloaded to make room.
 */
export class Sessions implements Disposable {
  readonly #options: SessionsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #changed = new Emitter<void>();
  #uses = 0;

  /** Fires when a model was loaded or unloaded, or became busy or idle. */
  readonly onDidChange = this.#changed.event;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** The session of a model, opened when there is none. Opening starts no process; loading does. */
  session(key: string, request: () => LoadRequest): RunnerSession {
    return this.#entry(key, request).session;
  }

  /** Runs `work` with the loaded model and keeps it from being unloaded meanwhile. */
  async use<T>(key: string, request: () => LoadRequest, work: (session: RunnerSession) => Promise<T>): Promise<T> {
    const entry = this.#entry(key, request);
    clearTimeout(entry.idleTimer);
    entry.users += 1;
    entry.loaded = true;
    entry.lastUse = ++this.#uses;
    this.#makeRoom(entry);
    this.#changed.fire();
    try {
      return await work(entry.session);
    } finally {
      this.#release(entry);
    }
  }

  /** Models that have a process now, last used first. */
  get loaded(): readonly LoadedModel[] {
    return this.#withProcess()
      .sort((a, b) => b.lastUse - a.lastUse)
      .map(({ key, session, users }) => ({ key, label: session.label, busy: users > 0 }));
  }

  /** Ends a model's process; quietly nothing when it has none. */
  async unload(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry) await this.#drop(entry);
  }

  /** Ends every process. */
  async dispose(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => this.#drop(entry)));
    this.#changed.dispose();
  }

  #entry(key: string, request: () => LoadRequest): Entry {
    const known = this.#entries.get(key);
    if (known && !hasEnded(known)) return known;
    if (known) void this.#drop(known);
    const session = this.#options.open(request());
    const subscription = session.onDidChangeState(() => this.#changed.fire());
    const entry: Entry = { key, session, subscription, loaded: false, users: 0, lastUse: 0, idleTimer: undefined };
    this.#entries.set(key, entry);
    return entry;
  }

  #release(entry: Entry): void {
    entry.users -= 1;
    if (entry.users > 0 || this.#entries.get(entry.key) !== entry) return;
    const idleMs = this.#options.idleMs();
    if (idleMs > 0) {
      entry.idleTimer = setTimeout(() => void this.#drop(entry), idleMs);
      entry.idleTimer.unref();
    }
    this.#changed.fire();
  }

  #withProcess(): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.loaded && !hasEnded(entry));
  }

  #makeRoom(wanted: Entry): void {
    const loaded = this.#withProcess();
    const spare = loaded.filter((entry) => entry !== wanted && entry.users === 0);
    spare.sort((a, b) => a.lastUse - b.lastUse);
    for (const entry of spare.slice(0, Math.max(0, loaded.length - this.#options.maxLoaded()))) void this.#drop(entry);
  }

  async #drop(entry: Entry): Promise<void> {
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    clearTimeout(entry.idleTimer);
    entry.subscription.dispose();
    this.#changed.fire();
    await entry.session.stop();
  }
}

function hasEnded({ session: { state } }: Entry): boolean {
  return state === "failed" || state === "stopped";
}
