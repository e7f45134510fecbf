import { signal } from "@preact/signals";
import type { PageCommand } from "../protocol/pageCommand";
import { type EventListeners, PagePeer } from "../protocol/pagePeer";
import { FILE_STATE, readSavedState, type Section, STATE_SCHEMA, sectionOf } from "../protocol/savedState";
import type { EditPart, ErrorView, ModelView, Subject } from "../protocol/views";
import { CompareState } from "./compareState";
import { ContentState } from "./contentState";
import { EditState, failureOf } from "./editState";
import { FileState } from "./fileState";
import { firstSection } from "./firstSection";
import { GraphState } from "./graph/graphState";
import { ObjectsState } from "./objectsState";
import { TensorsState } from "./tensors/tensorsState";
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
  readonly edit: EditState;
  readonly objects: ObjectsState;
  readonly content: ContentState;
  readonly tensors: TensorsState;
  readonly graph: GraphState;
  readonly compare: CompareState;
  readonly file: FileState;
  readonly peer: PagePeer;
  readonly #api: VsCodeApi;
  /** Of a file the first tab is known only once it was read. */
  #isUndecided = false;
  /** How often the model was asked for, and the latest of these that was answered. */
  #asked = 0;
  #answered = 0;

  constructor(api: VsCodeApi) {
    this.#api = api;
    const port = {
      post: api.postMessage.bind(api),
      dropState: () => api.setState(undefined),
    };
    this.peer = new PagePeer(port, this.#listeners());
    this.test = new TestState(this.peer);
    this.objects = new ObjectsState(this.peer);
    this.content = new ContentState(this.peer, () => {
      this.#decide();
      this.tensors.renew();
      this.graph.renew();
    });
    this.tensors = new TensorsState(this.peer, {
      total: () => (this.content.summary.value.state === "ready" ? this.content.summary.value.value.tensorCount : 0),
      changed: () => this.#save(),
    });
    this.graph = new GraphState(this.peer, () => this.#save());
    this.compare = new CompareState(this.peer);
    this.file = new FileState(this.peer);
    this.edit = new EditState(this.peer, {
      model: () => (this.model.value.state === "ready" ? this.model.value.value : undefined),
      changed: () => this.#save(),
      reload: () => this.reload(),
    });
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
    this.#isUndecided = false;
    this.#save();
  }

  /** Reads the model again. */
  async reload(): Promise<void> {
    const subject = this.subject.value;
    if (subject?.kind !== "details") return;
    this.#asked += 1;
    const asked = this.#asked;
    const next = await this.peer.request("model/inspect", { tag: subject.tag }).then(
      (value): Loadable<ModelView> => ({ state: "ready", value }),
      (error): Loadable<ModelView> => ({ state: "failed", error: failureOf(error) }),
    );
    // What was asked for earlier may come later, and is older.
    if (this.subject.value !== subject || asked < this.#answered) return;
    this.#answered = asked;
    this.model.value = next;
    this.edit.follow();
  }

  /** Has the extension run a command for the model. */
  command(command: PageCommand): void {
    const subject = this.subject.value;
    if (subject?.kind !== "details") return;
    // What it asks and how it fails meets the user outside the page.
    this.peer.request("model/command", { tag: subject.tag, command }).catch(() => undefined);
  }

  #listeners(): EventListeners {
    return {
      "page/init": ({ subject, strings, locale, section, edit }) => {
        this.translate.value = translator(strings);
        this.locale.value = locale;
        document.documentElement.lang = locale;
        void this.#open(subject, section, edit);
      },
      "page/subject": ({ subject, section, edit }) => void this.#open(subject, section, edit),
      "model/changed": ({ tag }) => {
        const subject = this.subject.value;
        if (!subject || !("tag" in subject) || subject.tag !== tag) return;
        this.objects.reset();
        void this.reload();
        if (subject.kind === "details") void this.content.load();
      },
      "content/changed": () => void this.content.load(),
      "file/changed": () => void this.file.reload(),
      "content/progress": (progress) => {
        this.content.progress.value = progress;
      },
      "compare/progress": (progress) => {
        this.compare.progress.value = progress;
      },
      "test/state": (view) => this.test.receive(view),
      "test/drafts": (state) => this.test.receiveDrafts(state),
    };
  }

  async #open(subject: Subject, section: string, part: EditPart | null): Promise<void> {
    const saved = readSavedState(this.#api.getState());
    const key = keyOf(subject);
    const shown = keyOf(this.subject.value);
    const isSame = key !== undefined && shown?.tag === key.tag && shown.store === key.store;
    this.subject.value = subject;
    this.test.close();
    if (subject.kind === "compare") void this.compare.run();
    if (!key) return;
    const isSaved = saved?.tag === key.tag && saved.store === key.store;
    this.section.value = section === "" && isSaved ? saved.section : sectionOf(section);
    this.#isUndecided = subject.kind === "file" && section === "" && !isSaved;
    // What is shown of the very model stays until it has been read again.
    if (!isSame) {
      this.model.value = { state: "loading" };
      this.objects.reset();
      this.content.reset();
      this.tensors.reset(isSaved ? (saved.tensors ?? undefined) : undefined);
      this.graph.reset(isSaved ? (saved.graph ?? undefined) : undefined);
      this.file.reset();
    }
    if (subject.kind === "file") {
      void this.file.reload();
      void this.content.load();
      return;
    }
    if (!("tag" in subject)) return;
    this.edit.restore(isSaved ? (saved.edit ?? undefined) : undefined);
    void this.test.open(subject.tag);
    await this.reload();
    if (this.subject.value === subject && subject.kind === "details") void this.content.load();
    if (part !== null && this.subject.value === subject) this.edit.open(part);
  }

  #decide(): void {
    const summary = this.content.summary.value;
    if (!this.#isUndecided || summary.state !== "ready" || summary.value.broken) return;
    this.section.value = firstSection(summary.value);
    this.#isUndecided = false;
  }

  #save(): void {
    const key = keyOf(this.subject.value);
    if (!key) return;
    const { store, tag } = key;
    this.#api.setState({
      schema: STATE_SCHEMA,
      store,
      tag,
      section: this.section.value,
      edit: this.edit.input.value ?? null,
      tensors: this.tensors.saved,
      graph: this.graph.saved,
    });
  }
}

/** What saved state belongs to: a version of a store, or a file. */
function keyOf(subject: Subject | undefined): { readonly store: string; readonly tag: string } | undefined {
  if (subject?.kind === "file") return { store: FILE_STATE, tag: subject.name };
  return subject && "tag" in subject ? subject : undefined;
}
