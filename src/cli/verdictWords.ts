import type { PickleVerdict } from "../formats/pickle/facts";

/** Verdicts in words; none says that a pickle is safe. */
export const VERDICT_WORDS: Readonly<Record<PickleVerdict, string>> = {
  allowed: "Nothing outside the allow list",
  unknown: "Imports we do not know",
  code: "Contains code",
  dangerous: "Calls dangerous functions",
  unresolvable: "Cannot tell",
  malformed: "Cannot tell",
  opaque: "Cannot tell",
};
