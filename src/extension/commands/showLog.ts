import type { Services } from "../services";

/** Shows the log. */
export async function showLog({ ui }: Services): Promise<void> {
  ui.showLog();
}
