import type { ToHost } from "../protocol/messages";

/** What VS Code hands to a webview's script. */
export interface VsCodeApi {
  postMessage(message: ToHost): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare global {
  /** Answers once per loading of the page. */
  function acquireVsCodeApi(): VsCodeApi;
}
