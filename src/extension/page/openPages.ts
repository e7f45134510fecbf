import { commands, type ExtensionContext, type WebviewPanel, type WebviewView, window, workspace } from "vscode";
import { readSavedState } from "../../../webview/protocol/savedState";
import type { EngineView } from "../../../webview/protocol/views";
import type { Event } from "../../base/events";
import { Scope } from "../../base/scope";
import { whyNotIsolated } from "../../runner/isolation";
import { openSession } from "../../runner/session";
import { parseTag } from "../../store/tag";
import type { CatalogChange } from "../catalog";
import { VIEWS } from "../ids";
import { localFolders, workspaceName } from "../python/openPython";
import type { PythonTestPort } from "../python/pythonTest";
import type { RunningModel } from "../runningModel";
import type {
  ComparedThing,
  DetailsOptions,
  ModelRef,
  PageServices,
  Pages,
  SaveFormInitial,
  SaveFormValues,
} from "../services";
import { Sessions } from "../sessions";
import { ComparePanels } from "./comparePanels";
import { DetailsPanels } from "./detailsPanel";
import { keyRef, PageModels, refKey } from "./models";
import { showSaveForm } from "./saveForm";
import { SessionsStatus } from "./sessionsStatus";
import { TestView } from "./testView";

/** What the pages need of the extension's context. */
export type PageContext = Pick<ExtensionContext, "asAbsolutePath" | "extensionUri" | "workspaceState">;

/** Everything behind the pages, built when the first of them is needed. */
export class OpenPages implements Pages {
  readonly #scope = new Scope();
  readonly #services: PageServices;
  readonly #context: PageContext;
  readonly #sessions: Sessions;
  readonly #models: PageModels;
  readonly #comparisons: ComparePanels;
  readonly #details: DetailsPanels;
  readonly #testView: TestView;

  constructor(services: PageServices, context: PageContext) {
    this.#services = services;
    this.#context = context;
    const { settings, log, t } = services;
    const entry = context.asAbsolutePath("dist/runner.cjs");
    this.#sessions = this.#scope.own(
      new Sessions({
        open: (request) => openSession(request, { entry, log }),
        maxLoaded: () => settings().maxLoaded,
        idleMs: () => settings().idleUnloadMinutes * 60_000,
      }),
    );
    this.#scope.own(new SessionsStatus(this.#sessions, t));
    const memory = context.workspaceState;
    const pythonTests = this.#pythonTests();
    const models = this.#scope.own(new PageModels({ ...services, pythonTests }, this.#sessions, memory));
    this.#models = models;
    const pages = { services, models, extension: context.extensionUri };
    this.#comparisons = this.#scope.own(new ComparePanels(services, context.extensionUri));
    this.#details = this.#scope.own(new DetailsPanels(pages));
    this.#testView = this.#scope.own(new TestView(pages, memory));
    this.#scope.own(
      models.onDidReplace((ref) => {
        this.#details.reopen(ref);
        this.#testView.reopen(ref);
      }),
    );
    this.#scope.own(
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("modelbench.runner")) this.#sessions.settingsChanged();
      }),
    );
    this.#scope.own(services.trust.onDidGrant(() => this.#refreshTests()));
    this.#scope.own(services.catalog.onDidChange((change) => void this.#followStore(models, change)));
  }

  async openDetails(ref: ModelRef, options: DetailsOptions = {}): Promise<void> {
    this.#details.open(ref, options);
  }

  async openComparison(a: ComparedThing, b: ComparedThing): Promise<void> {
    this.#comparisons.open(a, b);
  }

  async openTest(ref: ModelRef): Promise<void> {
    const editor = window.activeTextEditor;
    const isCode = editor !== undefined && editor.document.uri.scheme !== "output";
    if (!isCode) {
      this.#details.open(ref, { section: "test" });
      return;
    }
    this.#testView.show(ref);
    await commands.executeCommand(`${VIEWS.test}.focus`);
  }

  async openSaveForm(initial: SaveFormInitial): Promise<SaveFormValues | undefined> {
    return showSaveForm(initial, this.#services, this.#context.extensionUri);
  }

  async loaded(): Promise<readonly RunningModel[]> {
    return this.#sessions.listed.flatMap(({ key, state, busy, facts: { failure, ...facts }, unloadsAtMs }) => {
      const ref = keyRef(key);
      const why = failure && { message: failure.message, remedy: failure.remedy };
      return ref ? [{ ref, state, busy, ...facts, failure: why, unloadsAtMs }] : [];
    });
  }

  get onDidChangeLoaded(): Event<void> {
    return this.#sessions.onDidChange;
  }

  async allow(ref: ModelRef): Promise<boolean> {
    return (await this.#models.test(ref)).askToAllow();
  }

  async load(ref: ModelRef, signal?: AbortSignal): Promise<void> {
    await (await this.#models.test(ref)).load({ anew: false, signal });
  }

  async restart(ref: ModelRef, signal?: AbortSignal): Promise<void> {
    await (await this.#models.test(ref)).load({ anew: true, signal });
  }

  async engine(ref: ModelRef): Promise<EngineView> {
    return (await this.#models.test(ref)).view().engine;
  }

  async chooseDevice(ref: ModelRef, device: string): Promise<void> {
    const test = await this.#models.test(ref);
    const settings = test.view().engine.settings.map(({ value, word }) => [word, value]);
    await test.chooseEngine({ device, settings: Object.fromEntries(settings) });
  }

  async refresh(): Promise<void> {
    this.#details.modelsChanged();
  }

  async unload(refs: readonly ModelRef[]): Promise<void> {
    await Promise.all(refs.map((ref) => this.#sessions.unload(refKey(ref))));
  }

  /** Fills the bottom panel's view. */
  showTestView(view: WebviewView): void {
    this.#testView.attach(view);
  }

  /** Fills a details editor that was open when the window was closed; one that names no model is closed. */
  async restore(panel: WebviewPanel, state: unknown): Promise<void> {
    const saved = readSavedState(state);
    if (!saved) panel.dispose();
    else this.#details.adopt(panel, { store: saved.store, tag: saved.tag }, saved.section);
  }

  async dispose(): Promise<void> {
    await this.#scope.dispose();
  }

  #pythonTests(): PythonTestPort {
    const { consents, jobs, python, t, trust, ui } = this.#services;
    return {
      ...{ consents, jobs, python, t, trust, ui },
      worker: this.#context.asAbsolutePath("dist/python"),
      workspace: workspaceName,
      folders: localFolders,
      whyNotIsolated,
    };
  }

  #refreshTests(): void {
    this.#details.refreshTests();
    this.#testView.refreshTest();
  }

  /** A model that is gone loses its process; pages of the names that changed look again. */
  async #followStore(models: PageModels, { store, names }: CatalogChange): Promise<void> {
    const isConcerned = (ref: ModelRef): boolean =>
      ref.store === store && (names === "all" || names.includes(parseTag(ref.tag).name));
    const loaded = this.#sessions.listed.flatMap(({ key }) => keyRef(key) ?? []);
    const known = [...this.#details.refs, ...this.#testView.refs, ...loaded].filter(isConcerned);
    for (const ref of known) {
      if (this.#services.catalog.isGone(ref)) await models.forget(ref);
    }
    this.#details.modelsChanged(isConcerned);
    if (this.#testView.refs.some(isConcerned)) this.#testView.modelChanged();
  }
}
