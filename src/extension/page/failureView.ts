import type { ErrorView } from "../../../webview/protocol/views";
import { toWireError } from "../../base/errors";
import type { RunRefusal } from "../services";

/** Any thrown value as the page shows it: code, words and remedy, never a stack. */
export function failureView(error: unknown): ErrorView {
  const { code, message, remedy = null, path = null } = toWireError(error);
  return { code, message, remedy, path };
}

/** Why a model may not run, as the page shows it. */
export function refusalView({ code, reason, remedy }: RunRefusal): ErrorView {
  return { code, message: reason, remedy: remedy ?? null, path: null };
}
