import { humanSize } from "../base/humanSize";
import { importLabel, type PickleFacts } from "../formats/pickle/facts";
import { specText } from "../frameworks/compare/words";
import type { InspectDocument, InspectedStatistics, InspectedTensor } from "../frameworks/inspect";
import { table } from "./table";
import { VERDICT_WORDS } from "./verdictWords";

/** Longest value of a metadata key in one line. */
const MAX_VALUE = 200;

/** A document for people. Whatever has more to it than a line is cut; JSON has the whole. */
export function inspectLines(document: InspectDocument): string[] {
  const { format, bytes, files, metadata, signatures, tensors, onnx, pickle } = document;
  const count = `${files.length} ${files.length === 1 ? "file" : "files"}`;
  const blocks = [
    [document.path, `${format}, ${bytes < 1024 ? "" : `${humanSize(bytes)}, `}${bytes} bytes, ${count}`],
    document.kind === "model" || format === "archive" ? fileLines(files) : [],
    ...Object.entries(signatures).map(([method, signature]) => methodLines(method, signature)),
    onnx ? onnxLines(onnx) : [],
    pickle ? pickleLines(pickle) : [],
    tensorLines(tensors),
    [...metadata].map(([key, value]) => `  ${key} = ${cut(value)}`),
  ];
  return blocks.filter((block) => block.length > 0).flatMap((block, i) => (i === 0 ? block : ["", ...block]));
}

function fileLines(files: InspectDocument["files"]): string[] {
  const rows = files.map(({ path, bytes, format, pickle }) => [
    path,
    humanSize(bytes),
    format === "unknown" ? "" : format,
    pickle ? VERDICT_WORDS[pickle.verdict] : "",
  ]);
  return table(rows, "  ");
}

function methodLines(method: string, signature: InspectDocument["signatures"][string]): string[] {
  const { inputs, outputs, batchable, batchDim } = signature;
  return [
    `${method}${batchable ? ` (batchable, batch_dim ${batchDim.join(", ")})` : ""}`,
    ...inputs.map((spec) => `  in   ${specText(spec)}`),
    ...outputs.map((spec) => `  out  ${specText(spec)}`),
  ];
}

function onnxLines({ irVersion, opsets, producer, ops }: NonNullable<InspectDocument["onnx"]>): string[] {
  const sets = Object.entries(opsets).map(([domain, version]) => `${domain || "ai.onnx"} ${version}`);
  return [
    `IR ${irVersion}, opset ${sets.join(", ")}, producer ${producer || "unknown"}`,
    Object.entries(ops)
      .map(([op, count]) => `${op} ${count}`)
      .join(", "),
  ];
}

/** What of a pickle comes first: the worst. */
const CLASSES = ["dangerous", "code", "unknown", "allowed"] as const;

function pickleLines({ verdict, streams, imports, findings }: PickleFacts): string[] {
  const sorted = [...imports].sort((a, b) => CLASSES.indexOf(a.class) - CLASSES.indexOf(b.class));
  const unknown = imports.filter((one) => one.class === "unknown").length;
  // An array of Python objects needs no import that we do not know.
  const counted = unknown > 0 ? `${VERDICT_WORDS.unknown} (${unknown})` : VERDICT_WORDS.opaque;
  const words = verdict === "unknown" ? counted : VERDICT_WORDS[verdict];
  return [
    `pickle: ${words}; verdict ${verdict}, ${streams} ${streams === 1 ? "stream" : "streams"}, nothing was executed`,
    ...table(
      sorted.map((one) => [`import`, one.class, importLabel(one)]),
      "  ",
    ),
    ...findings.map(
      ({ message, offset, member }) => `  at ${offset}${member === undefined ? "" : ` of ${member}`}: ${message}`,
    ),
  ];
}

function tensorLines(tensors: readonly InspectedTensor[]): string[] {
  return tensors.flatMap(({ name, dtype, nativeDtype, shape, bytes, sha256, stats, leaf }) => [
    `  ${name}  ${dtype ?? nativeDtype} [${shape.join(", ")}]  ${bytes} bytes${sha256 === undefined ? "" : `  ${sha256}`}${leaf === undefined ? "" : `  ${leaf}`}`,
    ...(stats === undefined ? [] : [`    ${statisticsLine(stats)}`]),
  ]);
}

function statisticsLine({ min, max, mean, std, nan, inf, zeros }: InspectedStatistics): string {
  const range = min === null ? [] : [`min ${min}`, `max ${max}`, `mean ${mean}`, `std ${std}`];
  return [...range, `${zeros} zeros`, `${nan} NaN`, `${inf} infinite`].join(", ");
}

function cut(text: string): string {
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE - 1)}…` : text;
}
