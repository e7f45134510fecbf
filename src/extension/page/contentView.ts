import { type ContentView, type PickleView, TENSOR_PART, type TensorRow } from "../../../webview/protocol/content";
import { MAX_MESSAGE_BYTES } from "../../../webview/protocol/messages";
import { fitsMessage } from "../../../webview/protocol/size";
import { COMPUTED, type PickleFacts } from "../../formats/pickle/facts";
import type { OnnxFacts, StoredTensor } from "../../frameworks/content";
import type { ContentSummary } from "../../frameworks/contentJobs";
import { failureView } from "./failureView";
import { methodView } from "./methodView";

/** Longest texts and lists of a file that cross to the page; the command line has them whole. */
const MOST = { characters: 4_000, files: 500, pairs: 200, imports: 1_000, findings: 1_000, warnings: 100, ops: 1_000 };

/** What the page shows of a content's headers. */
export function contentView(summary: ContentSummary): ContentView {
  const { format, bytes, files, stamp, tensorCount, parameters, tensorBytes, metadata, onnx, pickle, warnings } =
    summary;
  return {
    format,
    bytes,
    files: files
      .slice(0, MOST.files)
      .map((file) => ({ path: cut(file.path), bytes: file.bytes, format: file.format, pickle: verdictOf(file) })),
    moreFiles: beyond(files, MOST.files),
    stamp,
    tensorCount,
    parameters,
    tensorBytes,
    metadata: metadata.slice(0, MOST.pairs).map(([key, value]) => ({ key: cut(key), value: cut(value) })),
    moreMetadata: beyond(metadata, MOST.pairs),
    methods: Object.entries(summary.signatures ?? {})
      .slice(0, MOST.pairs)
      .map(([name, signature]) => methodView(name, signature)),
    onnx: onnx ? onnxView(onnx) : null,
    pickle: pickle ? pickleView(pickle) : null,
    warnings: warnings.slice(0, MOST.warnings).map(({ code, message }) => ({ code, message: cut(message) })),
    broken: null,
  };
}

/** What the page shows of a content that cannot be read. */
export function brokenContent(error: unknown): ContentView {
  return {
    format: "unknown",
    bytes: 0,
    files: [],
    moreFiles: 0,
    stamp: null,
    tensorCount: 0,
    parameters: 0,
    tensorBytes: 0,
    metadata: [],
    moreMetadata: 0,
    methods: [],
    onnx: null,
    pickle: null,
    warnings: [],
    broken: failureView(error),
  };
}

/** As many rows of a list of tensors as one message takes, at least one. */
export function tensorRows(tensors: readonly StoredTensor[]): TensorRow[] {
  let rows = tensors.slice(0, TENSOR_PART).map(tensorRow);
  while (rows.length > 1 && !fitsMessage(rows, MAX_MESSAGE_BYTES / 2)) rows = rows.slice(0, rows.length >> 1);
  return rows;
}

function tensorRow(tensor: StoredTensor): TensorRow {
  const { file, name, path, kind, dtype, nativeDtype, shape, offset, bytes } = tensor;
  const segments = path.map((segment) => (typeof segment === "string" ? cut(segment) : segment));
  return {
    file: cut(file),
    name: cut(name),
    path: segments,
    kind,
    dtype,
    nativeDtype: cut(nativeDtype),
    shape: [...shape],
    offset,
    bytes,
  };
}

function onnxView({ irVersion, producer, opsets, ops, externalData }: OnnxFacts): NonNullable<ContentView["onnx"]> {
  return {
    irVersion,
    producer: cut(producer),
    opsets: Object.entries(opsets)
      .slice(0, MOST.pairs)
      .map(([key, version]) => ({ key: key === "" ? "ai.onnx" : cut(key), value: String(version) })),
    ops: Object.entries(ops)
      .sort(([a, aCount], [b, bCount]) => bCount - aCount || (a < b ? -1 : 1))
      .slice(0, MOST.ops)
      .map(([op, count]) => ({ op: cut(op), count })),
    externalFiles: externalData.length,
  };
}

function pickleView({ verdict, streams, imports, findings }: PickleFacts): PickleView {
  return {
    verdict,
    streams,
    imports: imports.slice(0, MOST.imports).map(({ module, name, offset, member, class: found }) => ({
      module: cut(module ?? COMPUTED),
      name: cut(name ?? COMPUTED),
      class: found,
      offset,
      member: member === undefined ? null : cut(member),
    })),
    moreImports: beyond(imports, MOST.imports),
    findings: findings.slice(0, MOST.findings).map((one) => ({
      verdict: one.verdict,
      kind: one.kind,
      message: cut(one.message),
      offset: one.offset,
      member: one.member === undefined ? null : cut(one.member),
    })),
    moreFindings: beyond(findings, MOST.findings),
  };
}

function verdictOf({ pickle }: ContentSummary["files"][number]): PickleView["verdict"] | null {
  return pickle?.verdict ?? null;
}

function beyond(list: readonly unknown[], most: number): number {
  return Math.max(0, list.length - most);
}

/** The beginning of a text that is too long to show. */
function cut(text: string): string {
  return text.length > MOST.characters ? `${text.slice(0, MOST.characters)}…` : text;
}
