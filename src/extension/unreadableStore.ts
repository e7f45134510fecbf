import { fromWireError } from "../base/errors";
import type { Disposable } from "../base/scope";
import type { Catalog } from "./catalog";
import { guard } from "./guard";
import type { Services } from "./services";

/** Tells the user once, when their own store cannot be read any more, why; the view itself has only fixed texts. */
export function tellUnreadable(catalog: Catalog, parts: Pick<Services, "ui" | "log" | "t">): Disposable {
  let told: string | undefined;
  return catalog.onDidChange(() => {
    const error = catalog.snapshot("own")?.error;
    const isNew = error !== undefined && error.message !== told;
    told = error?.message;
    if (isNew) void guard("modelbench.refresh", parts, () => Promise.reject(fromWireError(error)));
  });
}
