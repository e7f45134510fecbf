import { humanSize } from "../../base/humanSize";
import { localTime } from "../../base/localTime";
import { byCreation } from "../../store/essentials";
import { readModelFolder } from "../../store/lookup";
import type { BrokenItem, ModelSummary } from "../../store/model";
import { ModelStore } from "../../store/modelStore";
import { listJson, listYaml } from "../../store/modelYaml/bentoJson";
import { formatTag } from "../../store/tag";
import { splitAssignment } from "../args";
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
    usage: "list [NAME] [--filter label=value]... [--sort created|name|size] [-o json|yaml|table]",
    operands: [0, 1],
    options: {
      filter: "values",
      sort: { oneOf: Object.keys(ORDERS) },
      output: { oneOf: ["json", "yaml", "table"] },
    },
  },
  async run({ home, output }, args) {
    const { models, broken } = new ModelStore(home).list(args.operands[0]);
    reportFindings(output, models, broken);
    const labels = args.values("filter").map((text) => splitAssignment("filter", text));
    const chosen = labels.length === 0 ? [...models] : models.filter((model) => hasLabels(model, labels));
    chosen.sort(ORDERS[args.value("sort") ?? "created"]);
    if (output.json) output.document(listJson(chosen));
    else if (args.value("output") === "yaml") output.text(listYaml(chosen));
    else output.lines(...table(chosen));
  },
};

function reportFindings(output: Output, models: readonly ModelSummary[], broken: readonly BrokenItem[]): void {
  for (const { warnings } of models) for (const warning of warnings) output.warn(warning);
  for (const { error, path, beingWritten } of broken) {
    if (beingWritten) output.warn({ code: "model.beingWritten", message: `${path} is being written.`, path });
    else output.warn({ code: error.code, message: error.message, path: error.path ?? path });
  }
}

function hasLabels({ path }: ModelSummary, wanted: readonly (readonly [string, string])[]): boolean {
  const { labels } = readModelFolder(path).info;
  return wanted.every(([key, value]) => labels.get(key) === value);
}

function table(models: readonly ModelSummary[]): string[] {
  const rows = models.map((model) => [
    formatTag(model.tag),
    model.module,
    humanSize(model.sizeBytes),
    localTime(model.creationMs),
  ]);
  const all = [["Tag", "Module", "Size", "Creation Time"], ...rows];
  const widths = [0, 1, 2, 3].map((i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
