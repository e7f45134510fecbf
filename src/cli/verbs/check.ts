import { layoutOf, nameFolder, tagOfFolder, versionFolder } from "../../store/layout";
import { statOf } from "../../store/modelFiles";
import { ModelStore } from "../../store/modelStore";
import { formatTag, parseTag } from "../../store/tag";
import { JSON_OR_TEXT, type Verb } from "../verb";

/** Looks for damage in the store and changes nothing. */
export const check: Verb = {
  syntax: {
    usage: "check [TAG...] [-o json]",
    operands: [0, Number.POSITIVE_INFINITY],
    options: { output: JSON_OR_TEXT },
    later: ["repair"],
  },
  async run({ home, output }, { operands }) {
    const store = new ModelStore(home);
    const report = store.check(operands.length === 0 ? undefined : operands.map((tag) => existing(store, tag)));
    if (output.json) return output.document(JSON.stringify(report, null, 2));
    for (const { kind, tag, path, detail, repair } of report.problems) {
      output.lines(
        `${kind}  ${tag ?? ""}  ${path}`,
        `  ${detail}`,
        ...(repair === undefined ? [] : [`  repair: ${repair}`]),
      );
    }
    output.lines(`${report.models} models, ${report.problems.length} problems.`);
  },
};

/** A name that is not there has nothing wrong with it: taken for an answer, a slip of the finger would look like health. */
function existing(store: ModelStore, operand: string): string {
  const { name, version } = parseTag(operand);
  const layout = layoutOf(store.home);
  const folder = version === undefined ? nameFolder(layout, name) : versionFolder(layout, { name, version });
  return statOf(folder)?.isDirectory() ? operand : formatTag(tagOfFolder(store.get(operand).path));
}
