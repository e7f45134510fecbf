import type { ModelSummary } from "../../store/model";
import type { Catalog } from "../catalog";
import type { ModelRef } from "../services";

/** How long it may take the catalog to notice a new version. */
const WAIT_MS = 3_000;

/** A version as soon as the catalog knows it; `undefined` when it does not within a few seconds. */
export async function modelAppears(catalog: Catalog, ref: ModelRef): Promise<ModelSummary | undefined> {
  await catalog.named(ref.store);
  catalog.recheck();
  const known = catalog.find(ref);
  if (known) return known;
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      subscription.dispose();
      resolve(catalog.find(ref));
    };
    const timer = setTimeout(finish, WAIT_MS);
    const subscription = catalog.onDidChange(() => catalog.find(ref) && finish());
  });
}
