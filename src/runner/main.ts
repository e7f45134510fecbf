import { Socket } from "node:net";
import { join } from "node:path";
import { FrameReader, FrameWriter } from "./frames";
import { openOrtThread } from "./ortHost";
import { RunnerService } from "./runnerService";

/**
 * Entry of the runner process: frames come in on fd 3 and go out on fd 4; stdout and stderr are only logs. It lives
 * as long as its input, and ends by SIGKILL: nothing else does not wait for native code.
 */
const input = new Socket({ fd: 3, readable: true, writable: false });
const output = new Socket({ fd: 4, readable: false, writable: true });
const writer = new FrameWriter(output);
const service = new RunnerService({
  send: (frame) => void writer.send(frame).catch((error: Error) => end(error.message)),
  open: (request) =>
    openOrtThread(join(__dirname, "ortThread.cjs"), request, (error) =>
      end(`the runtime's thread died: ${error.message}`),
    ),
  end: () => end("a stopped run did not end"),
  now: () => performance.now(),
});
const reader = new FrameReader((frame) => service.handle(frame));

input.on("data", (chunk: Buffer) => {
  try {
    reader.push(chunk);
  } catch (error) {
    end(error instanceof Error ? error.message : String(error));
  }
});
input.on("close", () => end("its input closed"));
input.on("error", (error) => end(error.message));
output.on("error", (error) => end(error.message));

function end(reason: string): void {
  process.stderr.write(`The runner ends itself: ${reason}.\n`);
  process.kill(process.pid, "SIGKILL");
}
