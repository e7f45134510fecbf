import { basename } from "node:path";
import { type Uri, ViewColumn, type WebviewPanel, window } from "vscode";
import type { Disposable } from "../../base/scope";
import type { ContentRef } from "../../frameworks/contentJobs";
import type { ComparedThing, PageServices } from "../services";
import { compareHandlers } from "./compareHandlers";
import { noHandlers } from "./noHandlers";
import { WebviewPage } from "./webviewPage";

/** The comparison's `viewType`; it is not restored with the window. */
const COMPARE_EDITOR = "modelbench.compare";

/** The editors of comparisons, one a pair. */
export class ComparePanels implements Disposable {
  readonly #services: Pick<PageServices, "jobs" | "stores" | "ui" | "t">;
  readonly #extension: Uri;
  readonly #open = new Map<string, WebviewPanel>();

  constructor(services: Pick<PageServices, "jobs" | "stores" | "ui" | "t">, extension: Uri) {
    this.#services = services;
    this.#extension = extension;
  }

  /** Opens the comparison of two versions or files, or brings it to the front. */
  open(a: ComparedThing, b: ComparedThing): void {
    const key = `${keyOf(a)}\n${keyOf(b)}`;
    const known = this.#open.get(key);
    if (known) {
      known.reveal();
      return;
    }
    const { t, jobs, ui } = this.#services;
    const names = { a: nameOf(a), b: nameOf(b) };
    const panel = window.createWebviewPanel(COMPARE_EDITOR, t("{0} ↔ {1}", names.a, names.b), ViewColumn.Active);
    const handlers = compareHandlers({
      refs: () => ({ a: this.#refOf(a), b: this.#refOf(b) }),
      jobs,
      ui,
      progress: (progress) => page.peer.send("compare/progress", progress),
    });
    const page: WebviewPage = new WebviewPage(panel.webview, this.#extension, { ...noHandlers, ...handlers }, () => ({
      subject: { kind: "compare", ...names },
      section: "",
      edit: null,
    }));
    this.#open.set(key, panel);
    panel.onDidDispose(() => {
      page.dispose();
      this.#open.delete(key);
    });
  }

  dispose(): void {
    for (const panel of [...this.#open.values()]) panel.dispose();
  }

  #refOf(thing: ComparedThing): ContentRef {
    if ("path" in thing) return { kind: "file", path: thing.path };
    return { kind: "model", home: this.#services.stores.of(thing).home, tag: thing.tag };
  }
}

function keyOf(thing: ComparedThing): string {
  return "path" in thing ? thing.path : `${thing.store}\0${thing.tag}`;
}

function nameOf(thing: ComparedThing): string {
  return "path" in thing ? basename(thing.path) : thing.tag;
}
