import type { EngineView } from "../../webview/protocol/views";
import type { ErrorCode } from "../base/errors";
import type { Event } from "../base/events";
import type { Log } from "../base/log";
import type { JobProgress, Jobs } from "../base/ports";
import type { MethodSignature } from "../formats/tensor";
import type { SettableLimits } from "../store/archive/limits";
import type { ModelSignature } from "../store/model";
import type { ModelStore } from "../store/modelStore";
import type { Catalog } from "./catalog";
import type { Netron } from "./netron";
import type { ProjectCode } from "./projectCode";
import type { Consents } from "./python/consent";
import type { PythonSetup } from "./python/pythonSetup";
import type { LoadedView, RunningModel } from "./runningModel";
import type { TreeNode } from "./tree/treeModel";

/**
 * Which of the open stores a model belongs to: `own`, `sample` while that one is open, or `home:<absolute path>` for a
 * further home of the user.
 */
export type StoreId = string;

/** Names one version in one of the open stores. Tree nodes of versions are such references too. */
export interface ModelRef {
  readonly store: StoreId;
  /** `name:version`. */
  readonly tag: string;
}

/** A store as the extension host's thread may use it: nothing here parses a big file or reads many. */
export type HostStore = Pick<
  ModelStore,
  "folderMs" | "home" | "latestOf" | "listingCache" | "nameSlices" | "pathOf" | "versionSlices"
>;

/** One of the open stores, as the tree and the pickers name it. */
export interface OpenStore {
  readonly id: StoreId;
  readonly kind: "own" | "sample" | "home";
  /** What the user calls it; for display. */
  readonly label: string;
  /** Why the own store is where it is, for instance `from .env`; left out when nobody chose. */
  readonly from?: string;
  readonly store: HostStore;
}

/** The open stores. Opening and closing touches no file of the user's own store. */
export interface Stores {
  /** Every open store: the user's own first, then the further homes, the sample store last. */
  readonly all: readonly OpenStore[];
  /** The user's own store; another object after the setting changed. */
  readonly own: HostStore;
  /** The temporary copy of the sample store while it is open. */
  readonly sample: HostStore | undefined;
  /** @throws ModelbenchError `model.notFound` when no store of that id is open, or no longer */
  of(ref: { readonly store: StoreId }): HostStore;
  /** Fires when a store was opened, closed or moved. */
  readonly onDidChange: Event<void>;
  /** Copies the sample store to a temporary home, if that has not happened, and opens it. */
  openSample(): Promise<HostStore>;
  /** Closes the sample store; its copy and what was done in it stay until the next opening. */
  closeSample(): Promise<void>;
}

/** What may be compared: a version, or a file by its absolute path. */
export type ComparedThing = ModelRef | { readonly path: string };

/** What was selected for compare. */
export interface ComparedSelection {
  readonly selected: ComparedThing | undefined;
  /** Menus that compare with it are there from now on. */
  select(thing: ComparedThing): Promise<void>;
}

/** Model files that source control shows as changed. */
export interface ModelChanges {
  /**
   * Opens what is in a file before and after as a diff of text. @param change a row of Source Control, or a file's URI
   * @throws ModelbenchError `usage` for anything else, and where there is no git
   */
  show(change: unknown): Promise<void>;
}

/** Why a model may not run here; `code` decides how the page shows it. */
export interface RunRefusal {
  readonly code: Extract<ErrorCode, "run.unsupported" | "trust.required">;
  readonly reason: string;
  readonly remedy: string | undefined;
}

/** Where the settings say stores are; writing here opens and closes them. */
export interface StoreSettings {
  /** Homes that were the own store before, in any window, last first; absolute paths. */
  readonly recent: readonly string[];
  /** Whether the own store is the one that the settings name. */
  readonly isChosen: boolean;
  /**
   * Makes a folder the own store, of this workspace if one is open; `undefined` = what `bentoml` itself would use.
   * @throws ModelbenchError `trust.required` where the workspace's settings do not count
   */
  choose(home: string | undefined): Promise<void>;
  /** Opens a further home; `false` = that folder is open already. */
  add(home: string): Promise<boolean>;
  /** Closes a further home; its folder stays as it is. */
  remove(home: string): Promise<void>;
}

