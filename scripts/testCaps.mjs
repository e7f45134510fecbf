// Loaded into every unit and peers test process: a decoder that runs away in time or memory ends its own test file,
// whatever it does to its thread, instead of the machine. V8's own limit does not count Buffers and WebAssembly.
import { isMainThread, Worker } from "node:worker_threads";

/** Far above what any test needs; resident bytes of the process. */
const MAX_RSS_BYTES = 1536 * 1024 * 1024;

/** One file of tests, in milliseconds, on a busy machine; a soak run tries everything that there is. */
const MAX_FILE_MS = (process.env.MODELBENCH_SOAK === "1" ? 180 : 10) * 60_000;

const watch = `
  const began = performance.now();
  const end = (why) => {
    require("node:fs").writeSync(2, "test process ended: " + why + "\\n");
    process.kill(process.pid, "SIGKILL");
  };
  setInterval(() => {
    if (process.memoryUsage.rss() > ${MAX_RSS_BYTES}) end("more than ${MAX_RSS_BYTES} bytes of memory");
    if (performance.now() - began > ${MAX_FILE_MS}) end("more than ${MAX_FILE_MS} ms");
  }, 100);
`;

if (isMainThread) {
  const worker = new Worker(watch, { eval: true, execArgv: [], stdout: false, stderr: false });
  worker.unref();
}
