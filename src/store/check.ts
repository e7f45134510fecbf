import { join } from "node:path";
import { toWireError } from "../base/errors";
import { Slice } from "../base/slice";
import { LATEST, type Layout, latestFile, MODEL_YAML, nameFolder, tagOfFolder } from "./layout";
import { listModels } from "./listing";
import { latestText, latestVersion, versionsOf } from "./lookup";
import type { BrokenItem, ModelSummary, Problem } from "./model";
import { entriesOf, isLink, lstatOf, statOf } from "./modelFiles";
import { parseModelInfo } from "./modelYaml/modelInfo";
import { readRecord } from "./record";
import { SmallFileReader } from "./smallFileReader";
import { leftovers } from "./staging";
import { strayInside, strayLinks } from "./strayLinks";
import { formatTag, isTagPart, parseTag } from "./tag";
import { changedFiles, changeProblem, GET_AGAIN } from "./verify";

/** What a check found; `models` counts the versions looked at. */
export interface CheckReport {
  readonly models: number;
  readonly problems: readonly Problem[];
}

/** What is checked, and when. */
export interface CheckRequest {
  readonly layout: Layout;
  readonly now: () => number;
  /** `name` or `name:version` each; everything when left out. */
  readonly tags?: readonly string[] | undefined;
}

/**
 * Looks at every version, or at those that `tags` name, and changes nothing. Reads every byte of what was saved here,
 * to compare it with its digest, and yields how many it has just read: not for the extension host's thread.
 * @throws ModelbenchError `tag.invalid`, `store.access` when `models/` cannot be read
 */
export function* checkStore({ layout, now, tags }: CheckRequest): Generator<number, CheckReport> {
  const wanted = tags?.map(parseTag);
  const isWanted = (name: string, version?: string): boolean =>
    wanted?.some((tag) => tag.name === name && (tag.version === undefined || tag.version === version)) ?? true;

  const names = entriesOf(layout.models).sort();
  const strays = names.flatMap((name) => strayLinks(layout, name));
  const isElsewhere = (path: string): boolean => strays.some((s) => path === s.path || path.startsWith(`${s.path}/`));
  const { models, broken } = drain(
    listModels({ models: layout.models, slice: new Slice(Number.POSITIVE_INFINITY), now }),
  );
  const chosen = models.filter(
    ({ path }) => isWanted(tagOfFolder(path).name, tagOfFolder(path).version) && !isElsewhere(path),
  );
  const problems: Problem[] = wanted ? [] : leftovers({ layout, now }).map(leftover);
  for (const item of broken) {
    const isDue = !item.beingWritten && !isElsewhere(item.path) && isWanted(item.name, item.version);
    if (isDue) problems.push(brokenProblem(item));
  }
  for (const summary of chosen) problems.push(...(yield* versionProblems(layout, summary)));
  problems.push(...strays.filter(({ path, tag = "" }) => isWanted(tag, tagOfFolder(path).version)));
  for (const name of names) {
    if (isWanted(name) || wanted?.some((tag) => tag.name === name)) problems.push(...nameProblems(layout, name));
  }
  if (!wanted) problems.push(...collisions(layout.models, names));
  return { models: chosen.length, problems };
}

/** Runs a generator to its end. */
export function drain<T>(pass: Generator<unknown, T>): T {
  for (;;) {
    const step = pass.next();
    if (step.done) return step.value;
  }
}

function leftover(path: string): Problem {
  return { kind: "staging.leftover", path, detail: "Left by a process that has ended.", repair: "Remove it." };
}

/** What can be done about a folder that no reader understands. */
export const TO_TRASH = "Move it to the trash.";

function brokenProblem({ name, version, path, error }: BrokenItem): Problem {
  const tag = version === undefined ? name : `${name}:${version}`;
  const base = { tag, path, detail: error.message };
  // What may not be read may be in the best of health.
  if (error.code === "store.access") return { kind: "yaml.invalid", ...base };
  // Nor can it be renamed by the text that stands for its name.
  if (path.includes("\ufffd") && lstatOf(path) === undefined) {
    return { kind: "tag.mismatch", ...base, detail: `${error.message} Its name is no UTF-8: rename it in a terminal.` };
  }
  const repair = TO_TRASH;
  if (error.code === "model.broken") return { kind: "model.incomplete", ...base, repair };
  if (isTagPart(name) && isTagPart(version ?? "x")) return { kind: "yaml.invalid", ...base, repair };
  return { kind: "tag.mismatch", ...base, repair };
}

