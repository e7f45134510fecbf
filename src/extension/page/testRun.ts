import type { Reply } from "../../../webview/protocol/views";
import { ModelbenchError } from "../../base/errors";
import type { RunnerSession } from "../../runner/client";
import type { RunRequest, RunResult } from "../../runner/protocol";
import { failureView } from "./failureView";
import { outputView } from "./tensorView";

/** Outputs above this many bytes stay in the runner and are read by rows. */
const KEEP_ABOVE_BYTES = 256 * 1024;

/** One request of a run and what came back. */
export interface Answer {
  readonly reply: Reply;
  /** Absent when the request failed. */
  readonly result: RunResult | undefined;
}

/**
 * Sends one request `copies` times at once and reports each answer as it comes. A failed request is an answer
 * too; what ends the whole run is thrown: `cancelled` or `worker.died`.
 */
export async function sendCopies(
  session: RunnerSession,
  request: Pick<RunRequest, "method" | "inputs">,
  copies: number,
  signal: AbortSignal,
  onAnswer: (index: number, answer: Answer) => void,
): Promise<void> {
  const send = async (index: number): Promise<void> => {
    try {
      const result = await session.run({ ...request, batch: true, keepAboveBytes: KEEP_ABOVE_BYTES }, signal);
      onAnswer(index, { reply: replyOf(result), result });
    } catch (error) {
      if (error instanceof ModelbenchError && (error.code === "cancelled" || error.code === "worker.died")) throw error;
      onAnswer(index, { reply: failedReply(error), result: undefined });
    }
  };
  await Promise.all(Array.from({ length: copies }, (_, index) => send(index)));
}

function replyOf(result: RunResult): Reply {
  return {
    error: null,
    outputs: result.outputs.map(outputView),
    unfetchable: result.unfetchable.map(({ name, reason }) => ({ name, reason })),
    ...result.timing,
    batchId: result.batchId,
    batchSize: result.batchSize,
    batchRequests: result.batchRequests,
    batches: result.batches,
    device: result.device,
  };
}

function failedReply(error: unknown): Reply {
  return {
    error: failureView(error),
    outputs: [],
    unfetchable: [],
    loadMs: 0,
    queueMs: 0,
    batchMs: 0,
    runMs: 0,
    batchId: 0,
    batchSize: 0,
    batchRequests: 0,
    batches: 0,
    device: "",
  };
}
