import { signal } from "@preact/signals";
import { type EventListeners, PagePeer, RequestFailure } from "../protocol/pagePeer";
import { readSavedState, type Section, STATE_SCHEMA, sectionOf } from "../protocol/savedState";
import type { ErrorView, ModelView, Subject } from "../protocol/views";
import { TestState } from "./testState";
import { type Translate, translator } from "./texts";
import type { VsCodeApi } from "./vscodeApi";

/** Something that is read from the host. */
export type Loadable<T> =
  | { readonly state: "loading" }
  | { readonly state: "ready"; readonly value: T }
  | { readonly state: "failed"; readonly error: ErrorView };

/** Everything the page knows, as signals, and what it can ask for. Components read this and nothing else. */
export class PageState {
  readonly subject = signal<Subject | undefined>(undefined);
  readonly section = signal<Section>("overview");
  readonly model = signal<Loadable<ModelView>>({ state: "loading" });
  readonly locale = signal("en");
  readonly translate = signal<Translate>(translator({}));
  readonly test: TestState;
  readonly peer: PagePeer;
  readonly #api: VsCodeApi;

  constructor(api: VsCodeApi) {
    this.#api = api;
    const port = {
      post: api.postMessage.bind(api),
      dropState: () => api.setState(undefined),
    };
    this.peer = new PagePeer(port, this.#listeners());
    this.test = new TestState(this.peer);
  }

  /** Tells the host that the page listens; everything else follows from its answer. */
  start(): void {
    window.addEventListener("message", ({ data }) => this.peer.receive(data));
    // Going to another tab takes the focus away before it throws the page away.
    window.addEventListener("blur", () => this.test.flush());
    this.peer.ready();
  }

  /** Shows a tab and remembers it. */
  show(section: Section): void {
    this.section.value = section;
    this.#save();
  }

  /** Reads the model again. */
  async reload(): Promise<void> {
    const subject = this.subject.value;
    if (subject?.kind !== "details") return;
    try {
      const value = await this.peer.request("model/inspect", { tag: subject.tag });
      if (this.subject.value === subject) this.model.value = { state: "ready", value };
    } catch (error) {
      if (this.subject.value === subject) this.model.value = { state: "failed", error: failureOf(error) };
    }
  }

  #listeners(): EventListeners {
    return {
      "page/init": ({ subject, strings, locale, section }) => {
        this.translate.value = translator(strings);
        this.locale.value = locale;
        document.documentElement.lang = locale;
        this.#open(subject, section);
      },
      "page/subject": ({ subject, section }) => this.#open(subject, section),
      "model/changed": ({ tag }) => {
        const subject = this.subject.value;
        if (subject && "tag" in subject && subject.tag === tag) void this.reload();
      },
      "test/state": (view) => this.test.receive(view),
      "test/drafts": (state) => this.test.receiveDrafts(state),
    };
  }

  #open(subject: Subject, section: string): void {
    const saved = readSavedState(this.#api.getState());
    this.subject.value = subject;
    this.test.close();
    if (!("tag" in subject)) return;
    const isSame = saved?.tag === subject.tag && saved.store === subject.store;
    this.section.value = section === "" && isSame ? saved.section : sectionOf(section);
    this.model.value = { state: "loading" };
    this.#save();
    void this.reload();
    void this.test.open(subject.tag);
  }

  #save(): void {
    const subject = this.subject.value;
    if (!subject || !("tag" in subject)) return;
    const { store, tag } = subject;
    this.#api.setState({ schema: STATE_SCHEMA, store, tag, section: this.section.value });
  }
}

/** A failed request as the page shows it. */
function failureOf(error: unknown): ErrorView {
  if (error instanceof RequestFailure) return error.failure;
  return { code: "internal", message: String(error), remedy: null, path: null };
}
