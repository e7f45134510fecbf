import type { Services } from "../services";

/** Reads the open stores again. */
export async function refresh({ catalog }: Services): Promise<void> {
  await catalog.refresh();
}
