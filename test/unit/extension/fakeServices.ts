import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { Emitter } from "../../../src/base/events";
import { silentLog } from "../../../src/base/log";
import type { JobKey, JobOptions, Jobs } from "../../../src/base/ports";
import { Catalog } from "../../../src/extension/catalog";
import type { ProjectCode } from "../../../src/extension/projectCode";
import type { RunningModel } from "../../../src/extension/runningModel";
import type {
  ComparedSelection,
  ComparedThing,
  ModelRef,
  PickItem,
  ReviewItem,
  SaveFormInitial,
  SaveFormValues,
  Services,
  Ui,
} from "../../../src/extension/services";
import { runRefusal } from "../../../src/extension/trust";
import { inProcessJobs } from "../../../src/jobs/inProcess";
import { ModelStore } from "../../../src/store/modelStore";
import type { EngineView } from "../../../webview/protocol/views";
import { fakeProject } from "./fakeProject";
import { fakeConsents, fakePython } from "./fakePython";
import { noWatch, t } from "./fakes";

/** What a fake user did and saw, line by line. */
export interface Transcript {
  readonly lines: string[];
}

/** Answers of the fake user; what is left out is dismissed. */
export interface Answers {
  readonly pick?: (title: string, labels: readonly string[]) => string | undefined;
  readonly pickMany?: (title: string, labels: readonly string[]) => readonly string[] | undefined;
  /** Lines to tick by their label, after pressing what is to be pressed; `accept` takes the list as it stands. */
  readonly review?: "accept" | ((labels: readonly string[], press: Press) => readonly string[] | undefined);
  /** The texts typed into one input box after another until one is accepted; nothing typed takes what is there. */
  readonly input?: (title: string, value: string) => readonly string[] | undefined;
  readonly confirm?: boolean;
  readonly presses?: boolean;
  /** Whether the code of a model may run; left out = yes. */
  readonly allows?: boolean;
  /** Label of the action to choose where a modal question has several. */
  readonly decides?: string;
  /** Label of the button to press where a notification has several. */
  readonly offered?: string;
  readonly files?: readonly string[];
  readonly folder?: string;
  readonly target?: string;
  readonly loaded?: readonly RunningModel[];
  /** How the model in question may be loaded. */
  readonly engine?: EngineView;
  /** What is selected in the view of loaded models. */
  readonly selected?: readonly ModelRef[];
  /** The user's own code, as far as there is any. */
  readonly project?: Partial<ProjectCode>;
  readonly form?: (initial: SaveFormInitial) => SaveFormValues | undefined;
  /** Results of jobs by name; a function may throw. Others are really done. */
  readonly jobs?: Readonly<Record<string, (input: never, options: JobOptions) => unknown>>;
}

/** Presses a button beside the line with this label. */
type Press = (label: string, button: string) => void;

/** `[x] label (description) {reason}`; a line that cannot be chosen has `-`. */
function reviewLine({ label, description, detail, disabled, picked }: ReviewItem<unknown>): string {
  const about = description === undefined ? "" : ` (${description})`;
  return `[${disabled ? "-" : picked ? "x" : " "}] ${label}${about}${detail === undefined ? "" : ` {${detail}}`}`;
}

