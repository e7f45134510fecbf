import type { ConsentView } from "../../../webview/protocol/views";
import type { Localize, Ui } from "../services";
import type { AskedCode } from "./consent";

/** Digits of a digest that are enough to tell it by eye. */
const SHORT_DIGEST = 12;
/** Imports that the dialog has room for. */
const SHOWN_IMPORTS = 12;

/** Asks whether a model's code may run; refusing is the default. */
export async function askToAllow(
  t: Localize,
  ui: Pick<Ui, "decide">,
  { isSavedHere, name, tag }: AskedCode,
  consent: ConsentView,
): Promise<"once" | "always" | undefined> {
  const allow = t("Allow This Code");
  const always = t("Always Allow {0} Saved Here", name);
  const actions = isSavedHere ? [allow, always] : [allow];
  const answer = await ui.decide(t("Allow {0} to Run Code in Your Python?", tag), detailOf(t, consent), actions);
  if (answer === undefined) return undefined;
  return answer === always ? "always" : "once";
}

function detailOf(
  t: Localize,
  { digest, imports, isolation, moreImports, origin, paths, verdict }: ConsentView,
): string {
  const more = moreImports + Math.max(0, imports.length - SHOWN_IMPORTS);
  const named = imports.slice(0, SHOWN_IMPORTS).join(", ");
  const told = more === 0 ? named : t("{0} and {1} more", named, more);
  return [
    t("Origin: {0}", origin),
    t("Digest of its code: {0}…", digest.slice(0, SHORT_DIGEST)),
    t("Its pickles: {0}", verdict),
    ...(imports.length === 0 ? [] : [t("They import {0}", told)]),
    ...(paths.length === 0 ? [] : [t("It may import modules from {0}", paths.join(", "))]),
    "",
    isolation,
    t("Loading it runs its code. One changed byte asks again; a changed label does not."),
  ].join("\n");
}
