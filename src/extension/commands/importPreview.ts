import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { toWireError } from "../../base/errors";
import { humanSize } from "../../base/humanSize";
import { visible } from "../../base/visible";
import { type ArchivePreview, previewArchiveJob } from "../../store/archive/archiveJobs";
import { MODEL_YAML } from "../../store/layout";
import { frameworkFacts } from "../frameworkFacts";
import type { ItemButton, OpenStore, ReviewItem, Services } from "../services";
import { withoutPath } from "../tree/words";
import { verdictWords } from "../verdictWords";
import { forEachUnderProgress } from "./several";

/** What to do with an archive whose model is in the store already. */
export type OnConflict = "skip" | "replace" | "new-version";

/** An archive or folder that was looked into and can be imported. */
export interface Candidate {
  /** Absolute path. */
  readonly source: string;
  readonly preview: ArchivePreview;
  /** Its tag is taken: in the store, or by another one of the same import. */
  readonly exists: boolean;
  /** Sum of the model's files. */
  readonly bytes: number;
}

/** One that was refused, with the reason. */
interface Refused {
  readonly source: string;
  readonly error: unknown;
}

/** What was found in everything that was chosen. */
export interface Previews {
  readonly candidates: readonly Candidate[];
  readonly refused: readonly Refused[];
}

/** What the user decided: `choice` is set where the model is in the store already. */
export interface Chosen {
  readonly candidate: Candidate;
  readonly choice: OnConflict | undefined;
}

/** A model.yaml stands for the folder it is in: an open dialog that shows files cannot choose folders. */
export function sourceOf(path: string): string {
  return basename(path) === MODEL_YAML ? dirname(path) : path;
}

/** Looks into every source, in the jobs process; `undefined` = cancelled. Nothing is written. */
export async function previewAll(
  services: Services,
  target: OpenStore,
  sources: readonly string[],
): Promise<Previews | undefined> {
  const { jobs, settings, t } = services;
  const { home } = target.store;
  const [only = ""] = sources;
  const title =
    sources.length === 1 ? t("Looking into {0}", basename(only)) : t("Looking into {0} models", sources.length);
  const items = await Promise.all(sources.map(async (source) => ({ source, bytes: await sizeOf(source) })));
  const limits = settings().importLimits;
  const outcome = await forEachUnderProgress(services, title, items, ({ source }, options) =>
    jobs.run(previewArchiveJob, { home, source, limits }, options),
  );
  if (outcome.cancelled) return undefined;
  const taken = new Set<string>();
  const candidates = outcome.done.map(({ item: { source }, result: preview }): Candidate => {
    const exists = preview.exists || taken.has(preview.tag);
    taken.add(preview.tag);
    return { source, preview, exists, bytes: preview.bytes };
  });
  return { candidates, refused: outcome.failed.map(({ item: { source }, error }) => ({ source, error })) };
}

/** One list of all of them, then one question about those that are there already; `undefined` = dismissed. */
export async function reviewImport(
  services: Services,
  target: OpenStore,
  { candidates, refused }: Previews,
): Promise<readonly Chosen[] | undefined> {
  const { t, ui } = services;
  const choices = new Map<Candidate, OnConflict>();
  const chosen = await ui.review<Candidate | Refused>({
    title: (ticked) => titleOf(services, target, ticked.filter(isCandidate)),
    hint: t("Enter imports what is ticked."),
    unavailable: t("Cannot be imported"),
    items: () => [
      ...candidates.map((candidate) => candidateItem(services, candidate, choices.get(candidate))),
      ...refused.map(refusedItem),
    ],
    press: (value, button) => {
      if (isCandidate(value) && isChoice(button)) choices.set(value, button);
    },
  });
  const ticked = chosen?.filter(isCandidate);
  if (!ticked?.length) return undefined;
  const open = ticked.filter((candidate) => candidate.exists && !choices.has(candidate));
  if (!(await settle(services, open, choices))) return undefined;
  return ticked.map((candidate) => ({ candidate, choice: choices.get(candidate) }));
}

