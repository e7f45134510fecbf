import { tagOfFolder } from "../../store/layout";
import { formatTag } from "../../store/tag";
import { splitAssignment, usageError } from "../args";
import { openForWriting } from "../openForWriting";
import { signatureOption } from "../signatureOption";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Changes labels, metadata and signatures of one version; every other line of its model.yaml stays as it is. */
export const edit: Verb = {
  syntax: {
    usage:
      "edit TAG [--label k=v]... [--unlabel k]... [--metadata k=json]... [--unmetadata k]... " +
      "[--signature method=json]... [--unsignature method]... [--release TEXT] [--notes TEXT] [-o json]",
    example: "edit iris_clf:v1 --label stage=prod --release 'July' --notes 'Trained on all of 2024.'",
    operands: [1, 1],
    options: {
      label: "values",
      unlabel: "values",
      metadata: "values",
      unmetadata: "values",
      signature: "values",
      unsignature: "values",
      release: "value",
      notes: "value",
      output: JSON_OR_TEXT,
    },
  },
  async run({ home, output }, args) {
    const labels = args.values("label").map((text) => splitAssignment("label", text));
    const metadata = args.values("metadata").map((text) => splitAssignment("metadata", text));
    const signatures = args.values("signature").map((text) => signatureOption(text));
    const [release, notes] = [args.value("release"), args.value("notes")];
    if (release !== undefined) labels.push(["release", release]);
    if (notes !== undefined) metadata.push(["notes", JSON.stringify(notes)]);
    const removed = ["unlabel", "unmetadata", "unsignature"].map((name) => args.values(name));
    const [unlabel = [], unmetadata = [], unsignature = []] = removed;
    if ([labels, metadata, signatures, ...removed].every((list) => list.length === 0)) {
      throw usageError("edit: nothing to change was given.", edit.syntax);
    }
    const store = await openForWriting(home);
    const tag = tagOfFolder(store.get(args.operands[0] ?? "").path);
    const changed = await store.edit(tag, {
      labels: { set: Object.fromEntries(labels), remove: unlabel },
      metadata: { set: Object.fromEntries(metadata), remove: unmetadata },
      signatures: { set: Object.fromEntries(signatures), remove: unsignature },
    });
    if (output.json) output.document(JSON.stringify(changed ? [{ tag: formatTag(tag) }] : [], null, 2));
    else output.lines(`${formatTag(tag)} ${changed ? "edited" : "unchanged"}.`);
  },
};
