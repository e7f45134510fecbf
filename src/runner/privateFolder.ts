import { createHash } from "node:crypto";
import {
  type BigIntStats,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { copyFile, type FileHandle, mkdir, open, readdir, realpath, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join, normalize, sep } from "node:path";
import { ModelbenchError, throwIfAborted } from "../base/errors";
import { leadsInto } from "../store/modelFiles";
import type { PythonLoad } from "./protocol";

/** Names of the folders begin so; the id of the process that made one follows, and the namespace that the id is of. */
const PREFIX = "modelbench-python-";

/**
 * What is data to every framework, however it is read: weights are too large to be copied. Anything else may hold
 * code (a `.pt` is an archive with a pickle in it), and is loaded from the very bytes that were digested.
 */
const LINKED = /\.(safetensors|msgpack|onnx|onnx_data|gguf|tflite|ubj|cbm|data-\d{5}-of-\d{5})$/i;

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

/** Whether a file of a model is linked, not copied. */
export function isLinked(path: string): boolean {
  return LINKED.test(path);
}

/**
 * Puts the model's files into a new folder: weights as links once their digest was found to be the one that was
 * consented to, everything else as copies that are digested while they are copied. What is not listed stays out, but
 * for the model's description, of which other parts may have changed. The answer looks whether what was linked is
 * still what was digested, to be asked when all of it has been read.
 * @throws ModelbenchError `model.changed` or `file.access` naming the file, `model.broken` for a link that leads out of
 *   a model that is to run apart, `cancelled`
 */
export async function takeOverFiles(
  label: string,
  { folder, files, isolate }: PythonLoad,
  target: string,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const linked: { readonly path: string; readonly real: string; readonly state: string }[] = [];
  for (const { path, sha256 } of files) {
    throwIfAborted(signal);
    const copy = join(target, within(path));
    if (isolate === true) refuseStray(label, folder, path);
    await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
    const placed = await place(join(folder, path), copy, signal).catch((cause: unknown) => {
      throwIfAborted(signal);
      throw unreadable(label, path, cause);
    });
    if (placed.digest !== sha256) throw changed(label, folder, path);
    if (placed.linked !== undefined) linked.push({ path, ...placed.linked });
  }
  const isDescribed = files.some(({ path }) => path === DESCRIPTION);
  const description = join(folder, DESCRIPTION);
  if (!isDescribed && existsSync(description)) await copyFile(description, join(target, DESCRIPTION));
  return async () => {
    for (const { path, real, state } of linked) {
      const now = await stat(real, { bigint: true }).then(stateOf, () => undefined);
      if (now !== state) throw changed(label, folder, path);
    }
  };
}

/**
 * Puts links to the files of a model that is data into a new folder: nothing of it runs, so nothing has to be what
 * somebody allowed. The model's description comes with them.
 * @throws ModelbenchError `model.changed` or `file.access` naming the file
 */
export async function linkFiles(
  label: string,
  folder: string,
  paths: readonly string[],
  target: string,
): Promise<void> {
  for (const path of paths) {
    const place = join(target, within(path));
    if (!existsSync(join(folder, path))) throw unreadable(label, path, { code: "ENOENT" });
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    await link(join(folder, path), place);
  }
  await link(join(folder, DESCRIPTION), join(target, DESCRIPTION));
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
  const start = `${PREFIX}${pid}-${namespace()}-`;
  return names.filter((name) => name.startsWith(start)).map((name) => join(tmpdir(), name));
}

function newFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-${namespace()}-`));
  } catch (cause) {
    throw noRoom("No private folder can be made.", cause);
  }
}

/** What became of a file, and of a link also where it leads and in which state that was when it was digested. */
interface Placed {
  readonly digest: string;
  readonly linked?: { readonly real: string; readonly state: string };
}

/** Copies or links one file. */
async function place(source: string, target: string, signal: AbortSignal): Promise<Placed> {
  const file = await open(source, "r");
  try {
    if (!isLinked(source)) return { digest: await copyDigested(file, target, signal) };
    const state = stateOf(await file.stat({ bigint: true }));
    const digest = await digestOf(file, signal);
    const real = await realpath(source);
    // Windows lets only some users make links.
    const isLink = await symlink(real, target).then(
      () => true,
      () => false,
    );
    return isLink ? { digest, linked: { real, state } } : { digest: await copyDigested(file, target, signal) };
  } finally {
    await file.close();
  }
}

/** Links a file if it is there. */
async function link(source: string, target: string): Promise<void> {
  if (!existsSync(source)) return;
  // Windows lets only some users make links.
  await symlink(source, target).catch(() => copyFile(source, target));
}

/** Changes with every change of a file, or with what is put in its place. */
function stateOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

async function copyDigested(file: FileHandle, target: string, signal: AbortSignal): Promise<string> {
  const copy = await open(target, "wx", 0o600);
  try {
    return await digestOf(file, signal, (chunk) => copy.appendFile(chunk));
  } finally {
    await copy.close();
  }
}

async function digestOf(
  file: FileHandle,
  signal: AbortSignal,
  onChunk?: (chunk: Buffer) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256");
  const stream = file.createReadStream({ start: 0, autoClose: false, highWaterMark: 2 ** 20 });
  for await (const chunk of stream) {
    throwIfAborted(signal);
    hash.update(chunk as Buffer);
    await onChunk?.(chunk as Buffer);
  }
  return hash.digest("hex");
}

/** What a link leads to may be a file that its maker only knew the place of, and must not be seen. */
function refuseStray(label: string, folder: string, path: string): void {
  const file = join(folder, path);
  if (!existsSync(file) || leadsInto(folder, file)) return;
  throw new ModelbenchError("model.broken", `${label}: its file ${path} is a link that leaves the model.`, {
    path: file,
    remedy: "Put the file itself in its place.",
  });
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
    // Of the thousands of names that others have there nothing is asked.
    const pid = form.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
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

/** A process that has ended stays listed where nobody asks what became of it, as in many containers. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !hasEnded(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function hasEnded(pid: number): boolean {
  try {
    // The name before the state may hold anything, brackets too.
    return /\) [ZX] [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

function unreadable(label: string, path: string, cause: unknown): ModelbenchError {
  if ((cause as NodeJS.ErrnoException).code === "ENOENT")
    return new ModelbenchError("model.changed", `${label}: its file ${path} is gone.`, { path, cause });
  if ((cause as NodeJS.ErrnoException).code === "ENOSPC")
    return noRoom(`${label}: its file ${path} does not fit.`, cause);
  return new ModelbenchError("file.access", `${label}: its file ${path} cannot be taken over.`, { path, cause });
}

function noRoom(message: string, cause: unknown): ModelbenchError {
  return new ModelbenchError("file.access", message, {
    path: tmpdir(),
    remedy: `Make room in ${tmpdir()}, or name another folder in TMPDIR.`,
    cause,
  });
}

function changed(label: string, folder: string, path: string): ModelbenchError {
  return new ModelbenchError("model.changed", `${label}: its file ${path} is not the one that was allowed to run.`, {
    path: join(folder, path),
    remedy: "Look at the model again, and allow it anew if it is what you expect.",
  });
}
