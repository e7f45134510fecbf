import { join } from "node:path";
import type { ModelbenchError } from "../base/errors";
import { type CheckReport, latestProblem } from "./check";
import { storeFailure } from "./failure";
import { isFolderTag, tagOfFolder, versionFolder } from "./layout";
import { latestText, newestOf, readModelFolder, versionsOf } from "./lookup";
import type { Problem, Tag } from "./model";
import { entriesOf, lstatOf } from "./modelFiles";
import { recordYaml } from "./record";
import { relocate } from "./relocate";
import { isReplacement, settleReplacement } from "./replace";
import { putLatest, type StoreParts } from "./staging";
import { makeSavableTag } from "./tag";
import { moveStrayToTrash, moveToTrash, settleLeftover } from "./trash";

/** A report after a repair, with what went wrong on the way. */
export interface RepairReport extends CheckReport {
  readonly failures: readonly ModelbenchError[];
}

type Repair = (parts: StoreParts, problem: Problem) => Promise<void>;

/** What mends each kind of damage. Nothing is deleted: what cannot stay in `models/` goes to the trash. */
const REPAIRS: Readonly<Partial<Record<Problem["kind"], Repair>>> = {
  "staging.leftover": settle,
  "link.stray": (parts, { path }) => takeAway(parts, placeOf(parts, path)),
  "tag.mismatch": moveUnderItsTag,
  "model.incomplete": (parts, { path }) => takeAway(parts, placeOf(parts, path)),
  "yaml.invalid": (parts, { path }) => takeAway(parts, placeOf(parts, path)),
  "file.changed": acceptYaml,
  "latest.torn": rewriteLatest,
  "latest.dangling": rewriteLatest,
};

/** Whatever moves versions moves `latest`, too: it is looked at when everything else is in its place. */
const LAST: readonly Problem["kind"][] = ["latest.torn", "latest.dangling"];

/**
 * Mends what a check has found, as far as it can be, and tells so for each problem. One that cannot be mended keeps no
 * other from it.
 * @param only paths of the problems to mend; all when left out
 */
export async function repairProblems(
  parts: StoreParts,
  report: CheckReport,
  only?: readonly string[],
): Promise<RepairReport> {
  const failures: ModelbenchError[] = [];
  const outcome = new Map<Problem, Problem>();
  const isDue = (problem: Problem): boolean => problem.repair !== undefined && (only?.includes(problem.path) ?? true);
  const due = report.problems.filter(isDue);
  for (const problem of [...due].sort((a, b) => Number(isLast(a)) - Number(isLast(b)))) {
    try {
      await REPAIRS[problem.kind]?.(parts, problem);
      outcome.set(problem, { ...problem, repaired: true });
    } catch (error) {
      const failure = storeFailure(error, "repair", problem.path);
      failures.push(failure);
      outcome.set(problem, { ...problem, repaired: false, detail: `${problem.detail} ${failure.message}` });
    }
  }
  return { ...report, problems: report.problems.map((problem) => outcome.get(problem) ?? problem), failures };
}

function isLast({ kind }: Problem): boolean {
  return LAST.includes(kind);
}

async function settle(parts: StoreParts, { path }: Problem): Promise<void> {
  await (isReplacement(path) ? settleReplacement : settleLeftover)(parts, path);
}

/** Where in `models/` a path is; without a version it is a name's folder. */
function placeOf({ layout }: StoreParts, path: string): Tag {
  const { name, version } = tagOfFolder(path);
  return join(path, "..") === layout.models ? { name: version, version: "" } : { name, version };
}

async function takeAway(parts: StoreParts, place: Tag): Promise<void> {
  // Gone since, or taken away together with something else.
  if (lstatOf(versionFolder(parts.layout, place)) === undefined) return;
  await (isFolderTag(place) ? moveToTrash(parts, place) : moveStrayToTrash(parts, place));
}

async function moveUnderItsTag(parts: StoreParts, { path }: Problem): Promise<void> {
  const place = placeOf(parts, path);
  const tag = place.version === "" ? undefined : tagInside(path);
  if (tag === undefined || lstatOf(versionFolder(parts.layout, tag)) !== undefined) return takeAway(parts, place);
  await relocate(parts, place, tag);
}

function tagInside(path: string): Tag | undefined {
  try {
    const { tag } = readModelFolder(path);
    return makeSavableTag(tag.name, tag.version);
  } catch {
    return undefined;
  }
}

/** Takes an edited model.yaml for what was saved: from now on a change of it is one again. */
async function acceptYaml(parts: StoreParts, { path }: Problem): Promise<void> {
  const folder = join(path, "..");
  await recordYaml(parts, readModelFolder(folder).info, folder);
}

async function rewriteLatest(parts: StoreParts, { tag: name = "" }: Problem): Promise<void> {
  const { layout } = parts;
  if (latestProblem(layout, name, entriesOf(join(layout.models, name))) === undefined) return;
  const newest = newestOf(layout, name, versionsOf(layout, name));
  const was = latestText(layout, name);
  try {
    await putLatest(parts, name, newest);
  } catch (error) {
    if (was !== undefined && latestText(layout, name) !== was) await putLatest(parts, name, was).catch(() => undefined);
    throw error;
  }
}
