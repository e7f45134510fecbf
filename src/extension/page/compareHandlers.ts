import { isDeepStrictEqual } from "node:util";
import type { CompareProgress } from "../../../webview/protocol/compare";
import type { Handlers } from "../../../webview/protocol/hostPeer";
import { ModelbenchError } from "../../base/errors";
import type { Jobs } from "../../base/ports";
import {
  type ComparisonSummary,
  compareJob,
  compareTensorsJob,
  filesWritten,
} from "../../frameworks/compare/compareJobs";
import type { ContentRef } from "../../frameworks/contentJobs";
import type { Ui } from "../services";
import { comparisonView, differenceRow } from "./compareView";

/** The requests of a page that shows a comparison. */
export type CompareHandlers = Pick<Handlers, Extract<keyof Handlers, `${"compare" | "text"}/${string}`>>;

/** What the answers are made from. */
export interface CompareHandlersPort {
  /** The two sides as they are now. @throws ModelbenchError when one is gone */
  refs(): { readonly a: ContentRef; readonly b: ContentRef };
  readonly jobs: Jobs;
  readonly ui: Pick<Ui, "copy">;
  /** Tells the page how far the comparison is. */
  progress(progress: CompareProgress): void;
}

/** The page is told of progress at most this often, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;

/** Answers of the page of one comparison; what was found is kept, as a hidden page is thrown away. */
export function compareHandlers({ refs, jobs, ui, progress }: CompareHandlersPort): CompareHandlers {
  let found: ComparisonSummary | undefined;
  const result = (): ComparisonSummary => {
    if (found) return found;
    throw new ModelbenchError("result.gone", "There is no comparison to read from.");
  };
  return {
    "text/copy": async ({ text }) => {
      await ui.copy(text);
      return null;
    },
    "compare/run": async ({ again }, signal) => {
      if (again) found = undefined;
      let lastMs = 0;
      found ??= await jobs.run(compareJob, refs(), {
        signal,
        onProgress: ({ doneBytes, totalBytes = null }) => {
          const now = Date.now();
          if (now - lastMs < PROGRESS_INTERVAL_MS) return;
          lastMs = now;
          progress({ doneBytes, totalBytes });
        },
      });
      return comparisonView(found);
    },
    "compare/rows": async ({ start, count }) => ({
      rows: result()
        .tensors.slice(start, start + count)
        .map(differenceRow),
    }),
    "compare/ulps": async ({ row }, signal) => {
      const { a, b, values } = result().tensors[row] ?? {};
      if (!a || !b) throw new ModelbenchError("internal", `Row ${row} has no two tensors.`);
      const { a: left, b: right } = refs();
      const pair = { a: { ref: left, tensor: a.index }, b: { ref: right, tensor: b.index } };
      const { ulps, ...now } = await jobs.run(compareTensorsJob, pair, { signal });
      // Tensors are asked for by their numbers, which may be those of others in files that were written to.
      if (!isDeepStrictEqual(now, values)) throw filesWritten();
      return { counts: [...(ulps?.counts ?? [])], nan: ulps?.nan ?? 0 };
    },
  };
}
