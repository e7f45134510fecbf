import { monitorEventLoopDelay } from "node:perf_hooks";

/** Watches how long the extension host's thread is held at a stretch. */
export interface EventLoopWatch {
  /** The longest stretch since the last call, in milliseconds. */
  longestMs(): number;
  stop(): void;
}

const TICK_MS = 10;

/**
 * A timer that should come every 10 ms; a late one counts by how late it is, but by no more than the processor
 * time this process used meanwhile: on a busy machine a timer is also late when nobody held the thread.
 */
export function watchEventLoop(): EventLoopWatch {
  let longest = 0;
  let last = performance.now();
  let cpu = process.cpuUsage();
  const timer = setInterval(() => {
    const now = performance.now();
    const used = process.cpuUsage(cpu);
    longest = Math.max(longest, Math.min(now - last - TICK_MS, (used.user + used.system) / 1_000));
    last = now;
    cpu = process.cpuUsage();
  }, TICK_MS);
  return {
    longestMs: () => {
      const answer = longest;
      longest = 0;
      return answer;
    },
    stop: () => clearInterval(timer),
  };
}

/** How late the thread was for its timers, in milliseconds. */
export interface EventLoopDelays {
  readonly maxMs: number;
  readonly p99Ms: number;
}

const RESOLUTION_MS = 5;

/**
 * Measures while work runs, as Node's own monitor sees it. On a machine that others keep busy that monitor also counts
 * when nobody held the thread; so a second timer counts a delay by no more than the processor time this process used
 * meanwhile, and the kinder of the two answers is taken.
 */
export async function delaysDuring(work: () => Promise<void>): Promise<EventLoopDelays> {
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const own: number[] = [];
  let last = performance.now();
  let cpu = process.cpuUsage();
  const timer = setInterval(() => {
    const now = performance.now();
    const { user, system } = process.cpuUsage(cpu);
    own.push(Math.min(now - last, (user + system) / 1_000));
    last = now;
    cpu = process.cpuUsage();
  }, RESOLUTION_MS);
  monitor.enable();
  try {
    await work();
  } finally {
    monitor.disable();
    clearInterval(timer);
  }
  own.sort((a, b) => a - b);
  return {
    maxMs: Math.min(monitor.max / 1e6, own.at(-1) ?? 0),
    p99Ms: Math.min(monitor.percentile(99) / 1e6, own[Math.floor(own.length * 0.99)] ?? 0),
  };
}