/** Workspace Trust as the commands and the page see it. */
export interface Trust {
  readonly isTrusted: boolean;
  /** Fires once, when the user trusts the workspace. */
  readonly onDidGrant: Event<void>;
  /** `undefined` when a model of this module and origin may run now; `file` is a file outside both stores. */
  refusal(module: string, origin: StoreId | "file"): RunRefusal | undefined;
}

/** The settings, read when asked, with defaults applied and bounds kept. */
export interface Settings {
  /** Most rows the runner puts into one batch. */
  readonly maxBatchSize: number;
  /** Most models loaded at once; the longest idle one is unloaded first. */
  readonly maxLoaded: number;
  /** Minutes after which an idle model is unloaded; 0 = never. */
  readonly idleUnloadMinutes: number;
  /** What an archive may hold to be imported. */
  readonly importLimits: Partial<SettableLimits>;
  /** Days after which what was deleted is gone for good. */
  readonly trashDays: number;
  readonly sortBy: SortBy;
  readonly groupBy: GroupBy;
  readonly python: PythonSettings;
}

/** How models run in the user's own Python; a workspace's own values count once it is trusted. */
export interface PythonSettings {
  /** Path or name of the interpreter; empty = the first that is found. */
  readonly interpreter: string;
  /** Folders that modules may be imported from, as they are written. */
  readonly paths: readonly string[];
  /** Modules that are imported before a model is loaded. */
  readonly preload: readonly string[];
}

/** Order of the models in the tree. */
export type SortBy = "created" | "name" | "size";

/** What the versions in the tree are put under; `none` = one flat list. */
export type GroupBy = "name" | "framework" | "none" | `label:${string}`;

/** The labels of versions by tag. */
export type Labels = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Translates a message; `{0}`, `{1}`, … are replaced by the arguments. */
export type Localize = (message: string, ...args: (string | number)[]) => string;

/** One line of a Quick Pick. */
export interface PickItem<T> {
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly picked?: boolean;
  readonly value: T;
}

/** A button beside a line of a list. */
export interface ItemButton {
  readonly id: string;
  /** Codicon id. */
  readonly icon: string;
  /** Says what pressing does; screen readers read it. */
  readonly tooltip: string;
}

/** One line of a list to look over before something is done. */
export interface ReviewItem<T> extends PickItem<T> {
  /** Codicon id, shown before the label. */
  readonly icon?: string;
  /** Shown with its reason, never chosen. */
  readonly disabled?: boolean;
  readonly buttons?: readonly ItemButton[];
}

/** A list of exactly what would be done, to tick or untick before it is done. */
export interface Review<T> {
  /** Says what is ticked now, for instance how many and how large. */
  title(chosen: readonly T[]): string;
  /** What Enter does. */
  readonly hint: string;
  /** Heads the lines that cannot be chosen. */
  readonly unavailable: string;
  /** Drawn again after every press. A value stands for the same line each time. */
  items(): readonly ReviewItem<T>[];
  /** A button beside a line was pressed. */
  press?(value: T, button: string): void;
}

/** A question answered by one line of text. */
export interface InputQuestion {
  readonly title: string;
  readonly prompt: string;
  readonly value: string;
  /** From where to where `value` is selected, so that typing replaces that part; all of it when left out. */
  readonly selection?: readonly [number, number];
  /** What is wrong with a text; `undefined` when it can be accepted. */
  check(value: string): string | undefined;
}

/** A question whose answer takes effect while it is typed. */
export interface LiveQuestion extends InputQuestion {
  readonly placeholder: string;
  /** Answers given before, offered behind a button. */
  readonly recent: readonly string[];
  /** Called with every text that passed its check, shortly after it was typed. */
  onType(value: string): void;
}

/** What a running operation tells its progress notification. */
export type Report = (progress: JobProgress) => void;

