import { realpathSync } from "node:fs";
import { join } from "node:path";
import { LATEST, type Layout, MODEL_YAML } from "./layout";
import type { Problem } from "./model";
import { entriesOf, isLink, leadsInto, statOf } from "./modelFiles";

/** What a repair does with a link in place of a folder: what it leads to stays as it is. */
const REPAIR = "Move the link to the trash.";

/**
 * Links in place of a name's or a version's folder that lead to no models, or back into the store, where their models
 * would count twice. Models may lie on another disk: a link to those is none of these.
 */
export function strayLinks(layout: Layout, name: string): Problem[] {
  const folder = join(layout.models, name);
  const reason = isLink(folder) ? reasonOf(layout, folder, holdsModels) : undefined;
  if (reason !== undefined) return [stray(folder, name, reason)];
  return entriesOf(folder).flatMap((version) => {
    const path = join(folder, version);
    if (!isLink(path) || (version === LATEST && !statOf(path)?.isDirectory())) return [];
    const why = reasonOf(layout, path, isModel);
    return why === undefined ? [] : [stray(path, name, why)];
  });
}

/** Links inside a version that leave it or lead nowhere. */
export function strayInside(root: string, path: string): Problem | undefined {
  if (leadsInto(root, path)) return undefined;
  const detail = `${path} is a link that leaves its model or leads nowhere. Put the file itself in its place.`;
  return { kind: "link.stray", path, detail };
}

function stray(path: string, tag: string, reason: string): Problem {
  return { kind: "link.stray", tag, path, detail: `${path} is a link that ${reason}.`, repair: REPAIR };
}

function reasonOf(layout: Layout, path: string, isGood: (path: string) => boolean): string | undefined {
  const target = statOf(path);
  if (target === undefined) return "leads nowhere";
  if (!target.isDirectory()) return "leads to no folder";
  if (leadsInto(layout.models, path) || realpathSync(path) === realpathSync(layout.models)) {
    return "leads back into the store";
  }
  return isGood(path) ? undefined : "leads to a folder without models";
}

function holdsModels(path: string): boolean {
  return entriesOf(path).some((version) => isModel(join(path, version)));
}

function isModel(path: string): boolean {
  return statOf(join(path, MODEL_YAML)) !== undefined;
}
