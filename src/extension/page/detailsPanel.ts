import { type Uri, ViewColumn, type WebviewPanel, window } from "vscode";
import type { Disposable } from "../../base/scope";
import { DETAILS_EDITOR } from "../ids";
import type { ModelRef, PageSection, PageServices } from "../services";
import { modelHandlers, noSaveHandlers } from "./modelHandlers";
import { type PageModels, refKey } from "./models";
import { WebviewPage } from "./webviewPage";

interface OpenPanel {
  readonly ref: ModelRef;
  readonly panel: WebviewPanel;
  readonly page: WebviewPage;
  section: string;
}

/** The details editors, one a model. Their page is thrown away while hidden; its state is kept here and by VS Code. */
export class DetailsPanels implements Disposable {
  readonly #services: Pick<PageServices, "ui" | "t">;
  readonly #models: PageModels;
  readonly #extension: Uri;
  readonly #open = new Map<string, OpenPanel>();

  constructor(services: Pick<PageServices, "ui" | "t">, models: PageModels, extension: Uri) {
    this.#services = services;
    this.#models = models;
    this.#extension = extension;
  }

  /** The models that have an editor now. */
  get refs(): readonly ModelRef[] {
    return [...this.#open.values()].map(({ ref }) => ref);
  }

  /** Opens the editor of a model, or brings it to the front. Without a section it stays on the one it shows. */
  open(ref: ModelRef, { section, beside = false }: { section?: PageSection; beside?: boolean }): void {
    const column = beside ? ViewColumn.Beside : ViewColumn.Active;
    const known = this.#open.get(refKey(ref));
    if (!known) {
      const panel = window.createWebviewPanel(DETAILS_EDITOR, ref.tag, column);
      this.adopt(panel, ref, section ?? "");
      return;
    }
    known.panel.reveal(beside ? ViewColumn.Beside : undefined);
    if (section === undefined) return;
    known.section = section;
    known.page.retarget();
  }

  /** Fills a panel with the editor of a model. */
  adopt(panel: WebviewPanel, ref: ModelRef, section: string): void {
    const key = refKey(ref);
    this.#open.get(key)?.panel.dispose();
    panel.title = ref.tag;
    const page: WebviewPage = new WebviewPage(
      panel.webview,
      this.#extension,
      {
        ...modelHandlers({
          ref: () => ref,
          models: this.#models,
          ...this.#services,
          by: () => page,
          follow: (test) => page.follow(test),
        }),
        ...noSaveHandlers,
      },
      () => this.#start(key),
    );
    const opened = { ref, panel, page, section };
    this.#open.set(key, opened);
    panel.onDidDispose(() => {
      page.dispose();
      if (this.#open.get(key) === opened) this.#open.delete(key);
    });
  }

  /** The stores changed: the open editors read their models again. */
  modelsChanged(): void {
    for (const { ref, page } of this.#open.values()) page.peer.send("model/changed", { tag: ref.tag });
  }

  /** What decides whether models may run changed. */
  refreshTests(): void {
    for (const { page } of this.#open.values()) page.refreshTest();
  }

  dispose(): void {
    for (const { page } of this.#open.values()) page.dispose();
    this.#open.clear();
  }

  /** The section asked for counts once; afterwards the page's own saved one does. */
  #start(key: string): ReturnType<ConstructorParameters<typeof WebviewPage>[3]> {
    const opened = this.#open.get(key);
    if (!opened) return { subject: { kind: "none" }, section: "" };
    const { ref, section } = opened;
    opened.section = "";
    return { subject: { kind: "details", store: ref.store, tag: ref.tag }, section };
  }
}
