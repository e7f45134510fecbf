import { Emitter } from "../base/events";
import type { Disposable } from "../base/scope";
import type { RunnerSession, SessionFacts } from "../runner/client";
import type { LoadRequest, SessionState } from "../runner/protocol";

/** What a loaded model is doing, or that it has failed and has no process any more; `warm` = a process waits for it. */
export type LoadedState = "warm" | "loading" | "ready" | "busy" | "failed";

/** One model that has a process of its own now, or whose process failed and was not forgotten yet. */
export interface LoadedModel {
  /** What the session was opened under. */
  readonly key: string;
  readonly label: string;
  readonly state: LoadedState;
  /** Whether somebody uses it: it is not unloaded for being idle or to make room. */
  readonly busy: boolean;
  readonly facts: SessionFacts;
  /** When it is unloaded unless somebody uses it, or forgotten when it has failed: milliseconds since the epoch. */
  readonly unloadsAtMs: number | undefined;
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
  /** Whether its process was started ahead, and nobody has used it yet. */
  isWarming: boolean;
  users: number;
  /** Order of last use. */
  lastUse: number;
  idleTimer: ReturnType<typeof setTimeout> | undefined;
  /** Since when nobody uses it and until when it may stay so, milliseconds since the epoch. */
  idleSinceMs: number;
  unloadsAtMs: number | undefined;
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

  /** What a session is doing; `undefined` when there is none. */
  stateOf(key: string): SessionState | undefined {
    return this.#entries.get(key)?.session.state;
  }

  /** Whether one more model may have a process without another one losing its own. */
  get hasRoom(): boolean {
    return this.#withProcess().length < this.#options.maxLoaded();
  }

  /** Starts the process of a model ahead of its first use; what keeps it from starting shows in that use. */
  async warm(key: string, request: () => LoadRequest): Promise<void> {
    const entry = this.#entry(key, request);
    if (entry.loaded) return;
    entry.loaded = true;
    entry.isWarming = true;
    entry.lastUse = ++this.#uses;
    entry.idleSinceMs = Date.now();
    this.#rest(entry);
    this.#changed.fire();
    await entry.session.warm().catch(async () => {
      if (entry.users === 0) await this.#drop(entry);
    });
  }

  /** Runs `work` with the loaded model and keeps it from being unloaded meanwhile. */
  async use<T>(key: string, request: () => LoadRequest, work: (session: RunnerSession) => Promise<T>): Promise<T> {
    const entry = this.#entry(key, request);
    wake(entry);
    entry.users += 1;
    entry.loaded = true;
    entry.isWarming = false;
    entry.lastUse = ++this.#uses;
    this.#makeRoom(entry);
    this.#changed.fire();
    try {
      return await work(entry.session);
    } finally {
      this.#release(entry);
    }
  }

  /** Models that have a process now, and those that failed, last used first. */
  get listed(): readonly LoadedModel[] {
    return [...this.#entries.values()]
      .filter(({ loaded, session: { state } }) => loaded && state !== "stopped")
      .sort((a, b) => b.lastUse - a.lastUse)
      .map(describe);
  }

  /** Those of them that have a process. */
  get loaded(): readonly LoadedModel[] {
    return this.listed.filter(({ state }) => state !== "failed");
  }

  /** Holds what is idle to the settings as they are now. */
  settingsChanged(): void {
    for (const entry of this.#entries.values()) if (entry.loaded && entry.users === 0) this.#rest(entry);
    this.#makeRoom(undefined);
    this.#changed.fire();
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
    const idle = { idleTimer: undefined, idleSinceMs: 0, unloadsAtMs: undefined };
    const entry: Entry = { key, session, subscription, loaded: false, isWarming: false, users: 0, lastUse: 0, ...idle };
    this.#entries.set(key, entry);
    return entry;
  }

  #release(entry: Entry): void {
    entry.users -= 1;
    if (entry.users > 0 || this.#entries.get(entry.key) !== entry) return;
    entry.idleSinceMs = Date.now();
    this.#rest(entry);
    // What were in use at the same time may be more than may stay.
    this.#makeRoom(undefined);
    this.#changed.fire();
  }

  /** Counts the time that a model may stay idle. */
  #rest(entry: Entry): void {
    wake(entry);
    const idleMs = this.#options.idleMs();
    if (idleMs === 0) return;
    entry.unloadsAtMs = entry.idleSinceMs + idleMs;
    entry.idleTimer = setTimeout(() => void this.#drop(entry), Math.max(0, entry.unloadsAtMs - Date.now()));
    entry.idleTimer.unref();
  }

  #withProcess(): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.loaded && !hasEnded(entry));
  }

  #makeRoom(wanted: Entry | undefined): void {
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

/** Somebody uses it: it is not idle any more. */
function wake(entry: Entry): void {
  clearTimeout(entry.idleTimer);
  entry.unloadsAtMs = undefined;
}

function describe({ key, session, users, unloadsAtMs, isWarming }: Entry): LoadedModel {
  const { facts, label, state } = session;
  const isUp = state === "ready" || state === "busy" || state === "failed";
  return { key, label, state: isUp ? state : isWarming ? "warm" : "loading", busy: users > 0, facts, unloadsAtMs };
}

function hasEnded({ session: { state } }: Entry): boolean {
  return state === "failed" || state === "stopped";
}
