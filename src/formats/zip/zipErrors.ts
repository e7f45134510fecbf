import { ModelbenchError } from "../../base/errors";

/** A zip error at a byte of the file. */
export function corruptZip(message: string, offset: number): ModelbenchError {
  return new ModelbenchError("archive.corrupt", `Damaged zip: ${message} at byte ${offset}.`, { offset });
}

/** The failure for what zip files may use and this version does not read. */
export function unsupportedZip(message: string, offset: number): ModelbenchError {
  return new ModelbenchError("archive.format", `The zip file uses ${message}, which this version does not read.`, {
    offset,
    remedy: "Pack it again with plain `zip -r`.",
  });
}

/** A 64-bit figure as a number. @throws ModelbenchError `archive.corrupt` beyond 2^53 */
export function bounded(value: bigint, offset: number): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw corruptZip("an impossible number", offset);
  return Number(value);
}
