import { constants } from "node:fs";
import { mkdir, open, rename, rmdir, unlink } from "node:fs/promises";
import { errno } from "./failure";

/** A file that is being written for the first time. */
export interface NewFile {
  /** Appends all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Answers once the content is on the device. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Every call by which the store changes a disk, one system call each, so that a test can stop or fail any of them.
 * Failures are those of `node:fs`, unchanged.
 */
export interface FileLayer {
  /** Makes one folder; its parent must be there. */
  mkdir(path: string, mode: number): Promise<void>;
  /** Makes a file that must not be there yet; never follows a link. */
  create(path: string, mode: number): Promise<NewFile>;
  /** Answers once a file's content or a folder's entries are on the device. */
  sync(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Removes a folder, which must be empty. */
  rmdir(path: string): Promise<void>;
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/** Folders that some file systems cannot flush; a power cut there may lose the last rename, never tear it. */
const CANNOT_SYNC = new Set(["EINVAL", "ENOTSUP", "EISDIR", "EPERM"]);

/** The real file system. */
export const nodeFiles: FileLayer = {
  async mkdir(path, mode) {
    await mkdir(path, { mode });
  },
  async create(path, mode) {
    const handle = await open(path, CREATE, mode);
    return {
      async write(bytes) {
        for (let done = 0; done < bytes.length; ) {
          done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
        }
      },
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  async sync(path) {
    const handle = await open(path, constants.O_RDONLY);
    try {
      await handle.sync();
    } catch (error) {
      if (!CANNOT_SYNC.has(errno(error) ?? "")) throw error;
    } finally {
      await handle.close();
    }
  },
  rename,
  unlink,
  rmdir,
};
