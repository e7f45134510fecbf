import { ModelbenchError } from "../../base/errors";
import { inProcessJobs } from "../../jobs/inProcess";
import type { CheckReport } from "../../store/check";
import { checkStoreJob } from "../../store/checkJob";
import { layoutOf, nameFolder, tagOfFolder, versionFolder } from "../../store/layout";
import type { Problem } from "../../store/model";
import { statOf } from "../../store/modelFiles";
import { ModelStore } from "../../store/modelStore";
import { formatTag, parseTag } from "../../store/tag";
import { jobOptions } from "../progress";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Looks for damage in the store; changes nothing unless it is told to repair. */
export const check: Verb = {
  syntax: {
    usage: "check [TAG...] [--repair] [-o json]",
    example: "check --repair",
    operands: [0, Number.POSITIVE_INFINITY],
    options: { repair: "switch", output: JSON_OR_TEXT },
  },
  async run(context, args) {
    const { home, output } = context;
    const { operands } = args;
    const repair = args.isSet("repair");
    const store = new ModelStore(home);
    const tags = operands.length === 0 ? {} : { tags: operands.map((tag) => existing(store, tag)) };
    const report = await inProcessJobs().run(
      checkStoreJob,
      { home, ...tags, repair },
      jobOptions(context, repair ? "Checking and repairing" : "Checking"),
    );
    if (output.json) output.document(JSON.stringify(report, null, 2));
    else output.lines(report.problems.flatMap(problemLines), summary(report, repair));
    refuseFailed(report.problems);
  },
};

function problemLines({ kind, tag, path, detail, repair, repaired }: Problem): string[] {
  const remedy = repaired ? "repaired: " : "repair: ";
  return [`${kind}  ${tag ?? ""}  ${path}`, `  ${detail}`, ...(repair === undefined ? [] : [`  ${remedy}${repair}`])];
}

function summary({ models, problems }: CheckReport, repair: boolean): string {
  const repaired = problems.filter((problem) => problem.repaired).length;
  return `${models} models, ${problems.length} problems${repair ? `, ${repaired} of them repaired` : ""}.`;
}

/** A damage that stays is no failure; a repair that was tried in vain is one. @throws ModelbenchError `store.access` */
function refuseFailed(problems: readonly Problem[]): void {
  const failed = problems.filter(({ repaired }) => repaired === false);
  const [first] = failed;
  if (first === undefined) return;
  const message = `${failed.length} of ${problems.length} problems could not be repaired. The first: ${first.detail}`;
  throw new ModelbenchError("store.access", message, { path: first.path });
}

/** A name that is not there has nothing wrong with it: taken for an answer, a slip of the finger would look like health. */
function existing(store: ModelStore, operand: string): string {
  const { name, version } = parseTag(operand);
  const layout = layoutOf(store.home);
  const folder = version === undefined ? nameFolder(layout, name) : versionFolder(layout, { name, version });
  return statOf(folder)?.isDirectory() ? operand : formatTag(tagOfFolder(store.get(operand).path));
}
