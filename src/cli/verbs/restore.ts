import { formatTag } from "../../store/tag";
import { openForWriting } from "../openForWriting";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Takes a deleted version back out of the trash; the newest deletion of that tag. */
export const restore: Verb = {
  syntax: { usage: "restore TAG [-o json]", operands: [1, 1], options: { output: JSON_OR_TEXT } },
  async run({ home, output }, { operands: [tag = ""] }) {
    const store = await openForWriting(home);
    const restored = formatTag(await store.restore(tag));
    if (output.json) output.document(JSON.stringify([{ tag: restored }], null, 2));
    else output.lines(`${restored} restored.`);
  },
};
