import { crc32, inflateRawSync } from "node:zlib";
import type { PositionalReader } from "../../base/ports";
import { visible } from "../../base/visible";
import { bufferReader } from "../bufferReader";
import { isNpy } from "../npy";
import { npyObjects } from "../npyObjects";
import { arraysIn } from "./foundArrays";
import { readFromStart } from "./fromStart";
import { inflated, MAX_UNPACKED_BYTES, type Unpacked } from "./inflated";
import { inPickle, inStorage, type LocatedArray } from "./locatedArray";
import { Notes } from "./notes";
import { noteObjectArray } from "./objectArray";
import { partOf } from "./partReader";
import type { ScanLimits } from "./scanLimits";
import { type StorageId, type StoragePlace, storageId } from "./storages";
import { type PickleStream, readStreams } from "./streams";
import type { Value } from "./values";
import { type ForgivingMember, type ForgivingZip, startsLikeZip } from "./zipMembers";

/** What is packed and at the beginning of a member tells whether it is unpacked whole. */
const PROBE_BYTES = 16 * 1024;
/** Members of these names are pickles, whatever they begin with. */
const PICKLE_NAME = /\.(pkl|pickle|joblib)$/i;
/** What PyTorch calls the raw values of a tensor. */
const STORAGE_NAME = /(^|\/)data\/\d+$/;

/** What TorchScript calls its sources, in which `class` reads like the code of an import. */
const SOURCE_NAME = /\.py$/;

/** Looks through all members of an archive, whatever they are called and whatever is wrong with them. */
export function readZip(reader: PositionalReader, zip: ForgivingZip, notes: Notes, limits: ScanLimits): LocatedArray[] {
  for (const { kind, message, offset } of zip.problems) {
    notes.finding(kind === "flag" ? "opaque" : "malformed", kind, message, offset);
  }
  if (!startsLikeZip(reader)) readFromStart(reader, zip.start, notes, limits);
  const storages = new Map<string, ForgivingMember>();
  for (const member of zip.members) storages.set(member.name, member);
  const unread: ForgivingMember[] = [];
  const arrays = once(zip.members).flatMap((member) => {
    const isPossible = limits.left && (member.method !== 8 || limits.inflatable > 0);
    if (isPossible) return new MemberReading(reader, member, storages, notes, limits).arrays();
    unread.push(member);
    return [];
  });
  notes.unread(unread.length, unread[0]?.dataAt ?? 0);
  return arrays;
}

/** Members that would be read in the same way from the same place are read once. Empty ones hold nothing. */
function once(members: readonly ForgivingMember[]): ForgivingMember[] {
  const known = new Map<string, ForgivingMember>();
  for (const member of members) {
    const { name, dataAt, packedBytes, method, isEncrypted } = member;
    const key = [dataAt, packedBytes, method, isEncrypted, PICKLE_NAME.test(name), folderOf(name)].join("\0");
    if (packedBytes > 0 && !known.has(key)) known.set(key, member);
  }
  return [...known.values()];
}

function folderOf(name: string): string {
  return name.replace(/[^/]*$/, "");
}

