import { resolve } from "node:path";
import { ModelbenchError } from "../base/errors";
import { errno, storeFailure } from "./failure";
import { MODEL_YAML } from "./layout";
import type { StoredModel } from "./model";
import { parseModelInfo } from "./modelInfo";
import { SmallFileReader } from "./smallFileReader";

/**
 * Opens a model's folder that lies anywhere, for instance one that was exported as a folder; its tag is the one that
 * its model.yaml names.
 * @throws ModelbenchError `model.broken` without a model.yaml, `yaml.invalid`, `store.access`
 */
export function openModelFolder(folder: string): StoredModel {
  const path = resolve(folder);
  const yamlPath = `${path}/${MODEL_YAML}`;
  let text: string;
  try {
    text = new SmallFileReader().read(yamlPath).toString("utf8");
  } catch (error) {
    if (errno(error) !== "ENOENT") throw storeFailure(error, "read", yamlPath);
    throw new ModelbenchError("model.broken", `${path} is no model: it has no ${MODEL_YAML}.`, {
      path,
      remedy: "Name the file inside it that you mean.",
    });
  }
  const info = parseModelInfo(text, yamlPath);
  return { tag: info.tag, path, info, warnings: [] };
}
