import { ModelStore } from "../../store/modelStore";
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
    const report = new ModelStore(home).check(operands.length === 0 ? undefined : [...operands]);
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
