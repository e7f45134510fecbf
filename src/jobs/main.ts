import type { FromJobs, ToJobs } from "./messages";
import { jobRegistry } from "./registry";
import { serveJobs } from "./serve";

// The jobs process. Its only link to the world is Node's IPC channel; when that closes, whoever asked is gone.
process.on("disconnect", () => process.exit(0));
serveJobs(
  jobRegistry,
  (message: FromJobs) => {
    if (process.connected) process.send?.(message);
  },
  (listener) => process.on("message", (message) => listener(message as ToJobs)),
);
