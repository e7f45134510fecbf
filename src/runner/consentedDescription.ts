import { join } from "node:path";
import { ModelbenchError } from "../base/errors";
import { digestOfParts } from "../frameworks/codeDigest";
import { MODEL_YAML } from "../store/layout";
import { parseModelInfo } from "../store/modelYaml/modelInfo";
import { SmallFileReader } from "../store/smallFileReader";
import type { PythonLoad } from "./protocol";

/**
 * Refuses a description whose module, options or signatures are not those that were consented to: BentoML's own
 * loaders read them. Its other parts may have changed.
 * @param folder the private folder, in which nobody else changes it
 * @throws ModelbenchError `model.changed`, `model.broken`, `yaml.invalid`
 */
export function refuseOtherDescription(label: string, { digest, files }: PythonLoad, folder: string): void {
  if (digest === undefined) return;
  const path = join(folder, MODEL_YAML);
  if (digestOfParts(parseModelInfo(new SmallFileReader().read(path), path), files) === digest) return;
  throw new ModelbenchError("model.changed", `${label}: its model.yaml is not the one that was allowed to run.`, {
    remedy: "Look at the model again, and allow it anew if it is what you expect.",
  });
}
