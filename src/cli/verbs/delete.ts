import { ModelbenchError } from "../../base/errors";
import { isFolderTag, tagOfFolder } from "../../store/layout";
import type { Tag } from "../../store/model";
import { statOf } from "../../store/modelFiles";
import type { ModelStore } from "../../store/modelStore";
import { formatTag, makeTag, parseTag } from "../../store/tag";
import { assertAskable, assertUnused, deleteAll, isDeletionWanted } from "../deleting";
import { openForAdding } from "../openForWriting";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Moves versions into the trash; a bare name means every version of it, listed before anything happens. */
export const deleteModels: Verb = {
  syntax: {
    usage: "delete TAG... [-y] [-o json]",
    example: "delete iris_clf:v1,iris_clf:v2 -y",
    operands: [1, Number.POSITIVE_INFINITY],
    options: { yes: "switch", output: JSON_OR_TEXT },
  },
  async run(context, args) {
    const isSure = args.isSet("yes");
    if (!isSure) assertAskable(context, "delete", deleteModels.syntax);
    const store = await openForAdding(context.home);
    const tags = uniqueTags(targetsOf(args.operands).flatMap((target) => versionsOf(store, target)));
    assertUnused(context.home, tags);
    if (isSure || (await isDeletionWanted(context, tags))) await deleteAll(context, store, tags);
  },
};

/** As the real command line has it: targets are separated by commas when there is one anywhere, else by spaces. */
function targetsOf(operands: readonly string[]): string[] {
  const text = operands.join(" ");
  const targets = (text.includes(",") ? text.split(",") : text.split(/\s+/)).map((target) => target.trim());
  return targets.filter((target, index) => target !== "" || index < targets.length - 1);
}

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