/** Everything a command may ask of the user or show to them. */
export interface Ui {
  /** One of the items; `undefined` when dismissed. */
  pick<T>(title: string, items: readonly PickItem<T>[]): Promise<T | undefined>;
  /** Some of the items; `undefined` when dismissed. */
  pickMany<T>(title: string, items: readonly PickItem<T>[]): Promise<readonly T[] | undefined>;
  /** The ticked lines of a list; `undefined` when dismissed. Lines that can be chosen start as `picked` says. */
  review<T>(review: Review<T>): Promise<readonly T[] | undefined>;
  /** A line of text that passed its check; `undefined` when dismissed. */
  input(question: InputQuestion): Promise<string | undefined>;
  /** A line of text that takes effect while it is typed; `undefined` when dismissed. */
  inputLive(question: LiveQuestion): Promise<string | undefined>;
  /** A modal question with one action; `false` when dismissed. */
  confirm(message: string, action: string, detail?: string): Promise<boolean>;
  /** A modal question whose default is to refuse; the action that was chosen, `undefined` for none of them. */
  decide<A extends string>(message: string, detail: string, actions: readonly A[]): Promise<A | undefined>;
  /** A notification with at most one button; `true` when it was pressed. */
  inform(message: string, action?: string): Promise<boolean>;
  /** A notification with several buttons; the one that was pressed. */
  offer<A extends string>(message: string, actions: readonly A[]): Promise<A | undefined>;
  /** A failure with its remedy and "Show Log". */
  showFailure(message: string, remedy: string | undefined): void;
  /** Runs work under a notification that shows bytes and can cancel. */
  progress<T>(title: string, work: (signal: AbortSignal, report: Report) => Promise<T>): Promise<T>;
  /** Absolute paths chosen in the open dialog; `undefined` when dismissed. */
  pickFiles(options: {
    readonly title: string;
    readonly action: string;
    readonly many: boolean;
    readonly filters: Readonly<Record<string, readonly string[]>>;
  }): Promise<readonly string[] | undefined>;
  /** Absolute path chosen in the save dialog, begun in `folder`, else the workspace's; `undefined` = dismissed. */
  pickTarget(options: {
    readonly title: string;
    readonly action: string;
    readonly folder?: string | undefined;
    readonly fileName: string;
    readonly filters: Readonly<Record<string, readonly string[]>>;
  }): Promise<string | undefined>;
  /** Absolute path of a folder; `undefined` when dismissed. */
  pickFolder(options: { readonly title: string; readonly action: string }): Promise<string | undefined>;
  copy(text: string): Promise<void>;
  /** Opens a file in one of our editors. @param editor its `viewType` */
  openWith(path: string, editor: string): Promise<void>;
  /** Opens a file as text, with the caret at a line and column counted from 1. */
  openText(path: string, at?: { readonly line: number; readonly column: number }): Promise<void>;
  /** Whether the system's file manager runs where the files are. */
  readonly canRevealInOs: boolean;
  revealInOs(path: string): Promise<void>;
  showLog(): void;
}

/** The models tree, as far as commands move it. */
export interface Tree {
  /** What is selected, in tree order. */
  readonly selection: readonly TreeNode[];
  /** Brings the view into sight, wherever the user has put it; the focus stays. */
  show(): Promise<void>;
  /** Shows and selects a version once the catalog knows it; quietly nothing when it never does. */
  reveal(ref: ModelRef): Promise<void>;
  /** Shows and expands the root of a store; nothing while the own store is alone and has no root. */
  revealStore(store: StoreId): Promise<void>;
  /** Changes the order and remembers it in the settings. */
  sortBy(order: SortBy): Promise<void>;
  /** Changes what versions are put under and remembers it in the settings. */
  groupBy(groups: GroupBy): Promise<void>;
  /** The filter in force as it was typed; empty = none. */
  readonly filter: string;
  /** The filters that were kept before, last first. */
  readonly recentFilters: readonly string[];
  /** Narrows the tree; remembers the filter for this workspace when it is to be kept. @throws ModelbenchError `usage` */
  filterBy(text: string, keep: boolean): void;
  /** Looks at the pins again. */
  pinsChanged(): void;
  /** The rows that are shown below a row: under a filter not all there are. */
  below(node: TreeNode): readonly TreeNode[];
  /** Draws more rows of a long list. @param below the row whose list it is; `undefined` = the top */
  showMore(below: TreeNode | undefined): void;
}

