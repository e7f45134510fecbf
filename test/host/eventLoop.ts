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
