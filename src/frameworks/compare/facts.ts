import { openFileReader } from "../../formats/fileReader";
import { stringifyExact } from "../../formats/jsonExact";
import type { YamlMap } from "../../formats/pyYaml";
import type { FileFormat } from "../../formats/sniff";
import { digestSlices } from "../../store/fileDigest";
import { MODEL_YAML } from "../../store/layout";
import { plainSignatures } from "../inspect";
import { yamlAsData } from "../yamlAsData";
import type { Side } from "./side";

/** Where a fact is from. The first five are in model.yaml and compared between two versions only. */
export type FactPart =
  | "model"
  | "labels"
  | "metadata"
  | "options"
  | "context"
  | "format"
  | "signatures"
  | "fileMetadata"
  | "onnx"
  | "pickle"
  | "files";

/** A fact that only one side has, or that differs. Values are data for exact JSON. */
export interface FactDifference {
  readonly part: FactPart;
  /** For instance a label's key, a method's name or a file's path. */
  readonly key: string;
  /** `added`: only B has it. */
  readonly change: "added" | "removed" | "changed";
  /** Left out when it was added. */
  readonly a?: unknown;
  /** Left out when it was removed. */
  readonly b?: unknown;
}

/** What is compared of a file. */
export interface FileFact {
  readonly bytes: number;
  readonly format: FileFormat;
  /** Of files of the same size, unless tensors and metadata tell all that is in them. */
  readonly sha256?: string;
}

type Facts = ReadonlyMap<FactPart, ReadonlyMap<string, unknown>>;

/**
 * What two sides say differently of themselves, apart from tensors. Files of the same size of which tensors do not tell
 * everything are read, and the bytes just read yielded.
 * @throws ModelbenchError `file.access`
 */
export function* factDifferences(a: Side, b: Side): Generator<number, readonly FactDifference[]> {
  const [left, right] = [yield* factsOf(a, b), yield* factsOf(b, a)];
  return [...left.keys()].flatMap((part) => partDifferences(part, left.get(part), right.get(part)));
}

/** Bytes that `factDifferences` will read of one side. */
export function factBytes(side: Side, other: Side): number {
  return readFiles(side, other).reduce((sum, file) => sum + file.bytes, 0);
}

function partDifferences(
  part: FactPart,
  left: ReadonlyMap<string, unknown> = new Map(),
  right: ReadonlyMap<string, unknown> = new Map(),
): FactDifference[] {
  const keys = [...left.keys(), ...[...right.keys()].filter((key) => !left.has(key))];
  return keys.flatMap((key): FactDifference[] => {
    const [a, b] = [left.get(key), right.get(key)];
    if (!left.has(key)) return [{ part, key, change: "added", b }];
    if (!right.has(key)) return [{ part, key, change: "removed", a }];
    return stringifyExact(a) === stringifyExact(b) ? [] : [{ part, key, change: "changed", a, b }];
  });
}

function* factsOf(side: Side, other: Side): Generator<number, Facts> {
  const { content, format } = side;
  return new Map<FactPart, ReadonlyMap<string, unknown>>([
    ...(side.model && other.model ? modelFacts(side) : []),
    ["format", new Map([["format", format]])],
    ["signatures", new Map(Object.entries(plainSignatures(content.signatures ?? {})))],
    ["fileMetadata", content.metadata],
    ["onnx", onnxFacts(side)],
    ["pickle", pickleFacts(side)],
    ["files", yield* fileFacts(side, other)],
  ]);
}

function modelFacts({ model }: Side): [FactPart, ReadonlyMap<string, unknown>][] {
  if (!model) return [];
  const { module, apiVersion, labels, metadata, options, context } = model.info;
  const versions = [...context.frameworkVersions].map(
    ([name, version]) => [`framework_versions.${name}`, version] as const,
  );
  return [
    [
      "model",
      new Map([
        ["module", module],
        ["api_version", apiVersion],
      ]),
    ],
    ["labels", labels],
    ["metadata", dataOf(metadata)],
    ["options", dataOf(options)],
    [
      "context",
      new Map([
        ["framework_name", context.frameworkName],
        ["bentoml_version", context.bentomlVersion],
        ["python_version", context.pythonVersion],
        ...versions,
      ]),
    ],
  ];
}

