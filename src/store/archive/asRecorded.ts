import { join } from "node:path";
import { layoutOf } from "../layout";
import type { StoredModel } from "../model";
import { lstatOf } from "../modelFiles";
import { readRecord } from "../record";
import { formatTag } from "../tag";
import { changeProblem, refuseChanged, refuseChangedFile } from "../verify";
import type { OnDigest } from "./exportPlan";

/**
 * Compares what an export reads of a model with what was saved of it; `undefined` where nothing is known of that.
 * @throws ModelbenchError `model.changed` at once for a file that is gone, later for one whose bytes differ
 */
export function asRecorded(home: string, { path, info }: StoredModel): OnDigest | undefined {
  const record = readRecord(layoutOf(home), info, path);
  if (record === undefined) return undefined;
  const version = { path, info, record };
  const gone = [...record.keys()].filter((file) => lstatOf(join(path, file)) === undefined);
  const missing = gone.map((file) => changeProblem(version, { file, difference: undefined, edited: false }));
  refuseChanged(formatTag(info.tag), missing);
  return (file, digest) => refuseChangedFile(version, file, digest);
}
