import { humanSize } from "../../base/humanSize";
import { localTime } from "../../base/localTime";
import { bentosUsing } from "../../store/bentos";
import { planCleanUp } from "../../store/cleanUp";
import { parseAge } from "../../store/filter";
import { tagOfFolder } from "../../store/layout";
import type { ModelSummary } from "../../store/model";
import type { ModelStore } from "../../store/modelStore";
import { formatTag } from "../../store/tag";
import { type ParsedArgs, usageError } from "../args";
import { assertAskable, deleteAll, isDeletionWanted } from "../deleting";
import { openForAdding } from "../openForWriting";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Moves old versions into the trash. Pinned ones, ones that a bento uses and each name's latest always stay. */
export const clean: Verb = {
  syntax: {
    usage: "clean [NAME...] [--keep N] [--older-than 30d] [--dry-run] [-y] [-o json]",
    example: "clean --keep 3 --older-than 30d --dry-run",
    operands: [0, Number.POSITIVE_INFINITY],
    options: { keep: "value", "older-than": "value", "dry-run": "switch", yes: "switch", output: JSON_OR_TEXT },
  },
  async run(context, args) {
    const { home, output } = context;
    const rule = ruleOf(args);
    const isTrial = args.isSet("dry-run");
    if (!isTrial && !args.isSet("yes")) assertAskable(context, "clean", clean.syntax);
    const store = await openForAdding(home);
    const used = bentosUsing(home);
    const going = planCleanUp(modelsOf(store, args.operands), {
      ...rule,
      nowMs: Date.now(),
      pinned: store.pinned(),
      used,
    });
    if (isTrial && output.json) {
      const rows = going.map(({ path, sizeBytes }) => ({ tag: formatTag(tagOfFolder(path)), bytes: sizeBytes }));
      return output.document(JSON.stringify(rows, null, 2));
    }
    if (isTrial) return output.lines(going.map(lineOf), `${going.length} versions would be deleted.`);
    const tags = going.map(({ path }) => tagOfFolder(path));
    if (tags.length === 0 && !output.json) return output.lines("Nothing to clean up.");
    if (tags.length === 0 || args.isSet("yes") || (await isDeletionWanted(context, tags))) {
      await deleteAll(context, store, tags);
    }
  },
};

function ruleOf(args: ParsedArgs): { keep?: number; olderThanMs?: number } {
  const [keep, age] = [args.value("keep"), args.value("older-than")];
  if (keep === undefined && age === undefined) {
    throw usageError("clean needs --keep N, --older-than AGE or both.", clean.syntax);
  }
  if (keep !== undefined && !/^\d{1,9}$/.test(keep)) {
    throw usageError(`--keep takes a number of versions; got ${JSON.stringify(keep)}.`, clean.syntax);
  }
  return {
    ...(keep === undefined ? {} : { keep: Number(keep) }),
    ...(age === undefined ? {} : { olderThanMs: parseAge(age) }),
  };
}

function modelsOf(store: ModelStore, names: readonly string[]): ModelSummary[] {
  if (names.length === 0) return [...store.list().models];
  return [...new Set(names)].flatMap((name) => store.list(name).models);
}

function lineOf({ path, sizeBytes, creationMs }: ModelSummary): string {
  return `${formatTag(tagOfFolder(path))}  ${humanSize(sizeBytes)}  ${localTime(creationMs)}`;
}
