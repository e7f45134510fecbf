import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { ModelbenchError } from "../base/errors";
import type { JobOptions } from "../base/ports";
import { stringifyExact } from "../formats/jsonExact";
import { YamlDate, YamlFloat, type YamlKey, YamlSet, YamlTimestamp, type YamlValue } from "../formats/pyYaml";
import { digestSlices } from "../store/fileDigest";
import { layoutOf, MODEL_YAML } from "../store/layout";
import type { ModelInfo, StoredModel } from "../store/model";
import { isLink, modelFilesIn } from "../store/modelFiles";
import { paced } from "../store/pace";
import { type FileRecord, isUntouched, readRecord } from "../store/record";

/** One file of a model with what it holds. */
export interface DigestedFile {
  /** Inside the model, relative, with `/`. */
  readonly path: string;
  /** SHA-256 of its bytes, hexadecimal. */
  readonly sha256: string;
}

/** What consent to run a model's code is about. */
export interface CodeDigest {
  /** SHA-256, hexadecimal; see `codeDigest`. */
  readonly digest: string;
  /** Every file but `model.yaml`, sorted by path. */
  readonly files: readonly DigestedFile[];
}

/** The form below; another form has another number, so that no two forms can give one digest. */
const FORM = 2;

/**
 * The digest of everything that decides what a model does when it is loaded and called: every file but `model.yaml`,
 * and of that one module, options, signatures and what a framework's loader notes for itself: `api_version`, and metadata
 * that begins with `_`. Labels, other metadata and the tag are not part of it. Files whose size
 * and times are as they were are not read again, neither in this process nor if they were saved here.
 * @param home the store that the model is of; left out for a folder anywhere
 * @throws ModelbenchError `store.access`, `file.access`, `cancelled`
 */
export async function codeDigest(
  model: StoredModel,
  home: string | undefined,
  options: JobOptions = {},
): Promise<CodeDigest> {
  const files = await paced(digestedFiles(model, recordOf(model, home)), undefined, options);
  return { digest: digestOfParts(model.info, files), files };
}

/** The digest of files whose own are known, and of what model.yaml says; see `codeDigest`. */
export function digestOfParts(info: ModelInfo, files: readonly DigestedFile[]): string {
  const { module, options, signatures, apiVersion, metadata } = info;
  const text = stringifyExact({
    form: FORM,
    files: files.map(({ path, sha256 }) => [path, sha256]),
    module,
    options: canonical(options),
    signatures: [...signatures]
      .map(([method, { batchable, batchDim }]) => [method, batchable, ...batchDim] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    loader: [apiVersion, canonical(new Map([...metadata].filter(([key]) => String(key).startsWith("_"))))],
  });
  return createHash("sha256").update(text).digest("hex");
}

function* digestedFiles(model: StoredModel, record: FileRecord | undefined): Generator<number, DigestedFile[]> {
  const files: DigestedFile[] = [];
  for (const { path } of modelFilesIn(model.path)) {
    if (path === MODEL_YAML) continue;
    files.push({ path, sha256: recordedDigest(model, path, record) ?? (yield* fileDigest(join(model.path, path))) });
  }
  return files;
}

function recordOf({ info, path }: StoredModel, home: string | undefined): FileRecord | undefined {
  return home === undefined ? undefined : readRecord(layoutOf(home), info, path);
}

/** What was remembered when the model was saved here. Of a link the record knows the link, not what it leads to. */
function recordedDigest(model: StoredModel, file: string, record: FileRecord | undefined): string | undefined {
  const path = join(model.path, file);
  const was = record?.get(file);
  return was !== undefined && !isLink(path) && isUntouched(path, was) ? was.sha256 : undefined;
}

/** Digests by the state of the file that they are of; the oldest are forgotten. */
const known = new Map<string, string>();
const MAX_KNOWN = 20_000;

/** Whoever is fooled by times that were set back loads nothing: what is loaded is hashed again while it is copied. */
function* fileDigest(path: string): Generator<number, string> {
  const state = stateOf(path);
  const before = known.get(state);
  if (before !== undefined) return before;
  const { sha256 } = yield* readable(path);
  if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value ?? "");
  known.set(state, sha256);
  return sha256;
}

function stateOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function* readable(path: string): ReturnType<typeof digestSlices> {
  try {
    return yield* digestSlices(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): ModelbenchError {
  return new ModelbenchError("file.access", `${path} cannot be read.`, { path, cause });
}

/** A YAML value as JSON that tells every type from every other, keys sorted: their order means nothing. */
function canonical(value: YamlValue): unknown {
  if (Array.isArray(value)) return ["list", value.map(canonical)];
  if (value instanceof YamlSet) return ["set", value.items.map(canonicalKey).sort(byText)];
  if (!(value instanceof Map)) return canonicalKey(value);
  const members = [...value].map(([key, member]) => [canonicalKey(key), canonical(member)] as const);
  return ["map", members.sort(([a], [b]) => byText(a, b))];
}

function canonicalKey(key: YamlKey): readonly [type: string, ...value: unknown[]] {
  if (key === null) return ["null"];
  if (key instanceof YamlFloat) return ["float", Object.is(key.value, -0) ? "-0" : String(key.value)];
  if (key instanceof YamlDate) return ["date", key.year, key.month, key.day];
  if (key instanceof YamlTimestamp) return ["timestamp", Object.entries(key.parts).sort(byText)];
  if (key instanceof Uint8Array) return ["bytes", Buffer.from(key).toString("base64")];
  return [typeof key === "bigint" ? "number" : typeof key, String(key)];
}

function byText(a: unknown, b: unknown): number {
  const [left, right] = [stringifyExact(a), stringifyExact(b)];
  return left < right ? -1 : Number(left > right);
}
