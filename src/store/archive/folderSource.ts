import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { ModelbenchError } from "../../base/errors";
import { visible } from "../../base/visible";
import type { ExpansionMeter, MemberSink } from "../../formats/memberSink";

/** Bytes read from a file at once. */
const READ_BYTES = 256 * 1024;

/** One entry of a folder that is to be imported. */
interface FolderMember {
  readonly kind: "file" | "directory";
  /** As the file system has it: its bytes need not be text. */
  readonly rawPath: Buffer;
  readonly bytes: number;
}

/** A folder as if it were an archive. */
export interface FolderSource {
  /** Sum of its files. */
  readonly bytes: number;
  /**
   * Delivers files and folders, parents first, in slices; whoever drives the generator may rest or stop between two.
   * @throws ModelbenchError `archive.corrupt` for a file that changes meanwhile, `file.access`, what the sink throws
   */
  members(sink: MemberSink, meter: ExpansionMeter): Generator<void>;
}

/**
 * Lists everything below a folder; links are neither followed nor taken.
 * @param checkCount hears how many files and folders there are so far; may throw
 * @throws ModelbenchError `archive.unsafe`, `file.access`
 */
export function openFolder(folder: string, checkCount: (count: number) => void): FolderSource {
  const root = Buffer.from(folder);
  const found: FolderMember[] = [];
  try {
    collect(root, Buffer.alloc(0), found, checkCount);
  } catch (error) {
    throw readFailure(error, folder);
  }
  return {
    bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
    *members(sink, meter) {
      const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
      let doneBytes = 0;
      for (const member of found) {
        for (const chunk of deliver(root, member, sink, buffer)) {
          doneBytes += chunk;
          meter.consumed(doneBytes);
          meter.produced(chunk);
          yield;
        }
      }
    },
  };
}

function collect(root: Buffer, below: Buffer, found: FolderMember[], checkCount: (count: number) => void): void {
  const names = readdirSync(join(root, below), { encoding: "buffer" }).sort(Buffer.compare);
  for (const name of names) {
    const rawPath = below.length === 0 ? name : join(below, name);
    const stat = lstatSync(join(root, rawPath));
    if (!stat.isFile() && !stat.isDirectory()) throw notPlain(rawPath, stat.isSymbolicLink());
    checkCount(found.length + 1);
    found.push({ kind: stat.isFile() ? "file" : "directory", rawPath, bytes: stat.isFile() ? stat.size : 0 });
    if (stat.isDirectory()) collect(root, rawPath, found, checkCount);
  }
}

/** Yields the count of bytes delivered. */
function* deliver(
  root: Buffer,
  { kind, rawPath, bytes }: FolderMember,
  sink: MemberSink,
  buffer: Buffer,
): Generator<number> {
  if (kind === "directory") {
    sink.open({ kind, rawPath, bytes: 0, executable: false });
    sink.close();
    yield 0;
    return;
  }
  const handle = openMember(join(root, rawPath), rawPath);
  try {
    const before = fstatSync(handle);
    if (!before.isFile()) throw notPlain(rawPath, false);
    sink.open({ kind, rawPath, bytes, executable: (before.mode & 0o111) !== 0 });
    let left = bytes;
    while (left > 0) {
      const got = readSync(handle, buffer, 0, Math.min(buffer.length, left), null);
      if (got === 0) break;
      left -= got;
      sink.write(buffer.subarray(0, got));
      yield got;
    }
    const after = fstatSync(handle);
    if (left > 0 || after.size !== bytes || after.mtimeMs !== before.mtimeMs) throw changed(rawPath);
    sink.close();
    yield 0;
  } finally {
    closeSync(handle);
  }
}

function openMember(path: Buffer, rawPath: Buffer): number {
  try {
    // Neither a link nor a pipe that came after the listing is to be opened or waited for.
    return openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw readFailure(error, nameOf(rawPath));
  }
}

function join(folder: Buffer, name: Buffer): Buffer {
  return folder.length === 0 ? name : name.length === 0 ? folder : Buffer.concat([folder, Buffer.from("/"), name]);
}

function notPlain(rawPath: Buffer, link: boolean): ModelbenchError {
  const what = link ? "a symbolic link" : "something that is neither a file nor a folder";
  return new ModelbenchError("archive.unsafe", `The folder holds ${what}, "${nameOf(rawPath)}".`, {
    remedy: "Put the file itself in its place.",
  });
}

function changed(rawPath: Buffer): ModelbenchError {
  return new ModelbenchError("archive.corrupt", `"${nameOf(rawPath)}" changed while it was read.`, {
    remedy: "Import it again when nobody writes to it.",
  });
}

function readFailure(error: unknown, what: string): ModelbenchError {
  if (error instanceof ModelbenchError) return error;
  const reason = error instanceof Error ? visible(error.message, 300) : String(error);
  return new ModelbenchError("file.access", `Cannot read ${what}: ${reason}.`, { cause: error });
}

function nameOf(rawPath: Buffer): string {
  return visible(rawPath.toString());
}
