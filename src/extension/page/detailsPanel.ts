import { ViewColumn, type WebviewPanel, window } from "vscode";
import type { Disposable } from "../../base/scope";
import { DETAILS_EDITOR } from "../ids";
import type { DetailsOptions, ModelRef, PageEdit } from "../services";
import { FolderWatch } from "./folderWatch";
import { type ModelPages, openModelPage } from "./modelPage";
import { refKey } from "./models";
import type { PageStart, WebviewPage } from "./webviewPage";

interface OpenPanel {
  readonly ref: ModelRef;
  readonly panel: WebviewPanel;
  readonly page: WebviewPage;
  section: string;
  edit: PageEdit | null;
  readonly watch: FolderWatch;
}

/** Where the form of a part is. */
const SECTION_OF = { labels: "overview", metadata: "overview", signatures: "signatures" } as const;

/** The details editors, one a model. Their page is thrown away while hidden; its state is kept here and by VS Code. */
export class DetailsPanels implements Disposable {
  readonly #pages: ModelPages;
  readonly #open = new Map<string, OpenPanel>();

  constructor(pages: ModelPages) {
    this.#pages = pages;
  }

  /** The models that have an editor now. */
  get refs(): readonly ModelRef[] {
    return [...this.#open.values()].map(({ ref }) => ref);
  }

  /** Opens the editor of a model, or brings it to the front. Without a section it stays on the one it shows. */
  open(ref: ModelRef, { section, beside = false, edit }: DetailsOptions): void {
    const column = beside ? ViewColumn.Beside : ViewColumn.Active;
    const wanted = section ?? (edit && SECTION_OF[edit]);
    const known = this.#open.get(refKey(ref));
    if (!known) {
      const panel = window.createWebviewPanel(DETAILS_EDITOR, ref.tag, column);
      this.adopt(panel, ref, wanted ?? "", edit ?? null);
      return;
    }
    known.panel.reveal(beside ? ViewColumn.Beside : undefined);
    if (wanted === undefined) return;
    known.section = wanted;
    known.edit = edit ?? null;
    known.page.retarget();
  }

  /** Fills a panel with the editor of a model. */
  adopt(panel: WebviewPanel, ref: ModelRef, section: string, edit: PageEdit | null = null): void {
    const key = refKey(ref);
    this.#open.get(key)?.panel.dispose();
    panel.title = ref.tag;
    const start = () => this.#start(key);
    const page = openModelPage(panel.webview, this.#pages, () => ref, start);
    const watch = this.#watch(ref, page);
    const opened: OpenPanel = { ref, panel, page, section, edit, watch };
    this.#open.set(key, opened);
    panel.onDidDispose(() => {
      page.dispose();
      watch.dispose();
      if (this.#open.get(key) === opened) this.#open.delete(key);
    });
  }

  /** The test of a model is another one now: its editor asks for it again. */
  reopen(ref: ModelRef): void {
    this.#open.get(refKey(ref))?.page.retarget();
  }

  /** The stores changed: the open editors of the models concerned read them again. */
  modelsChanged(isConcerned: (ref: ModelRef) => boolean = () => true): void {
    for (const { ref, page, watch } of this.#open.values()) {
      if (!isConcerned(ref)) continue;
      watch.renew();
      page.peer.send("model/changed", { tag: ref.tag });
    }
  }

  /** What decides whether models may run changed. */
  refreshTests(): void {
    for (const { page } of this.#open.values()) page.refreshTest();
  }

  dispose(): void {
    for (const { page, watch } of this.#open.values()) {
      page.dispose();
      watch.dispose();
    }
    this.#open.clear();
  }

  #watch(ref: ModelRef, page: WebviewPage): FolderWatch {
    const folder = (): string | undefined => {
      try {
        return this.#pages.models.folder(ref);
      } catch {
        // Its store is not open now.
        return undefined;
      }
    };
    return new FolderWatch(folder, () => {
      page.peer.send("model/changed", { tag: ref.tag });
      this.#pages.models.touched(ref);
    });
  }

  /** The section asked for counts once; afterwards the page's own saved one does. */
  #start(key: string): PageStart {
    const opened = this.#open.get(key);
    if (!opened) return { subject: { kind: "none" }, section: "", edit: null };
    const { edit, ref, section } = opened;
    opened.section = "";
    opened.edit = null;
    return { subject: { kind: "details", store: ref.store, tag: ref.tag }, section, edit };
  }
}
