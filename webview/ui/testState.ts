import { batch, computed, signal } from "@preact/signals";
import { resizeCells } from "../protocol/drafts";
import type { HostRequests, RequestName } from "../protocol/messages";
import { cancelled, type PagePeer, RequestFailure } from "../protocol/pagePeer";
import type { Draft, DraftState, ErrorView, Issue, SpecView, TestView } from "../protocol/views";
import { withDim, withSource } from "./draftEdits";
import { formFindings } from "./formFindings";
import {
  type Argument,
  type Arguments,
  argumentsOf,
  type NameIssue,
  nameIssue,
  readShape,
  specOf,
  withArgument,
  withArgumentSource,
  withName,
  withoutArgument,
  withShape,
} from "./openArguments";

/** Quiet time after the last key before the host keeps and checks what was typed, in milliseconds. */
const SETTLE_MS = 200;

/** What is wrong with an argument itself, whatever its value. */
export type ArgumentFinding = NameIssue | "shape";

/** The test as this page shows it: the shared state from the host and the drafts being edited here. */
export class TestState {
  readonly view = signal<TestView | undefined>(undefined);
  readonly drafts = signal<DraftState | undefined>(undefined);
  /** What the host found wrong with the inputs. */
  readonly issues = signal<readonly Issue[]>([]);
  /** A request of this page that failed, for instance a run that was refused. */
  readonly failure = signal<ErrorView | undefined>(undefined);
  /** Number of requests that Send sends. */
  readonly copies = signal(8);
  /** How several replies are shown. */
  readonly repliesView = signal<"picture" | "table">("picture");
  /** Counts runs that were held back because of issues, so that the summary can take the focus. */
  readonly heldBack = signal(0);
  /** The last of these that took the focus; a summary that is drawn anew goes on from there. */
  heldBackSeen = 0;
  /** Counts runs that something has to be done before, so that it can take the focus. */
  readonly blockedRuns = signal(0);
  /** The last of these that was seen. */
  blockedRunsSeen = 0;

  /** The chosen method. */
  readonly method = computed(() => this.view.value?.methods.find(({ name }) => name === this.drafts.value?.method));
  /** Whether a run is under way. */
  readonly isBusy = computed(() => this.view.value?.phase === "loading" || this.view.value?.phase === "running");
  /** The arguments of a method that declares none; empty for every other method. */
  readonly args = signal<readonly Argument[]>([]);
  /** What goes into the chosen method: declared, or as the arguments stand. */
  readonly inputs = computed((): readonly SpecView[] => {
    const method = this.method.value;
    if (!method?.isOpen) return method?.inputs ?? [];
    const drafts = this.drafts.value?.drafts ?? {};
    return this.args.value.flatMap(({ key }) => (drafts[key] ? [specOf(key, drafts[key])] : []));
  });
  /** Findings of the forms on this page, by input; they need no answer from the host. */
  readonly formFindings = computed(() => formFindings(this.inputs.value, this.drafts.value));
  /** What is wrong with the names and shapes of arguments, by their ids. */
  readonly argumentFindings = computed(() => {
    const found = new Map<number, ArgumentFinding>();
    for (const one of this.args.value) {
      const isGenerated = this.drafts.value?.drafts[one.key]?.source === "generate";
      const kind = nameIssue(this.args.value, one) ?? (isGenerated && !readShape(one.shape) ? "shape" : undefined);
      if (kind) found.set(one.id, kind);
    }
    return found;
  });
  /** Inputs that cannot be sent as they are. */
  readonly troubled = computed(() => {
    const names = new Set(this.issues.value.map(({ input }) => input));
    for (const name of Object.keys(this.formFindings.value)) names.add(name);
    return names;
  });
  /** What has to be done before anything can run: allowing the model's code, choosing a Python. */
  readonly blocked = computed((): "consent" | "python" | undefined => {
    const view = this.view.value;
    if (view?.python && view.python.interpreter === null) return "python";
    return view?.consent?.state === "needed" ? "consent" : undefined;
  });

  readonly #peer: PagePeer;
  #tag = "";
  /** Counts the models that were opened and closed. */
  #opened = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #check: AbortController | undefined;

  constructor(peer: PagePeer) {
    this.#peer = peer;
  }

