import { ModelStore } from "../store/modelStore";

/** The store, cleared of what processes that have died left unfinished: a command that writes also tidies. What cannot
 *  be cleared, another user's for instance, stays: the command's own failure says more if it meets the same obstacle. */
export async function openForWriting(home: string): Promise<ModelStore> {
  const store = new ModelStore(home);
  await store.sweepStaging().catch(() => undefined);
  return store;
}
