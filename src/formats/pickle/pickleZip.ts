import { crc32, inflateRawSync } from "node:zlib";
import type { PositionalReader } from "../../base/ports";
import { visible } from "../../base/visible";
import { bufferReader } from "../bufferReader";
import { readNpyHeader } from "../npy";
import { inflated, MAX_UNPACKED_BYTES } from "./compressed";
import { arraysIn } from "./foundArrays";
import { inStorage, type LocatedArray } from "./locatedArray";
import { Notes } from "./notes";
import { partOf } from "./partReader";
import type { ScanLimits } from "./scanLimits";
import { type StoragePlace, storageId } from "./storages";
import { type PickleStream, readStreams } from "./streams";
import type { Value } from "./values";
import type { ForgivingMember, ForgivingZip } from "./zipMembers";

/** What is packed and at the beginning of a member tells whether it is unpacked whole. */
const PROBE_BYTES = 16 * 1024;
/** Members of these names are pickles, whatever they begin with. */
const PICKLE_NAME = /\.(pkl|pickle|joblib)$/i;

/** Looks through all members of an archive, whatever they are called and whatever is wrong with them. */
export function readZip(reader: PositionalReader, zip: ForgivingZip, notes: Notes, limits: ScanLimits): LocatedArray[] {
  for (const { kind, message, offset } of zip.problems) {
    notes.finding(kind === "flag" ? "opaque" : "malformed", kind, message, offset);
  }
  if (zip.start > 0) readPrefix(reader, zip.start, notes, limits);
  const storages = new Map<string, ForgivingMember>();
  for (const member of zip.members) storages.set(member.name, member);
  return zip.members.flatMap((member) => new MemberReading(reader, member, storages, notes, limits).arrays());
}

/** `pickle.load` reads what stands before an archive, where another loader reads the archive. */
function readPrefix(reader: PositionalReader, end: number, notes: Notes, limits: ScanLimits): void {
  const own = new Notes();
  const streams = readStreams(reader, { start: 0, end }, own, limits, { joblib: true, search: true });
  if (own.hasActions || streams.some((stream) => stream.end !== null)) notes.add(own);
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
    const { name, method, packedBytes } = this.#member;
    if (packedBytes === 0) return [];
    const own = new Notes(name, (id) => this.#place(id) !== undefined);
    if (method !== 0 && method !== 8) {
      this.#notes.finding(
        "opaque",
        "method",
        `${this.#quoted()} is compressed with method ${method}, which is not read.`,
        this.#member.dataAt,
      );
      return [];
    }
    const content = method === 0 ? this.#stored() : this.#inflated(own);
    if (!content) return [];
    const streams = this.#look(content, own);
    return streams.flatMap((stream) => arraysIn(stream).flatMap((array) => this.#locate(array)));
  }

  #look(content: PositionalReader, own: Notes): readonly PickleStream[] {
    const head = Buffer.from(content.read(0, Math.min(8, content.size)));
    if (head.toString("latin1", 0, 6) === "\x93NUMPY") return this.#objects(content, own);
    const isNamed = PICKLE_NAME.test(this.#member.name) || isDeclared(head);
    const options = { joblib: isNamed, search: isNamed };
    const streams = readStreams(content, { start: 0, end: content.size }, own, this.#limits, options);
    const isWhole = streams.at(-1)?.end === content.size;
    const isRead = own.hasActions || isWhole;
    if (!isRead && this.#member.isEncrypted) this.#encrypted();
    if (!isRead && (this.#member.isEncrypted || !isNamed)) return [];
    this.#check(content, own);
    this.#notes.add(own);
    return streams;
  }

  /** An array of objects carries a pickle; any other runs nothing. */
  #objects(content: PositionalReader, own: Notes): readonly PickleStream[] {
    try {
      const { hasObjects, dataStart } = readNpyHeader(content, this.#member.name);
      if (!hasObjects) return [];
      own.finding("unknown", "object-array", "The array holds Python objects; only a pickle carries them.", dataStart);
      const range = { start: dataStart, end: content.size };
      readStreams(content, range, own, this.#limits);
      this.#notes.add(own);
    } catch {
      // Not an array after all: numpy refuses it, too.
    }
    return [];
  }

  #stored(): PositionalReader {
    return partOf(this.#reader, this.#member.dataAt, this.#member.packedBytes);
  }

  /** Unpacked whole only when its beginning is that of a pickle: storages are large. */
  #inflated(own: Notes): PositionalReader | undefined {
    const { dataAt, packedBytes, isEncrypted, name } = this.#member;
    const packed = (count: number): Buffer => Buffer.from(this.#reader.read(dataAt, Math.min(count, packedBytes)));
    const probe = inflated(packed(PROBE_BYTES), packedBytes > PROBE_BYTES, inflateRawSync);
    const head = probe.content.subarray(0, 8);
    if (probe.content.length === 0) {
      if (isEncrypted) this.#encrypted();
      else own.finding("malformed", "crc", `${this.#quoted()} cannot be unpacked.`, 0);
      this.#notes.add(own);
      return undefined;
    }
    const isWanted = isDeclared(head) || PICKLE_NAME.test(name) || head.toString("latin1", 0, 6) === "\x93NUMPY";
    if (!isWanted) return bufferReader(probe.content);
    const { content, unread } = inflated(packed(MAX_UNPACKED_BYTES), packedBytes > MAX_UNPACKED_BYTES, inflateRawSync);
    if (unread !== undefined) own.finding("opaque", "compressed", `${this.#quoted()}: ${unread}.`, 0);
    return bufferReader(content);
  }

  /** A wrong checksum stops strict readers, and not the frameworks' own. */
  #check(content: PositionalReader, own: Notes): void {
    const stated = this.#member.crc32;
    if (stated === undefined || content.size > MAX_UNPACKED_BYTES) return;
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
    if (array.place.kind === "inline") {
      if (method !== 0) return [];
      const start = dataAt + array.place.offset;
      return [{ ...array, source: this.#reader, start, available: array.place.bytes, fileOffset: start }];
    }
    const place = this.#placeOf(array.place.id.key);
    return place ? [inStorage(array, this.#reader, place)] : [];
  }

  /** Where the storage that a persistent id names lies: beside the pickle, in `data/`. */
  #place(id: Value): StoragePlace | undefined {
    const storage = storageId(id);
    return storage && this.#placeOf(storage.key);
  }

  #placeOf(key: string): StoragePlace | undefined {
    const folder = this.#member.name.replace(/[^/]*$/, "");
    const member = this.#members.get(`${folder}data/${key}`);
    if (member?.method !== 0 || member.isEncrypted) return undefined;
    return { offset: member.dataAt, bytes: member.packedBytes };
  }
}

function isDeclared(head: Buffer): boolean {
  return head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 9) <= 5;
}
