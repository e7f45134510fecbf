import { formatTag } from "../../store/tag";
import { openForWriting } from "../openForWriting";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Takes a deleted version back out of the trash; the newest deletion of that tag. */
export const restore: Verb = {
  syntax: {
    usage: "restore TAG|ID [-o json]",
    example: "restore iris_clf:v1",
    operands: [1, 1],
    options: { output: JSON_OR_TEXT },
  },
  async run({ home, output }, { operands: [tag = ""] }) {
    const store = await openForWriting(home);
    const entry = store.trash().find((deleted) => deleted.id === tag || formatTag(deleted.tag) === tag);
    const trash = entry?.id ?? tag;
    const restored = formatTag(await store.restore(trash));
    if (output.json) output.document(JSON.stringify([{ tag: restored, trash }], null, 2));
    else output.lines(`${restored} restored.`);
  },
};