/** What the save form starts from. */
export interface SaveFormInitial {
  /** Absolute paths of the files that will be copied. */
  readonly files: readonly string[];
  /** The modules that fit the files; `values.module` is the one that is proposed. */
  readonly modules: readonly string[];
  /** What the form starts from when the files become a model of another module. @throws ModelbenchError */
  redraft(module: string): Promise<SaveFormInitial>;
  /** Inputs and outputs per method as read from the file, to show beside the rows. */
  readonly described: Readonly<Record<string, MethodSignature>>;
  readonly values: SaveFormValues;
  /** Answers with the reason when name and version cannot be used: grammar, or already in the store. */
  check(name: string, version: string | undefined): string | undefined;
}

/** What the user entered in the save form. */
export interface SaveFormValues {
  /** Module the model gets, for instance `bentoml.onnx`; empty = its files as they are. */
  readonly module: string;
  readonly name: string;
  /** `undefined` = generated. */
  readonly version: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Value of each key as JSON text, so that integers stay exact. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly signatures: Readonly<Record<string, ModelSignature>>;
}

/** The tabs of the details page. */
export type PageSection = "overview" | "signatures" | "tensors" | "pickle" | "graph" | "test";

/** What of a model's model.yaml the details page can edit. */
export type PageEdit = "labels" | "metadata" | "signatures";

/** How the details editor opens. */
export interface DetailsOptions {
  readonly section?: PageSection;
  readonly beside?: boolean;
  /** The part whose form is open and has the focus. */
  readonly edit?: PageEdit;
}

/** The webviews: details editor, test view, save form; and the models that were loaded from them. */
export interface Pages {
  /** Opens or focuses the details editor of a model. */
  openDetails(ref: ModelRef, options?: DetailsOptions): Promise<void>;
  /** Opens the test of a model: the panel when a code editor is active, else the details editor. */
  openTest(ref: ModelRef): Promise<void>;
  /** Opens the save form and answers when it is submitted; `undefined` when it was closed. */
  openSaveForm(initial: SaveFormInitial): Promise<SaveFormValues | undefined>;
  /** Opens the comparison of two versions or files, or brings it to the front. */
  openComparison(a: ComparedThing, b: ComparedThing): Promise<void>;
  /** Models that have a process now, and those whose process failed, last used first. */
  loaded(): Promise<readonly RunningModel[]>;
  /** Fires when that list, or what one of its models is doing, changed. */
  readonly onDidChangeLoaded: Event<void>;
  /** Asks whether a model's code may run, where it has any and nobody has allowed it; whether it may. */
  allow(ref: ModelRef): Promise<boolean>;
  /** Loads a model unless it is loaded. @throws ModelbenchError what keeps it from loading, `cancelled` */
  load(ref: ModelRef, signal?: AbortSignal): Promise<void>;
  /** The same with a process of its own anew: one that is there ends first. */
  restart(ref: ModelRef, signal?: AbortSignal): Promise<void>;
  /** How a model may be loaded, and how it is. @throws ModelbenchError when it cannot be read */
  engine(ref: ModelRef): Promise<EngineView>;
  /** Chooses the device of a model: a loaded one is loaded there by its next run. */
  chooseDevice(ref: ModelRef, device: string): Promise<void>;
  /** The open pages read their models again: something beside the model's own files changed. */
  refresh(): Promise<void>;
  /** Ends the processes of these models; a run under way is stopped. */
  unload(refs: readonly ModelRef[]): Promise<void>;
}

/** What the pages are built from: everything but themselves. */
export type PageServices = Omit<Services, "pages" | "loaded" | "changes">;

/** The parts every command is handed, put together by hand in `extension.ts`. */
export interface Services {
  readonly stores: Stores;
  readonly storeSettings: StoreSettings;
  /** The live listing of the open stores. */
  readonly catalog: Catalog;
  readonly jobs: Jobs;
  readonly trust: Trust;
  /** Which models' code may run here. */
  readonly consents: Consents;
  /** Which Python runs them. */
  readonly python: PythonSetup;
  readonly project: ProjectCode;
  /** Reads the settings as they are now. */
  readonly settings: () => Settings;
  readonly ui: Ui;
  readonly tree: Tree;
  readonly pages: Pages;
  readonly loaded: LoadedView;
  readonly compared: ComparedSelection;
  readonly changes: ModelChanges;
  readonly netron: Netron;
  readonly log: Log;
  readonly t: Localize;
}
