/** How many names are looked up, and among how many: beyond, hints stop, so that two large trees stay fast. */
const MAX_LOOKUPS = 200;
const MAX_NAMES = 2000;
/** Hints for one name. */
const MAX_HINTS = 3;
/** Longest name that is compared, in UTF-16 code units; names differ at their end, so the end counts. */
const MAX_LENGTH = 200;

/** Names to look like another one; made for hints, so it may give up when there are many. */
export class NearNames {
  readonly #names: readonly string[];
  #lookups = 0;

  constructor(names: readonly string[]) {
    this.#names = names.length > MAX_NAMES ? [] : names;
  }

  /** At most three names within a third of the length of `name`, the nearest first. */
  of(name: string): string[] {
    this.#lookups += 1;
    if (this.#lookups > MAX_LOOKUPS) return [];
    const wanted = name.slice(-MAX_LENGTH);
    const limit = Math.max(1, Math.floor(wanted.length / 3));
    return this.#names
      .map((candidate) => ({ candidate, distance: editDistance(wanted, candidate.slice(-MAX_LENGTH), limit) }))
      .filter(({ distance }) => distance <= limit)
      .sort((a, b) => a.distance - b.distance)
      .slice(0, MAX_HINTS)
      .map(({ candidate }) => candidate);
  }
}

/** Insertions, deletions and replacements (Levenshtein) between two texts; any number above `limit` when it is more. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const value = Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
      next.push(value);
      least = Math.min(least, value);
    }
    if (least > limit) return limit + 1;
    row = next;
  }
  return row[b.length] ?? limit + 1;
}
