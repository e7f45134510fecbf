import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { ContentProgress } from "../../../webview/protocol/content";
import type { Handlers } from "../../../webview/protocol/hostPeer";
import { ModelbenchError } from "../../base/errors";
import type { JobOptions, Jobs } from "../../base/ports";
import { visible } from "../../base/visible";
import type { StoredTensor } from "../../frameworks/content";
import {
  type ContentRef,
  describeContentJob,
  exportSliceJob,
  heatMapJob,
  listTensorsJob,
  readSliceJob,
  type SliceFormat,
  sliceTextJob,
  tensorStatisticsJob,
} from "../../frameworks/contentJobs";
import type { Localize, Ui } from "../services";
import { brokenContent, contentView, tensorRows } from "./contentView";

/** The requests about the content of a page's subject. */
export type ContentHandlers = Pick<Handlers, Extract<keyof Handlers, `content/${string}` | `tensor/${string}`>>;

/** What the answers are made from. */
export interface ContentHandlersPort {
  /** The model or file that the page shows now. @throws ModelbenchError when there is none */
  ref(): ContentRef;
  readonly jobs: Jobs;
  readonly ui: Pick<Ui, "copy" | "pickTarget">;
  readonly t: Localize;
  /** Tells the page how far a piece of work is. */
  progress(progress: ContentProgress): void;
}

/** The page is told of progress at most this often, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;

/** Answers of any page that shows what is in files; all reading happens in the jobs process. */
export function contentHandlers({ ref, jobs, ui, t, progress }: ContentHandlersPort): ContentHandlers {
  const followed = (tensor: number, work: ContentProgress["work"], signal: AbortSignal): JobOptions => {
    let lastMs = 0;
    const onProgress: JobOptions["onProgress"] = ({ doneBytes, totalBytes = null }) => {
      const now = Date.now();
      if (now - lastMs < PROGRESS_INTERVAL_MS) return;
      lastMs = now;
      progress({ tensor, work, doneBytes, totalBytes });
    };
    return { signal, onProgress };
  };
  return {
    "content/describe": async (_, signal) => {
      try {
        return contentView(await jobs.run(describeContentJob, ref(), { signal }));
      } catch (error) {
        if (error instanceof ModelbenchError && error.code === "cancelled") throw error;
        return brokenContent(error);
      }
    },
    "content/tensors": async ({ start, count }, signal) => ({
      tensors: tensorRows(await jobs.run(listTensorsJob, { ref: ref(), start, count }, { signal })),
    }),
    "tensor/slice": async (slice, signal) => ({
      values: [...(await jobs.run(readSliceJob, { ref: ref(), ...slice }, { signal }))],
    }),
    "tensor/heatMap": async (view, signal) => {
      const { means, ...map } = await jobs.run(heatMapJob, { ref: ref(), ...view }, { signal });
      return { ...map, means: Array.from(means, (mean) => (Number.isFinite(mean) ? mean : null)) };
    },
    "tensor/statistics": async ({ tensor }, signal) => {
      const statistics = await jobs.run(
        tensorStatisticsJob,
        { ref: ref(), tensor },
        followed(tensor, "statistics", signal),
      );
      const { histogram } = statistics;
      return { ...statistics, histogram: histogram && { ...histogram, counts: [...histogram.counts] } };
    },
    "tensor/export": async ({ tensor, view, range, format }, signal) => {
      const [row] = await jobs.run(listTensorsJob, { ref: ref(), start: tensor, count: 1 }, { signal });
      const destination = await ui.pickTarget({
        title: t("Export Values"),
        action: t("Export"),
        fileName: `${fileNameOf(row?.name ?? "")}.${format}`,
        filters: { [FILTERS[format]]: [format] },
      });
      if (destination === undefined) return { saved: null };
      // The file may have been written to while the dialog was open, and the number be another tensor's.
      const [now] = await jobs.run(listTensorsJob, { ref: ref(), start: tensor, count: 1 }, { signal });
      if (!isDeepStrictEqual(tensorOf(now), tensorOf(row))) throw writtenMeanwhile(row?.name);
      const part = { ...(view && { view }), ...(range && { range }) };
      const input = { ref: ref(), tensor, ...part, format, destination };
      const { bytes } = await jobs.run(exportSliceJob, input, followed(tensor, "export", signal));
      return { saved: { name: basename(destination), bytes } };
    },
    "tensor/copy": async (slice, signal) => {
      const text = await jobs.run(sliceTextJob, { ref: ref(), ...slice }, { signal });
      await ui.copy(text);
      return { characters: text.length };
    },
  };
}

const FILTERS: Readonly<Record<SliceFormat, string>> = { npy: "NumPy", csv: "CSV", json: "JSON" };

/** What makes it the tensor that was chosen; where it lies may change. */
function tensorOf(row: StoredTensor | undefined): unknown {
  return row && [row.name, row.nativeDtype, row.shape];
}

function writtenMeanwhile(name = ""): ModelbenchError {
  const message = `${visible(name, 100)} is not what it was when its export was begun: the file was written to.`;
  return new ModelbenchError("result.gone", message, { remedy: "Choose the tensor again." });
}

/** A tensor's name as the name of a file. */
function fileNameOf(name: string): string {
  const safe = name.replace(/[^\w.-]+/gu, "_").replace(/^[._]+|[._]+$/gu, "");
  return safe.slice(-100) || "tensor";
}
