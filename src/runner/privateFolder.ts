import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { copyFile, mkdir, open, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, extname, isAbsolute, join, normalize, sep } from "node:path";
import { ModelbenchError, throwIfAborted } from "../base/errors";
import type { PythonLoad } from "./protocol";

/** Names of the folders begin so; the id of the process that made one follows, and the namespace that the id is of. */
const PREFIX = "modelbench-python-";

/** What holds code: it is loaded from the very bytes that were digested. Weights are too large to be copied. */
const COPIED = new Set([".pkl", ".pickle", ".joblib", ".py"]);

const REMOVAL = { recursive: true, force: true, maxRetries: 3 };

/** Tells the framework, and is no part of what was consented to: labels in it may change. */
const DESCRIPTION = "model.yaml";

/** What one Python process works in; nobody else may look into it. */
export interface PrivateFolder {
  /** Empty: the working directory. */
  readonly work: string;
  /** The model's files. */
  readonly model: string;
  /** Removes all of it as far as that is possible: whoever started this process does it once more. */
  remove(): void;
}

/** Makes one for a process of this one. @throws ModelbenchError `file.access` when there is no room for it */
export function makePrivateFolder(): PrivateFolder {
  removeLeftovers();
  const root = newFolder();
  const made = { work: join(root, "work"), model: join(root, "model") };
  for (const path of Object.values(made)) mkdirSync(path, { mode: 0o700 });
  return { ...made, remove: () => removeNow([root]) };
}

/**
 * Puts the model's files into a new folder: pickles as copies that are digested while they are copied, the others as
 * links once their digest was found to be the one that was consented to. What is not listed stays out, but for the
 * model's description, which holds no code.
 * @throws ModelbenchError `model.changed` or `file.access` naming the file, `cancelled`
 */
export async function takeOverFiles(
  label: string,
  { folder, files }: PythonLoad,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  for (const { path, sha256 } of files) {
    throwIfAborted(signal);
    const copy = join(target, within(path));
    await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
    const found = await place(join(folder, path), copy, signal).catch((cause: unknown) => {
      throwIfAborted(signal);
      throw unreadable(label, path, cause);
    });
    if (found !== sha256) throw changed(label, folder, path);
  }
  const isDescribed = files.some(({ path }) => path === DESCRIPTION);
  if (!isDescribed) await link(join(folder, DESCRIPTION), join(target, DESCRIPTION));
}

/** Removes what a process that ended left behind. Failures are left to the next one's cleaning. */
export async function removePrivateFolders(pid: number): Promise<void> {
  try {
    for (const path of foldersOf(pid, await readdir(tmpdir()))) await rm(path, REMOVAL);
  } catch {
    // The folder for temporary files cannot be read, or holds something of another user.
  }
}

/** The same for this process, which is about to end. */
export function removeOwnPrivateFolders(): void {
  removeNow(foldersOf(process.pid, temporaryNames()));
}

function removeNow(paths: readonly string[]): void {
  for (const path of paths) {
    try {
      rmSync(path, REMOVAL);
    } catch {
      // Something of it is another user's, or was made this moment.
    }
  }
}

function temporaryNames(): string[] {
  try {
    return readdirSync(tmpdir());
  } catch {
    return [];
  }
}

function foldersOf(pid: number, names: readonly string[]): string[] {
  return names.filter((name) => name.startsWith(`${PREFIX}${pid}-`)).map((name) => join(tmpdir(), name));
}

function newFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-${namespace()}-`));
  } catch (cause) {
    throw new ModelbenchError("file.access", `No private folder can be made in ${tmpdir()}.`, {
      path: tmpdir(),
      remedy: "Make room there, or name another folder in TMPDIR.",
      cause,
    });
  }
}

/** Copies or links one file; answers with its digest. */
async function place(source: string, target: string, signal: AbortSignal): Promise<string> {
  if (COPIED.has(extname(source).toLowerCase())) return copyDigested(source, target, signal);
  const digest = await digestOf(source, signal);
  await link(source, target);
  return digest;
}

/** Links a file if it is there. */
async function link(source: string, target: string): Promise<void> {
  if (!existsSync(source)) return;
  // Windows lets only some users make links.
  await symlink(source, target).catch(() => copyFile(source, target));
}

async function copyDigested(source: string, target: string, signal: AbortSignal): Promise<string> {
  const copy = await open(target, "wx", 0o600);
  try {
    return await digestOf(source, signal, (chunk) => copy.appendFile(chunk));
  } finally {
    await copy.close();
  }
}

async function digestOf(
  path: string,
  signal: AbortSignal,
  onChunk?: (chunk: Buffer) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20, signal })) {
    hash.update(chunk as Buffer);
    await onChunk?.(chunk as Buffer);
  }
  return hash.digest("hex");
}

/** A path that cannot leave the folder. @throws ModelbenchError `protocol.invalid` */
function within(path: string): string {
  const plain = normalize(path);
  if (!isAbsolute(plain) && plain !== ".." && !plain.startsWith(`..${sep}`)) return plain;
  throw new ModelbenchError("protocol.invalid", `A file of the model leaves its folder: ${path}.`);
}

/** Of runners that were killed together with the process that would have cleaned up after them. */
function removeLeftovers(): void {
  const form = new RegExp(`^${PREFIX}([0-9]+)-${namespace()}-`);
  const left = temporaryNames().filter((name) => {
    const pid = Number(form.exec(name)?.[1] ?? process.pid);
    return !isAlive(pid);
  });
  removeNow(left.map((name) => join(tmpdir(), name)));
}

/** Containers may share the folder for temporary files, and cannot see whether each other's processes live. */
function namespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/[^0-9]/g, "");
  } catch {
    return "0";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function unreadable(label: string, path: string, cause: unknown): ModelbenchError {
  if ((cause as NodeJS.ErrnoException).code === "ENOENT")
    return new ModelbenchError("model.changed", `${label}: its file ${path} is gone.`, { path, cause });
  return new ModelbenchError("file.access", `${label}: its file ${path} cannot be taken over.`, { path, cause });
}

function changed(label: string, folder: string, path: string): ModelbenchError {
  return new ModelbenchError("model.changed", `${label}: its file ${path} is not the one that was allowed to run.`, {
    path: join(folder, path),
    remedy: "Look at the model again, and allow it anew if it is what you expect.",
  });
}
