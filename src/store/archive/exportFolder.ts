import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { throwIfAborted } from "../../base/errors";
import type { JobOptions } from "../../base/ports";
import { nodeFiles } from "../fileLayer";
import { syncTree } from "../fileOperations";
import { Pace } from "../pace";
import { type ExportPlan, type OnDigest, readPlanned } from "./exportPlan";

/** Bytes copied at once. */
const COPY_BYTES = 1024 * 1024;

/**
 * Copies the planned files into a new folder and flushes all of it.
 * @throws ModelbenchError `model.broken` when a file changes meanwhile, `cancelled`, what `onDigest` throws
 */
export async function exportFolder(
  plan: ExportPlan,
  target: string,
  { signal, onProgress }: JobOptions,
  onDigest?: OnDigest,
): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(COPY_BYTES);
  const pace = new Pace();
  let doneBytes = 0;
  for (const member of plan.members) {
    throwIfAborted(signal);
    if (member.kind === "directory") {
      mkdirSync(join(target, member.path), 0o755);
      continue;
    }
    const handle = openSync(join(target, member.path), "wx", member.executable ? 0o755 : 0o644);
    try {
      for (const got of readPlanned(plan, member, (most) => buffer.subarray(0, most), onDigest)) {
        for (let done = 0; done < got; ) done += writeSync(handle, buffer, done, got - done);
        doneBytes += got;
        onProgress?.({ doneBytes, totalBytes: plan.bytes, current: member.path });
        await pace.rest();
        throwIfAborted(signal);
      }
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    await pace.rest();
  }
  await syncTree(nodeFiles, target, false);
}
