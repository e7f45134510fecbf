import { Emitter } from "../../base/events";
import type { Disposable } from "../../base/scope";
import type { MachineMark } from "./machineMark";

/** Where consents are kept: VS Code's `globalState`, which no folder can write and nothing syncs. */
export interface ConsentMemory {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

/** The code of a model, as consent is asked about. */
export interface AskedCode {
  /** See `codeDigest`. */
  readonly digest: string;
  readonly tag: string;
  readonly name: string;
  /** Whether this user's own save made it, from this workspace; only then a name may stand for what it is. */
  readonly isSavedHere: boolean;
  /** Whether it would run apart from the rest of the machine. */
  readonly isIsolated: boolean;
  /** What is open in the window: the URI of its file or folder; empty = nothing. */
  readonly workspace: string;
}

/** Something that was allowed: exactly this code, or what is saved here under a name from a workspace. */
export type Consent =
  | {
      readonly kind: "digest";
      readonly digest: string;
      /** What it was called when it was allowed. */
      readonly tag: string;
      /** Whether it was to run apart: then it may not run otherwise. */
      readonly isIsolated: boolean;
      /** Milliseconds since the epoch. */
      readonly atMs: number;
    }
  | { readonly kind: "name"; readonly name: string; readonly workspace: string; readonly atMs: number };

const KEY = "modelbench.allowedCode";
/** Number of the shape of what is kept. */
const SCHEMA = 1;
/** More than anybody looks through; the oldest are forgotten, and asked about again. */
const MAX_KEPT = 500;

/** Which models' code the user has allowed to run on this machine. */
export class Consents implements Disposable {
  readonly #memory: ConsentMemory;
  readonly #machine: Pick<MachineMark, "read" | "make">;
  readonly #now: () => number;
  readonly #changed = new Emitter<void>();

  /** Fires when something was allowed or taken back in this window. */
  readonly onDidChange = this.#changed.event;

  constructor(memory: ConsentMemory, machine: Pick<MachineMark, "read" | "make">, now: () => number = Date.now) {
    this.#memory = memory;
    this.#machine = machine;
    this.#now = now;
  }

  /** Everything that is allowed on this machine, last first. */
  get all(): readonly Consent[] {
    const kept = Object(this.#memory.get(KEY));
    const isOurs = kept.schema === SCHEMA && kept.machine !== undefined && kept.machine === this.#machine.read();
    return isOurs && Array.isArray(kept.allowed) ? kept.allowed.filter(isConsent) : [];
  }

  /** By what this code may run; `undefined` = nobody has allowed it. */
  isAllowed(code: AskedCode): Consent["kind"] | undefined {
    return this.all.find((consent) => covers(consent, code))?.kind;
  }

  /** Allows exactly this code; with `always` also what is saved here under its name from this workspace. */
  async allow(code: AskedCode, always = false): Promise<void> {
    const atMs = this.#now();
    const { digest, isIsolated, name, tag, workspace } = code;
    const consent: Consent =
      always && code.isSavedHere
        ? { kind: "name", name, workspace, atMs }
        : { kind: "digest", digest, tag, isIsolated, atMs };
    const others = this.all.filter((one) => !isSame(one, consent));
    await this.#keep([consent, ...others].slice(0, MAX_KEPT));
  }

  /** Takes back these; what is not there is taken back already. */
  async revoke(consents: readonly Consent[]): Promise<void> {
    const left = this.all.filter((one) => !consents.some((taken) => isSame(one, taken)));
    await this.#keep(left);
  }

  /** Takes back whatever allows this code. */
  async revokeFor(code: AskedCode): Promise<void> {
    await this.revoke(this.all.filter((consent) => covers(consent, code)));
  }

  dispose(): void {
    this.#changed.dispose();
  }

  async #keep(allowed: readonly Consent[]): Promise<void> {
    await this.#memory.update(KEY, { schema: SCHEMA, machine: this.#machine.make(), allowed });
    this.#changed.fire();
  }
}

function isConsent(kept: unknown): kept is Consent {
  const { kind, digest, tag, isIsolated, name, workspace, atMs } = Object(kept);
  if (kind === "digest" && typeof isIsolated !== "boolean") return false;
  const texts = kind === "digest" ? [digest, tag] : kind === "name" ? [name, workspace] : [undefined];
  return texts.every((text) => typeof text === "string") && typeof atMs === "number";
}

function covers(consent: Consent, { digest, isIsolated, isSavedHere, name, workspace }: AskedCode): boolean {
  if (consent.kind === "digest") return consent.digest === digest && (isIsolated || !consent.isIsolated);
  return isSavedHere && consent.name === name && consent.workspace === workspace;
}

function isSame(a: Consent, b: Consent): boolean {
  if (a.kind === "digest") return b.kind === "digest" && a.digest === b.digest;
  return b.kind === "name" && a.name === b.name && a.workspace === b.workspace;
}
