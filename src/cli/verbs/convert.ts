import { resolve } from "node:path";
import { ModelbenchError } from "../../base/errors";
import { humanSize } from "../../base/humanSize";
import { stringifyExact } from "../../formats/jsonExact";
import { assertDestination, convertFile, formatToWrite, previewConversion } from "../../frameworks/convert/convert";
import type { ConversionPlan, Converted, ConvertOptions } from "../../frameworks/convert/plan";
import { convertibleFile } from "../../frameworks/convert/source";
import { type ParsedArgs, splitAssignment } from "../args";
import { jobOptions } from "../progress";
import { openSubject } from "../subject";
import { table } from "../table";
import { resolveTarget } from "../target";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Converts weights between flax MessagePack and safetensors; refuses when anything would be lost, unless told to. */
export const convert: Verb = {
  syntax: {
    usage:
      "convert TAG|FILE DST [--dry-run] [--leaves] [--drop] [--metadata k=v]... [--like FILE] [--replace] [-o json]",
    example: "convert ./flax_model.msgpack ./model.safetensors --leaves --metadata author=vision",
    operands: [2, 2],
    options: {
      "dry-run": "switch",
      leaves: "switch",
      drop: "switch",
      metadata: "values",
      like: "value",
      replace: "switch",
      output: JSON_OR_TEXT,
    },
  },
  async run(context, args) {
    const { home, output } = context;
    const [from = "", to = ""] = args.operands;
    const subject = openSubject(home, resolveTarget(from, undefined, undefined));
    const source = subject.kind === "file" ? subject.path : convertibleFile(subject.model);
    const destination = resolve(to);
    const input = { source, to: formatToWrite(destination), options: optionsOf(args) };
    if (args.isSet("dry-run")) {
      assertDestination(destination, args.isSet("replace"));
      const plan = previewConversion(input);
      if (output.json) output.document(stringifyExact({ path: destination, ...plan }, 2));
      else output.lines(planLines(plan));
      return;
    }
    try {
      const made = await convertFile(input, destination, args.isSet("replace"), jobOptions(context, "Converting"));
      if (output.json) output.document(stringifyExact(documentOf(made), 2));
      else output.lines(madeLine(made), ...planLines(made));
    } catch (error) {
      if (error instanceof ModelbenchError && error.code === "convert.lossy") {
        const { dropped } = previewConversion(input);
        output.failedParts(dropped);
      }
      throw error;
    }
  },
};

function madeLine({ path, bytes, tensors }: Converted): string {
  return `${path}  ${humanSize(bytes)}, ${tensors} ${tensors === 1 ? "tensor" : "tensors"}, verified`;
}

function optionsOf(args: ParsedArgs): ConvertOptions {
  const like = args.value("like");
  return {
    drop: args.isSet("drop"),
    leaves: args.isSet("leaves"),
    metadata: new Map(args.values("metadata").map((text) => splitAssignment("metadata", text))),
    ...(like !== undefined && { like: resolve(like) }),
  };
}

/** The contract's two fields first. */
function documentOf({ path, dropped, ...rest }: Converted): object {
  return { path, dropped, ...rest };
}

function planLines({ dropped, changed }: ConversionPlan): string[] {
  const left = dropped.map(({ name, kind, reason }) => [`  left out: ${name}`, kind, reason]);
  const others = changed.map(({ change, count, names }) => {
    const more = count > names.length ? ", …" : "";
    return `  ${change}: ${count} (${names.slice(0, 5).join(", ")}${more || (names.length > 5 ? ", …" : "")})`;
  });
  return [...table(left), ...others];
}
