import { ModelStore } from "../../store/modelStore";
import { formatTag } from "../../store/tag";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Takes a deleted version back out of the trash; the newest deletion of that tag. */
export const restore: Verb = {
  syntax: { usage: "restore TAG [-o json]", operands: [1, 1], options: { output: JSON_OR_TEXT } },
  async run({ home, output }, { operands: [tag = ""] }) {
    const restored = formatTag(await new ModelStore(home).restore(tag));
    if (output.json) output.document(JSON.stringify([{ tag: restored }], null, 2));
    else output.lines(`${restored} restored.`);
  },
};
