import type { Stats } from "node:fs";
import type { Essentials } from "./essentials";
import { MODEL_YAML } from "./layout";
import { type Contents, type KnownListing, ListingWriter, type Stamp, type VersionFacts } from "./listingFile";
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

/**
 * What an earlier listing read, and what this one reads for the next. Nothing remembered is believed unless the
 * model.yaml and the folders of the version are by their times, numbers and sizes those that were read: a file that
 * is replaced, edited or put back gets another time of change, which no program can set.
 */
export class ListingCache {
  readonly #known: KnownListing | undefined;
  readonly #startedMs: number;
  readonly #next = new ListingWriter();
  #learned = 0;

  /**
   * @param known what an earlier listing wrote; `undefined` = nothing usable
   * @param startedMs when this listing began, before anything was read, in ms since the epoch
   */
  constructor(known: KnownListing | undefined, startedMs: number) {
    this.#known = known;
    this.#startedMs = startedMs;
  }

  /** Whether the next listing saves more by what this one read than it takes to write that down. */
  get isWorthSaving(): boolean {
    const dropped = (this.#known?.count ?? 0) - (this.#next.count - this.#learned);
    return Math.max(this.#learned, dropped) >= WORTH_SAVING;
  }

  /** What was read of this version, if its model.yaml and its folder are still the same. */
  recall(name: string, version: string, path: string): VersionFacts | undefined {
    const known = this.#known?.find(name, version);
    if (known === undefined) return undefined;
    const yaml = statOf(`${path}/${MODEL_YAML}`);
    if (yaml === undefined || yaml.size !== known.yamlBytes || !isSame(yaml, known.yaml)) return undefined;
    return isStillFolder(path, known.folder) ? known : undefined;
  }

  /** Remembers again what `recall` answered with. */
  keep(name: string, version: string, known: VersionFacts): void {
    this.#next.add(name, version, known);
  }

  /** Remembers what was read of a version just now, unless something in it is too young to be trusted. */
  learn(name: string, version: string, path: string, essentials: Essentials, { files, folders }: Contents): void {
    if (files.length + folders.length > MAX_ENTRIES) return;
    const yaml = statOf(`${path}/${MODEL_YAML}`);
    const folder = statOf(path);
    const inside = folders.map((inner) => statOf(`${path}/${inner}`));
    if (!yaml?.isFile() || folder === undefined || inside.includes(undefined)) return;
    const stamps = [yaml, folder, ...(inside as Stats[])];
    if (stamps.some((stat) => Math.max(stat.mtimeMs, stat.ctimeMs) > this.#startedMs - RACY_MS)) return;
    const { module, creationMs, creationMicros } = essentials;
    const facts: VersionFacts = {
      ...{ module, creationMs, creationMicros, yamlBytes: yaml.size, yaml, folder },
      ...{ files, folders, inside: inside as Stats[] },
    };
    this.#next.add(name, version, facts);
    this.#learned += 1;
  }

  /** What the next listing may start from. */
  encoded(): Buffer {
    return this.#next.encode();
  }
}

/** Whether a folder has had no entry added, removed or renamed since it was looked at. */
export function isStillFolder(path: string, stamp: Stamp): boolean {
  const stat = statOf(path);
  return stat?.isDirectory() === true && isSame(stat, stamp);
}

function isSame(stat: Stats, stamp: Stamp): boolean {
  return stat.ctimeMs === stamp.ctimeMs && stat.mtimeMs === stamp.mtimeMs && stat.ino === stamp.ino;
}