function* versionProblems(layout: Layout, summary: ModelSummary): Generator<number, Problem[]> {
  const { path } = summary;
  const tag = formatTag(tagOfFolder(path));
  const problems: Problem[] = summary.warnings
    .filter(({ code }) => code === "tag.mismatch")
    .map(({ message }) => ({
      kind: "tag.mismatch",
      tag,
      path,
      detail: message,
      repair: "Rename the folder to the tag that its model.yaml names; to the trash if that is taken.",
    }));
  try {
    const yamlPath = join(path, MODEL_YAML);
    const info = parseModelInfo(new SmallFileReader().read(yamlPath), yamlPath);
    const record = readRecord(layout, info, path);
    if (record) problems.push(...(yield* contentProblems({ path, info, record }, tag)));
  } catch (error) {
    problems.push({ kind: "yaml.invalid", tag, path, detail: toWireError(error).message });
  }
  for (const problem of treeProblems(path, path)) problems.push({ ...problem, tag });
  return problems;
}

function* contentProblems(version: Parameters<typeof changedFiles>[0], tag: string): Generator<number, Problem[]> {
  const changed = yield* changedFiles(version);
  return changed.map((change) => {
    const problem = changeProblem(version, change);
    const advice = problem.repair === undefined ? ` ${GET_AGAIN}` : "";
    return { ...problem, tag, detail: problem.detail + advice };
  });
}

/** Links that leave the version or lead nowhere, and names that a case-folding file system would take for one. */
function treeProblems(root: string, folder: string): Problem[] {
  const entries = entriesOf(folder);
  const problems = collisions(folder, entries);
  for (const entry of entries) {
    const path = join(folder, entry);
    if (isLink(path)) {
      const stray = strayInside(root, path);
      if (stray) problems.push(stray);
    } else if (statOf(path)?.isDirectory()) {
      problems.push(...treeProblems(root, path));
    }
  }
  return problems;
}

function nameProblems(layout: Layout, name: string): Problem[] {
  const folder = nameFolder(layout, name);
  if (!isTagPart(name) || (isLink(folder) && strayLinks(layout, name).some(({ path }) => path === folder))) return [];
  const entries = entriesOf(folder);
  const problems = collisions(folder, entries).map((problem): Problem => ({ ...problem, tag: name }));
  const latest = latestProblem(layout, name, entries);
  return latest ? [...problems, latest] : problems;
}

/** What is wrong with a name's `latest` file; `undefined` when nothing is, or there is none. */
export function latestProblem(layout: Layout, name: string, entries: readonly string[]): Problem | undefined {
  const path = latestFile(layout, name);
  if (!entries.includes(LATEST) || statOf(path)?.isDirectory()) return undefined;
  const base = { tag: name, path, repair: "Write the newest version into it." };
  const text = latestText(layout, name);
  if (text === undefined || !isTagPart(text.trim())) {
    return { kind: "latest.torn", ...base, detail: `${path} holds ${JSON.stringify(text ?? null)}, not a version.` };
  }
  if (latestVersion(layout, name) !== undefined) return undefined;
  const repair = versionsOf(layout, name).length === 0 ? "Remove it." : base.repair;
  return { kind: "latest.dangling", ...base, repair, detail: `${path} names '${text.trim()}', which is not there.` };
}

function collisions(folder: string, entries: readonly string[]): Problem[] {
  const seen = new Map<string, string>();
  const problems: Problem[] = [];
  for (const entry of [...entries].sort()) {
    const key = entry.normalize("NFC").toLowerCase();
    const other = seen.get(key);
    if (other === undefined) seen.set(key, entry);
    else problems.push(collision(join(folder, entry), other));
  }
  return problems;
}

function collision(path: string, other: string): Problem {
  const detail = `${path} differs from '${other}' only in case or accents' form: rename one of the two.`;
  return { kind: "case.collision", path, detail };
}
