import { ModelbenchError } from "../../base/errors";
import { humanSize } from "../../base/humanSize";
import { localTime } from "../../base/localTime";
import type { TrashEntry } from "../../store/model";
import { ModelStore } from "../../store/modelStore";
import { formatTag } from "../../store/tag";
import type { ParsedArgs } from "../args";
import { usageError } from "../args";
import { isConfirmed } from "../confirm";
import { openForWriting } from "../openForWriting";
import { printable } from "../output";
import { JSON_OR_TEXT, type Verb, type VerbContext } from "../verb";

/** What was deleted and can be restored; `empty` removes it for good. */
export const trash: Verb = {
  syntax: {
    usage: "trash list [-o json] | trash empty [ID...] [-y] [-o json]",
    example: "trash empty -y",
    operands: [1, Number.POSITIVE_INFINITY],
    options: { yes: "switch", output: JSON_OR_TEXT },
  },
  async run(context, args) {
    const [action, ...ids] = args.operands;
    if (action === "empty") return empty(context, args, ids);
    if (action !== "list" || ids.length > 0) throw usageError(`trash: list or empty; got ${action}.`, trash.syntax);
    show(context, new ModelStore(context.home).trash(), "The trash is empty.");
  },
};

async function empty(context: VerbContext, args: ParsedArgs, ids: readonly string[]): Promise<void> {
  const isSure = args.isSet("yes");
  if (!isSure && (!process.stdin.isTTY || !process.stderr.isTTY || context.output.json)) {
    throw usageError("trash empty needs -y where nobody can be asked.", trash.syntax);
  }
  const store = await openForWriting(context.home);
  const chosen = chosenEntries(store, ids);
  if (!isSure && chosen.length > 0) await confirm(context, chosen);
  show(context, await store.emptyTrash(chosen.map(({ id }) => id)), "Nothing to remove.", " removed for good");
}

/** @throws ModelbenchError `trash.notFound` for an id that is not there, before anything is removed */
function chosenEntries(store: ModelStore, ids: readonly string[]): TrashEntry[] {
  const entries = store.trash();
  const missing = ids.find((id) => !entries.some((entry) => entry.id === id));
  if (missing === undefined) return ids.length === 0 ? entries : entries.filter(({ id }) => ids.includes(id));
  throw new ModelbenchError("trash.notFound", `Nothing in the trash of ${store.home} has the id '${missing}'.`, {
    remedy: "trash list names the ids.",
  });
}

function show({ output }: VerbContext, entries: readonly TrashEntry[], none: string, done = ""): void {
  if (output.json) {
    const rows = entries.map(({ id, tag, deletedMs, bytes }) => ({ tag: formatTag(tag), trash: id, deletedMs, bytes }));
    output.document(JSON.stringify(rows, null, 2));
    return;
  }
  const lines = entries.map(({ id, tag, deletedMs, bytes }) => {
    const size = bytes === undefined ? "" : `  ${humanSize(bytes)}`;
    return `${formatTag(tag)}${done}${size}  deleted ${localTime(deletedMs)}  ${id}`;
  });
  output.lines(lines.length === 0 ? [none] : lines);
}

async function confirm({ signal }: VerbContext, entries: readonly TrashEntry[]): Promise<void> {
  for (const { tag } of entries) process.stderr.write(`  ${printable(formatTag(tag))}\n`);
  const question = `Remove ${entries.length === 1 ? "this" : `these ${entries.length}`} for good?`;
  if (await isConfirmed(question, { input: process.stdin, output: process.stderr }, signal)) return;
  throw new ModelbenchError("cancelled", "Nothing was removed.");
}
