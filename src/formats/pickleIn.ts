import { ModelbenchError } from "../base/errors";
import type { PositionalReader } from "../base/ports";
import type { PickleFacts } from "./pickle/facts";
import { scanObjectArray } from "./pickle/objectArray";
import { readPickleFile } from "./pickle/pickleFile";
import { claimedFormat, unclaimedFormat } from "./sniff";

/** Whether a file of this name can be, or hold, a pickle: names that claim another format are not asked. */
export function mayHoldPickle(path: string): boolean {
  const claimed = claimedFormat(path);
  return claimed === undefined || claimed === "npy" || claimed === "npz";
}

/** What the pickles in a file would do; `undefined` when it has none. Nothing of them is executed. */
export function pickleIn(path: string, reader: PositionalReader): PickleFacts | undefined {
  try {
    const format = claimedFormat(path) ?? unclaimedFormat(path, reader);
    if (format === "npy") return scanObjectArray(reader);
    if (format !== "pickle" && format !== "npz") return undefined;
    const { facts } = readPickleFile(reader);
    return format === "pickle" || facts.streams > 0 ? facts : undefined;
  } catch (error) {
    // A damaged array: what it is will be said where it is opened.
    if (error instanceof ModelbenchError) return undefined;
    throw error;
  }
}