/** A user who answers as told and notes everything shown. */
export function fakeUi(answers: Answers, { lines }: Transcript): Ui {
  const choose = <T>(items: readonly PickItem<T>[], label: string | undefined) =>
    items.find((item) => item.label === label)?.value;
  return {
    async pick(title, items) {
      const labels = items.map((item) => item.label);
      lines.push(`pick: ${title} [${labels.join(", ")}]`);
      return choose(items, answers.pick?.(title, labels));
    },
    async pickMany(title, items) {
      const labels = items.map((item) => item.label);
      lines.push(`pickMany: ${title} [${labels.join(", ")}]`);
      const chosen = answers.pickMany?.(title, labels);
      return chosen && items.filter((item) => chosen.includes(item.label)).map((item) => item.value);
    },
    async review({ title, items, press }) {
      const ticked = items().flatMap(({ disabled, picked, value }) => (picked && !disabled ? [value] : []));
      lines.push(`review: ${title(ticked)}`, ...items().map(reviewLine));
      if (answers.review === "accept") return ticked;
      const pressAt: Press = (label, button) => {
        const value = items().find((item) => item.label === label)?.value;
        if (value !== undefined) press?.(value, button);
        lines.push(
          ...items()
            .filter((item) => item.label === label)
            .map(reviewLine),
        );
      };
      const labels = items().map(({ label }) => label);
      const chosen = answers.review?.(labels, pressAt);
      return (
        chosen && items().flatMap(({ label, disabled, value }) => (chosen.includes(label) && !disabled ? [value] : []))
      );
    },
    async input({ title, value, check }) {
      lines.push(`input: ${title} [${value}]`);
      const typed = answers.input?.(title, value);
      for (const text of typed?.length === 0 ? [value] : (typed ?? [])) {
        const finding = check(text);
        if (finding === undefined) return text;
        lines.push(`finding: ${finding}`);
      }
      return undefined;
    },
    async inputLive({ title, value, check, onType }) {
      lines.push(`inputLive: ${title} [${value}]`);
      const typed = answers.input?.(title, value) ?? [];
      for (const text of typed) {
        const finding = check(text);
        if (finding === undefined) onType(text);
        else lines.push(`finding: ${finding}`);
      }
      return [...typed].reverse().find((text) => check(text) === undefined);
    },
    async confirm(message, action, detail) {
      lines.push(`confirm: ${message} [${action}] ${detail?.replaceAll("\n", " | ") ?? ""}`);
      return answers.confirm ?? false;
    },
    async decide(message, detail, actions) {
      lines.push(`decide: ${message} [${actions.join(", ")}] ${detail.replaceAll("\n", " | ")}`);
      return actions.find((action) => action === answers.decides);
    },
    async inform(message, action) {
      lines.push(`inform: ${message}${action === undefined ? "" : ` [${action}]`}`);
      return answers.presses ?? false;
    },
    async offer(message, actions) {
      lines.push(`offer: ${message} [${actions.join(", ")}]`);
      return actions.find((action) => action === answers.offered);
    },
    showFailure: (message, remedy) => void lines.push(`failure: ${message}${remedy === undefined ? "" : ` ${remedy}`}`),
    async progress(title, work) {
      lines.push(`progress: ${title}`);
      return work(new AbortController().signal, () => undefined);
    },
    pickFiles: async () => answers.files,
    async pickTarget({ folder, fileName }) {
      // What is no name would be joined to the workspace's folder.
      assert.equal(fileName, basename(fileName));
      lines.push(`target: ${folder === undefined ? fileName : join(folder, fileName)}`);
      return answers.target;
    },
    async pickFolder({ title }) {
      lines.push(`folder: ${title}`);
      return answers.folder;
    },
    copy: async (text) => void lines.push(`copy: ${text.replaceAll("\n", " | ")}`),
    openWith: async (path, editor) => void lines.push(`openWith: ${path} ${editor}`),
    openText: async (path) => void lines.push(`openText: ${path}`),
    canRevealInOs: true,
    revealInOs: async (path) => void lines.push(`revealInOs: ${path}`),
    showLog: () => void lines.push("showLog"),
  };
}

class FakeSelection implements ComparedSelection {
  selected: ComparedThing | undefined;

  async select(thing: ComparedThing): Promise<void> {
    this.selected = thing;
  }
}

function comparedName(thing: ComparedThing): string {
  return "path" in thing ? thing.path : thing.tag;
}

function fakeJobs(answers: Answers, { lines }: Transcript): Jobs {
  return {
    async run<Input, Result>(job: JobKey<Input, Result>, input: Input, options: JobOptions = {}): Promise<Result> {
      const answer = answers.jobs?.[job.name];
      if (!answer) return inProcessJobs().run(job, input, options);
      lines.push(`job: ${job.name}`);
      return (await answer(input as never, options)) as Result;
    },
  };
}

