import { ModelbenchError } from "../base/errors";

/** The code of a failed system call, for instance `ENOENT`; `undefined` for anything else. */
export function errno(error: unknown): string | undefined {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return undefined;
}

const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: "Check who owns the folder and its permissions, or choose another store.",
  EPERM: "Check who owns the folder and its permissions, or choose another store.",
  EROFS: "The file system is mounted read-only: choose another store.",
  ENOSPC: "Free some space on that device and try again.",
  EDQUOT: "Free some of your quota on that device and try again.",
  EMFILE: "Too many files are open: try again.",
  ENFILE: "Too many files are open on this machine: try again.",
};

/** What the usual codes mean; Node's own text repeats the call and the path. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "the operation is not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left on the device",
  EDQUOT: "the quota is used up",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is not a folder",
  ESPIPE: "it is not a regular file",
};

/**
 * The failure of a system call on the store, in words: `store.crossDevice` for EXDEV, else `store.access`.
 * What is a ModelbenchError already is returned as it is.
 */
export function storeFailure(error: unknown, action: string, path: string): ModelbenchError {
  if (error instanceof ModelbenchError) return error;
  const code = errno(error);
  if (code === "EXDEV") {
    return new ModelbenchError("store.crossDevice", `Cannot ${action} ${path}: it is on another device.`, {
      path,
      remedy: "Keep models/ and .modelbench/ of a store on one file system; nothing is copied across.",
      cause: error,
    });
  }
  const said = error instanceof Error ? error.message : String(error);
  const known = code === undefined ? undefined : REASONS[code];
  const reason = known === undefined ? said : `${known} (${code})`;
  return new ModelbenchError("store.access", `Cannot ${action} ${path}: ${reason}.`, {
    path,
    remedy: code === undefined ? undefined : REMEDIES[code],
    cause: error,
  });
}
