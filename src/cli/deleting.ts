import { ModelbenchError, throwIfAborted } from "../base/errors";
import { bentosUsing } from "../store/bentos";
import type { Tag } from "../store/model";
import type { ModelStore } from "../store/modelStore";
import { formatTag } from "../store/tag";
import { usageError, type VerbSyntax } from "./args";
import { isConfirmed } from "./confirm";
import { printable } from "./output";
import type { VerbContext } from "./verb";

/** Refuses to go on without `-y` where nobody can be asked. @throws ModelbenchError `usage` */
export function assertAskable({ output }: VerbContext, verb: string, syntax: VerbSyntax): void {
  if (process.stdin.isTTY && process.stderr.isTTY && !output.json) return;
  throw usageError(`${verb} needs -y where nobody can be asked.`, syntax);
}

/** Refuses to delete what a bento of this store needs, before anything is deleted. @throws ModelbenchError `model.inUse` */
export function assertUnused(home: string, tags: readonly Tag[]): void {
  const users = bentosUsing(home);
  for (const tag of tags.map(formatTag)) {
    const bentos = users.get(tag);
    if (bentos === undefined) continue;
    throw new ModelbenchError(
      "model.inUse",
      `Model ${tag} is being used by the following bentos and can't be deleted: ${bentos.join(", ")}.`,
      { remedy: `Delete those first: bentoml delete ${bentos.join(" ")}` },
    );
  }
}

/** Asks once for all of them, several being listed first. @throws ModelbenchError `cancelled` when the input ends */
export function isDeletionWanted({ signal }: VerbContext, tags: readonly Tag[]): Promise<boolean> {
  const [first] = tags;
  const terminal = { input: process.stdin, output: process.stderr };
  if (tags.length === 1 && first) return isConfirmed(`delete model ${printable(formatTag(first))}?`, terminal, signal);
  for (const tag of tags) process.stderr.write(`  ${printable(formatTag(tag))}\n`);
  return isConfirmed(`delete these ${tags.length} models?`, terminal, signal);
}

/** Moves versions into the trash one by one and says so, also of those that went before one that fails. */
export async function deleteAll(context: VerbContext, store: ModelStore, tags: readonly Tag[]): Promise<void> {
  const { output, signal } = context;
  const deleted: { tag: string; trash: string }[] = [];
  try {
    for (const tag of tags) {
      throwIfAborted(signal);
      deleted.push({ tag: formatTag(tag), trash: (await store.delete(tag)).id });
    }
  } finally {
    if (output.json) output.document(JSON.stringify(deleted, null, 2));
    else output.lines(deleted.map(({ tag }) => `${modelText(tag)} deleted.`));
    if (deleted.length > 0) output.hint(`Undo: modelbench restore ${deleted.at(-1)?.tag}`);
  }
}

/** A model in the words of the real command line. */
export function modelText(tag: string): string {
  return `Model(tag="${tag}")`;
}
