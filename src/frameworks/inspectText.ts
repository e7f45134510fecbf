import { basename, join } from "node:path";
import type { ModelbenchError } from "../base/errors";
import { visible } from "../base/visible";
import { stringifyExact } from "../formats/jsonExact";
import { digestSlices } from "../store/fileDigest";
import { MODEL_YAML } from "../store/layout";
import { factText } from "./compare/words";
import type { InspectDocument, InspectedTensor } from "./inspect";

/** What of a model.yaml is told by other lines, or is another one each time. */
const LEFT_OUT = new Set(["signatures", "creation_time"]);

/**
 * A document as lines that stay the same as long as the content does: sorted by name, without absolute paths and times.
 * Whatever changed in a file, at least its digest's line differs.
 * @param document with digests and leaves
 * @throws errors of `node:fs`
 */
export function inspectText(document: InspectDocument): string[] {
  const { format, kind, path, model, signatures, metadata, onnx, pickle, tensors, warnings } = document;
  return [
    `format: ${format}`,
    // The name of a bare file is not told: git calls its copy something else each time.
    ...(kind === "file" ? [`sha256: ${fileDigest(path)}`] : []),
    ...section("model", model instanceof Map ? modelLines(model) : []),
    ...section("files", fileLines(document)),
    ...section(
      "signatures",
      pairs(signatures, (method) => factText("signatures", method)),
    ),
    ...section(
      "metadata",
      [...metadata].map(([key, value]) => `${key}: ${value}`),
    ),
    ...section("onnx", onnx ? onnxLines(onnx) : []),
    ...section("pickle", pickle ? pickleLines(pickle) : []),
    ...section("tensors", tensors.map(tensorLine)),
    ...section(
      "warnings",
      warnings.map(({ code, message }) => `${code}: ${message.replaceAll(path, basename(path))}`),
    ),
  ];
}

/** The files of a model, or the members of an archive. */
function fileLines({ kind, format, path, files }: InspectDocument): string[] {
  if (format === "archive") return files.map((file) => `${file.path}  ${file.format}  ${file.bytes} bytes`);
  if (kind === "file") return [];
  return files
    .filter((file) => file.path !== MODEL_YAML)
    .map((file) => `${file.path}  ${file.format}  ${file.bytes} bytes  sha256 ${fileDigest(join(path, file.path))}`);
}

/** What `--text` says of a file that is not what it claims to be: a diff has to show that too. */
export function unreadableText(path: string, error: ModelbenchError): string[] {
  return [`unreadable: ${oneLine(error.message.replaceAll(`${path}: `, ""))}`, `sha256: ${fileDigest(path)}`];
}

/** The digest of a whole file, hexadecimal. */
function fileDigest(path: string): string {
  const work = digestSlices(path);
  for (;;) {
    const step = work.next();
    if (step.done) return step.value.sha256;
  }
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `[${title}]`, ...lines.map(oneLine).sort(byCodeUnits)];
}

/** The order must not depend on the language of whoever looks. */
function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function oneLine(text: string): string {
  return visible(text, Number.POSITIVE_INFINITY);
}

function pairs<T>(members: Readonly<Record<string, T>>, textOf: (value: T) => string): string[] {
  return Object.entries(members).map(([key, value]) => `${key}: ${textOf(value)}`);
}

/** `model.yaml` by paths of keys; lists are one line. */
function modelLines(model: ReadonlyMap<string, unknown>, prefix = ""): string[] {
  return [...model].flatMap(([key, value]) => {
    if (prefix === "" && LEFT_OUT.has(key)) return [];
    if (value instanceof Map && value.size > 0) return modelLines(value, `${prefix}${key}.`);
    return [`${prefix}${key}: ${typeof value === "string" ? value : stringifyExact(value)}`];
  });
}

function onnxLines({ irVersion, producer, opsets, ops, externalData }: NonNullable<InspectDocument["onnx"]>): string[] {
  return [
    `IR version: ${irVersion}`,
    `producer: ${producer}`,
    ...Object.entries(opsets).map(([domain, version]) => `opset ${domain || "ai.onnx"}: ${version}`),
    ...Object.entries(ops).map(([op, count]) => `op ${op}: ${count}`),
    ...externalData.map(({ tensor, location }) => `external data of ${tensor}: ${location}`),
  ];
}

function pickleLines({ verdict, streams, imports, findings }: NonNullable<InspectDocument["pickle"]>): string[] {
  return [
    `verdict: ${verdict}`,
    `streams: ${streams}`,
    ...imports.map((one) => `import ${one.module}.${one.name}: ${one.class}`),
    ...findings.map((one) => `finding ${one.kind}: ${one.message}`),
  ];
}

function tensorLine({ name, kind, dtype, nativeDtype, shape, bytes, sha256, leaf }: InspectedTensor): string {
  const head = `${name === "" ? "(root)" : name}  ${dtype ?? nativeDtype}`;
  if (dtype === null && kind !== "ndarray") return `${head}${leaf === undefined ? "" : `  ${leaf}`}`;
  const values = sha256 === undefined ? (leaf ?? "values not read") : `sha256 ${sha256}`;
  return `${head} [${shape.join(", ")}]  ${bytes} bytes  ${values}`;
}