  /** Asks for the test of a model: its state, and the drafts that the host keeps. */
  async open(tag: string): Promise<void> {
    this.close();
    this.#tag = tag;
    await this.#ask(async () => {
      const { test, drafts } = await this.#request("test/snapshot", { tag });
      batch(() => {
        this.view.value = test;
        this.#adopt(drafts);
      });
    });
  }

  /** Forgets the model; the host is told what was typed last. */
  close(): void {
    const typed = this.#timer === undefined ? undefined : this.drafts.value;
    if (typed) this.#peer.request("test/draft", typed).catch(() => undefined);
    this.#settle();
    this.#tag = "";
    this.#opened += 1;
    batch(() => {
      this.view.value = undefined;
      this.drafts.value = undefined;
      this.args.value = [];
      this.issues.value = [];
      this.failure.value = undefined;
    });
  }

  /** Takes the shared state. */
  receive(view: TestView): void {
    if (view.tag === this.#tag) this.view.value = view;
  }

  /** Takes what another page of the model typed; what is being typed here wins. */
  receiveDrafts(state: DraftState): void {
    if (state.tag !== this.#tag || this.#timer !== undefined) return;
    this.#adopt(state, this.args.value);
  }

  /** Changes one input. */
  edit(input: string, patch: Partial<Draft>): void {
    this.#change((state) => {
      const draft = state.drafts[input];
      return draft ? { ...state, drafts: { ...state.drafts, [input]: { ...draft, ...patch } } } : state;
    });
  }

  /** Changes one axis of an input, and every axis of that symbol in the others. */
  setDim(input: string, axis: number, size: number): void {
    const specs = this.inputs.value;
    this.#change((state) => ({ ...state, drafts: withDim(specs, state.drafts, input, axis, size) }));
  }

  /** Replaces cells and dimensions of a form at once, for adding rows and pasting. */
  setCells(input: string, dims: readonly number[], cells: readonly string[]): void {
    this.edit(input, { dims: [...dims], cells: [...cells] });
  }

  /** Switches where the values come from, carrying them over where that is possible. */
  setSource(spec: SpecView, source: Draft["source"]): void {
    const draft = this.drafts.value?.drafts[spec.name];
    if (!draft) return;
    const next = this.method.value?.isOpen ? withArgumentSource(draft, source) : withSource(spec, draft, source);
    this.#setArgument(spec.name, { shape: next.dims.join(", ") });
    this.edit(spec.name, next);
  }

  /** Adds an argument and answers with its id. */
  addArgument(): number | undefined {
    const before = this.#arguments();
    if (!before) return undefined;
    const { id, ...next } = withArgument(before);
    this.#putArguments(next);
    return id;
  }

  /** Removes an argument. */
  removeArgument(id: number): void {
    const before = this.#arguments();
    if (before) this.#putArguments(withoutArgument(before, id));
  }

  /** Takes what was typed as an argument's position or name. */
  nameArgument(id: number, name: string): void {
    const before = this.#arguments();
    if (before) this.#putArguments(withName(before, id, name));
  }

  /** Takes what was typed as the shape of an argument's generated values. */
  shapeArgument(input: string, shape: string): void {
    this.#setArgument(input, { shape });
    const draft = this.drafts.value?.drafts[input];
    const dims = readShape(shape);
    if (draft && dims) this.edit(input, withShape(draft, dims));
  }

  /** Adds or removes rows of a form along its first axis. */
  resize(spec: SpecView, dims: readonly number[]): void {
    const draft = this.drafts.value?.drafts[spec.name];
    if (draft) this.setCells(spec.name, dims, resizeCells(spec.dtype, draft, dims));
  }

  /** Tells the host at once what was typed last, because the page may be gone in a moment. */
  flush(): void {
    if (this.#timer !== undefined) void this.#keepAndCheck();
  }

  /** Chooses a method; what was typed last for the other one is kept. */
  choose(method: string): Promise<void> {
    this.flush();
    return this.#replace("test/method", { tag: this.#tag, method });
  }

  /** Fills in the model's example. */
  useExample(): Promise<void> {
    return this.#replace("test/example", { tag: this.#tag, method: this.drafts.value?.method ?? "" });
  }

  /** Brings back the inputs of a past run. */
  reuse(id: string): Promise<void> {
    return this.#replace("test/reuse", { tag: this.#tag, id });
  }

  /** Lets the user pick a file for an input. */
  async pickFile(input: string): Promise<void> {
    await this.#ask(async () => {
      const file = await this.#request("test/pickFile", { tag: this.#tag, input });
      if (file) this.edit(input, { file, source: "file" });
    });
  }

  /** Sends what is entered, unless something is wrong with it or a run is under way. */
  async run(copies: number): Promise<void> {
    const state = this.drafts.value;
    if (!state || this.isBusy.value || this.view.value?.refusal) return;
    if (this.blocked.value) {
      this.blockedRuns.value += 1;
      return;
    }
    this.#settle();
    const isWrong = this.argumentFindings.value.size > 0 || Object.keys(this.formFindings.value).length > 0;
    if (isWrong) return this.#holdBack([]);
    const check = new AbortController();
    this.#check = check;
    await this.#ask(async () => {
      const { issues } = await this.#request("test/run", { state, copies });
      // Whoever has typed on is not interrupted, and what was typed is checked by itself.
      if (check.signal.aborted || this.#timer !== undefined) return;
      if (issues.length > 0) this.#holdBack(issues);
      else this.issues.value = [];
    });
  }

  /** Stops the run under way. */
  async stop(): Promise<void> {
    await this.#ask(() => this.#request("test/stop", { tag: this.#tag }));
  }

  /** Loads the model anew after its process ended. */
  async restart(): Promise<void> {
    await this.#ask(() => this.#request("test/restart", { tag: this.#tag }));
  }

  /** Has the user asked whether the model's code may run. */
  async allow(): Promise<void> {
    await this.#ask(() => this.#request("test/allow", { tag: this.#tag }));
  }

  /** Takes back what was allowed. */
  async revoke(): Promise<void> {
    await this.#ask(() => this.#request("test/revoke", { tag: this.#tag }));
  }

  /** Lets the user choose a Python. */
  async chooseInterpreter(): Promise<void> {
    await this.#ask(() => this.#request("test/interpreter", { tag: this.#tag }));
  }

  /** Chooses another device, or another value of one load setting. */
  async setEngine(patch: {
    readonly device?: string;
    readonly settings?: Readonly<Record<string, string>>;
  }): Promise<void> {
    const engine = this.view.value?.engine;
    if (!engine || this.isBusy.value) return;
    const known = Object.fromEntries(engine.settings.map(({ word, value }) => [word, value]));
    const { device = engine.device, settings = {} } = patch;
    await this.#ask(() =>
      this.#request("test/engine", { tag: this.#tag, device, settings: { ...known, ...settings } }),
    );
  }

  /** Forgets the past runs. */
  async clearHistory(): Promise<void> {
    await this.#ask(() => this.#request("test/clearHistory", { tag: this.#tag }));
  }

  #change(edit: (state: DraftState) => DraftState): void {
    const state = this.drafts.value;
    if (!state) return;
    this.drafts.value = edit(state);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#keepAndCheck(), SETTLE_MS);
  }

  /** Takes drafts as they came; of the arguments `before`, what is being typed stays. */
  #adopt(state: DraftState, before: readonly Argument[] = []): void {
    batch(() => {
      this.drafts.value = state;
      this.args.value = this.method.value?.isOpen ? argumentsOf(state.drafts, before) : [];
    });
  }

  #arguments(): Arguments | undefined {
    const drafts = this.drafts.value?.drafts;
    return drafts && this.method.value?.isOpen ? { args: this.args.value, drafts } : undefined;
  }

  #putArguments({ args, drafts }: Arguments): void {
    batch(() => {
      this.args.value = args;
      this.#change((state) => ({ ...state, drafts }));
    });
  }

  #setArgument(key: string, patch: Partial<Argument>): void {
    this.args.value = this.args.value.map((one) => (one.key === key ? { ...one, ...patch } : one));
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#check?.abort();
  }

  async #keepAndCheck(): Promise<void> {
    this.#settle();
    const state = this.drafts.value;
    if (!state) return;
    const check = new AbortController();
    this.#check = check;
    await this.#ask(async () => {
      await this.#request("test/draft", state);
      const { issues } = await this.#request("test/validate", state, check.signal);
      if (!check.signal.aborted) this.issues.value = issues;
    });
  }

  #holdBack(issues: readonly Issue[]): void {
    batch(() => {
      this.issues.value = issues;
      this.heldBack.value += 1;
    });
  }

  async #replace<K extends "test/method" | "test/example" | "test/reuse">(
    name: K,
    params: HostRequests[K][0],
  ): Promise<void> {
    this.#settle();
    await this.#ask(async () => {
      this.#adopt(await this.#request(name, params));
      this.issues.value = [];
    });
  }

  /** Asks the host; an answer that comes once another model is open is no answer. */
  #request<K extends RequestName>(
    name: K,
    params: HostRequests[K][0],
    signal?: AbortSignal,
  ): Promise<HostRequests[K][1]> {
    const opened = this.#opened;
    return this.#peer.request(name, params, signal).finally(() => {
      if (this.#opened !== opened) throw new RequestFailure(cancelled);
    });
  }

  /** Runs a request and shows its failure; a cancelled one is silent. */
  async #ask(work: () => Promise<unknown>): Promise<void> {
    try {
      this.failure.value = undefined;
      await work();
    } catch (error) {
      const failure = error instanceof RequestFailure ? error.failure : undefined;
      if (failure?.code === "cancelled") return;
      this.failure.value = failure ?? { code: "internal", message: String(error), remedy: null, path: null };
    }
  }
}
