import { ModelbenchError, throwIfAborted } from "../../base/errors";
import { isFolderTag, tagOfFolder } from "../../store/layout";
import type { Tag } from "../../store/model";
import { statOf } from "../../store/modelFiles";
import type { ModelStore } from "../../store/modelStore";
import { formatTag, makeTag, parseTag } from "../../store/tag";
import { usageError } from "../args";
import { isConfirmed } from "../confirm";
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
      for (const tag of tags) {
        throwIfAborted(context.signal);
        deleted.push({ tag: formatTag(tag), trash: (await store.delete(tag)).id });
      }
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
  const { models, broken } = store.list(name);
  const found = [...models, ...broken.filter((item) => item.version !== undefined && !item.beingWritten)]
    .map(({ path }) => tagOfFolder(path))
    .filter(isFolderTag);
  if (found.length === 0) {
    throw new ModelbenchError("model.notFound", `There is no model ${name} in ${store.home}.`, { path: store.home });
  }
  return found;
}

/** A prefix never deletes: what goes to the trash is named in full. A broken version can be deleted like any other. */
function exactVersion(store: ModelStore, name: string, version: string): Tag {
  const tag = makeTag(name, version);
  const path = store.pathOf(tag);
  if (statOf(path)?.isDirectory()) return tag;
  throw new ModelbenchError("model.notFound", `There is no model ${formatTag(tag)} in ${store.home}.`, { path });
}

function uniqueTags(tags: readonly Tag[]): Tag[] {
  return [...new Map(tags.map((tag) => [formatTag(tag), tag])).values()];
}

async function confirm({ signal }: VerbContext, tags: readonly Tag[]): Promise<void> {
  for (const tag of tags) process.stderr.write(`  ${printable(formatTag(tag))}\n`);
  const question = `Delete ${tags.length === 1 ? "this version" : `these ${tags.length} versions`}?`;
  if (await isConfirmed(question, { input: process.stdin, output: process.stderr }, signal)) return;
  throw new ModelbenchError("cancelled", "Nothing was deleted.");
}
