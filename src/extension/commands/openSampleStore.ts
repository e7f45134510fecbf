import type { Services } from "../services";

/** Opens the sample store as a root of its own beside the user's. */
export async function openSampleStore({ catalog, stores, tree }: Services): Promise<void> {
  await stores.openSample();
  catalog.recheck();
  await tree.revealStore("sample");
}
