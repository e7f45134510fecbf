import { ModelbenchError } from "../../base/errors";
import { visible } from "../../base/visible";
import type { ArchiveMember, MemberSink } from "../../formats/memberSink";
import { type ArchiveLimits, limitRemedy } from "./limits";
import { collisionKey, memberPath } from "./memberPath";

/** A member that passed the gate. */
export interface SafeMember {
  readonly kind: "file" | "directory";
  /** Relative with `/`; parents may not have been announced. */
  readonly path: string;
  readonly bytes: number;
  readonly executable: boolean;
}

/** Receives members that passed; same protocol as `MemberSink`. */
export interface SafeSink {
  open(member: SafeMember): void;
  write(chunk: Uint8Array): void;
  close(): void;
}

/** What is known about an archive before its members are read. */
export interface ArchiveFacts {
  /** Bytes of the archive file. */
  readonly packedBytes: number;
  /** An upper bound of what it can hold, where the format says so. */
  readonly contentBytes: number | undefined;
}

interface Taken {
  readonly path: string;
  readonly kind: "file" | "directory" | "implied directory";
}

/**
 * The one gate between any archive and the store. Names, kinds, collisions, counts and sizes are judged before a
 * byte of a member is passed on; a single fault ends the import, nothing is renamed or left out to make it fit.
 */
export class ArchiveGate implements MemberSink {
  readonly #limits: ArchiveLimits;
  readonly #facts: ArchiveFacts;
  readonly #sink: SafeSink;
  readonly #taken = new Map<string, Taken>();
  #members = 0;
  #bytes = 0;
  #passing = false;

  constructor(limits: ArchiveLimits, facts: ArchiveFacts, sink: SafeSink) {
    this.#limits = limits;
    this.#facts = facts;
    this.#sink = sink;
  }

  /** Sum of the contents announced so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws ModelbenchError `archive.unsafe`, `archive.corrupt` */
  open(member: ArchiveMember): void {
    this.#members += 1;
    assertCount(this.#members, this.#limits, member.rawPath);
    const path = memberPath(member.rawPath, member.kind);
    this.#passing = path !== "";
    if (!this.#passing) return;
    this.#take(path, member.kind);
    this.#count(path, member.bytes);
    this.#sink.open({ kind: member.kind, path, bytes: member.bytes, executable: member.executable });
  }

  write(chunk: Uint8Array): void {
    this.#sink.write(chunk);
  }

  close(): void {
    if (this.#passing) this.#sink.close();
  }

  /** Says that no member follows. @throws ModelbenchError `archive.unsafe` when it was no model */
  finish(): void {
    if (this.#taken.get("model.yaml")?.kind === "file") return;
    const nested = [...this.#taken.values()].find(({ path }) => path.endsWith("/model.yaml"));
    throw unsafe("The archive holds no model.yaml at its top, so it is not a model.", {
      remedy: nested && `It holds "${visible(nested.path)}": pack what is in that folder, not the folder.`,
    });
  }

  #take(path: string, kind: "file" | "directory"): void {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      const parent = path.slice(0, slash);
      const key = collisionKey(parent);
      const there = this.#taken.get(key);
      if (!there) this.#taken.set(key, { path: parent, kind: "implied directory" });
      else if (there.path !== parent || there.kind === "file") throw collision(path, there);
    }
    const key = collisionKey(path);
    const there = this.#taken.get(key);
    const confirms = there?.kind === "implied directory" && kind === "directory" && there.path === path;
    if (there && !confirms) throw collision(path, there);
    this.#taken.set(key, { path, kind });
  }

  #count(path: string, bytes: number): void {
    this.#bytes += bytes;
    const { expandedBytes, ratio, ratioAfterBytes, modelYamlBytes } = this.#limits;
    const { packedBytes, contentBytes } = this.#facts;
    if (path === "model.yaml" && bytes > modelYamlBytes) {
      throw unsafe(`model.yaml has ${bytes} bytes; at most ${modelYamlBytes} are read.`);
    }
    if (contentBytes !== undefined && this.#bytes > contentBytes) {
      const message = `"${visible(path)}" claims ${bytes} bytes, more than the archive can hold.`;
      throw new ModelbenchError("archive.corrupt", message);
    }
    if (this.#bytes > expandedBytes) throw tooLarge(expandedBytes, path);
    if (this.#bytes > ratioAfterBytes && this.#bytes > ratio * packedBytes) throw tooDense(ratio, path);
  }
}

/** Refuses an archive whose own figures say that it is too large. @throws ModelbenchError `archive.unsafe` */
export function assertClaim({ contentBytes }: ArchiveFacts, limits: ArchiveLimits): void {
  if ((contentBytes ?? 0) > mostProduced(limits)) throw tooLarge(limits.expandedBytes);
}

/**
 * Refuses an archive with too many members.
 * @param rawPath the member that is counted, where that is known
 * @throws ModelbenchError `archive.unsafe`
 */
export function assertCount(members: number, limits: Pick<ArchiveLimits, "members">, rawPath?: Uint8Array): void {
  if (members <= limits.members) return;
  const at = rawPath && `; "${visible(Buffer.from(rawPath).toString())}" is one too many`;
  throw unsafe(`The archive holds more than ${limits.members} members${at ?? ""}.`, {
    remedy: limitRemedy("members"),
  });
}

/** Counts what really comes out of a decompressor against what went in, tails behind the last member included. */
export class ExpansionGuard {
  readonly #limits: ArchiveLimits;
  #consumed = 0;
  #produced = 0;

  constructor(limits: ArchiveLimits) {
    this.#limits = limits;
  }

  /** Bytes of the file that have been read by now. */
  get consumedBytes(): number {
    return this.#consumed;
  }

  /** Says how many bytes of the file have been read by now. */
  consumed(bytes: number): void {
    this.#consumed = bytes;
  }

  /** Says that `bytes` more are about to be passed on. @throws ModelbenchError `archive.unsafe` */
  produced(bytes: number): void {
    this.#produced += bytes;
    const { expandedBytes, ratio, ratioAfterBytes } = this.#limits;
    if (this.#produced > mostProduced(this.#limits)) throw tooLarge(expandedBytes);
    if (this.#produced > ratioAfterBytes && this.#produced > ratio * this.#consumed) throw tooDense(ratio);
  }
}

/** Headers, padding and end marks come on top of the contents: a few blocks a member. */
function mostProduced({ expandedBytes, members }: ArchiveLimits): number {
  return expandedBytes + members * 4096;
}

function collision(path: string, there: Taken): ModelbenchError {
  const message =
    path === there.path
      ? `The archive holds "${visible(path)}" twice.`
      : `The archive holds "${visible(path)}" and "${visible(there.path)}", which collide.`;
  return unsafe(message);
}

function tooLarge(limit: number, path?: string): ModelbenchError {
  const message = `The archive expands to more than ${limit} bytes${whichIs(path)}.`;
  return unsafe(message, { remedy: limitRemedy("expandedBytes") });
}

function tooDense(ratio: number, path?: string): ModelbenchError {
  const message = `The archive expands to more than ${ratio} times its size, as a decompression bomb does${whichIs(path)}.`;
  return unsafe(message, {
    remedy: limitRemedy("ratio"),
  });
}

function whichIs(path: string | undefined): string {
  return path === undefined ? "" : `, with "${visible(path)}"`;
}

function unsafe(message: string, details: { remedy?: string | undefined } = {}): ModelbenchError {
  return new ModelbenchError("archive.unsafe", message, details);
}
