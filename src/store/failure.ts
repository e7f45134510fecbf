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
  const reason = error instanceof Error ? error.message : String(error);
  return new ModelbenchError("store.access", `Cannot ${action} ${path}: ${reason}.`, {
    path,
    remedy: code === undefined ? undefined : REMEDIES[code],
    cause: error,
  });
}
