import { join } from "node:path";
import { ModelbenchError } from "../base/errors";
import { visible } from "../base/visible";
import { type Difference, differenceOf, digestSlices, type FileDigest, sizeDifference } from "./fileDigest";
import { MODEL_YAML } from "./layout";
import type { ModelInfo, Problem } from "./model";
import { lstatOf, statOf } from "./modelFiles";
import { isUntouched, type RecordedFile } from "./record";
import { formatTag } from "./tag";

/** What to do about content that nothing here can bring back. */
export const GET_AGAIN = "Import the model again and replace it, or restore an earlier version.";

/** A path is most of it. */
const MAX_DETAIL = 5000;

/** Which version is compared with its record. */
export interface Recorded {
  /** The version's folder. */
  readonly path: string;
  readonly info: ModelInfo;
  readonly record: ReadonlyMap<string, RecordedFile>;
}

/** One recorded file that is not what it was. */
export interface ChangedFile {
  /** Inside the version. */
  readonly file: string;
  /** `undefined` when it is gone. */
  readonly difference: Difference | undefined;
  /** Set for a model.yaml that somebody has written since: editing it is nobody's damage. */
  readonly edited: boolean;
}

/**
 * Compares the files of a version with what was recorded of them, and yields the bytes just read now and then. A file
 * whose size differs is not read.
 * @param isDue whether the content of a file has to be looked at; its size always is
 */
export function* changedFiles(
  { path, record }: Recorded,
  isDue: (path: string, was: RecordedFile) => boolean = () => true,
): Generator<number, ChangedFile[]> {
  const changed: ChangedFile[] = [];
  for (const [file, was] of record) {
    const there = join(path, file);
    const stat = statOf(there);
    if (!stat?.isFile()) {
      changed.push({ file, difference: undefined, edited: false });
      continue;
    }
    let difference = sizeDifference(was.bytes, stat.size);
    if (difference === undefined && isDue(there, was)) difference = differenceOf(was, yield* readable(there, was));
    if (difference) changed.push({ file, difference, edited: isEdited(there, file, was) });
  }
  return changed;
}

/** Whether a version's file has to be read before it is trusted: its size or times are not those recorded. */
export function isTouched(path: string, was: RecordedFile): boolean {
  return !isUntouched(path, was);
}

/** Refuses a file that was just read and is not what was recorded of it; an edited model.yaml is nobody's damage.
 *  @throws ModelbenchError `model.changed` */
export function refuseChangedFile(version: Recorded, file: string, is: FileDigest): void {
  const was = version.record.get(file);
  const difference = was && differenceOf(was, is);
  if (was === undefined || difference === undefined || isEdited(join(version.path, file), file, was)) return;
  const change = { file, difference, edited: false };
  refuseChanged(formatTag(version.info.tag), [changeProblem(version, change)]);
}

/** A finding in words. */
export function changeProblem({ path, info }: Recorded, { file, difference, edited }: ChangedFile): Problem {
  const [tag, at] = [formatTag(info.tag), join(path, file)];
  if (difference === undefined) {
    return { kind: "file.missing", tag, path: at, detail: `${at} was saved with the model and is gone.` };
  }
  const detail = `${at} is not what was saved: ${difference.words}.`;
  const repair = edited ? { repair: "Take it as it is now for what was saved." } : {};
  return { kind: "file.changed", tag, path: at, detail, ...repair };
}

/** Refuses to use a version with such a finding. @throws ModelbenchError `model.changed` */
export function refuseChanged(tag: string, problems: readonly Problem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  throw new ModelbenchError("model.changed", `${tag} is damaged: ${visible(first.detail, MAX_DETAIL)}`, {
    path: first.path,
    remedy: GET_AGAIN,
  });
}

function* readable(path: string, was: RecordedFile): Generator<number, FileDigest> {
  try {
    return yield* digestSlices(path);
  } catch {
    // A sector that cannot be read is as good as a changed one; which it is the device alone could say.
    return { ...was, sha256: "", blocks: undefined };
  }
}

/** Bits that rot do not change a file's times; whoever edits a model.yaml does. */
function isEdited(path: string, file: string, { stamp }: RecordedFile): boolean {
  return file === MODEL_YAML && stamp !== undefined && lstatOf(path)?.mtimeMs !== stamp.mtimeMs;
}
