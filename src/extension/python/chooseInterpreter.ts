import type { Localize, PickItem, Ui } from "../services";
import type { PythonSetup } from "./pythonSetup";

/** What can be chosen beside an interpreter that was found. */
type Choice = { readonly path: string | undefined } | "browse";

/** Asks which Python runs models, and writes the setting; nothing is started. @throws ModelbenchError `trust.required` */
export async function chooseInterpreter(
  python: Pick<PythonSetup, "interpreters" | "isChosen" | "choose">,
  ui: Pick<Ui, "pick" | "pickFiles">,
  t: Localize,
): Promise<void> {
  const found = await python.interpreters();
  const automatic: PickItem<Choice> = {
    label: t("Choose Automatically"),
    detail: t("A Python extension's, else the workspace's .venv, VIRTUAL_ENV or python3"),
    value: { path: undefined },
  };
  const items: PickItem<Choice>[] = [
    ...found.map(({ by, path }): PickItem<Choice> => ({ label: path, description: by, value: { path } })),
    ...(python.isChosen ? [automatic] : []),
    { label: t("Browse…"), value: "browse" },
  ];
  const chosen = await ui.pick(t("Which Python Runs Models?"), items);
  if (chosen === undefined) return;
  if (chosen !== "browse") return python.choose(chosen.path);
  const files = await ui.pickFiles({
    title: t("Choose a Python Interpreter"),
    action: t("Use Interpreter"),
    many: false,
    filters: {},
  });
  if (files?.[0] !== undefined) await python.choose(files[0]);
}
