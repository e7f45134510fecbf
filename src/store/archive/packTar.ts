import { throwIfAborted } from "../../base/errors";
import type { JobOptions } from "../../base/ports";
import { type TarMember, tarEnd, tarHeader, tarPadding } from "../../formats/tar/tarWriter";
import { type ExportPlan, type OnDigest, type PlannedMember, readPlanned } from "./exportPlan";

/** Bytes of one chunk: files are read straight into it. */
const CHUNK_BYTES = 1024 * 1024;

/** Bytes of the tar that a plan makes. */
export function tarBytes({ members }: ExportPlan): number {
  const packed = members.reduce((sum, m) => sum + tarHeader(tarMember(m)).length + m.bytes + tarPadding(m.bytes), 0);
  return packed + tarEnd(packed);
}

/**
 * The bytes of the tar; a chunk is valid until the next one is asked for.
 * @throws ModelbenchError `model.broken` when a file changes while it is packed, `cancelled`, what `onDigest` throws
 */
export async function* packTar(
  plan: ExportPlan,
  { signal, onProgress }: JobOptions,
  onDigest?: OnDigest,
): AsyncGenerator<Uint8Array> {
  const chunk = new Chunk();
  const totalBytes = tarBytes(plan);
  let doneBytes = 0;
  for (const member of plan.members) {
    for (const part of packMember(plan, member, chunk, onDigest)) {
      throwIfAborted(signal);
      yield part;
      doneBytes += part.length;
      onProgress?.({ doneBytes, totalBytes, current: member.path });
    }
  }
  for (let left = totalBytes - chunk.total; left > 0; ) {
    const room = chunk.room(left);
    room.fill(0);
    left -= room.length;
    chunk.commit(room.length);
    if (!chunk.isFull && left > 0) continue;
    const part = chunk.take();
    doneBytes += part.length;
    yield part;
    onProgress?.({ doneBytes, totalBytes });
  }
}

/** As BentoML's own archives have them: `./` in front. */
function tarMember({ path, kind, bytes, executable, mtimeMs }: PlannedMember): TarMember {
  const mode = kind === "directory" || executable ? 0o755 : 0o644;
  return { path: `./${path}`, kind, bytes, mode, mtime: Math.floor(mtimeMs / 1000) };
}

function* packMember(
  plan: ExportPlan,
  member: PlannedMember,
  chunk: Chunk,
  onDigest: OnDigest | undefined,
): Generator<Uint8Array> {
  yield* chunk.append(tarHeader(tarMember(member)));
  if (member.kind === "directory") return;
  for (const got of readPlanned(plan, member, (most) => chunk.room(most), onDigest)) {
    chunk.commit(got);
    if (chunk.isFull) yield chunk.take();
  }
  yield* chunk.append(new Uint8Array(tarPadding(member.bytes)));
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
