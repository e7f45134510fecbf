import { tagOfFolder } from "../../store/layout";
import { formatTag } from "../../store/tag";
import { openForWriting } from "../openForWriting";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Keeps versions from being cleaned up. */
export const pin: Verb = pinning("pin", true, "pinned");

/** Takes the pin off again. */
export const unpin: Verb = pinning("unpin", false, "unpinned");

function pinning(verb: string, pinned: boolean, done: string): Verb {
  return {
    syntax: {
      usage: `${verb} TAG... [-o json]`,
      example: `${verb} iris_clf:v1`,
      operands: [1, Number.POSITIVE_INFINITY],
      options: { output: JSON_OR_TEXT },
    },
    async run({ home, output }, { operands }) {
      const store = await openForWriting(home);
      const tags = operands.map((operand) => tagOfFolder(store.get(operand).path));
      for (const tag of tags) await store.pin(tag, pinned);
      const names = tags.map(formatTag);
      if (output.json)
        output.document(
          JSON.stringify(
            names.map((tag) => ({ tag })),
            null,
            2,
          ),
        );
      else output.lines(names.map((tag) => `${tag} ${done}.`));
    },
  };
}
