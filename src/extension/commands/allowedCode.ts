import { localTime } from "../../base/localTime";
import type { Consent } from "../python/consent";
import type { Localize, PickItem, Services } from "../services";

/** Lists whose code may run on this machine, and takes back what is ticked. */
export async function allowedCode({ consents, t, ui }: Services): Promise<void> {
  const { all } = consents;
  if (all.length === 0) {
    await ui.inform(t("No model's code is allowed to run on this machine."));
    return;
  }
  const chosen = await ui.pickMany(
    t("Model Code Allowed on This Machine: Tick What to Take Back"),
    all.map((consent) => itemOf(t, consent)),
  );
  if (!chosen || chosen.length === 0) return;
  await consents.revoke(chosen);
  const message =
    chosen.length === 1 ? t("1 permission was taken back.") : t("{0} permissions were taken back.", chosen.length);
  await ui.inform(message);
}

function itemOf(t: Localize, consent: Consent): PickItem<Consent> {
  const when = t("allowed {0}", localTime(consent.atMs));
  if (consent.kind === "digest") {
    const { digest, isIsolated, tag } = consent;
    return {
      label: tag,
      description: when,
      detail: isIsolated ? t("code of digest {0}, kept apart", digest) : t("code of digest {0}", digest),
      value: consent,
    };
  }
  const { name, workspace } = consent;
  const where = workspace === "" ? t("a window without a folder") : workspace;
  return {
    label: name,
    description: when,
    detail: t("whatever is saved here under this name from {0}", where),
    value: consent,
  };
}
