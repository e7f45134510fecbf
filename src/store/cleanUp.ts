import { byCreation } from "./essentials";
import { tagOfFolder } from "./layout";
import type { ModelSummary } from "./model";
import { formatTag } from "./tag";

/** Which versions are old. */
export interface CleanUpRule {
  /** How many of each name's newest versions stay; 0 when left out. */
  readonly keep?: number | undefined;
  /** Only versions made longer ago than this go, in milliseconds. */
  readonly olderThanMs?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** `name:version`. */
  readonly pinned: ReadonlySet<string>;
  /** `name:version` to what uses it. */
  readonly used: ReadonlyMap<string, readonly string[]>;
}

/**
 * The versions that a clean-up takes, by name, the oldest of each first: those that are neither among the `keep`
 * newest of their name nor younger than `olderThanMs`. Pinned versions, used ones and each name's latest never go.
 */
export function planCleanUp(models: readonly ModelSummary[], rule: CleanUpRule): ModelSummary[] {
  const byName = new Map<string, ModelSummary[]>();
  for (const model of models) {
    const { name } = tagOfFolder(model.path);
    const versions = byName.get(name);
    if (versions === undefined) byName.set(name, [model]);
    else versions.push(model);
  }
  return [...byName.values()].flatMap((versions) => {
    const newestFirst = versions.sort((a, b) => byCreation(b, a));
    // Where no `latest` file names a version, the newest one is what everybody gets.
    const latest = versions.find(({ isLatest }) => isLatest) ?? newestFirst[0];
    return newestFirst
      .slice(rule.keep ?? 0)
      .filter((model) => model !== latest && isOld(model, rule) && mayGo(model, rule))
      .reverse();
  });
}

function isOld({ creationMs }: ModelSummary, { olderThanMs, nowMs }: CleanUpRule): boolean {
  return olderThanMs === undefined || nowMs - creationMs > olderThanMs;
}

/** A file that names another tag than its folder is taken for either: what is kept under one of them stays. */
function mayGo({ tag, path }: ModelSummary, { pinned, used }: CleanUpRule): boolean {
  const tags = [formatTag(tag), formatTag(tagOfFolder(path))];
  return !tags.some((known) => pinned.has(known) || used.has(known));
}
