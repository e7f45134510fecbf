import { resolve } from "node:path";
import type { YamlValue } from "../../formats/pyYaml";
import { draftFromFiles } from "../../frameworks/saveTable";
import { formatTag, parseTag } from "../../store/tag";
import { splitAssignment } from "../args";
import { openForAdding } from "../openForWriting";
import { jobOptions } from "../progress";
import { jsonOption, signatureOption } from "../signatureOption";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Copies model files into the store as a new version that a real BentoML reads. */
export const save: Verb = {
  syntax: {
    usage:
      "save NAME[:VERSION] FILE... [--module M] [--label k=v] [--metadata k=json] [--signature method=json] [-o json]",
    example: "save iris_clf:v2 model.onnx --label owner=vision",
    operands: [2, Number.POSITIVE_INFINITY],
    options: { module: "value", label: "values", metadata: "values", signature: "values", output: JSON_OR_TEXT },
  },
  async run(context, args) {
    const [target = "", ...sources] = args.operands;
    const { name, version } = parseTag(target);
    const { draft, files } = draftFromFiles(
      sources.map((source) => resolve(source)),
      args.value("module"),
    );
    const signatures = args.values("signature").map((text) => signatureOption(text));
    const described = {
      ...draft,
      name,
      version,
      labels: Object.fromEntries(args.values("label").map((text) => splitAssignment("label", text))),
      metadata: new Map(args.values("metadata").map((text) => metadataOf(text))),
      signatures: { ...draft.signatures, ...Object.fromEntries(signatures) },
    };
    const store = await openForAdding(context.home);
    const saved = await store.save(described, files, jobOptions(context, `Saving ${name}`));
    const tag = formatTag(saved.tag);
    if (context.output.json) context.output.document(JSON.stringify({ tag, path: saved.path }, null, 2));
    else context.output.lines(`${tag} saved in ${saved.path}.`);
  },
};

function metadataOf(text: string): [string, YamlValue] {
  const [key, json] = splitAssignment("metadata", text);
  return [key, jsonOption("metadata", json)];
}
