import { crc32 } from "node:zlib";

/** What tells one state of a file or folder from another: the time of change cannot be set by a program. */
export interface Stamp {
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
}

/** What lies in a version folder beside its model.yaml, as paths inside it. */
export interface Contents {
  /** Everything that is not a folder of its own, a link to a folder included. */
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** What is remembered of one version. */
export interface VersionFacts extends Contents {
  readonly module: string;
  readonly creationMs: number;
  readonly creationMicros: number;
  readonly yamlBytes: number;
  readonly yaml: Stamp;
  readonly folder: Stamp;
  /** The stamps of `folders`, in their order. */
  readonly inside: readonly Stamp[];
}

/** The first bytes: what the file is and its version. */
const MAGIC = Buffer.from("modelbench list1", "latin1");
/** After it, little-endian: the CRC-32 of all that follows, how many bytes of text there are, how many numbers. */
const HEADER = MAGIC.length + 16;
/** Numbers of a version: three stamps' worth, see `numbersOf`; three more for each folder inside. */
const FIXED = 11;
const STAMP = 3;

interface Texts {
  /** Each name with the number of its versions. */
  readonly names: readonly (readonly [string, number])[];
  readonly versions: readonly string[];
  readonly modules: readonly string[];
  /** What lies beside model.yaml; versions of one framework share it. */
  readonly shapes: readonly Contents[];
}

/** Collects what is remembered, and turns it into the bytes of the file. */
export class ListingWriter {
  readonly #names: [string, number][] = [];
  readonly #versions: string[] = [];
  readonly #modules = new Map<string, number>();
  readonly #shapes = new Map<string, number>();
  readonly #numbers: number[] = [];

  /** How many versions were added. */
  get count(): number {
    return this.#versions.length;
  }

