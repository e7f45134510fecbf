import type { WebviewView } from "vscode";
import * as z from "zod/mini";
import type { Subject } from "../../../webview/protocol/views";
import type { Disposable } from "../../base/scope";
import type { ModelRef } from "../services";
import { type ModelPages, openModelPage } from "./modelPage";
import { refKey } from "./models";
import type { Memory } from "./testMemory";
import type { WebviewPage } from "./webviewPage";

/** Where the view's model outlives the window. */
const SUBJECT_KEY = "modelbench.testView";

const keptSchema = z.strictObject({ schema: z.literal(1), store: z.string(), tag: z.string() });

/** The test of one model in the bottom panel; it shows the model chosen last, also in the next window. */
export class TestView implements Disposable {
  readonly #pages: ModelPages;
  readonly #memory: Memory;
  #ref: ModelRef | undefined;
  #attached: { readonly view: WebviewView; readonly page: WebviewPage } | undefined;

  constructor(pages: ModelPages, memory: Memory) {
    this.#pages = pages;
    this.#memory = memory;
    const kept = keptSchema.safeParse(memory.get(SUBJECT_KEY));
    if (kept.success) this.#ref = { store: kept.data.store, tag: kept.data.tag };
  }

  /** The model it shows, if any. */
  get refs(): readonly ModelRef[] {
    return this.#ref ? [this.#ref] : [];
  }

  /** Shows a model, now or when the view is opened. */
  show(ref: ModelRef): void {
    this.#ref = { store: ref.store, tag: ref.tag };
    void this.#memory.update(SUBJECT_KEY, { schema: 1, ...this.#ref });
    this.#describe();
    this.#attached?.page.retarget();
  }

  /** Fills the view; VS Code hands over a new one each time it was closed. */
  attach(view: WebviewView): void {
    this.#attached?.page.dispose();
    const start = () => ({ subject: this.#subject(), section: "test", edit: null });
    const page = openModelPage(view.webview, this.#pages, () => this.#ref, start);
    const attached = { view, page };
    this.#attached = attached;
    this.#describe();
    view.onDidDispose(() => {
      page.dispose();
      if (this.#attached === attached) this.#attached = undefined;
    });
  }

  /** The test of a model is another one now: the page asks for it again if it shows that one. */
  reopen(ref: ModelRef): void {
    if (this.#ref && refKey(this.#ref) === refKey(ref)) this.#attached?.page.retarget();
  }

  /** The stores changed: the page looks again. */
  modelChanged(): void {
    if (this.#ref) this.#attached?.page.peer.send("model/changed", { tag: this.#ref.tag });
  }

  /** What decides whether the model may run changed. */
  refreshTest(): void {
    this.#attached?.page.refreshTest();
  }

  dispose(): void {
    this.#attached?.page.dispose();
    this.#attached = undefined;
  }

  #describe(): void {
    if (this.#attached && this.#ref) this.#attached.view.description = this.#ref.tag;
  }

  #subject(): Subject {
    return this.#ref ? { kind: "test", ...this.#ref } : { kind: "none" };
  }
}
