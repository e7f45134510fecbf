import { join } from "node:path";
import type { JobKey, JobOptions } from "../base/ports";
import { nodeFiles } from "./fileLayer";
import { layoutOf } from "./layout";
import { readModel } from "./lookup";
import type { Problem, Tag } from "./model";
import { paced } from "./pace";
import { type FileRecord, readRecord, recordFiles, stamped } from "./record";
import type { StoreParts } from "./staging";
import { formatTag } from "./tag";
import { changedFiles, changeProblem, isTouched, type Recorded, refuseChanged } from "./verify";

/** Which version is verified, and whether also the files whose size and times are as recorded are read. */
export interface VerifyInput {
  readonly home: string;
  readonly tag: Tag;
  readonly full: boolean;
}

/** What became of it; not `checked` when nothing was recorded of this version, as of those that BentoML saved. */
export interface Verified {
  readonly checked: boolean;
  readonly problems: readonly Problem[];
}

/** Compares the files of one version with what they were when it was saved here. */
export const verifyModelJob: JobKey<VerifyInput, Verified> = { name: "store.verify" };

/** The work behind `verifyModelJob`. @throws ModelbenchError `model.notFound`, `yaml.invalid`, `cancelled` */
export async function runVerifyModel({ home, tag, full }: VerifyInput, options: JobOptions): Promise<Verified> {
  const parts: StoreParts = { layout: layoutOf(home), files: nodeFiles, now: Date.now };
  const version = recordedVersion(parts, tag);
  if (version === undefined) return { checked: false, problems: [] };
  const isDue = full ? undefined : isTouched;
  // Taken before anything is read: what is written meanwhile is not what was read.
  const seen = stamped(version.path, version.record);
  const changed = await paced(changedFiles(version, isDue), bytesOf(version), options);
  const damaged = changed.filter(({ edited }) => !edited);
  if (changed.length === 0) await remember(parts, version, seen);
  return { checked: true, problems: damaged.map((change) => changeProblem(version, change)) };
}

/** Refuses a version one of whose files is not what was saved; reads only what was touched since.
 *  @throws ModelbenchError `model.changed`, `cancelled` */
export async function assertUnchanged(home: string, tag: Tag, options: JobOptions): Promise<void> {
  const { problems } = await runVerifyModel({ home, tag, full: false }, options);
  refuseChanged(formatTag(tag), problems);
}

function recordedVersion({ layout }: StoreParts, tag: Tag): Recorded | undefined {
  const { path, info } = readModel(layout, tag);
  const record = readRecord(layout, info, path);
  return record && { path, info, record };
}

/** What was read and found good need not be read again: a store that was copied has other times everywhere. A store
 *  that cannot be written is read each time. */
async function remember(parts: StoreParts, { path, info, record }: Recorded, seen: FileRecord): Promise<void> {
  if ([...record].every(([file, was]) => !isTouched(join(path, file), was))) return;
  await recordFiles(parts, info, seen).catch(() => undefined);
}

function bytesOf({ record }: Recorded): number {
  return [...record.values()].reduce((sum, { bytes }) => sum + bytes, 0);
}
