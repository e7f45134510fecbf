import type { Services } from "../services";

/** The model a newcomer is shown first, next to the button that opened the store. */
const FIRST_MODEL = "iris_clf";

/** Opens the sample store as a root of its own beside the user's, with its first model in sight. */
export async function openSampleStore({ catalog, stores, tree }: Services): Promise<void> {
  const sample = await stores.openSample();
  catalog.recheck();
  await tree.revealStore("sample");
  const version = sample.latestOf(FIRST_MODEL);
  if (version !== undefined) await tree.reveal({ store: "sample", tag: `${FIRST_MODEL}:${version}` });
}