/** Whether what it names has in it what the name of no module has. */
function importsNothing({ uses }: Notes): boolean {
  return uses.length > 0 && uses.every(({ module }) => /[ (:]/.test(module ?? ""));
}

class MemberReading {
  readonly #reader: PositionalReader;
  readonly #member: ForgivingMember;
  readonly #members: ReadonlyMap<string, ForgivingMember>;
  readonly #notes: Notes;
  readonly #limits: ScanLimits;

  constructor(
    reader: PositionalReader,
    member: ForgivingMember,
    members: ReadonlyMap<string, ForgivingMember>,
    notes: Notes,
    limits: ScanLimits,
  ) {
    this.#reader = reader;
    this.#member = member;
    this.#members = members;
    this.#notes = notes;
    this.#limits = limits;
  }

  arrays(): LocatedArray[] {
    const { method } = this.#member;
    if (method !== 0 && method !== 8) {
      this.#notes.finding(
        "opaque",
        "method",
        `${this.#quoted()} is compressed with method ${method}, which is not read.`,
        this.#member.dataAt,
      );
      return [];
    }
    const streams = method === 0 ? this.#look(this.#stored(), this.#ownNotes()) : this.#deflated();
    return streams.flatMap((stream) => arraysIn(stream, this.#limits).flatMap((array) => this.#locate(array)));
  }

  #ownNotes(): Notes {
    return new Notes(this.#member.name, (id) => this.#place(id) !== undefined);
  }

  #look(content: PositionalReader, own: Notes): readonly PickleStream[] {
    const head = Buffer.from(content.read(0, Math.min(8, content.size)));
    if (isNpy(head)) return this.#objects(content, own);
    const isNamed = PICKLE_NAME.test(this.#member.name) || isDeclared(head);
    const options = { joblib: isNamed, search: isNamed };
    const streams = readStreams(content, { start: 0, end: content.size }, own, this.#limits, options);
    const isWhole = streams.at(-1)?.end === content.size;
    // One of a hundred storages begins with what would be the code of an extension: raw data, unless a pickle goes on.
    const hasActions = isNamed && !STORAGE_NAME.test(this.#member.name) ? own.hasActions : own.uses.length > 0;
    const isRead = hasActions || own.reachedLimit || isWhole;
    if (!isWhole && !own.reachedLimit && SOURCE_NAME.test(this.#member.name) && importsNothing(own)) return [];
    if (!isRead && this.#member.isEncrypted) this.#encrypted();
    if (!isRead && (this.#member.isEncrypted || !isNamed || STORAGE_NAME.test(this.#member.name))) return [];
    this.#check(content, own);
    this.#notes.add(own);
    return streams;
  }

  /** An array of objects carries a pickle; any other runs nothing. */
  #objects(content: PositionalReader, own: Notes): readonly PickleStream[] {
    if (noteObjectArray(content, own, this.#limits)) this.#notes.add(own);
    return [];
  }

  #stored(): PositionalReader {
    return partOf(this.#reader, this.#member.dataAt, this.#member.packedBytes);
  }

  /** Unpacked whole only when its beginning may be that of a pickle: storages are large. */
  #deflated(): readonly PickleStream[] {
    const { isEncrypted, name, packedBytes } = this.#member;
    const own = this.#ownNotes();
    const probe = this.#inflated(PROBE_BYTES);
    if (probe.content.length === 0) {
      const isSpent = this.#limits.inflatable === 0;
      if (isSpent) this.#unread(own, probe.unread);
      else if (isEncrypted) this.#encrypted();
      else own.finding("malformed", "crc", `${this.#quoted()} cannot be unpacked.`, 0);
      this.#notes.add(own);
      return [];
    }
    const isCut = packedBytes > PROBE_BYTES || probe.unread !== undefined;
    const isWanted = isDeclared(probe.content.subarray(0, 8)) || PICKLE_NAME.test(name);
    if (isCut && !isWanted && !this.#mayGoOn(probe.content)) return this.#look(bufferReader(probe.content), own);
    const { content, unread } = isCut ? this.#inflated(MAX_UNPACKED_BYTES) : probe;
    this.#unread(own, unread);
    if (unread !== undefined && !isEncrypted) this.#notes.add(own);
    return this.#look(bufferReader(content), own.fresh());
  }

  /** Whether a pickle can have begun that what was unpacked does not end, or an array of objects. */
  #mayGoOn(head: Buffer): boolean {
    const own = this.#ownNotes();
    const content = bufferReader(head);
    if (isNpy(head)) return npyObjects(content) !== undefined;
    const range = { start: 0, end: head.length };
    const streams = readStreams(content, range, own, this.#limits, { joblib: false, search: false });
    return own.hasActions || own.hasKind("truncated") || streams.some(({ end }) => end !== null);
  }

  #inflated(most: number): Unpacked {
    const { dataAt, packedBytes } = this.#member;
    const packed = Buffer.from(this.#reader.read(dataAt, Math.min(most, packedBytes)));
    return inflated(packed, packedBytes > most, inflateRawSync, this.#limits);
  }

  #unread(own: Notes, why: string | undefined): void {
    if (why !== undefined) own.finding("opaque", "compressed", `${this.#quoted()}: ${why}.`, 0);
  }

  /** A wrong checksum stops strict readers, and not the frameworks' own. */
  #check(content: PositionalReader, own: Notes): void {
    const stated = this.#member.crc32;
    if (stated === undefined || content.size > MAX_UNPACKED_BYTES || !this.#limits.checks(content.size)) return;
    let found = 0;
    for (let at = 0; at < content.size; at += 65_536) {
      found = crc32(content.read(at, Math.min(65_536, content.size - at)), found);
    }
    if (found !== stated) own.finding("malformed", "crc", `${this.#quoted()} does not fit its checksum.`, 0);
  }

  #encrypted(): void {
    const words = `${this.#quoted()} is encrypted and cannot be looked into.`;
    this.#notes.finding("opaque", "encrypted", words, this.#member.dataAt);
  }

  #quoted(): string {
    return `The member "${visible(this.#member.name, 100)}"`;
  }

  #locate(array: ReturnType<typeof arraysIn>[number]): LocatedArray[] {
    const { dataAt, method } = this.#member;
    if (array.place.kind !== "storage") {
      return method === 0 ? [inPickle(array, array.place, this.#reader, dataAt)] : [];
    }
    const place = this.#placeOf(array.place.id.key);
    return place ? [inStorage(array, this.#reader, place, this.#isBigEndian(array.place.id))] : [];
  }

  /** A machine writes its own order, and tells it beside the pickle. PyTorch turns no untyped storage round. */
  #isBigEndian({ typeName }: StorageId): boolean {
    const member = this.#members.get(`${folderOf(this.#member.name)}byteorder`);
    if (member?.method !== 0 || member.packedBytes !== 3 || typeName === "UntypedStorage") return false;
    return Buffer.from(this.#reader.read(member.dataAt, 3)).toString("latin1") === "big";
  }

  /** Where the storage that a persistent id names lies: beside the pickle, in `data/`. */
  #place(id: Value): StoragePlace | undefined {
    const storage = storageId(id);
    return storage && this.#placeOf(storage.key);
  }

  #placeOf(key: string): StoragePlace | undefined {
    const folder = folderOf(this.#member.name);
    const member = this.#members.get(`${folder}data/${key}`);
    if (member?.method !== 0 || member.isEncrypted) return undefined;
    return { offset: member.dataAt, bytes: member.packedBytes };
  }
}

function isDeclared(head: Buffer): boolean {
  return head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 9) <= 5;
}
