import { ModelbenchError } from "../../base/errors";
import type { JobOptions } from "../../base/ports";
import { isCancelled } from "../guard";
import type { Localize, Services } from "../services";

/** What became of several things that were done one after the other. */
export interface Outcome<Item, Result> {
  readonly done: readonly { readonly item: Item; readonly result: Result }[];
  readonly failed: readonly { readonly item: Item; readonly error: unknown }[];
  /** The user stopped it; what was not begun is in neither list. */
  readonly cancelled: boolean;
}

/** Does something with each item; one that fails keeps no other from being done. */
export async function forEach<Item, Result>(
  items: readonly Item[],
  work: (item: Item, options: JobOptions) => Promise<Result>,
  options: JobOptions = {},
): Promise<Outcome<Item, Result>> {
  const done: { item: Item; result: Result }[] = [];
  const failed: { item: Item; error: unknown }[] = [];
  for (const item of items) {
    try {
      done.push({ item, result: await work(item, options) });
    } catch (error) {
      if (isCancelled(error)) return { done, failed, cancelled: true };
      failed.push({ item, error });
    }
  }
  return { done, failed, cancelled: false };
}

/** The same under one progress notification that counts the bytes of all of them. */
export async function forEachUnderProgress<Item extends { readonly bytes: number }, Result>(
  { ui }: Pick<Services, "ui">,
  title: string,
  items: readonly Item[],
  work: (item: Item, options: JobOptions) => Promise<Result>,
): Promise<Outcome<Item, Result>> {
  const totalBytes = items.reduce((sum, { bytes }) => sum + bytes, 0);
  return ui.progress(title, (signal, report) => {
    let before = 0;
    const one = async (item: Item): Promise<Result> => {
      try {
        return await work(item, {
          signal,
          onProgress: ({ doneBytes, totalBytes: all, current }) => {
            const share = all === undefined || all === 0 ? doneBytes : (item.bytes * doneBytes) / all;
            const reached = before + Math.min(item.bytes, share);
            report({ doneBytes: reached, totalBytes, ...(current === undefined ? {} : { current }) });
          },
        });
      } finally {
        before += item.bytes;
      }
    };
    return forEach(items, one, { signal });
  });
}

/**
 * The failure that stands for all of them: the only one as it is, else the first with how many there were.
 * @param summary for instance `{0} of {1} archives were not imported: {2}`
 */
export function oneFailure<Item, Result>(
  t: Localize,
  { done, failed }: Outcome<Item, Result>,
  summary: string,
  remedy?: string,
): ModelbenchError | undefined {
  const [first] = failed;
  if (!first) return undefined;
  const { error } = first;
  if (!(error instanceof ModelbenchError)) throw error;
  const all = done.length + failed.length;
  if (all === 1) return error;
  const details = { path: error.path, remedy: remedy ?? error.remedy, cause: error };
  return new ModelbenchError(error.code, t(summary, failed.length, all, error.message), details);
}
