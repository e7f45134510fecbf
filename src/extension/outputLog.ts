import type { LogOutputChannel } from "vscode";
import type { Log } from "../base/log";

/** The log in the Output view; failures go there with their stack and what caused them. */
export function outputLog(channel: LogOutputChannel): Log {
  return {
    debug: (message) => channel.debug(message),
    info: (message) => channel.info(message),
    warn: (message) => channel.warn(message),
    error: (message, error) => channel.error(message, ...(error === undefined ? [] : [detailOf(error)])),
  };
}

function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\nCaused by: ${detailOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