/** Asks once for all that are there already, or for each of them. `false` = dismissed. */
async function settle(
  services: Services,
  open: readonly Candidate[],
  choices: Map<Candidate, OnConflict>,
): Promise<boolean> {
  const { t, ui } = services;
  const [first] = open;
  if (!first) return true;
  const what =
    open.length === 1
      ? t("{0} is in the store already", first.preview.tag)
      : t("{0} of these models are in the store already", open.length);
  const items = choiceItems(t);
  const each = { label: t("Choose for Each…"), value: "each" as const };
  const answer = await ui.pick<OnConflict | "each">(what, open.length === 1 ? items : [...items, each]);
  if (answer === undefined) return false;
  for (const candidate of open) {
    const choice =
      answer === "each"
        ? await ui.pick<OnConflict>(t("{0} is in the store already", candidate.preview.tag), items)
        : answer;
    if (choice === undefined) return false;
    choices.set(candidate, choice);
  }
  return true;
}

function titleOf({ stores, t }: Services, target: OpenStore, ticked: readonly Candidate[]): string {
  const size = humanSize(ticked.reduce((sum, { bytes }) => sum + bytes, 0));
  const what =
    ticked.length === 1 ? t("Import 1 model ({0})", size) : t("Import {0} models ({1})", ticked.length, size);
  return stores.all.length === 1 ? what : `${what} · ${target.label}`;
}

/** `iris:v2  onnx · 5.81 KiB · 4 files` over the file's name and what becomes of the one in the store. */
function candidateItem(
  { t }: Services,
  candidate: Candidate,
  choice: OnConflict | undefined,
): ReviewItem<Candidate | Refused> {
  const { preview, source, exists } = candidate;
  const count = preview.files.length + preview.moreFiles;
  const files = count === 1 ? t("1 file") : t("{0} files", count);
  const facts = [frameworkFacts(t, preview.module).label, humanSize(preview.bytes), files];
  const plan = choice === undefined ? t("in the store already") : t("in the store already: {0}", planOf(t, choice));
  const pickle = preview.pickle ? [verdictWords(t, preview.pickle)] : [];
  const detail = [
    basename(source),
    ...pickle,
    ...(exists ? [plan] : []),
    ...preview.warnings.map(({ message }) => message),
  ];
  return {
    label: preview.tag,
    description: facts.map((fact) => visible(fact)).join(" · "),
    detail: detail.map((text) => visible(text)).join(" · "),
    icon: exists || preview.warnings.length > 0 || preview.pickle?.verdict === "dangerous" ? "warning" : "tag",
    picked: true,
    ...(exists ? { buttons: choiceButtons(t) } : {}),
    value: candidate,
  };
}

function refusedItem(refused: Refused): ReviewItem<Candidate | Refused> {
  return {
    label: visible(basename(refused.source)),
    detail: visible(withoutPath(toWireError(refused.error).message, refused.source)),
    icon: "error",
    disabled: true,
    value: refused,
  };
}

function choiceItems(t: Services["t"]) {
  return [
    { label: t("Skip"), description: t("keep what is there"), value: "skip" as const },
    { label: t("Replace"), description: t("what is there goes to the trash"), value: "replace" as const },
    { label: t("New Version"), description: t("import beside it under a new version"), value: "new-version" as const },
  ];
}

function choiceButtons(t: Services["t"]): ItemButton[] {
  const icons = { skip: "debug-step-over", replace: "replace", "new-version": "add" };
  return choiceItems(t).map(({ label, description, value }) => ({
    id: value,
    icon: icons[value],
    tooltip: `${label}: ${description}`,
  }));
}

function planOf(t: Services["t"], choice: OnConflict): string {
  const item = choiceItems(t).find(({ value }) => value === choice);
  return item === undefined ? "" : `${item.label}, ${item.description}`;
}

function isChoice(button: string): button is OnConflict {
  return button === "skip" || button === "replace" || button === "new-version";
}

function isCandidate(value: Candidate | Refused): value is Candidate {
  return "preview" in value;
}

/** For the progress only: of a folder its files are not counted beforehand. */
async function sizeOf(source: string): Promise<number> {
  return stat(source).then(
    ({ size }) => size,
    () => 0,
  );
}
