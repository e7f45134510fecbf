import type { ErrorView } from "../../../webview/protocol/views";
import { ModelbenchError, toWireError } from "../../base/errors";
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

/** The same as a failure: outside the page nothing else says which model is refused. */
export function refusalError(refusal: RunRefusal, tag: string): ModelbenchError {
  const { code, message, remedy } = refusalView(refusal, tag);
  const words = code === "run.unsupported" ? message : `${tag}: ${message}`;
  return new ModelbenchError(refusal.code, words, { remedy: remedy ?? undefined });
}
