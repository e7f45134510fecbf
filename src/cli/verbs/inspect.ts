import { basename } from "node:path";
import { stringifyExact } from "../../formats/jsonExact";
import type { ValueSpec } from "../../formats/tensor";
import { inspectArchive } from "../../frameworks/archiveContent";
import { formatOf } from "../../frameworks/contentFormats";
import {
  type InspectDocument,
  type InspectedStatistics,
  type InspectOptions,
  inspectFile,
  inspectModel,
} from "../../frameworks/inspect";
import type { Output } from "../output";
import { jobOptions } from "../progress";
import { openSubject } from "../subject";
import { resolveTarget } from "../target";
import { JSON_OR_TEXT, type Verb, type VerbContext } from "../verb";

/** Shows what is inside a model or a file by its headers: nothing is executed, weights are not read. */
export const inspect: Verb = {
  syntax: {
    usage: "inspect TAG|FILE [--tag TAG] [--file FILE] [--digest] [--stats] [-o json]",
    example: "inspect ./model.onnx -o json",
    operands: [0, 1],
    options: { tag: "value", file: "value", digest: "switch", stats: "switch", output: JSON_OR_TEXT },
    later: ["tensor", "text"],
  },
  async run(context, args) {
    const { home, output } = context;
    const target = resolveTarget(args.operands[0], args.value("tag"), args.value("file"));
    const subject = openSubject(home, target);
    const options = { digest: args.isSet("digest"), stats: args.isSet("stats") };
    const document =
      subject.kind === "model"
        ? inspectModel(subject.model, options)
        : await documentOf(context, subject.path, options);
    if (output.json) output.document(stringifyExact(document, 2));
    else describe(document, output);
  },
};

/** An archive streams by, which takes its time; of any other file the header is read. */
async function documentOf(context: VerbContext, path: string, options: InspectOptions): Promise<InspectDocument> {
  if (formatOf(path) !== "archive") return inspectFile(path, options);
  return inspectArchive(path, options, jobOptions(context, `Looking into ${basename(path)}`));
}

function describe(document: InspectDocument, output: Output): void {
  output.lines(
    `${document.path}`,
    `${document.format}, ${document.bytes} bytes, ${document.files.length} ${document.files.length === 1 ? "file" : "files"}`,
  );
  for (const [method, { inputs, outputs, batchable, batchDim }] of Object.entries(document.signatures)) {
    output.lines("", `${method}${batchable ? ` (batchable, batch_dim ${batchDim.join(", ")})` : ""}`);
    output.lines(
      ...inputs.map((spec) => `  in   ${valueLine(spec)}`),
      ...outputs.map((spec) => `  out  ${valueLine(spec)}`),
    );
  }
  if (document.onnx !== undefined) {
    const { irVersion, opsets, producer, ops } = document.onnx;
    const sets = Object.entries(opsets).map(([domain, version]) => `${domain || "ai.onnx"} ${version}`);
    output.lines("", `IR ${irVersion}, opset ${sets.join(", ")}, producer ${producer || "unknown"}`);
    output.lines(
      Object.entries(ops)
        .map(([op, count]) => `${op} ${count}`)
        .join(", "),
    );
  }
  if (document.tensors.length > 0) output.lines("");
  for (const { name, dtype, nativeDtype, shape, bytes, sha256, stats } of document.tensors) {
    output.lines(
      `  ${name}  ${dtype ?? nativeDtype} [${shape.join(", ")}]  ${bytes} bytes${sha256 === undefined ? "" : `  ${sha256}`}`,
    );
    if (stats !== undefined) output.lines(`    ${statisticsLine(stats)}`);
  }
  for (const [key, value] of Object.entries(document.metadata)) output.lines(`  ${key} = ${value}`);
  for (const warning of document.warnings) output.warn(warning);
}

function statisticsLine({ min, max, mean, std, nan, inf, zeros }: InspectedStatistics): string {
  const range = min === null ? [] : [`min ${min}`, `max ${max}`, `mean ${mean}`, `std ${std}`];
  return [...range, `${zeros} zeros`, `${nan} NaN`, `${inf} infinite`].join(", ");
}

function valueLine({ name, type, dtype, shape }: ValueSpec): string {
  if (type !== "tensor") return `${name}  ${type}`;
  return `${name}  ${dtype ?? "?"} ${shape === null ? "of unknown rank" : `[${shape.map((dim) => dim ?? "?").join(", ")}]`}`;
}
