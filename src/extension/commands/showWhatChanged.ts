import type { Services } from "../services";

/** Opens a diff of what is in a changed model file, as lines of text. */
export async function showWhatChanged({ changes }: Services, change?: unknown): Promise<void> {
  await changes.show(change);
}
