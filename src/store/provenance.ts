import type { FileDigest } from "./fileDigest";

/** A file of the user's own, as it was when a model was made with it. */
export interface NamedFile extends Pick<FileDigest, "bytes" | "sha256"> {
  /** Absolute. */
  readonly path: string;
  /** When it was last written, ms since the epoch: a file of the same size and time is not read again. */
  readonly mtimeMs: number;
}

/** The state of a project's repository. */
export interface GitState {
  /** Absolute path of the working tree on the machine that saved. */
  readonly folder: string;
  /** Hash of the commit. */
  readonly commit: string;
  /** Left out where no branch is checked out. */
  readonly branch?: string | undefined;
  /** Whether anything differed from the commit, the script itself above all; left out where that took too long. */
  readonly isDirty?: boolean | undefined;
  /** Where it is kept, without user names and passwords. */
  readonly remote?: string | undefined;
  /** Path of the script from the working tree's root, with `/`. */
  readonly script: string;
}

/** What made a model that was saved from an object of a project. */
export interface Provenance {
  /** What was evaluated in the script: an attribute or an expression. */
  readonly expression: string;
  readonly script: NamedFile;
  /** Left out where there is no repository, or no git. */
  readonly git?: GitState | undefined;
  /** Files that the user named as the model's data. */
  readonly data: readonly NamedFile[];
  /** Versions by package, Python's own as `python`. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Longest list and text that are believed: the note is a file that anybody may have written. */
const MAX_FILES = 10_000;
const MAX_TEXT = 10_000;

/** What a note says made a model; `undefined` for what is none. */
export function readProvenance(value: unknown): Provenance | undefined {
  if (!isRecord(value)) return undefined;
  const { expression, script, git, data, versions } = value;
  const file = namedFile(script);
  if (!isText(expression) || file === undefined || !Array.isArray(data) || !isRecord(versions)) return undefined;
  const state = gitState(git);
  return {
    expression,
    script: file,
    ...(state === undefined ? {} : { git: state }),
    data: data.slice(0, MAX_FILES).flatMap((each) => namedFile(each) ?? []),
    versions: Object.fromEntries(
      Object.entries(versions).filter((entry): entry is [string, string] => isText(entry[1])),
    ),
  };
}

function namedFile(value: unknown): NamedFile | undefined {
  if (!isRecord(value)) return undefined;
  const { path, bytes, mtimeMs, sha256 } = value;
  if (!isText(path) || typeof bytes !== "number" || typeof mtimeMs !== "number" || !isText(sha256)) return undefined;
  return { path, bytes, mtimeMs, sha256 };
}

function gitState(value: unknown): GitState | undefined {
  if (!isRecord(value)) return undefined;
  const { folder, commit, branch, isDirty, remote, script } = value;
  if (!isText(folder) || !isText(script) || !isText(commit) || !/^[0-9a-f]{40,64}$/.test(commit)) return undefined;
  return {
    folder,
    commit,
    script,
    ...(isText(branch) ? { branch } : {}),
    ...(typeof isDirty === "boolean" ? { isDirty } : {}),
    ...(isText(remote) ? { remote } : {}),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT;
}
