import { ModelbenchError } from "../base/errors";
import type { JobKey, JobOptions } from "../base/ports";

/** A job's work with its types forgotten; `defineJob` keeps them in step with the key. */
export type JobFunction = (input: unknown, options: JobOptions) => Promise<unknown>;

/** Job name to function. */
export type JobRegistry = ReadonlyMap<string, JobFunction>;

/** One line of a registry: a key tied to the function that has its types. */
export function defineJob<Input, Result>(
  key: JobKey<Input, Result>,
  run: (input: Input, options: JobOptions) => Promise<Result>,
): readonly [string, JobFunction] {
  return [key.name, (input, options) => run(input as Input, options)];
}

/** @throws ModelbenchError `internal` for a name nobody registered */
export function jobNamed(registry: JobRegistry, name: string): JobFunction {
  const job = registry.get(name);
  if (!job) throw new ModelbenchError("internal", `There is no job called ${JSON.stringify(name)}.`);
  return job;
}
