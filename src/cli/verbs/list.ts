import { bentoSize } from "../../base/humanSize";
import { localTime } from "../../base/localTime";
import { byCreation } from "../../store/essentials";
import { type Filter, matches, needsLabels, parseFilter } from "../../store/filter";
import { layoutOf } from "../../store/layout";
import { listStore } from "../../store/listStore";
import type { BrokenItem, ModelSummary } from "../../store/model";
import { labelsOf } from "../../store/modelLabels";
import { listJson, listYaml } from "../../store/modelYaml/bentoJson";
import { openListingCache } from "../../store/savedListing";
import { formatTag } from "../../store/tag";
import type { Output } from "../output";
import type { Verb } from "../verb";

type Order = (a: ModelSummary, b: ModelSummary) => number;

const newestFirst: Order = (a, b) => byCreation(b, a);
const ORDERS: Readonly<Record<string, Order>> = {
  created: newestFirst,
  name: () => 0, // the store lists by name and version
  size: (a, b) => b.sizeBytes - a.sizeBytes,
};

/** Every version in the store, newest first; what is broken is a warning and never fails the list. */
export const list: Verb = {
  syntax: {
    usage: "list [NAME] [--filter CONDITIONS]... [--sort created|name|size] [-o json|yaml|table]",
    example: "list --filter 'framework:onnx owner=vision age<7d' -o json",
    operands: [0, 1],
    options: {
      filter: "values",
      sort: { oneOf: Object.keys(ORDERS) },
      output: { oneOf: ["json", "yaml", "table"] },
    },
  },
  async run({ home, output }, args) {
    const filters = args.values("filter").map(parseFilter);
    const [name] = args.operands;
    const layout = layoutOf(home);
    const cache = name === undefined ? openListingCache(layout, Date.now) : undefined;
    const { models, broken } = listStore(layout, name, { now: Date.now, cache });
    reportFindings(output, models, broken);
    const chosen = models.filter((model) =>
      filters.every((filter) => matches(filter, model, labelsFor(filter, model))),
    );
    chosen.sort(ORDERS[args.value("sort") ?? "created"]);
    if (output.json) output.document(listJson(chosen));
    else if (args.value("output") === "yaml") output.text(listYaml(chosen));
    else output.lines(table(chosen));
    if (cache?.isWorthSaving) (await import("../../store/saveListing")).saveListing(layout, cache, Date.now);
  },
};

function reportFindings(output: Output, models: readonly ModelSummary[], broken: readonly BrokenItem[]): void {
  for (const { warnings } of models) for (const warning of warnings) output.warn(warning);
  for (const { error, path, beingWritten } of broken) {
    if (beingWritten) output.warn({ code: "model.beingWritten", message: `${path} is being written.`, path });
    else output.warn({ code: error.code, message: error.message, path: error.path ?? path });
  }
}

/** A list reads no labels: they are read for a filter that asks for some. */
function labelsFor(filter: Filter, { path }: ModelSummary): ReadonlyMap<string, string> | undefined {
  return needsLabels(filter) ? labelsOf(path) : undefined;
}

/** As the real one lays it out: a blank on either side of every cell. */
function table(models: readonly ModelSummary[]): string[] {
  const rows = models.map((model) => [
    formatTag(model.tag),
    model.module,
    bentoSize(model.sizeBytes),
    localTime(model.creationMs),
  ]);
  const all = [["Tag", "Module", "Size", "Creation Time"], ...rows];
  const widths = [0, 1, 2, 3].map((i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all.map((row) => row.map((cell, i) => ` ${cell.padEnd(widths[i] ?? 0)} `).join(""));
}
