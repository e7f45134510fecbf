import type { ConsentView } from "../../../webview/protocol/views";
import { localTime } from "../../base/localTime";
import { visible } from "../../base/visible";
import type { CodeFacts } from "../../frameworks/codeFacts";
import { isForeign } from "../../store/origin";
import type { Localize } from "../services";
import { verdictWords } from "../verdictWords";
import type { Consent } from "./consent";

/** A pickle may name what it imports as it likes. */
const MAX_IMPORT = 120;

/** What consent depends on beside the model's own files. */
interface ConsentParts {
  readonly allowed: Consent["kind"] | undefined;
  /** Folders that modules may be imported from. */
  readonly paths: readonly string[];
  readonly whyNotIsolated: string | undefined;
}

/** What a user has to know to allow a model's code, in words; none says that it may be trusted. */
export function consentView(
  t: Localize,
  facts: CodeFacts,
  { allowed, paths, whyNotIsolated }: ConsentParts,
): ConsentView {
  const { digest, imports, moreImports, origin, verdict } = facts;
  const isIsolated = isForeign(facts.origin) && whyNotIsolated === undefined;
  return {
    state: allowed === undefined ? "needed" : allowed === "name" ? "byName" : "given",
    digest,
    origin: originWords(t, origin),
    verdict:
      // A framework may read one from a file whose name claims something else.
      verdict === null
        ? t("No pickle was found in it; loading it runs code of its framework.")
        : verdictWords(t, verdict),
    imports: imports.map((name) => visible(name, MAX_IMPORT)),
    moreImports,
    paths: paths.map((path) => visible(path)),
    isIsolated,
    isolation: isolationWords(t, facts, whyNotIsolated),
  };
}

function originWords(t: Localize, origin: CodeFacts["origin"]): string {
  const { atMs, kind } = origin;
  const when = localTime(atMs);
  const from = origin.from === undefined ? undefined : visible(origin.from);
  if (kind === "saved") return t("saved here, {0}", when);
  if (kind === "unknown") return t("put into the store by another program, {0}", when);
  if (kind === "copied")
    return from === undefined ? t("copied here, {0}", when) : t("copied from {0}, {1}", from, when);
  return from === undefined ? t("imported, {0}", when) : t("imported from {0}, {1}", from, when);
}

function isolationWords(t: Localize, facts: CodeFacts, whyNot: string | undefined): string {
  if (!isForeign(facts.origin)) return t("Not isolated, since it was made here: it can do whatever you can.");
  if (whyNot === undefined) return t("It runs apart from the network, your home folder and the store.");
  return t("Not isolated: {0} It can do whatever you can.", whyNot);
}
