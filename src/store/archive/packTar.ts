import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { ModelbenchError, throwIfAborted } from "../../base/errors";
import type { JobOptions } from "../../base/ports";
import { visible } from "../../base/visible";
import { type TarMember, tarEnd, tarHeader, tarPadding } from "../../formats/tar/tarWriter";
import { storeFailure } from "../failure";

/** Bytes of one chunk: files are read straight into it. */
const CHUNK_BYTES = 1024 * 1024;

/** What will be packed, in order. */
export interface TarPlan {
  readonly folder: string;
  readonly label: string;
  readonly members: readonly TarMember[];
  /** Bytes of the tar that comes out. */
  readonly totalBytes: number;
}

/**
 * Lists a version folder as tar members, `./` first and sorted by path, as BentoML's own archives are.
 * @throws ModelbenchError `model.broken` for anything but files and folders, `store.access`
 */
export function planTar(folder: string, label: string): TarPlan {
  const members: TarMember[] = [];
  try {
    collect(folder, "./", label, members);
  } catch (error) {
    throw storeFailure(error, "read", folder);
  }
  const packed = members.reduce((sum, m) => sum + tarHeader(m).length + m.bytes + tarPadding(m.bytes), 0);
  return { folder, label, members, totalBytes: packed + tarEnd(packed) };
}

/**
 * The bytes of the tar; a chunk is valid until the next one is asked for.
 * @throws ModelbenchError `model.broken` when a file changes while it is packed, `cancelled`
 */
export async function* packTar(plan: TarPlan, { signal, onProgress }: JobOptions): AsyncGenerator<Uint8Array> {
  const chunk = new Chunk();
  let doneBytes = 0;
  for (const member of plan.members) {
    for (const part of packMember(plan, member, chunk)) {
      throwIfAborted(signal);
      yield part;
      doneBytes += part.length;
      onProgress?.({ doneBytes, totalBytes: plan.totalBytes, current: member.path.slice(2) });
    }
  }
  for (let left = plan.totalBytes - chunk.total; left > 0; ) {
    const room = chunk.room(left);
    room.fill(0);
    left -= room.length;
    chunk.commit(room.length);
    if (chunk.isFull || left === 0) yield chunk.take();
  }
}

function collect(folder: string, path: string, label: string, members: TarMember[]): void {
  const stat = lstatSync(folder);
  const mtime = Math.floor(stat.mtimeMs / 1000);
  if (stat.isFile()) {
    members.push({ path, kind: "file", bytes: stat.size, mode: stat.mode & 0o111 ? 0o755 : 0o644, mtime });
  } else if (stat.isDirectory()) {
    members.push({ path: path.endsWith("/") ? path : `${path}/`, kind: "directory", bytes: 0, mode: 0o755, mtime });
    const prefix = path.endsWith("/") ? path : `${path}/`;
    for (const name of readdirSync(folder).sort()) collect(join(folder, name), prefix + name, label, members);
  } else {
    const message = `${label} holds "${visible(path.slice(2))}", which is neither a file nor a folder.`;
    throw new ModelbenchError("model.broken", message, { path: folder, remedy: "Run check to see what to repair." });
  }
}

function* packMember(plan: TarPlan, member: TarMember, chunk: Chunk): Generator<Uint8Array> {
  yield* chunk.append(tarHeader(member));
  if (member.kind === "directory") return;
  const path = join(plan.folder, member.path);
  const handle = openMember(path);
  try {
    const before = fstatSync(handle);
    let left = member.bytes;
    while (left > 0) {
      const got = readSync(handle, chunk.room(left));
      if (got === 0) break;
      left -= got;
      chunk.commit(got);
      if (chunk.isFull) yield chunk.take();
    }
    const after = fstatSync(handle);
    if (left > 0 || after.size !== member.bytes || after.mtimeMs !== before.mtimeMs) throw changed(plan, member, path);
  } finally {
    closeSync(handle);
  }
  yield* chunk.append(new Uint8Array(tarPadding(member.bytes)));
}

function openMember(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    throw storeFailure(error, "read", path);
  }
}

function changed({ label }: TarPlan, member: TarMember, path: string): ModelbenchError {
  const message = `${label}: "${visible(member.path.slice(2))}" changed while it was packed.`;
  return new ModelbenchError("model.broken", message, { path, remedy: "Export it again when nobody writes to it." });
}

/** One buffer that is filled piece by piece and handed out when it is full. */
class Chunk {
  readonly #bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #filled = 0;
  /** Bytes committed since the beginning. */
  total = 0;

  get isFull(): boolean {
    return this.#filled === CHUNK_BYTES;
  }

  /** Free space, at most `most` bytes. */
  room(most: number): Buffer {
    return this.#bytes.subarray(this.#filled, Math.min(CHUNK_BYTES, this.#filled + most));
  }

  /** Keeps the first `count` bytes of the room. */
  commit(count: number): void {
    this.#filled += count;
    this.total += count;
  }

  /** Hands out what is filled and begins anew. */
  take(): Uint8Array {
    const view = this.#bytes.subarray(0, this.#filled);
    this.#filled = 0;
    return view;
  }

  *append(bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; ) {
      const room = this.room(bytes.length - at);
      room.set(bytes.subarray(at, at + room.length));
      at += room.length;
      this.commit(room.length);
      if (this.isFull) yield this.take();
    }
  }
}
