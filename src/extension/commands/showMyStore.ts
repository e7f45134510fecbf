import type { Services } from "../services";

/** Closes the sample store, so that the tree shows the user's own store alone. */
export async function showMyStore({ stores }: Services): Promise<void> {
  await stores.closeSample();
}
