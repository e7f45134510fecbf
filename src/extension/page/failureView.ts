import type { ErrorView } from "../../../webview/protocol/views";
import { toWireError } from "../../base/errors";
import type { RunRefusal } from "../services";

/** Any thrown value as the page shows it: code, words and remedy, never a stack. */
export function failureView(error: unknown): ErrorView {
  const { code, message, remedy = null, path = null } = toWireError(error);
  return { code, message, remedy, path };
}

/** Why a model may not run, as the page shows it: what this version cannot do is a remark that follows the tag. */
export function refusalView({ code, reason, remedy }: RunRefusal, tag: string): ErrorView {
  const message = code === "run.unsupported" ? `${tag} ${reason}.` : reason;
  return { code, message, remedy: remedy ?? null, path: null };
}
