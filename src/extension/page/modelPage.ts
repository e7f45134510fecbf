import type { Uri, Webview } from "vscode";
import type { ModelRef, PageServices } from "../services";
import { contentHandlers } from "./contentHandlers";
import { graphHandlers } from "./graphHandlers";
import { modelHandlers } from "./modelHandlers";
import type { PageModels } from "./models";
import { noHandlers } from "./noHandlers";
import { runPageCommand } from "./pageCommand";
import { type PageStart, WebviewPage } from "./webviewPage";

/** What the pages of models share. */
export interface ModelPages {
  readonly services: Pick<PageServices, "jobs" | "netron" | "ui" | "t">;
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
      ...noHandlers,
      ...contentHandlers({
        ref: () => models.contentOf(ref()),
        ...services,
        progress: (progress) => page.peer.send("content/progress", progress),
      }),
      ...graphHandlers({ ref: () => models.contentOf(ref()), ...services }),
      ...modelHandlers({
        ref,
        models,
        ...services,
        command: runPageCommand,
        by: () => page,
        follow: (test) => page.follow(test),
      }),
    },
    start,
  );
  return page;
}
