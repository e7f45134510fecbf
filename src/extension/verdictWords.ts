import type { PickleVerdict } from "../formats/pickle/facts";
import type { ModelVerdict } from "../store/pickleVerdicts";
import type { Localize } from "./services";

/** What was found in pickles, in words; none of them says that a model may be trusted. */
export function verdictWords(t: Localize, { verdict, unknownImports }: ModelVerdict): string {
  switch (verdict) {
    case "allowed":
      return t("Nothing outside the allow list");
    case "unknown":
      // An array of Python objects needs no import that we do not know.
      return unknownImports > 0 ? t("Imports we do not know ({0})", unknownImports) : t("Cannot tell");
    case "code":
      return t("Contains code");
    case "dangerous":
      return t("Calls dangerous functions");
    default:
      return t("Cannot tell");
  }
}

/** The three states that a row of the tree can show. */
export type PickleState = "known types" | "runs code" | "dangerous or cannot tell";

/** The state of a row; what is not known to be plain is not told apart from what cannot be told. */
export function pickleState(verdict: PickleVerdict): PickleState {
  if (verdict === "allowed") return "known types";
  return verdict === "code" ? "runs code" : "dangerous or cannot tell";
}

/** The state in the few words that a narrow tree has room for. */
export function pickleRemark(t: Localize, { verdict }: ModelVerdict): string {
  switch (pickleState(verdict)) {
    case "known types":
      return t("known types");
    case "runs code":
      return t("runs code");
    default:
      return verdict === "dangerous" ? t("dangerous") : t("cannot tell");
  }
}