function dataOf(yaml: YamlMap): ReadonlyMap<string, unknown> {
  const data = yamlAsData(yaml);
  return data instanceof Map ? data : new Map();
}

function onnxFacts({ content: { onnx } }: Side): ReadonlyMap<string, unknown> {
  if (!onnx) return new Map();
  return new Map<string, unknown>([
    ["irVersion", onnx.irVersion],
    ["producer", onnx.producer],
    ...Object.entries(onnx.opsets).map(([domain, version]) => [`opset ${domain || "ai.onnx"}`, version] as const),
    ...Object.entries(onnx.ops).map(([op, count]) => [`op ${op}`, count] as const),
  ]);
}

function pickleFacts({ content: { pickle } }: Side): ReadonlyMap<string, unknown> {
  if (!pickle) return new Map();
  return new Map<string, unknown>([
    ["verdict", pickle.verdict],
    ["streams", pickle.streams],
    ...pickle.imports.map((one) => [`import ${one.module}.${one.name}`, one.class] as const),
  ]);
}

/** The files of a version by path, or the one file of each side when nothing else tells what is in it. */
function* fileFacts(side: Side, other: Side): Generator<number, ReadonlyMap<string, unknown>> {
  const read = new Set(readFiles(side, other).map(({ path }) => path));
  const facts = new Map<string, FileFact>();
  for (const { path, bytes, format } of comparedFiles(side, other)) {
    const sha256 = read.has(path) ? { sha256: (yield* digestSlices(pathOf(side, path))).sha256 } : {};
    facts.set(keyOf(side, other, path), { bytes, format, ...sha256 });
  }
  return facts;
}

function pathOf(side: Side, file: string): string {
  const path = `${side.folder}/${file}`;
  // A file that cannot be read is told in the words of everybody else.
  openFileReader(path).close();
  return path;
}

function comparedFiles(side: Side, other: Side): Side["files"] {
  if (side.model && other.model) return ownFiles(side);
  const [files, others] = [counterparts(side, other), counterparts(other, side)];
  if (files.length === 0 || others.length === 0) return [];
  const formats = new Set(files.map((file) => file.format));
  const isTold = files.every(({ path }) => side.told.has(path)) && others.every(({ path }) => other.told.has(path));
  const isUntold = !isTold && others.some((file) => formats.has(file.format));
  return isUntold || (tensorless(side) && tensorless(other)) ? files : [];
}

/** What a bare file is compared with: of a version the one file of its format. */
function counterparts(side: Side, other: Side): Side["files"] {
  if (!side.model) return side.files;
  const found = ownFiles(side).filter(({ format }) => other.files.some((file) => file.format === format));
  return found.length === 1 ? found : [];
}

function ownFiles({ files }: Side): Side["files"] {
  return files.filter(({ path }) => path !== MODEL_YAML);
}

/** Files of two versions meet by their paths; a bare file goes by any name. */
function keyOf(side: Side, other: Side, path: string): string {
  return side.model && other.model ? path : "content";
}

function tensorless({ content }: Side): boolean {
  return content.tensors.length === 0;
}

/** Whose bytes are compared: what has the same size as the other side's and is not wholly told by tensors. */
function readFiles(side: Side, other: Side): Side["files"] {
  const withTensors = new Set([...side.content.tensors, ...other.content.tensors].map(({ file }) => file));
  const isTold = ({ told }: Side, path: string): boolean => withTensors.has(path) && told.has(path);
  const others = new Map(comparedFiles(other, side).map((file) => [keyOf(side, other, file.path), file]));
  return comparedFiles(side, other).filter(({ path, bytes }) => {
    const counterpart = others.get(keyOf(side, other, path));
    if (counterpart?.bytes !== bytes) return false;
    return !isTold(side, path) || !isTold(other, counterpart.path);
  });
}
