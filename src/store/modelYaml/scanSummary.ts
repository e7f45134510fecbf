import { MAX_YAML_BYTES, resolvesToText } from "../../formats/pyYaml";
import { isTagPart } from "../tag";
import { BlockShape } from "./blockShape";
import { type Instant, instantOf, parseIsoTime, utcInstant } from "./isoTime";

/** What a list shows of one model.yaml. */
export interface ScannedModel {
  readonly name: string;
  readonly version: string;
  readonly module: string;
  /** Milliseconds since the epoch, rounded down. */
  readonly creationMs: number;
  /** Microseconds beyond `creationMs`, 0 to 999. */
  readonly creationMicros: number;
}

/** Longer sections go to the full parser, which has limits on what a text may hold. */
const MAX_LINES = 10_000;

const TOP_LINE = /^([A-Za-z_]\w*):(?: (?:(\{\})|'([^']*)'|([A-Za-z0-9_./+-][A-Za-z0-9_./+-]*)))?$/;
const PLAIN_NULL = /: (?:~|null|Null|NULL)$|- (?:~|null|Null|NULL)$/;

const TEXT_KEYS = new Set(["name", "version", "module", "api_version", "creation_time"]);
const MAP_KEYS = new Set(["labels", "options", "metadata", "context"]);

/**
 * Reads from a model.yaml what a list needs, without building its document; an ordinary one takes about 10 µs.
 * `undefined` means "ask the full parser": for every file that is not written in the plain style of BentoML's
 * own, and for most that BentoML would refuse. Where both answer, they answer the same. What only the full
 * parser notices is a nested value that BentoML refuses, such as a batch_dim of three numbers.
 */
export function scanModelYaml(bytes: Uint8Array): ScannedModel | undefined {
  if (bytes.length > MAX_YAML_BYTES || !isPlainAscii(bytes)) return undefined;
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const top = topLevel(buffer.toString("latin1"));
  return top === undefined ? undefined : summary(top);
}

/** Printable ASCII and line feeds only: no tab, no CR, no byte order mark. */
function isPlainAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if ((byte < 32 && byte !== 10) || byte > 126) return false;
  }
  return true;
}

/** The text values of the first level; `undefined` as soon as a line is out of the ordinary. */
function topLevel(text: string): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>();
  const seen = new Set<string>();
  for (let at = 0; at < text.length; ) {
    const match = TOP_LINE.exec(text.slice(at, lineEnd(text, at)));
    const key = match?.[1];
    if (match === null || key === undefined || seen.has(key)) return undefined;
    seen.add(key);
    const first = lineEnd(text, at) + 1;
    at = first;
    while (text.charCodeAt(at) === SPACE) at = lineEnd(text, at) + 1;
    const [, , empty, quoted, plain] = match;
    const bare = empty === undefined && quoted === undefined && plain === undefined;
    if (at > first && !(bare && isSection(key, text.slice(first, at - 1)))) return undefined;
    if (TEXT_KEYS.has(key)) {
      const value = quoted ?? plain;
      if (value === undefined || (plain !== undefined && !resolvesToText(plain))) return undefined;
      values.set(key, value);
    } else if ((MAP_KEYS.has(key) || key === "signatures") && empty === undefined && at === first) {
      return undefined;
    }
  }
  for (const key of MAP_KEYS) if (!seen.has(key)) return undefined;
  return values;
}

const SPACE = 32;

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

/**
 * Sections that were read before, by key. The models of one environment share most of them to the letter, and to
 * compare a text takes a fraction of what it takes to read its lines.
 */
const known = new Map<string, Map<string, boolean>>();
const MAX_KNOWN = 200;
const MAX_KNOWN_LENGTH = 2000;

/** @param section the lines below the key, without the last line's break */
function isSection(key: string, section: string): boolean {
  if (section.length > MAX_KNOWN_LENGTH) return readSection(key, section);
  let ofKey = known.get(key);
  const before = ofKey?.get(section);
  if (before !== undefined) return before;
  const sound = readSection(key, section);
  if (ofKey === undefined || ofKey.size >= MAX_KNOWN) {
    if (known.size >= MAX_KNOWN) known.clear();
    ofKey = new Map();
    known.set(key, ofKey);
  }
  ofKey.set(section, sound);
  return sound;
}

function readSection(key: string, section: string): boolean {
  const lines = section.split("\n", MAX_LINES + 1);
  if (lines.length > MAX_LINES) return false;
  const shape = new BlockShape();
  let contextKeys = 0;
  for (const line of lines) {
    if (!shape.accepts(line)) return false;
    if (key === "metadata" && (shape.leftNull || PLAIN_NULL.test(line))) return false;
    if (key === "context" && /^ +framework_(?:name|versions):/.test(line)) contextKeys += 1;
  }
  if (key === "metadata" && shape.isOpen) return false;
  return shape.isMapping && (key !== "context" || contextKeys === 2);
}

function summary(top: ReadonlyMap<string, string>): ScannedModel | undefined {
  const name = top.get("name");
  const version = top.get("version");
  const module = top.get("module");
  const created = creationOf(top.get("creation_time") ?? "");
  if (name === undefined || version === undefined || module === undefined || created === undefined) return undefined;
  if (!top.has("api_version") || !isTagPart(name) || !isTagPart(version)) return undefined;
  return { name, version, module, creationMs: created.epochMs, creationMicros: created.micros };
}

function creationOf(text: string): Instant | undefined {
  const usual = utcInstant(text);
  if (usual !== undefined) return usual;
  const time = parseIsoTime(text);
  return time && instantOf(time);
}
