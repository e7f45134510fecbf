/** Bytes read by position: a file, a member of an archive, or a buffer. Every format reader takes one. */
export interface PositionalReader {
  /** Total size in bytes. */
  readonly size: number;
  /**
   * Returns exactly the bytes `[offset, offset + length)`; the view stays valid until the next call.
   * @throws ModelbenchError `format.corrupt` when the range leaves the source.
   */
  read(offset: number, length: number): Uint8Array;
}

/** Names one job together with the types of its input and result; both are plain, cloneable data. */
export interface JobKey<Input, Result> {
  readonly name: string;
  /** Milliseconds without any progress after which the job is taken for hung; 120,000 when left out. */
  readonly silenceMs?: number;
  /** Never set: carries the types only. */
  readonly types?: (input: Input) => Result;
}

/** How far a job has come. */
export interface JobProgress {
  readonly doneBytes: number;
  /** `undefined` while the total is not known. */
  readonly totalBytes?: number;
  /** What is being worked on now, for instance a member's path. */
  readonly current?: string;
}

/** How a caller follows and cancels a job. */
export interface JobOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: JobProgress) => void) | undefined;
  /**
   * Hears what a job finds on its way: every part, in order, none left out. What a part is says the job's key; the
   * job gathers them, so that they are few.
   */
  readonly onPart?: ((part: unknown) => void) | undefined;
}

/** Runs work outside the extension host. `src/jobs` implements it, in a child process or in this one. */
export interface Jobs {
  /** @throws ModelbenchError the job's own failure, `cancelled`, or `worker.died` */
  run<Input, Result>(job: JobKey<Input, Result>, input: Input, options?: JobOptions): Promise<Result>;
}
