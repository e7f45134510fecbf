import { toWireError } from "../base/errors";
import type { JobProgress } from "../base/ports";
import { type JobRegistry, jobNamed } from "./jobFunction";
import type { FromJobs, ToJobs } from "./messages";

/** Progress is sent at most this often; the last one before an answer may be dropped. */
const PROGRESS_INTERVAL_MS = 100;

/**
 * Answers requests from `receive` through `send` until the process ends: each `run` once, whatever the job does.
 * Jobs run interleaved; `cancel` of an unknown or finished job is ignored.
 */
export function serveJobs(
  registry: JobRegistry,
  send: (message: FromJobs) => void,
  receive: (listener: (message: ToJobs) => void) => void,
): void {
  const running = new Map<number, AbortController>();
  receive((message) => {
    if (message.kind === "run") void runOne(message.id, message.name, message.input);
    else cancel(message.id);
  });

  function cancel(id: number): void {
    const controller = running.get(id);
    if (!controller) return;
    send({ kind: "cancelling", id });
    controller.abort();
  }

  async function runOne(id: number, name: string, input: unknown): Promise<void> {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const onProgress = throttle((progress) => send({ kind: "progress", id, progress }));
      const onPart = (part: unknown): void => send({ kind: "part", id, part });
      const value = await jobNamed(registry, name)(input, { signal: controller.signal, onProgress, onPart });
      send({ kind: "result", id, value });
    } catch (error) {
      send({ kind: "error", id, error: toWireError(error) });
    } finally {
      running.delete(id);
    }
  }
}

function throttle(report: (progress: JobProgress) => void): (progress: JobProgress) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const now = performance.now();
    if (now - last < PROGRESS_INTERVAL_MS) return;
    last = now;
    report(progress);
  };
}
