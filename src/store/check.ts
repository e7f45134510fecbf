import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { toWireError } from "../base/errors";
import { LATEST, type Layout, latestFile, MODEL_YAML, nameFolder, tagOfFolder } from "./layout";
import { listModels } from "./listing";
import { latestText, latestVersion, versionsOf } from "./lookup";
import type { BrokenItem, ModelSummary, Problem } from "./model";
import { entriesOf, isLink, statOf } from "./modelFiles";
import { parseModelInfo } from "./modelYaml/modelInfo";
import { readRecord } from "./record";
import { SmallFileReader } from "./smallFileReader";
import { leftovers } from "./staging";
import { formatTag, isTagPart, parseTag } from "./tag";

/** What a check found; `models` counts the versions looked at. */
export interface CheckReport {
  readonly models: number;
  readonly problems: readonly Problem[];
}

/** Looks at every version, or at those that `tags` name, and changes nothing. Reads every byte of what was saved
 *  here, to compare it with its digest: not for the extension host. */
export function checkStore(layout: Layout, now: () => number, tags?: readonly string[]): CheckReport {
  const wanted = tags?.map(parseTag);
  const isWanted = (name: string, version?: string): boolean =>
    wanted?.some((tag) => tag.name === name && (tag.version === undefined || tag.version === version)) ?? true;

  const { models, broken } = drain(listModels({ models: layout.models, sliceMs: Number.POSITIVE_INFINITY, now }));
  const chosen = models.filter(({ path }) => isWanted(tagOfFolder(path).name, tagOfFolder(path).version));
  const problems: Problem[] = wanted ? [] : leftovers({ layout, now }).map(leftover);
  for (const item of broken) {
    if (!item.beingWritten && isWanted(item.name, item.version)) problems.push(brokenProblem(item));
  }
  for (const summary of chosen) problems.push(...versionProblems(layout, summary));
  for (const name of entriesOf(layout.models).sort()) {
    if (isWanted(name) || wanted?.some((tag) => tag.name === name)) problems.push(...nameProblems(layout, name));
  }
  if (!wanted) problems.push(...collisions(layout.models, entriesOf(layout.models)));
  return { models: chosen.length, problems };
}

function drain<T>(pass: Generator<void, T>): T {
  for (;;) {
    const step = pass.next();
    if (step.done) return step.value;
  }
}

function leftover(path: string): Problem {
  return { kind: "staging.leftover", path, detail: "Left by a process that has ended.", repair: "Remove it." };
}

function brokenProblem({ name, version, path, error }: BrokenItem): Problem {
  const tag = version === undefined ? name : `${name}:${version}`;
  const base = { tag, path, detail: error.message };
  if (error.code === "tag.invalid" && !path.endsWith(MODEL_YAML) && !(isTagPart(name) && isTagPart(version ?? "x"))) {
    return { kind: "tag.mismatch", ...base, repair: "Move it to the trash." };
  }
  if (error.code === "model.broken") return { kind: "model.incomplete", ...base, repair: "Move it to the trash." };
  return { kind: "yaml.invalid", ...base, repair: "Move it to the trash." };
}

function versionProblems(layout: Layout, summary: ModelSummary): Problem[] {
  const { path } = summary;
  const tag = formatTag(tagOfFolder(path));
  const problems: Problem[] = summary.warnings.map(({ message }) => ({
    kind: "tag.mismatch",
    tag,
    path,
    detail: message,
    repair: "Rename the folder to the tag that its model.yaml names.",
  }));
  try {
    const yamlPath = join(path, MODEL_YAML);
    const info = parseModelInfo(new SmallFileReader().read(yamlPath), yamlPath);
    const record = readRecord(layout, info);
    for (const [file, was] of record ?? []) {
      const problem = fileProblem(join(path, file), was.bytes, was.sha256);
      if (problem) problems.push({ ...problem, tag });
    }
  } catch (error) {
    problems.push({ kind: "yaml.invalid", tag, path, detail: toWireError(error).message });
  }
  for (const problem of treeProblems(path, path)) problems.push({ ...problem, tag });
  return problems;
}

function fileProblem(path: string, bytes: number, sha256: string): Problem | undefined {
  const stat = statOf(path);
  if (!stat?.isFile()) return { kind: "file.missing", path, detail: `${path} was saved with the model and is gone.` };
  if (stat.size !== bytes) {
    return { kind: "file.changed", path, detail: `${path} has ${stat.size} bytes; ${bytes} were saved.` };
  }
  return digest(path) === sha256
    ? undefined
    : { kind: "file.changed", path, detail: `${path} has other bytes than saved.` };
}

function digest(path: string): string {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(1 << 20);
  const file = openSync(path, "r");
  try {
    for (let count = -1; count !== 0; hash.update(buffer.subarray(0, count))) {
      count = readSync(file, buffer, 0, buffer.length, null);
    }
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}

/** Links that leave the version or lead nowhere, and names that a case-folding file system would take for one. */
function treeProblems(root: string, folder: string): Problem[] {
  const entries = entriesOf(folder);
  const problems = collisions(folder, entries);
  for (const entry of entries) {
    const path = join(folder, entry);
    if (isLink(path)) {
      if (!leadsInside(root, path)) {
        const detail = `${path} is a link that leaves its model or leads nowhere.`;
        problems.push({ kind: "link.stray", path, detail, repair: "Move the model to the trash." });
      }
    } else if (statOf(path)?.isDirectory()) {
      problems.push(...treeProblems(root, path));
    }
  }
  return problems;
}

function leadsInside(root: string, path: string): boolean {
  try {
    return realpathSync(path).startsWith(realpathSync(root) + sep);
  } catch {
    return false;
  }
}

function nameProblems(layout: Layout, name: string): Problem[] {
  const folder = nameFolder(layout, name);
  if (statOf(folder) === undefined) return isLink(folder) ? [danglingLink(folder, name)] : [];
  const entries = entriesOf(folder);
  const problems = collisions(folder, entries).map((problem): Problem => ({ ...problem, tag: name }));
  for (const entry of entries) {
    const path = join(folder, entry);
    if (isLink(path) && statOf(path) === undefined) problems.push(danglingLink(path, name));
  }
  const latest = latestProblem(layout, name, entries);
  return latest ? [...problems, latest] : problems;
}

function danglingLink(path: string, tag: string): Problem {
  return { kind: "link.stray", tag, path, detail: `${path} is a link that leads nowhere.`, repair: "Remove the link." };
}

function latestProblem(layout: Layout, name: string, entries: readonly string[]): Problem | undefined {
  if (!entries.includes(LATEST)) return undefined;
  const path = latestFile(layout, name);
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
  return { kind: "case.collision", path, detail: `${path} differs from '${other}' only in case or accents' form.` };
}
