import type { Stats } from "node:fs";
import { crc32 } from "node:zlib";

/** What lies in a version folder beside its model.yaml, as paths inside it. */
export interface Contents {
  /** Everything that is not a folder of its own, a link to a folder included. */
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** What is to be remembered of one version. */
export interface VersionFacts extends Contents {
  readonly module: string;
  /**
   * When it was created, in ms and microseconds beyond; the bytes of its model.yaml; then by three the stamps of
   * model.yaml, of its folder and of `folders`, see `pushStamp`.
   */
  readonly numbers: ArrayLike<number>;
}

/** Adds what tells one state of a file or folder from another: the time of change cannot be set by a program. */
export function pushStamp(numbers: number[], { mtimeMs, ctimeMs, ino }: Stats): void {
  numbers.push(mtimeMs, ctimeMs, ino);
}

/** The first bytes: what the file is and its version. */
const MAGIC = Buffer.from("modelbench list1", "latin1");
/** After it, little-endian: the CRC-32 of all that follows, how many bytes of text there are, how many numbers. */
const HEADER = MAGIC.length + 16;
/** Numbers of a version: its module and its shape by their places, its creation twice, the bytes of its model.yaml … */
const PLAIN = 5;
/** … and each stamp: model.yaml's, the folder's and those of the folders inside. */
const STAMP = 3;
const FIXED = PLAIN + 2 * STAMP;

interface Texts {
  /** Each name with the number of its versions. */
  readonly names: readonly (readonly [string, number])[];
  readonly versions: readonly string[];
  readonly modules: readonly string[];
  /** What lies beside model.yaml; versions of one framework share it. */
  readonly shapes: readonly Contents[];
}

/** What is remembered of a version, under its tag. Versions of one name stand one after the other. */
export interface Remembered {
  readonly name: string;
  readonly version: string;
  readonly facts: VersionFacts;
}

/** The bytes of the file. */
export function encodeListing(versions: Iterable<Remembered>): Buffer {
  const names: [string, number][] = [];
  const texts = { names, versions: [] as string[], modules: [] as string[], shapes: [] as Contents[] };
  const modules = new Map<string, number>();
  const shapes = new Map<string, number>();
  const numbers: number[] = [];
  for (const { name, version, facts } of versions) {
    const last = names.at(-1);
    if (last?.[0] === name) last[1] += 1;
    else names.push([name, 1]);
    texts.versions.push(version);
    const { module, files, folders } = facts;
    const shape = `${files.join("\0")}\0\0${folders.join("\0")}`;
    numbers.push(
      indexOf(modules, module, () => texts.modules.push(module)),
      indexOf(shapes, shape, () => texts.shapes.push({ files, folders })),
    );
    for (let i = 0; i < facts.numbers.length; i += 1) numbers.push(facts.numbers[i] ?? Number.NaN);
  }
  return framed(numbers, Buffer.from(JSON.stringify(texts)));
}

function framed(numbers: readonly number[], text: Buffer): Buffer {
  const header = Buffer.alloc(HEADER);
  MAGIC.copy(header);
  header.writeUInt32LE(text.length, MAGIC.length + 4);
  header.writeUInt32LE(numbers.length, MAGIC.length + 8);
  const bytes = Buffer.concat([header, Buffer.from(Float64Array.from(numbers).buffer), text]);
  bytes.writeUInt32LE(crc32(bytes.subarray(MAGIC.length + 4)), MAGIC.length);
  return bytes;
}

function indexOf(known: Map<string, number>, text: string, onNew: () => unknown): number {
  const index = known.get(text) ?? known.size;
  if (index === known.size) {
    known.set(text, index);
    onNew();
  }
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
  find(name: string, version: string): KnownVersion | undefined {
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

  #versionAt(at: number): KnownVersion | undefined {
    const module = this.#texts.modules[this.#numbers[at] ?? -1];
    const shape = this.#shapeAt(at);
    const [creationMs = Number.NaN, creationMicros = Number.NaN] = [this.#numbers[at + 2], this.#numbers[at + 3]];
    if (module === undefined || shape === undefined) return undefined;
    if (!Number.isSafeInteger(creationMs) || Math.abs(creationMs) > MAX_TIME) return undefined;
    if (!isCount(creationMicros) || creationMicros > 999) return undefined;
    return new KnownVersion(this.#numbers, at, module, shape);
  }
}

/** What is remembered of one version: a place in the numbers, because most of it is only compared. */
export class KnownVersion {
  readonly module: string;
  readonly contents: Contents;
  readonly #numbers: Float64Array;
  readonly #at: number;

  constructor(numbers: Float64Array, at: number, module: string, contents: Contents) {
    this.module = module;
    this.contents = contents;
    this.#numbers = numbers;
    this.#at = at;
  }

  get creationMs(): number {
    return this.#number(2);
  }

  get creationMicros(): number {
    return this.#number(3);
  }

  get yamlBytes(): number {
    return this.#number(4);
  }

  /** Whether this is the model.yaml that was read. */
  isYaml(stat: Stats): boolean {
    return stat.size === this.yamlBytes && this.#isStamp(PLAIN, stat);
  }

  /** Whether the folder of the version, or the `i`th folder inside, has had no entry added, removed or renamed. */
  isFolder(stat: Stats, i = -1): boolean {
    return stat.isDirectory() && this.#isStamp(FIXED + STAMP * i, stat);
  }

  /** Everything, to be written again. */
  get facts(): VersionFacts {
    const end = this.#at + FIXED + STAMP * this.contents.folders.length;
    return { ...this.contents, module: this.module, numbers: this.#numbers.subarray(this.#at + 2, end) };
  }

  #isStamp(offset: number, stat: Stats): boolean {
    return (
      stat.mtimeMs === this.#number(offset) &&
      stat.ctimeMs === this.#number(offset + 1) &&
      stat.ino === this.#number(offset + 2)
    );
  }

  #number(offset: number): number {
    return this.#numbers[this.#at + offset] ?? Number.NaN;
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
