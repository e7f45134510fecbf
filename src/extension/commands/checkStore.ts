import { basename } from "node:path";
import { visible } from "../../base/visible";
import { type CheckReport, TO_TRASH } from "../../store/check";
import { checkStoreJob } from "../../store/checkJob";
import type { Problem } from "../../store/model";
import type { Target } from "../ids";
import type { ModelRef, ReviewItem, Services, StoreId } from "../services";
import { folderTag, manyFolders, oneModel, rowsOf, storeForNew } from "../targets";
import type { TreeNode } from "../tree/treeModel";
import { withoutPath } from "../tree/words";

/** What is looked at: some tags of a store, or all of it. */
interface Scope {
  readonly store: StoreId;
  readonly tags: readonly string[] | undefined;
  /** What messages call it. */
  readonly what: string;
}

/** Looks at a whole store, every byte of it, and offers to repair what can be repaired. */
export async function checkStore(services: Services, target?: Target): Promise<void> {
  const scope = await storeScope(services, target);
  if (scope) await checkAndOffer(services, scope);
}

/** Looks at the chosen versions, every byte of them, and offers to repair what can be repaired. */
export async function checkModel(services: Services, target?: Target, selected?: readonly TreeNode[]): Promise<void> {
  const scope = await modelScope(services, target, selected, services.t("Check which model?"));
  if (scope) await checkAndOffer(services, scope);
}

/** Repairs the chosen versions after one question that says what would be done; without a row as Check Store. */
export async function repairModel(services: Services, target?: Target, selected?: readonly TreeNode[]): Promise<void> {
  const { t, ui } = services;
  if (target === undefined) return checkStore(services);
  const scope = await modelScope(services, target, selected, t("Repair which model?"));
  if (!scope) return;
  const report = await look(services, scope);
  const repairable = report.problems.filter(({ repair }) => repair !== undefined);
  if (report.problems.length === 0) return tellHealthy(services, scope, report);
  if (repairable.length === 0) return void (await showProblems(services, scope, report));
  const lines = repairable.map(({ detail, repair = "" }) => `${visible(detail)}\n→ ${repair}`);
  const onlyMoves = repairable.every(({ repair }) => repair === TO_TRASH);
  const action = onlyMoves ? t("Move to Trash") : t("Repair");
  if (!(await ui.confirm(t("Repair {0}?", scope.what), action, lines.join("\n\n")))) return;
  await repair(services, scope, repairable);
}

async function storeScope(services: Services, target: Target): Promise<Scope | undefined> {
  const { stores, t } = services;
  const given = typeof target === "object" ? stores.all.find(({ id }) => id === target.store) : undefined;
  const open = given ?? (await storeForNew(services, t("Check which store?")));
  return open && { store: open.id, tags: undefined, what: open.label };
}

async function modelScope(
  services: Services,
  target: Target,
  selected: readonly TreeNode[] | undefined,
  title: string,
): Promise<Scope | undefined> {
  const { t } = services;
  const rows = rowsOf(services, target, selected);
  const chosen = rows.length > 0 ? rows : [await oneModel(services, undefined, title)];
  const [first] = chosen;
  if (!first) return undefined;
  const here = chosen.filter((row) => row?.store === first.store);
  const tags = await Promise.all(here.map((row) => (row ? tagsOf(services, row) : [])));
  const unique = [...new Set(tags.flat())];
  if (unique.length === 0) return undefined;
  return {
    store: first.store,
    tags: unique,
    what: unique.length === 1 ? (unique[0] ?? "") : t("{0} models", unique.length),
  };
}

/** A name stands for all that is below it, also for what is in no row; other rows for what is seen below them. */
async function tagsOf(services: Services, row: TreeNode | ModelRef): Promise<string[]> {
  if ("tag" in row) return [row.tag];
  if (row.kind === "broken") return [folderTag(row.item)];
  if (row.kind === "name" && row.narrowed === undefined) return [row.name];
  return (await manyFolders(services, row, undefined, "")).map(folderTag);
}