  /** Versions of one name must be added one after the other. */
  add(name: string, version: string, facts: VersionFacts): void {
    const last = this.#names.at(-1);
    if (last?.[0] === name) last[1] += 1;
    else this.#names.push([name, 1]);
    this.#versions.push(version);
    const { files, folders } = facts;
    const module = indexOf(this.#modules, facts.module);
    const shape = indexOf(this.#shapes, JSON.stringify({ files, folders }));
    this.#numbers.push(module, shape, facts.creationMs, facts.creationMicros, facts.yamlBytes);
    for (const { mtimeMs, ctimeMs, ino } of [facts.yaml, facts.folder, ...facts.inside]) {
      this.#numbers.push(mtimeMs, ctimeMs, ino);
    }
  }

  encode(): Buffer {
    const texts = {
      names: this.#names,
      versions: this.#versions,
      modules: [...this.#modules.keys()],
      shapes: [...this.#shapes.keys()].map((shape): unknown => JSON.parse(shape)),
    };
    const numbers = Buffer.from(Float64Array.from(this.#numbers).buffer);
    const text = Buffer.from(JSON.stringify(texts));
    const header = Buffer.alloc(HEADER);
    MAGIC.copy(header);
    header.writeUInt32LE(text.length, MAGIC.length + 4);
    header.writeUInt32LE(this.#numbers.length, MAGIC.length + 8);
    const bytes = Buffer.concat([header, numbers, text]);
    bytes.writeUInt32LE(crc32(bytes.subarray(MAGIC.length + 4)), MAGIC.length);
    return bytes;
  }
}

function indexOf(known: Map<string, number>, text: string): number {
  const index = known.get(text) ?? known.size;
  known.set(text, index);
  return index;
}

/** What an earlier listing remembered, found by tag. */
export class KnownListing {
  /** How many versions there are. */
  readonly count: number;
  readonly #texts: Texts;
  readonly #numbers: Float64Array;
  /** By name: its first version and that version's first number. */
  readonly #starts = new Map<string, readonly [version: number, number: number, count: number]>();
  #name = "";
  #versions = new Map<string, number>();

  private constructor(texts: Texts, numbers: Float64Array) {
    this.count = texts.versions.length;
    this.#texts = texts;
    this.#numbers = numbers;
  }

  /** Reads the bytes of the file; `undefined` for any others: cut, changed, of another version or made up. */
  static decode(bytes: Buffer): KnownListing | undefined {
    if (bytes.length < HEADER || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
    if (crc32(bytes.subarray(MAGIC.length + 4)) !== bytes.readUInt32LE(MAGIC.length)) return undefined;
    const textBytes = bytes.readUInt32LE(MAGIC.length + 4);
    const count = bytes.readUInt32LE(MAGIC.length + 8);
    if (bytes.length !== HEADER + count * 8 + textBytes) return undefined;
    const texts = textsIn(bytes.subarray(HEADER + count * 8));
    if (texts === undefined) return undefined;
    // The numbers begin at a multiple of 8 only in a copy of their own.
    const numbers = new Float64Array(new Uint8Array(bytes.subarray(HEADER, HEADER + count * 8)).buffer);
    const listing = new KnownListing(texts, numbers);
    return listing.#place() ? listing : undefined;
  }

  /** What is remembered of a version, unless that is nonsense. */
  find(name: string, version: string): VersionFacts | undefined {
    if (name !== this.#name) this.#enter(name);
    const at = this.#versions.get(version);
    return at === undefined ? undefined : this.#versionAt(at);
  }

  /** Finds where each name begins; false when the numbers are not as many as the versions need. */
  #place(): boolean {
    const { names } = this.#texts;
    let version = 0;
    let at = 0;
    for (const [name, count] of names) {
      if (!isCount(count)) return false;
      this.#starts.set(name, [version, at, count]);
      for (let i = 0; i < count; i += 1) {
        const folders = this.#shapeAt(at)?.folders.length;
        if (folders === undefined) return false;
        at += FIXED + STAMP * folders;
      }
      version += count;
    }
    return version === this.count && at === this.#numbers.length;
  }

  /** Versions are looked for name by name. */
  #enter(name: string): void {
    this.#name = name;
    this.#versions = new Map();
    const start = this.#starts.get(name);
    if (start === undefined) return;
    const [first, number, count] = start;
    let at = number;
    for (let i = first; i < first + count; i += 1) {
      this.#versions.set(this.#texts.versions[i] ?? "", at);
      at += FIXED + STAMP * (this.#shapeAt(at)?.folders.length ?? 0);
    }
  }

  #shapeAt(at: number): Contents | undefined {
    return this.#texts.shapes[this.#numbers[at + 1] ?? -1];
  }

  #versionAt(at: number): VersionFacts | undefined {
    const module = this.#texts.modules[this.#numbers[at] ?? -1];
    const shape = this.#shapeAt(at);
    const [creationMs, creationMicros, yamlBytes] = [this.#number(at + 2), this.#number(at + 3), this.#number(at + 4)];
    if (module === undefined || shape === undefined) return undefined;
    if (!Number.isSafeInteger(creationMs) || Math.abs(creationMs) > MAX_TIME) return undefined;
    if (!isCount(creationMicros) || creationMicros > 999) return undefined;
    return {
      ...{ module, creationMs, creationMicros, yamlBytes, files: shape.files, folders: shape.folders },
      yaml: this.#stampAt(at + 5),
      folder: this.#stampAt(at + 5 + STAMP),
      inside: shape.folders.map((_, i) => this.#stampAt(at + FIXED + STAMP * i)),
    };
  }

  #stampAt(at: number): Stamp {
    return { mtimeMs: this.#number(at), ctimeMs: this.#number(at + 1), ino: this.#number(at + 2) };
  }

  #number(at: number): number {
    return this.#numbers[at] ?? Number.NaN;
  }
}

/** The last instant that JavaScript has, in ms since the epoch. */
const MAX_TIME = 8.64e15;

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

function textsIn(bytes: Buffer): Texts | undefined {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (!("names" in value && "versions" in value && "modules" in value && "shapes" in value)) return undefined;
  const { names, versions, modules, shapes } = value;
  const sound = areTexts(versions) && areTexts(modules) && isListOf(names, isNameCount) && isListOf(shapes, isShape);
  return sound ? { names, versions, modules, shapes } : undefined;
}

function isListOf<T>(value: unknown, isOne: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isOne);
}

const isText = (value: unknown): value is string => typeof value === "string";

const areTexts = (value: unknown): value is string[] => isListOf(value, isText);

function isNameCount(value: unknown): value is [string, number] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === "string" && typeof value[1] === "number";
}

function isShape(value: unknown): value is Contents {
  if (typeof value !== "object" || value === null || !("files" in value && "folders" in value)) return false;
  return isListOf(value.files, isInside) && isListOf(value.folders, isInside);
}

/** The file is one that anybody may have written: it must not make us look outside of the version. */
function isInside(value: unknown): value is string {
  if (typeof value !== "string" || value.includes("\0")) return false;
  return value.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}
