import { ModelStore } from "../store/modelStore";

/** The store, cleared of what processes that have died left unfinished: a command that writes also tidies. What cannot
 *  be cleared, another user's for instance, stays: the command's own failure says more if it meets the same obstacle. */
export async function openForWriting(home: string): Promise<ModelStore> {
  const store = new ModelStore(home);
  await store.sweepStaging().catch(() => undefined);
  return store;
}

/** The same, and what has been in the trash for too long is gone: for commands that fill the store or the trash. */
export async function openForAdding(home: string): Promise<ModelStore> {
  const store = await openForWriting(home);
  await store.purgeTrash().catch(() => undefined);
  return store;
}
