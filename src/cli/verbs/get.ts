import { ModelbenchError } from "../../base/errors";
import { frameworkOf } from "../../store/filter";
import { ModelStore } from "../../store/modelStore";
import { modelJson, modelYaml } from "../../store/modelYaml/bentoJson";
import { formatTag } from "../../store/tag";
import type { Verb } from "../verb";

/** One model.yaml as the real `bentoml models get` prints it. */
export const get: Verb = {
  syntax: {
    usage: "get TAG [-o yaml|json|path] [--framework F]",
    example: "get iris_clf:latest -o json",
    operands: [1, 1],
    options: { output: { oneOf: ["yaml", "json", "path"] }, framework: "value" },
  },
  async run({ home, output }, args) {
    const model = new ModelStore(home).get(args.operands[0] ?? "");
    const framework = args.value("framework");
    const { module } = model.info;
    if (framework !== undefined && frameworkOf(module) !== frameworkOf(framework)) {
      throw new ModelbenchError(
        "model.framework",
        `${formatTag(model.tag)} was saved with module ${JSON.stringify(module)}, not with ${frameworkOf(framework)}.`,
        { path: model.path },
      );
    }
    for (const warning of model.warnings) output.warn(warning);
    if (args.value("output") === "path") output.lines(model.path);
    else if (output.json) output.document(modelJson(model.info));
    else output.text(modelYaml(model.info));
  },
};
