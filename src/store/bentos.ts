import { join } from "node:path";
import type { JobKey } from "../base/ports";
import { isYamlMap, parsePyYaml, type YamlMap, type YamlValue } from "../formats/pyYaml";
import { entriesOf, statOf } from "./modelFiles";
import { SmallFileReader } from "./smallFileReader";

/** Which bentos of the store at `home` use which version: `name:version` to the tags of the bentos. */
export const listBentosJob: JobKey<{ readonly home: string }, Readonly<Record<string, string[]>>> = {
  name: "store.bentos",
};

/** The work behind `listBentosJob`. */
export async function runListBentos({ home }: { readonly home: string }): Promise<Record<string, string[]>> {
  return Object.fromEntries(bentosUsing(home));
}

/**
 * The bentos that need a version of this store: `name:version` to their tags, sorted. As for BentoML one that carries
 * its models in itself needs none; one that cannot be read, which makes the real command fail whole, counts for none.
 * @see bentoml 1.4.39 bentoml_cli/models.py check_model_is_used
 */
export function bentosUsing(home: string): Map<string, string[]> {
  const root = join(home, "bentos");
  const users = new Map<string, string[]>();
  for (const name of entriesOf(root).sort()) {
    for (const version of entriesOf(join(root, name)).sort()) {
      const folder = join(root, name, version);
      if (statOf(join(folder, "models")) !== undefined) continue;
      const bento = readBento(join(folder, "bento.yaml"));
      if (bento === undefined) continue;
      for (const tag of modelTags(bento)) users.set(tag, [...(users.get(tag) ?? []), `${name}:${version}`]);
    }
  }
  return users;
}

function readBento(path: string): YamlMap | undefined {
  try {
    const value = parsePyYaml(new SmallFileReader().read(path).toString("utf8").replace(/\r\n?/g, "\n"));
    return isYamlMap(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What the bento itself and each of its services lists; bentos of long ago list bare tags. */
function modelTags(bento: YamlMap): Set<string> {
  const services = itemsOf(bento.get("services")).flatMap((service) => itemsOf(fieldOf(service, "models")));
  const tags = [...itemsOf(bento.get("models")), ...services].map((model) =>
    typeof model === "string" ? model : fieldOf(model, "tag"),
  );
  return new Set(tags.flatMap((tag) => (typeof tag === "string" ? [tag.toLowerCase()] : [])));
}

function itemsOf(value: YamlValue | undefined): readonly YamlValue[] {
  return Array.isArray(value) ? value : [];
}

function fieldOf(value: YamlValue, key: string): YamlValue | undefined {
  return isYamlMap(value) ? value.get(key) : undefined;
}
