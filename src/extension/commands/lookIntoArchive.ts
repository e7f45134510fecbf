import { FILE_EDITORS, type FileArgument } from "../ids";
import type { Services } from "../services";
import { ARCHIVES } from "./importModel";

/** Shows what is in an archive, without unpacking it. */
export async function lookIntoArchive({ t, ui }: Services, file?: FileArgument): Promise<void> {
  const path = file?.fsPath ?? (await chosenArchive({ t, ui }));
  if (path !== undefined) await ui.openWith(path, FILE_EDITORS.archive);
}

async function chosenArchive({ t, ui }: Pick<Services, "t" | "ui">): Promise<string | undefined> {
  const filters = { [t("Model archives")]: ARCHIVES, [t("All files")]: ["*"] };
  const chosen = await ui.pickFiles({ title: t("Look into an archive"), action: t("Look Into"), many: false, filters });
  return chosen?.[0];
}
