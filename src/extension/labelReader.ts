import type { Jobs } from "../base/ports";
import { Slice } from "../base/slice";
import { MODEL_YAML } from "../store/layout";
import type { ModelSummary } from "../store/model";
import { statOf } from "../store/modelFiles";
import { labelsOfSoon, type ModelLabels, readLabelsJob } from "../store/modelLabels";
import { formatTag } from "../store/tag";
import { runSlices } from "./slices";

/** Longest time the host is kept busy without a break. */
const SLICE_MS = 8;

/** What was read of one model.yaml, and of which state of it. */
interface Read {
  readonly state: string;
  readonly labels: ModelLabels;
}

/** Reads the labels of versions, each again only when its model.yaml changed. */
export class LabelReader {
  readonly #jobs: Jobs;
  readonly #signal: AbortSignal;
  #read = new Map<string, Read>();
  #working: Promise<unknown> = Promise.resolve();

  /** @param signal ends what is going on */
  constructor(jobs: Jobs, signal: AbortSignal) {
    this.#jobs = jobs;
    this.#signal = signal;
  }

  /** The labels of these versions by tag. @throws ModelbenchError `cancelled` once the signal fired */
  labels(models: readonly ModelSummary[]): Promise<ReadonlyMap<string, ModelLabels>> {
    const work = this.#working.then(() => this.#readAll(models));
    this.#working = work.catch(() => undefined);
    return work;
  }

  async #readAll(models: readonly ModelSummary[]): Promise<ReadonlyMap<string, ModelLabels>> {
    const read = new Map<string, Read>();
    const slow = await runSlices(this.#readSoon(models, read), this.#signal);
    await this.#readSlow(slow, read);
    this.#read = read;
    return new Map(models.map(({ tag, path }) => [formatTag(tag), read.get(path)?.labels ?? new Map()]));
  }

  /** Answers with what takes longer than this thread may be held. */
  *#readSoon(models: readonly ModelSummary[], read: Map<string, Read>): Generator<void, Map<string, string>> {
    const slice = new Slice(SLICE_MS);
    const slow = new Map<string, string>();
    for (const { path } of models) {
      const stat = statOf(`${path}/${MODEL_YAML}`);
      const state = stat === undefined ? "" : `${stat.mtimeMs} ${stat.ctimeMs} ${stat.size} ${stat.ino}`;
      const before = this.#read.get(path);
      const labels = before?.state === state ? before.labels : labelsOfSoon(path);
      if (labels === undefined) slow.set(path, state);
      else read.set(path, { state, labels });
      yield* slice.rest();
    }
    return slow;
  }

  async #readSlow(slow: ReadonlyMap<string, string>, read: Map<string, Read>): Promise<void> {
    if (slow.size === 0) return;
    const found = await this.#jobs.run(readLabelsJob, { folders: [...slow.keys()] }, { signal: this.#signal });
    for (const [i, [path, state]] of [...slow].entries()) read.set(path, { state, labels: new Map(found[i]) });
  }
}
