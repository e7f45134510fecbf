import { throwIfAborted } from "../base/errors";
import type { JobKey, JobOptions, Jobs } from "../base/ports";
import { jobNamed } from "./jobFunction";
import { jobRegistry } from "./registry";

/** Runs jobs in this process: right for the CLI, which has no user interface to keep alive. */
export function inProcessJobs(): Jobs {
  return {
    async run<Input, Result>(job: JobKey<Input, Result>, input: Input, options: JobOptions = {}): Promise<Result> {
      throwIfAborted(options.signal);
      return (await jobNamed(jobRegistry, job.name)(input, options)) as Result;
    },
  };
}
