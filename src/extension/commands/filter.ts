import { ModelbenchError } from "../../base/errors";
import { parseFilter } from "../../store/filter";
import type { Services } from "../services";

/** Narrows the tree while a filter is typed; dismissing puts the one before back. */
export async function filter({ t, tree, ui }: Services): Promise<void> {
  const before = tree.filter;
  // Who types wants to see what is left.
  await tree.show();
  const text = await ui.inputLive({
    title: t("Filter Models"),
    prompt: t("Part of a tag, label=value, framework:onnx, age<7d, size>10MiB; several must all fit."),
    placeholder: "stage=prod age<30d",
    value: before,
    recent: tree.recentFilters.filter((recent) => recent !== before),
    check: findingOf,
    onType: (typed) => tree.filterBy(typed, false),
  });
  tree.filterBy(text ?? before, text !== undefined);
}

/** Shows everything again. */
export async function clearFilter({ tree }: Services): Promise<void> {
  tree.filterBy("", true);
}

function findingOf(text: string): string | undefined {
  try {
    parseFilter(text);
    return undefined;
  } catch (error) {
    if (error instanceof ModelbenchError) return error.message;
    throw error;
  }
}
