import type { Stats } from "node:fs";
import type { Essentials } from "./essentials";
import { MODEL_YAML } from "./layout";
import {
  type Contents,
  encodeListing,
  type KnownListing,
  KnownVersion,
  pushStamp,
  type VersionFacts,
} from "./listingFile";
import { statOf } from "./modelFiles";

/**
 * A file that changed this shortly before it was looked at may change again without its times telling: file systems
 * count in steps of up to two seconds, and their clock may be a little off ours.
 */
const RACY_MS = 3000;

/** Reading fewer versions than that again is quicker than writing the file. */
const WORTH_SAVING = 200;

/** Looking at that many files takes as long as listing their folders anew: such a version is not remembered. */
const MAX_ENTRIES = 64;

/** How a listing uses what is remembered. */
export interface CacheOptions {
  /** What an earlier listing wrote; `undefined` = nothing usable. */
  readonly known: KnownListing | undefined;
  /** When this listing began, before anything was read, in ms since the epoch. */
  readonly startedMs: number;
  /** Whether what is read is gathered for `encoded`; otherwise it is only counted. */
  readonly learns: boolean;
}

/**
 * What an earlier listing read, and what this one reads for the next. Nothing remembered is believed unless the
 * model.yaml and the folders of the version are by their times, numbers and sizes those that were read: a file that
 * is replaced, edited or put back gets another time of change, which no program can set.
 */
export class ListingCache {
  readonly #known: KnownListing | undefined;
  readonly #startedMs: number;
  readonly #learns: boolean;
  readonly #names: string[] = [];
  readonly #versions: string[] = [];
  readonly #next: (KnownVersion | VersionFacts)[] = [];
  #kept = 0;
  #learned = 0;

  constructor({ known, startedMs, learns }: CacheOptions) {
    this.#known = known;
    this.#startedMs = startedMs;
    this.#learns = learns;
  }

  /** Whether the next listing saves more by what this one read than it takes to write that down. */
  get isWorthSaving(): boolean {
    const dropped = (this.#known?.count ?? 0) - this.#kept;
    return Math.max(this.#learned, dropped) >= WORTH_SAVING;
  }

  /** What was read of this version, if its model.yaml and its folder are still the same. */
  recall(name: string, version: string, path: string): KnownVersion | undefined {
    const known = this.#known?.find(name, version);
    if (known === undefined) return undefined;
    const yaml = statOf(`${path}/${MODEL_YAML}`);
    if (yaml === undefined || !known.isYaml(yaml)) return undefined;
    const folder = statOf(path);
    return folder !== undefined && known.isFolder(folder) ? known : undefined;
  }

  /** Remembers again what `recall` answered with. */
  keep(name: string, version: string, known: KnownVersion): void {
    this.#kept += 1;
    if (this.#learns) this.#add(name, version, known);
  }

  /** Remembers what was read of a version just now, unless something in it is too young to be trusted. */
  learn(name: string, version: string, path: string, essentials: Essentials, contents: Contents): void {
    if (contents.files.length + contents.folders.length > MAX_ENTRIES) return;
    const facts = this.#learns ? this.#factsOf(path, essentials, contents) : undefined;
    if (this.#learns && facts === undefined) return;
    if (facts !== undefined) this.#add(name, version, facts);
    this.#learned += 1;
  }

  /** What the next listing may start from. */
  encoded(): Buffer {
    return encodeListing(
      this.#next.map((facts, i) => ({
        name: this.#names[i] ?? "",
        version: this.#versions[i] ?? "",
        facts: facts instanceof KnownVersion ? facts.facts : facts,
      })),
    );
  }

  /** What was read before and is as old still is what was read: it has not changed since this listing began. */
  #factsOf(path: string, essentials: Essentials, { files, folders }: Contents): VersionFacts | undefined {
    const yaml = statOf(`${path}/${MODEL_YAML}`);
    if (!yaml?.isFile() || this.#isYoung(yaml)) return undefined;
    const numbers = [essentials.creationMs, essentials.creationMicros, yaml.size];
    pushStamp(numbers, yaml);
    for (let i = -1; i < folders.length; i += 1) {
      const stat = statOf(i < 0 ? path : `${path}/${folders[i]}`);
      if (stat === undefined || this.#isYoung(stat)) return undefined;
      pushStamp(numbers, stat);
    }
    return { module: essentials.module, files, folders, numbers };
  }

  #add(name: string, version: string, facts: KnownVersion | VersionFacts): void {
    this.#names.push(name);
    this.#versions.push(version);
    this.#next.push(facts);
  }

  #isYoung({ mtimeMs, ctimeMs }: Stats): boolean {
    return Math.max(mtimeMs, ctimeMs) > this.#startedMs - RACY_MS;
  }
}
