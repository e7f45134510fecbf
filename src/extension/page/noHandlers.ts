import type { Handlers } from "../../../webview/protocol/hostPeer";
import { requestSchemas } from "../../../webview/protocol/schemas";
import { ModelbenchError } from "../../base/errors";

/** Refuses every request: what a page answers with for everything that is not its business. */
export const noHandlers = Object.fromEntries(Object.keys(requestSchemas).map((name) => [name, refuse])) as {
  readonly [K in keyof Handlers]: () => Promise<never>;
};

async function refuse(): Promise<never> {
  throw new ModelbenchError("protocol.invalid", "This page cannot do that.");
}
