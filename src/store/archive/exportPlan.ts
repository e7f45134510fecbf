import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { visible } from "../../base/visible";
import { storeFailure } from "../failure";
import { type FileDigest, FileHasher } from "../fileDigest";

/** A file or folder that is to be packed. */
export interface PlannedMember {
  /** Relative with `/`; a folder ends in `/`, and the model's own is `""`. */
  readonly path: string;
  readonly kind: "file" | "directory";
  /** Content length; 0 for a folder. */
  readonly bytes: number;
  readonly executable: boolean;
  /** Milliseconds since the epoch. */
  readonly mtimeMs: number;
}

/** What will be packed, in order. */
export interface ExportPlan {
  readonly folder: string;
  /** The model's tag, for messages. */
  readonly label: string;
  readonly members: readonly PlannedMember[];
  /** Sum of all files. */
  readonly bytes: number;
}

/** Hears what was read of a file, after its last byte; what it throws ends the export. */
export type OnDigest = (path: string, digest: FileDigest) => void;

/**
 * Lists a version folder, each folder before what is in it and sorted by name, as BentoML's own archives are.
 * @throws ModelbenchError `model.broken` for anything but files and folders, `store.access`
 */
export function planExport(folder: string, label: string): ExportPlan {
  const members: PlannedMember[] = [];
  try {
    collect(folder, "", label, members);
  } catch (error) {
    throw storeFailure(error, "read", folder);
  }
  return { folder, label, members, bytes: members.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/**
 * Reads one planned file into whatever room it is given and yields how much was read into it.
 * @param room the next piece of memory to fill, at most so many bytes
 * @throws ModelbenchError `model.broken` when the file has changed since it was planned or while it is read
 */
export function* readPlanned(
  { folder, label }: Pick<ExportPlan, "folder" | "label">,
  member: PlannedMember,
  room: (most: number) => Uint8Array,
  onDigest: OnDigest | undefined,
): Generator<number> {
  const path = join(folder, member.path);
  const handle = openMember(path);
  try {
    const hasher = onDigest && new FileHasher();
    let left = member.bytes;
    while (left > 0) {
      const target = room(left);
      const got = readSync(handle, target);
      if (got === 0) break;
      hasher?.update(target.subarray(0, got));
      left -= got;
      yield got;
    }
    const after = fstatSync(handle);
    if (left > 0 || after.size !== member.bytes || after.mtimeMs !== member.mtimeMs) throw changed(label, member, path);
    if (hasher) onDigest?.(member.path, hasher.end());
  } finally {
    closeSync(handle);
  }
}

/** Reads small pieces from all over the plan's files, evenly spread. @throws ModelbenchError `store.access` */
export function samplePlan({ folder, members, bytes }: ExportPlan, pieces: number, pieceBytes: number): Buffer[] {
  const samples: Buffer[] = [];
  let start = 0;
  for (const member of members) {
    const end = start + member.bytes;
    const wanted: number[] = [];
    for (let i = samples.length; i < pieces; i++) {
      const at = Math.floor((bytes * i) / pieces);
      if (at >= end) break;
      wanted.push(at - start);
    }
    if (wanted.length > 0) samples.push(...readPieces(join(folder, member.path), wanted, pieceBytes));
    start = end;
  }
  return samples;
}

function collect(folder: string, path: string, label: string, members: PlannedMember[]): void {
  const stat = lstatSync(folder);
  if (stat.isFile()) {
    const executable = (stat.mode & 0o111) !== 0;
    members.push({ path, kind: "file", bytes: stat.size, executable, mtimeMs: stat.mtimeMs });
  } else if (stat.isDirectory()) {
    const prefix = path === "" ? "" : `${path}/`;
    members.push({ path: prefix, kind: "directory", bytes: 0, executable: false, mtimeMs: stat.mtimeMs });
    for (const name of readdirSync(folder).sort()) collect(join(folder, name), prefix + name, label, members);
  } else {
    const message = `${label} holds "${visible(path)}", which is neither a file nor a folder.`;
    throw new ModelbenchError("model.broken", message, { path: folder, remedy: "Run check to see what to repair." });
  }
}

function readPieces(path: string, offsets: readonly number[], bytes: number): Buffer[] {
  const handle = openMember(path);
  try {
    return offsets.map((offset) => {
      const piece = Buffer.allocUnsafe(bytes);
      // Weights are read as numbers of four bytes: a piece begins where one does.
      return piece.subarray(0, readSync(handle, piece, 0, bytes, offset - (offset % 16)));
    });
  } finally {
    closeSync(handle);
  }
}

function openMember(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    throw storeFailure(error, "read", path);
  }
}

function changed(label: string, member: PlannedMember, path: string): ModelbenchError {
  const message = `${label}: "${visible(member.path)}" changed while it was packed.`;
  return new ModelbenchError("model.broken", message, { path, remedy: "Export it again when nobody writes to it." });
}
