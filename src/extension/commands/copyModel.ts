import { existsSync } from "node:fs";
import { ModelbenchError } from "../../base/errors";
import { copyModelJob } from "../../store/copyModelJob";
import { makeSavableTag, makeTag, parseTag } from "../../store/tag";
import type { Target } from "../ids";
import type { HostStore, Services } from "../services";
import { oneModel, storeForNew } from "../targets";

/** Most suffixes that are tried for a suggested version. */
const SUGGESTIONS = 1000;

/** Copies a version under another tag, in its store or another open one. */
export async function copyModel(services: Services, target?: Target): Promise<void> {
  const { catalog, jobs, pages, stores, t, tree, ui } = services;
  const model = await oneModel(services, target, t("Copy which model?"));
  if (!model) return;
  const into = await storeForNew(services, t("Copy {0} into which store?", model.tag));
  if (!into) return;
  // Taken before the question: the store may be another one by the time of the answer.
  const { home } = stores.of(model);
  const toHome = into.store.home;
  const from = parseTag(model.tag);
  const version = from.version ?? "";
  const value = `${from.name}:${suggestedVersion(into.store, from.name, version)}`;
  const to = await ui.input({
    title: t("Copy {0} to New Version", model.tag),
    prompt: t("Name and version of the copy. Without a version one is generated."),
    value,
    selection: [from.name.length + 1, value.length],
    check: (text) => finding(services, into.store, text.trim()),
  });
  if (to === undefined) return;
  const input = { home, from: { name: from.name, version }, to: to.trim(), ...(toHome === home ? {} : { toHome }) };
  const { tag } = await ui
    .progress(t("Copying {0}", model.tag), (signal, report) =>
      jobs.run(copyModelJob, input, { signal, onProgress: report }),
    )
    .finally(() => catalog.recheck());
  const copy = { store: into.id, tag };
  await tree.reveal(copy);
  if (await ui.inform(t("{0} copied to {1}.", model.tag, tag), t("Open"))) await pages.openDetails(copy);
}

/** What is wrong with the tag of a copy. */
function finding({ t }: Services, store: HostStore, text: string): string | undefined {
  try {
    const { name, version } = parseTag(text);
    if (version === undefined) return undefined;
    const tag = makeSavableTag(name, version);
    return existsSync(store.pathOf(tag)) ? t("{0}:{1} is in the store already.", tag.name, tag.version) : undefined;
  } catch (error) {
    if (error instanceof ModelbenchError) return error.message;
    throw error;
  }
}

/** The version itself in another store; `v2` after `v1`; else `-copy` behind it. The first one that is free. */
function suggestedVersion(store: HostStore, name: string, version: string): string {
  // The letters and digits that BentoML makes end in a number by chance.
  const [, stem = "", number] = /^(v|(?:.*[-._])?)(\d{1,9})$/.exec(version) ?? [];
  const next = (step: number): string => {
    if (number === undefined) return step === 1 ? `${version}-copy` : `${version}-copy${step}`;
    return stem + String(Number(number) + step).padStart(number.length, "0");
  };
  for (let step = 0; step < SUGGESTIONS; step++) {
    const candidate = step === 0 ? version : next(step);
    if (isFree(store, name, candidate)) return candidate;
  }
  return "";
}

function isFree(store: HostStore, name: string, version: string): boolean {
  try {
    return !existsSync(store.pathOf(makeTag(name, version)));
  } catch {
    return false;
  }
}
