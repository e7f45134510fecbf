import { ModelStore } from "../store/modelStore";

/** The store, cleared of what processes that have died left unfinished: a command that writes also tidies.
 *  @throws ModelbenchError `store.access` */
export async function openForWriting(home: string): Promise<ModelStore> {
  const store = new ModelStore(home);
  await store.sweepStaging();
  return store;
}
