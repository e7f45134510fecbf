import type { Uri, Webview } from "vscode";
import type { ModelRef, PageServices } from "../services";
import { modelHandlers, noSaveHandlers } from "./modelHandlers";
import type { PageModels } from "./models";
import { runPageCommand } from "./pageCommand";
import { type PageStart, WebviewPage } from "./webviewPage";

/** What the pages of models share. */
export interface ModelPages {
  readonly services: Pick<PageServices, "ui" | "t">;
  readonly models: PageModels;
  /** Where the extension is installed. */
  readonly extension: Uri;
}

/** Loads the page of a model: of a details editor, or of the test view, whose model may be another one later. */
export function openModelPage(
  webview: Webview,
  { services, models, extension }: ModelPages,
  ref: () => ModelRef | undefined,
  start: () => PageStart,
): WebviewPage {
  const page: WebviewPage = new WebviewPage(
    webview,
    extension,
    {
      ...modelHandlers({
        ref,
        models,
        ...services,
        command: runPageCommand,
        by: () => page,
        follow: (test) => page.follow(test),
      }),
      ...noSaveHandlers,
    },
    start,
  );
  return page;
}
