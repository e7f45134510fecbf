import { createInterface } from "node:readline/promises";
import { ModelbenchError } from "../../base/errors";
import { tagOfFolder } from "../../store/layout";
import type { Tag } from "../../store/model";
import type { ModelStore } from "../../store/modelStore";
import { formatTag, makeTag, parseTag } from "../../store/tag";
import { usageError } from "../args";
import { openForWriting } from "../openForWriting";
import { printable } from "../output";
import { JSON_OR_TEXT, type Verb, type VerbContext } from "../verb";

/** Moves versions into the trash; a bare name means every version of it, listed before anything happens. */
export const deleteModels: Verb = {
  syntax: {
    usage: "delete TAG... [-y] [-o json]",
    operands: [1, Number.POSITIVE_INFINITY],
    options: { yes: "switch", output: JSON_OR_TEXT },
  },
  async run(context, args) {
    const { output } = context;
    const isSure = args.isSet("yes");
    if (!isSure && (!process.stdin.isTTY || !process.stderr.isTTY || output.json)) {
      throw usageError("delete needs -y where nobody can be asked.", deleteModels.syntax);
    }
    const store = await openForWriting(context.home);
    const tags = uniqueTags(args.operands.flatMap((operand) => versionsOf(store, operand)));
    if (!isSure) await confirm(context, tags);
    const deleted: { tag: string; trash: string }[] = [];
    try {
      for (const tag of tags) deleted.push({ tag: formatTag(tag), trash: (await store.delete(tag)).id });
    } finally {
      if (output.json) output.document(JSON.stringify(deleted, null, 2));
      else output.lines(...deleted.map(({ tag }) => `${tag} moved to the trash. Undo: modelbench restore ${tag}`));
    }
  },
};

/** The versions an operand means. @throws ModelbenchError `model.notFound` */
function versionsOf(store: ModelStore, operand: string): Tag[] {
  const { name, version } = parseTag(operand);
  if (version !== undefined && version !== "latest") return [exactVersion(store, name, version)];
  if (version === "latest") return [tagOfFolder(store.get(operand).path)];
  const { models } = store.list(name);
  if (models.length === 0) {
    throw new ModelbenchError("model.notFound", `There is no model ${name} in ${store.home}.`, { path: store.home });
  }
  return models.map(({ path }) => tagOfFolder(path));
}

/** A prefix never deletes: what goes to the trash is named in full. */
function exactVersion(store: ModelStore, name: string, version: string): Tag {
  const tag = makeTag(name, version);
  store.open(tag);
  return tag;
}

function uniqueTags(tags: readonly Tag[]): Tag[] {
  return [...new Map(tags.map((tag) => [formatTag(tag), tag])).values()];
}

async function confirm({ signal }: VerbContext, tags: readonly Tag[]): Promise<void> {
  for (const tag of tags) process.stderr.write(`  ${printable(formatTag(tag))}\n`);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(
      `Delete ${tags.length === 1 ? "this version" : `these ${tags.length} versions`}? [y/N] `,
      { signal },
    );
    if (!/^y(es)?$/i.test(answer.trim())) throw new ModelbenchError("cancelled", "Nothing was deleted.");
  } finally {
    prompt.close();
  }
}