/** Services over a real store at `home`, with a fake user, and the transcript of what they did. */
export function services(home: string, answers: Answers = {}, parts: Partial<Services> = {}) {
  const transcript: Transcript = { lines: [] };
  const { lines } = transcript;
  const own = new ModelStore(home);
  const catalog = new Catalog(inProcessJobs(), noWatch);
  catalog.follow([{ id: "own", store: own }]);
  const closed = async () => {};
  const made: Services = {
    stores: {
      all: [{ id: "own", kind: "own", label: "My Store", store: own }],
      own,
      sample: undefined,
      of: () => own,
      onDidChange: new Emitter<void>().event,
      openSample: async () => own,
      closeSample: closed,
    },
    storeSettings: {
      recent: [],
      isChosen: false,
      choose: async (home) => void lines.push(`choose store: ${home ?? "none"}`),
      async add(home) {
        lines.push(`add store: ${home}`);
        return home !== own.home;
      },
      remove: async (home) => void lines.push(`remove store: ${home}`),
    },
    catalog,
    jobs: fakeJobs(answers, transcript),
    trust: {
      isTrusted: true,
      onDidGrant: new Emitter<void>().event,
      refusal: (module, origin) => runRefusal(t, module, true, origin),
    },
    settings: () => ({
      maxBatchSize: 32,
      maxLoaded: 2,
      idleUnloadMinutes: 10,
      trashDays: 7,
      importLimits: {},
      sortBy: "created",
      groupBy: "name",
      python: { interpreter: "", paths: [], preload: [] },
    }),
    consents: fakeConsents(),
    python: fakePython(),
    project: fakeProject(lines, answers.project),
    ui: fakeUi(answers, transcript),
    tree: {
      selection: [],
      show: async () => void lines.push("show models"),
      reveal: async ({ tag }) => void lines.push(`reveal: ${tag}`),
      revealStore: async (store) => void lines.push(`revealStore: ${store}`),
      sortBy: async (order) => void lines.push(`sortBy: ${order}`),
      groupBy: async (groups) => void lines.push(`groupBy: ${groups}`),
      filter: "",
      recentFilters: [],
      filterBy: (text, keep) => void lines.push(`filterBy: ${text}${keep ? " (kept)" : ""}`),
      pinsChanged: () => void lines.push("pinsChanged"),
      below: () => [],
      showMore: () => void lines.push("showMore"),
    },
    pages: {
      openDetails: async ({ tag }, { edit, section } = {}) => {
        const at = edit ?? section;
        lines.push(`details: ${tag}${at === undefined ? "" : ` (${at})`}`);
      },
      openTest: async ({ tag }) => void lines.push(`test: ${tag}`),
      async openSaveForm(initial) {
        lines.push(`form: ${initial.values.name}`);
        return answers.form?.(initial);
      },
      openComparison: async (a, b) => void lines.push(`compare: ${comparedName(a)} with ${comparedName(b)}`),
      loaded: async () => answers.loaded ?? [],
      onDidChangeLoaded: new Emitter<void>().event,
      async allow({ tag }) {
        if (answers.allows === false) lines.push(`not allowed: ${tag}`);
        return answers.allows ?? true;
      },
      load: async ({ tag }) => void lines.push(`load: ${tag}`),
      engine: async () => answers.engine ?? { device: "cpu", devices: [], settings: [], fallbacks: [], loaded: [] },
      chooseDevice: async ({ tag }, device) => void lines.push(`chooseDevice: ${tag} ${device}`),
      restart: async ({ tag }) => void lines.push(`restart: ${tag}`),
      refresh: async () => void lines.push("refresh pages"),
      unload: async (refs) => void lines.push(`unload: ${refs.map(({ tag }) => tag).join(", ")}`),
    },
    loaded: {
      selection: answers.selected ?? [],
      reveal: async ({ tag }) => void lines.push(`reveal loaded: ${tag}`),
    },
    compared: new FakeSelection(),
    changes: { show: async () => void lines.push("show change") },
    netron: { isThere: () => true, open: async (path) => void lines.push(`netron: ${path}`) },
    log: silentLog,
    t,
    ...parts,
  };
  return { services: made, lines };
}
