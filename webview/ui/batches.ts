import type { Reply } from "../protocol/views";

/** A batch that replies rode in. */
export interface FormedBatch {
  readonly id: number;
  /** Rows in it; of a batch that only pieces of cut requests rode in, at most so many. */
  readonly rows: number;
  readonly isExact: boolean;
  /** Requests that shared it, those of others included; 0 where that is not known. */
  readonly requests: number;
  /** Numbers of the shown requests that rode in it. */
  readonly riders: readonly number[];
}

/** The batches that answered requests rode in, oldest first. */
export function batchesOf(replies: readonly (Reply | null)[]): FormedBatch[] {
  const found = new Map<number, FormedBatch>();
  replies.forEach((reply, index) => {
    if (!reply || reply.error || reply.batchId === 0) return;
    const { batchId, batches, batchSize, batchRequests } = reply;
    // A request that was cut rode in one batch after the other, and names the last one.
    for (let id = batchId - Math.max(1, batches) + 1; id <= batchId; id++) {
      const known = found.get(id);
      const riders = [...(known?.riders ?? []), index];
      const isExact = batches <= 1;
      if (known && (known.isExact || !isExact)) found.set(id, { ...known, riders });
      else found.set(id, { id, rows: batchSize, isExact, requests: isExact ? batchRequests : 0, riders });
    }
  });
  return [...found.values()].sort((a, b) => a.id - b.id);
}

/** What a batch counts in the picture: its rows, or its requests where rows mean nothing. */
function weightOf({ rows, requests }: FormedBatch): number {
  return Math.max(1, rows > 0 ? rows : requests);
}

/** Where each batch lies on a line of this length, in its units; what they weigh decides, and a gap parts them. */
export function layOut(
  batches: readonly FormedBatch[],
  length: number,
): { readonly x: number; readonly width: number }[] {
  const total = batches.reduce((sum, batch) => sum + weightOf(batch), 0);
  const gap = Math.min(3, length / Math.max(1, batches.length) / 4);
  const room = length - gap * (batches.length - 1);
  let x = 0;
  return batches.map((batch) => {
    const place = { x, width: (weightOf(batch) / total) * room };
    x += place.width + gap;
    return place;
  });
}

/** How often each size occurs, in the order in which they came. */
export function sizesOf(batches: readonly FormedBatch[]): { readonly batch: FormedBatch; readonly count: number }[] {
  const sizes = new Map<string, { batch: FormedBatch; count: number }>();
  for (const batch of batches) {
    const key = `${batch.isExact} ${batch.rows}`;
    const known = sizes.get(key);
    sizes.set(key, { batch, count: (known?.count ?? 0) + 1 });
  }
  return [...sizes.values()];
}

/** Milliseconds from a request to its answer, in the order in which they passed. */
export function timesOf({ queueMs, batchMs, runMs }: Reply): readonly [queue: number, batch: number, run: number] {
  return [Math.max(0, queueMs), Math.max(0, batchMs), Math.max(0, runMs)];
}

/** A scale from 0 that ends at or behind `most`, in two to five round steps. */
export function timeScale(most: number): readonly number[] {
  if (!(most > 0)) return [0, 1];
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [0.2, 0.5, 1, 2].map((part) => part * power).find((size) => most / size <= 5) ?? 2 * power;
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}
