import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { JobKey } from "../../src/base/ports";
import type { FromJobs } from "../../src/jobs/messages";
import { exportModelJob, importArchiveJob } from "../../src/store/archive/archiveJobs";
import type { Ratio, Timing } from "./rounds";

/** What the jobs process may need above what it has when idle. */
const MOST_MIB = 32;

/** The jobs process as it is shipped, asked directly, so that its own memory is all that is looked at. */
class JobsProcess {
  readonly #child: ChildProcess;
  #next = 1;

  constructor() {
    this.#child = fork(resolve("dist/jobs.cjs"), { stdio: "ignore", execArgv: ["--expose-gc"] });
  }

  run<Input>(job: JobKey<Input, unknown>, input: Input): Promise<void> {
    const id = this.#next++;
    return new Promise((done, fail) => {
      const hear = (message: FromJobs): void => {
        if (!("id" in message) || message.id !== id || message.kind === "progress" || message.kind === "cancelling")
          return;
        this.#child.off("message", hear);
        if (message.kind === "error") fail(new Error(message.error.message));
        else done();
      };
      this.#child.on("message", hear);
      this.#child.send({ kind: "run", id, name: job.name, input });
    });
  }

  /** MiB of physical memory: now, or the most there ever was. */
  memory(which: "VmRSS" | "VmHWM"): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "latin1");
    return Number(new RegExp(`${which}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}

/** The most memory that an export or import of each model takes, against the same process before it. */
export async function archiveMemory(place: {
  readonly home: string;
  readonly work: string;
  readonly models: readonly string[];
}): Promise<Ratio[]> {
  const ratios: Ratio[] = [];
  for (const [i, tag] of place.models.entries()) {
    for (const format of ["bentomodel", "tar", "zip", "tar.gz"] as const) {
      const path = join(place.work, `memory-${i}.${format}`);
      ratios.push(
        await measure(`export ${format}, ${tag}`, exportModelJob, { home: place.home, tag, destination: path, format }),
      );
      const input = { home: join(place.work, `memory-home-${i}-${format}`), source: path, onConflict: "fail" as const };
      ratios.push(await measure(`import ${format}, ${tag}`, importArchiveJob, input));
    }
  }
  for (const format of ["tar.xz", "tar.bz2"] as const) {
    const path = join(place.work, `memory-small.${format}`);
    const compression = format === "tar.xz" ? { compression: "small" as const } : {};
    const packing = { home: place.home, tag: place.models[0] ?? "", destination: path, format, ...compression };
    ratios.push(await measure(`export small ${format}`, exportModelJob, packing));
    const input = { home: join(place.work, `memory-home-${format}`), source: path, onConflict: "fail" as const };
    ratios.push(await measure(`import small ${format}`, importArchiveJob, input));
  }
  return ratios;
}

async function measure<Input>(what: string, job: JobKey<Input, unknown>, input: Input): Promise<Ratio> {
  const jobs = new JobsProcess();
  try {
    await jobs.run({ name: "no.such.job" }, null).catch(() => undefined);
    const idle = jobs.memory("VmRSS");
    await jobs.run(job, input);
    const figure = (name: string, value: number): Timing => ({ name, medianMs: value, minMs: value, samples: [value] });
    const [ours, against] = [figure("peak", jobs.memory("VmHWM")), figure("idle", idle)];
    return { what: `memory: ${what}`, ours, against, atMostMoreMs: MOST_MIB, unit: "MiB" };
  } finally {
    jobs.end();
  }
}
