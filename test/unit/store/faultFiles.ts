import { type FileLayer, type NewFile, nodeFiles } from "../../../src/store/fileLayer";

/** How the n-th call fails: once, that call and all later ones, or as a process that is killed in the middle of it. */
export type FaultKind = "transient" | "persistent" | "crash";

/** A file layer on the real disk whose n-th mutating call (from 1) fails; without a fault it only counts. */
export interface FaultFiles extends FileLayer {
  /** Mutating calls so far, failed ones included. */
  readonly calls: () => number;
  /** Every call so far, in words. */
  readonly log: readonly string[];
}

/** The real disk, with a fault at the call that is named. */
export function faultFiles(fault?: {
  readonly at: number;
  readonly kind: FaultKind;
  readonly code: string;
}): FaultFiles {
  const log: string[] = [];

  const fails = (): boolean => {
    if (fault === undefined || log.length < fault.at) return false;
    return fault.kind !== "transient" || log.length === fault.at;
  };
  const failure = (what: string): Error => {
    const code = fault?.code ?? "EIO";
    return Object.assign(new Error(`${code}: injected, ${what}`), { code });
  };
  const step = async <T>(what: string, run: () => Promise<T>): Promise<T> => {
    log.push(what);
    if (fails()) throw failure(what);
    return await run();
  };

  const wrap = (file: NewFile, path: string): NewFile => ({
    async write(bytes) {
      log.push(`write ${path}`);
      if (!fails()) return await file.write(bytes);
      // A full disk and a killed process both leave a part of what was to be written.
      if (log.length === fault?.at) await file.write(bytes.subarray(0, bytes.length >> 1));
      throw failure(`write ${path}`);
    },
    sync: () => step(`sync ${path}`, () => file.sync()),
    // The descriptor must not leak into the test's own process, whatever is injected.
    close: () => file.close(),
  });

  return {
    log,
    calls: () => log.length,
    mkdir: (path, mode) => step(`mkdir ${path}`, () => nodeFiles.mkdir(path, mode)),
    create: (path, mode) => step(`create ${path}`, async () => wrap(await nodeFiles.create(path, mode), path)),
    sync: (path) => step(`sync ${path}`, () => nodeFiles.sync(path)),
    rename: (from, to) => step(`rename ${from} ${to}`, () => nodeFiles.rename(from, to)),
    unlink: (path) => step(`unlink ${path}`, () => nodeFiles.unlink(path)),
    rmdir: (path) => step(`rmdir ${path}`, () => nodeFiles.rmdir(path)),
  };
}
