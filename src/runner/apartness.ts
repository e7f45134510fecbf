import { ModelbenchError } from "../base/errors";
import { isolatedFolders } from "./isolatedFolders";
import { type IsolatedCommand, isolatedCommand, whyNotIsolated } from "./isolation";
import type { PrivateFolder } from "./privateFolder";
import type { LoadResult, PythonLoad } from "./protocol";

/** How the sentence begins that says of a model that it was to be kept apart, and is not. */
export const NOT_APART = "It runs with your files and your network in reach.";

/** How a model is kept apart, decided before its process is started. */
export interface Apartness {
  /** What starts it in its private folder; `undefined` when it runs as it is. */
  command(folder: PrivateFolder): IsolatedCommand | undefined;
  /** The result with what became of the wish, which its user has to know. */
  told(loaded: LoadResult): LoadResult;
}

/**
 * Whether a model is to run apart, and can.
 * @param obstacle what keeps models from being run apart
 * @throws ModelbenchError `run.unsupported` where it was allowed to run apart only, and cannot
 */
export async function howApart(
  python: PythonLoad,
  device: string,
  obstacle: () => Promise<string | undefined> = whyNotIsolated,
): Promise<Apartness> {
  if (python.isolate !== true) return { command: () => undefined, told: (loaded) => loaded };
  const why = await obstacle();
  if (why !== undefined && python.onlyIsolated === true) {
    const message = `The model was allowed to run apart from your files and the network, and now it cannot: ${why}`;
    throw new ModelbenchError("run.unsupported", message, {
      remedy: "Reload the window, and look at the model again.",
    });
  }
  if (why !== undefined) {
    const said = `${NOT_APART} ${why}`;
    return { command: () => undefined, told: (loaded) => ({ ...withFallbacks(loaded, [said]), isIsolated: false }) };
  }
  let refused: readonly string[] = [];
  return {
    command: ({ work, model }) => {
      const folders = isolatedFolders(python, model);
      refused = folders.refused;
      return isolatedCommand({ readable: folders.readable, work, hasGpu: device !== "cpu" });
    },
    told: (loaded) => ({
      ...withFallbacks(
        loaded,
        refused.map((path) => `It does not see ${path}: that holds your home folder.`),
      ),
      isIsolated: true,
    }),
  };
}

function withFallbacks(loaded: LoadResult, more: readonly string[]): LoadResult {
  return more.length === 0 ? loaded : { ...loaded, fallbacks: [...(loaded.fallbacks ?? []), ...more] };
}
