import { chooseInterpreter } from "../python/chooseInterpreter";
import type { Services } from "../services";

/** Asks which Python runs models that need one, and remembers it in the settings. */
export async function selectInterpreter({ python, t, ui }: Services): Promise<void> {
  await chooseInterpreter(python, ui, t);
}
