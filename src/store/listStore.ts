import { ModelbenchError } from "../base/errors";
import { Slice } from "../base/slice";
import { type Layout, nameFolder } from "./layout";
import { type ListRequest, type ListScope, listModels } from "./listing";
import type { Listing } from "./model";
import { statOf } from "./modelFiles";
import { parseTag } from "./tag";

/**
 * Every version of a store, or those of `name` or `name:version` (exactly), read at once. A broken item is reported,
 * never fatal.
 * @throws ModelbenchError `model.notFound` for a name that is not there, `tag.invalid`, `store.access`
 */
export function listStore(
  layout: Layout,
  name: string | undefined,
  options: Pick<ListRequest, "now" | "cache">,
): Listing {
  const scope = name === undefined ? undefined : existingScope(layout, name);
  const pass = listModels({ models: layout.models, scope, slice: new Slice(Number.POSITIVE_INFINITY), ...options });
  for (;;) {
    const step = pass.next();
    if (step.done) return step.value;
  }
}

function existingScope(layout: Layout, text: string): ListScope {
  const scope = parseTag(text);
  if (statOf(nameFolder(layout, scope.name))?.isDirectory()) return scope;
  throw new ModelbenchError(
    "model.notFound",
    `No models with name '${scope.name}' found in the store ${layout.home}.`,
    { remedy: "List the store without a name to see what it holds." },
  );
}