async function checkAndOffer(services: Services, scope: Scope): Promise<void> {
  const report = await look(services, scope);
  if (report.problems.length === 0) return tellHealthy(services, scope, report);
  const chosen = await showProblems(services, scope, report);
  if (chosen?.length) await repair(services, scope, chosen);
}

async function look({ jobs, stores, t, ui }: Services, { store, tags, what }: Scope): Promise<CheckReport> {
  const input = { home: stores.of({ store }).home, ...(tags === undefined ? {} : { tags }) };
  return ui.progress(t("Checking {0}", what), (signal, report) =>
    jobs.run(checkStoreJob, input, { signal, onProgress: report }),
  );
}

async function tellHealthy({ t, ui }: Services, { tags, what }: Scope, { models }: CheckReport): Promise<void> {
  const counted = models === 1 ? t("1 version") : t("{0} versions", models);
  await ui.inform(
    tags === undefined
      ? t("No problems found in {0}: {1} checked.", what, counted)
      : t("No problems found with {0}.", what),
  );
}

/** Every problem on a line; those that can be repaired are ticked. */
async function showProblems(
  { t, ui }: Services,
  { what }: Scope,
  { problems }: CheckReport,
): Promise<readonly Problem[] | undefined> {
  const found =
    problems.length === 1 ? t("1 problem with {0}", what) : t("{0} problems with {1}", problems.length, what);
  return ui.review({
    title: (ticked) => (ticked.length === 0 ? found : `${found} · ${t("repair {0}", ticked.length)}`),
    hint: t("Enter repairs what is ticked; nothing is deleted for good."),
    unavailable: t("Cannot be repaired automatically"),
    items: () => problems.map((problem) => problemItem(t, problem)),
  });
}

function problemItem(t: Services["t"], problem: Problem): ReviewItem<Problem> {
  const { detail, kind, path, repair, tag } = problem;
  return {
    label: visible(tag ?? basename(path)),
    description: kindWords(t)[kind],
    detail: [visible(withoutPath(detail, path)), ...(repair === undefined ? [] : [`→ ${repair}`])].join(" "),
    icon: "warning",
    picked: repair !== undefined,
    disabled: repair === undefined,
    value: problem,
  };
}

async function repair(services: Services, scope: Scope, chosen: readonly Problem[]): Promise<void> {
  const { catalog, jobs, stores, t, ui } = services;
  const { home } = stores.of(scope);
  const only = chosen.map(({ path }) => path);
  const input = { home, repair: true, only, ...(scope.tags === undefined ? {} : { tags: scope.tags }) };
  const report = await ui
    .progress(t("Repairing {0}", scope.what), (signal, progress) =>
      jobs.run(checkStoreJob, input, { signal, onProgress: progress }),
    )
    .finally(() => catalog.recheck());
  const repaired = report.problems.filter((problem) => problem.repaired).length;
  const message =
    repaired === chosen.length
      ? t("{0} repaired. What a repair moves away is in the trash.", counted(t, repaired))
      : t("{0} of {1} problems repaired; Check Store says what is left.", repaired, chosen.length);
  await ui.inform(message);
}

function counted(t: Services["t"], problems: number): string {
  return problems === 1 ? t("1 problem") : t("{0} problems", problems);
}

function kindWords(t: Services["t"]): Record<Problem["kind"], string> {
  return {
    "staging.leftover": t("left unfinished"),
    "model.incomplete": t("incomplete"),
    "yaml.invalid": t("model.yaml cannot be read"),
    "tag.mismatch": t("its name does not fit"),
    "latest.torn": t("the file latest is damaged"),
    "latest.dangling": t("latest names what is not there"),
    "file.missing": t("a file is missing"),
    "file.changed": t("a file has changed"),
    "link.stray": t("a link leads elsewhere"),
    "case.collision": t("names differ only in case"),
  };
}
