import { basename } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { stringifyExact } from "../../formats/jsonExact";
import { inspectArchive } from "../../frameworks/archiveContent";
import { openSide } from "../../frameworks/compare/side";
import { formatOf } from "../../frameworks/contentFormats";
import { type InspectDocument, type InspectOptions, inspectFile, inspectModel } from "../../frameworks/inspect";
import { inspectText } from "../../frameworks/inspectText";
import { textOfFile } from "../../frameworks/textOfFile";
import { NearNames } from "../../tensors/nearNames";
import type { ParsedArgs } from "../args";
import { usageError } from "../args";
import { inspectLines } from "../inspectLines";
import { jobOptions } from "../progress";
import { openSubject, type Subject } from "../subject";
import { resolveTarget } from "../target";
import { valueLines } from "../valueLines";
import { JSON_OR_TEXT, type Verb, type VerbContext } from "../verb";

/** Shows what is inside a model or a file by its headers: nothing is executed, weights are read when it is asked for. */
export const inspect: Verb = {
  syntax: {
    usage: "inspect TAG|FILE [--tag TAG] [--file FILE] [--tensor NAME] [--digest] [--stats] [--text] [-o json]",
    example: "inspect ./model.onnx -o json",
    operands: [0, 1],
    options: {
      tag: "value",
      file: "value",
      tensor: "value",
      digest: "switch",
      stats: "switch",
      text: "switch",
      output: JSON_OR_TEXT,
    },
  },
  async run(context, args) {
    const { home, output } = context;
    const target = resolveTarget(args.operands[0], args.value("tag"), args.value("file"));
    if (args.isSet("text")) return showText(context, openSubject(home, target), args);
    const tensor = args.value("tensor");
    const options = { digest: args.isSet("digest"), stats: args.isSet("stats"), tensor };
    const subject = openSubject(home, target);
    const document = await documentOf(context, subject, options);
    if (tensor !== undefined && document.tensors.length === 0) throw await noTensor(context, subject, tensor);
    if (output.json) return output.document(stringifyExact(document, 2));
    output.lines(inspectLines(document));
    if (tensor !== undefined && document.format !== "archive") output.lines(tensorValues(subject, tensor));
    for (const warning of document.warnings) output.warn(warning);
  },
};

/** An archive streams by, which takes its time; of any other file the header is read. */
async function documentOf(context: VerbContext, subject: Subject, options: InspectOptions): Promise<InspectDocument> {
  if (subject.kind === "model") return inspectModel(subject.model, options);
  const { path } = subject;
  if (formatOf(path) !== "archive") return inspectFile(path, options);
  return inspectArchive(path, options, jobOptions(context, `Looking into ${basename(path)}`));
}

async function noTensor(context: VerbContext, subject: Subject, name: string): Promise<ModelbenchError> {
  const { tensors, path } = await documentOf(context, subject, {});
  const near = new NearNames(tensors.map((tensor) => tensor.name)).of(name);
  const said = `${path}: there is no tensor ${JSON.stringify(name)} among the ${tensors.length} that are listed.`;
  const remedy = near.length > 0 ? { remedy: `Near it: ${near.map((one) => JSON.stringify(one)).join(", ")}.` } : {};
  return new ModelbenchError("tensor.notFound", said, { path, ...remedy });
}

/** The beginning of the values of every tensor of that name. */
function tensorValues(subject: Subject, name: string): string[] {
  const { content } = openSide(subject);
  try {
    return content.tensors.flatMap((tensor, index) => {
      if (tensor.name !== name) return [];
      return ["", ...readableLines(() => valueLines(content.data(index)))];
    });
  } finally {
    content.close();
  }
}

function readableLines(read: () => string[]): string[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof ModelbenchError && error.code === "tensor.unreadable") return [`  ${error.message}`];
    throw error;
  }
}

async function showText(context: VerbContext, subject: Subject, args: ParsedArgs): Promise<void> {
  if (["tensor", "digest", "stats"].some((name) => args.isSet(name) || args.value(name) !== undefined)) {
    throw usageError("inspect --text takes no other option: it has a digest of everything.", inspect.syntax);
  }
  if (context.output.json) throw usageError("inspect --text and -o json are two forms; choose one.", inspect.syntax);
  context.output.lines(await textOf(context, subject));
}

async function textOf(context: VerbContext, subject: Subject): Promise<string[]> {
  if (subject.kind === "model") return inspectText(inspectModel(subject.model, { digest: true, leaves: true }));
  return textOfFile(subject.path, jobOptions(context, `Looking into ${basename(subject.path)}`));
}
