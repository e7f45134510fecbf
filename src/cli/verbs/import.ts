import { resolve } from "node:path";
import { ModelbenchError, throwIfAborted, toWireError, type WireError } from "../../base/errors";
import { inProcessJobs } from "../../jobs/inProcess";
import { type ImportResult, importArchiveJob } from "../../store/archive/archiveJobs";
import type { SettableLimits } from "../../store/archive/limits";
import { type ParsedArgs, usageError } from "../args";
import { modelText } from "../deleting";
import { openForAdding } from "../openForWriting";
import { jobOptions } from "../progress";
import { JSON_OR_TEXT, type Verb } from "../verb";

const ON_CONFLICT = ["fail", "skip", "replace", "new-version"] as const;

/** Brings archives into the store, each alone: one that fails does not keep the others out. */
export const importVerb: Verb = {
  syntax: {
    usage: `import SRC... [--on-conflict ${ON_CONFLICT.join("|")}] [--dry-run] [--max-members N] [--max-bytes N] [--max-ratio N] [-o json]`,
    example: "import ./iris_clf.bentomodel --on-conflict skip",
    operands: [1, Number.POSITIVE_INFINITY],
    options: {
      "on-conflict": { oneOf: ON_CONFLICT },
      "dry-run": "switch",
      "max-members": "value",
      "max-bytes": "value",
      "max-ratio": "value",
      output: JSON_OR_TEXT,
    },
  },
  async run(context, args) {
    const { output, home, signal } = context;
    const onConflict = ON_CONFLICT.find((choice) => choice === args.value("on-conflict")) ?? "fail";
    const dryRun = args.isSet("dry-run");
    const limits = chosenLimits(args);
    if (!dryRun) await openForAdding(home);
    const jobs = inProcessJobs();
    const imported: ImportResult[] = [];
    const failed: { from: string; error: WireError }[] = [];
    for (const source of args.operands) {
      if (signal.aborted) break;
      const input = { home, source: resolve(source), onConflict, dryRun, limits };
      try {
        const options = jobOptions(context, `Importing ${source}`);
        const { warnings = [], ...result } = await jobs.run(importArchiveJob, input, options);
        for (const warning of warnings) output.warn(warning);
        imported.push(result);
      } catch (error) {
        failed.push({ from: resolve(source), error: toWireError(error) });
      }
    }
    if (output.json) output.document(JSON.stringify(imported, null, 2));
    else output.lines(imported.map(lineOf));
    reportFailures(context.output, failed, args.operands.length);
    throwIfAborted(signal);
  },
};

/** @throws ModelbenchError `usage` */
function chosenLimits(args: ParsedArgs): Partial<SettableLimits> {
  const members = limitOf(args, "max-members");
  const expandedBytes = limitOf(args, "max-bytes");
  const ratio = limitOf(args, "max-ratio");
  return {
    ...(members === undefined ? {} : { members }),
    ...(expandedBytes === undefined ? {} : { expandedBytes }),
    ...(ratio === undefined ? {} : { ratio }),
  };
}

function limitOf(args: ParsedArgs, option: string): number | undefined {
  const text = args.value(option);
  if (text === undefined) return undefined;
  const limit = /^[0-9]+$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && Number.isSafeInteger(limit)) return limit;
  throw usageError(`--${option} takes a whole number from 1 on; got ${JSON.stringify(text)}.`, importVerb.syntax);
}

/** In the words of the real command line, as far as that knows the case. */
function lineOf({ tag, action, from }: ImportResult): string {
  return action === "imported" ? `${modelText(tag)} imported.` : `${modelText(tag)} ${action} (${from}).`;
}

function reportFailures(
  output: { failedParts(parts: readonly unknown[]): void },
  failed: readonly { from: string; error: WireError }[],
  of: number,
): void {
  const [first] = failed;
  if (first === undefined) return;
  output.failedParts(failed);
  const message =
    of === 1 ? first.error.message : `${failed.length} of ${of} archives failed; the first: ${first.error.message}`;
  throw new ModelbenchError(first.error.code, message, {
    path: first.error.path ?? first.from,
    offset: first.error.offset,
    remedy: first.error.remedy,
  });
}
