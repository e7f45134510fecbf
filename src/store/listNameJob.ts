import type { JobKey } from "../base/ports";
import type { Listing } from "./model";
import { ModelStore } from "./modelStore";

/** Lists all versions of one name, whatever the size of their model.yaml. */
export const listNameJob: JobKey<{ readonly home: string; readonly name: string }, Listing> = {
  name: "store.listName",
};

/** The work behind `listNameJob`. @throws ModelbenchError as `ModelStore.list` */
export async function runListName({ home, name }: { readonly home: string; readonly name: string }): Promise<Listing> {
  return new ModelStore(home).list(name);
}
