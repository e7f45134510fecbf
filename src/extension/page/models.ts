import type { VersionsView } from "../../../webview/protocol/madeViews";
import type { EditInput, ModelView, VerifiedView } from "../../../webview/protocol/views";
import { ModelbenchError, type WireError } from "../../base/errors";
import { Emitter } from "../../base/events";
import type { Jobs } from "../../base/ports";
import type { Disposable } from "../../base/scope";
import { type BrokenFacts, brokenFactsJob } from "../../frameworks/brokenFacts";
import type { ContentRef } from "../../frameworks/contentJobs";
import { compareVersionsJob } from "../../frameworks/installedVersions";
import { describeModelJob, type ModelFacts } from "../../frameworks/modelFacts";
import { adapterFor } from "../../frameworks/registry";
import { methodOf } from "../../runner/inputCheck";
import { inputIssues } from "../../runner/inputs";
import type { LoadRequest } from "../../runner/protocol";
import { listBentosJob } from "../../store/bentos";
import { editModelJob } from "../../store/editModelJob";
import type { Tag } from "../../store/model";
import type { ModelStore } from "../../store/modelStore";
import { parseTag } from "../../store/tag";
import { refuseChanged } from "../../store/verify";
import { verifyModelJob } from "../../store/verifyJob";
import type { Catalog } from "../catalog";
import { OwnPythonTest } from "../python/ownPython";
import { PythonTest, type PythonTestPort } from "../python/pythonTest";
import type { Localize, ModelRef, Settings, Trust } from "../services";
import type { Sessions } from "../sessions";
import { engineView, isInOwnPython, withEngine } from "./engineChoice";
import { methodView } from "./methodView";
import { modelEdit } from "./modelEdit";
import { ModelTest, type Testable } from "./modelTest";
import { brokenView, modelView } from "./pageModel";
import type { Memory } from "./testMemory";

/** What the pages need of the extension to show and run models. */
export interface ModelServices {
  readonly stores: { of(ref: ModelRef): Pick<ModelStore, "home" | "pathOf"> };
  readonly catalog: Pick<Catalog, "find" | "recheck" | "touched">;
  readonly jobs: Jobs;
  readonly trust: Pick<Trust, "refusal">;
  readonly settings: () => Pick<Settings, "maxBatchSize">;
  /** What models that run in Python are run with. */
  readonly pythonTests: PythonTestPort;
  readonly t: Localize;
}

/** One model of one store as text: what sessions, tests and kept states are filed under. */
export function refKey({ store, tag }: ModelRef): string {
  return `${store}/${tag}`;
}

/** The model that `refKey` made the text of. */
export function keyRef(key: string): ModelRef | undefined {
  const end = key.lastIndexOf("/");
  return end > 0 ? { store: key.slice(0, end), tag: key.slice(end + 1) } : undefined;
}

/** What the open pages know about models, and the one test of each, shared by every page that shows it. */
export class PageModels implements Disposable {
  readonly #services: ModelServices;
  readonly #sessions: Sessions;
  readonly #memory: Memory;
  readonly #tests = new Map<string, { readonly home: string; readonly test: Promise<ModelTest> }>();
  readonly #replaced = new Emitter<ModelRef>();

  /** Fires when what was read of a model to run it is out of date: pages that show its test ask for it again. */
  readonly onDidReplace = this.#replaced.event;

  constructor(services: ModelServices, sessions: Sessions, memory: Memory) {
    this.#services = services;
    this.#sessions = sessions;
    this.#memory = memory;
  }

  /** Reads a model's headers in the jobs process; a model that cannot be read answers with what is known of it. */
  async inspect(ref: ModelRef, signal?: AbortSignal): Promise<ModelView> {
    const listed = this.#services.catalog.find(ref);
    try {
      const [facts, bentos] = await Promise.all([this.#facts(ref, signal), this.#bentos(ref, signal)]);
      return modelView(ref, facts, bentos, listed, await this.#versions(facts, signal));
    } catch (error) {
      if (error instanceof ModelbenchError && (error.code === "cancelled" || error.code === "model.notFound"))
        throw error;
      return brokenView(ref, this.folder(ref), await this.#brokenFacts(ref, signal), error);
    }
  }

  /** Writes what a form changed into model.yaml. A model that is loaded is loaded anew by its next run. */
  async edit(ref: ModelRef, input: EditInput): Promise<void> {
    const { catalog, jobs, stores } = this.#services;
    const { home } = stores.of(ref);
    await jobs.run(editModelJob, { home, tag: tagOf(ref), edit: modelEdit(input) });
    if (input.part === "signatures" || input.part === "partialKwargs") {
      await this.forget(ref);
      this.#replaced.fire(ref);
    }
    catalog.recheck();
  }

  /** Reads every file of a model and compares it with what was saved. */
  async verify(ref: ModelRef, signal?: AbortSignal): Promise<VerifiedView> {
    const { jobs, stores } = this.#services;
    const input = { home: stores.of(ref).home, tag: tagOf(ref), full: true };
    const { checked, problems } = await jobs.run(verifyModelJob, input, { signal });
    return { checked, problems: problems.map(({ kind, path, detail }) => ({ kind, path, detail })) };
  }

  /** The test of a model, opened when nobody has asked before. @throws ModelbenchError when it cannot be read */
  async test(ref: ModelRef): Promise<ModelTest> {
    const key = refKey(ref);
    const { home } = this.#services.stores.of(ref);
    const known = this.#tests.get(key);
    if (known?.home === home) return known.test;
    if (known) {
      // The store moved: under this tag another model was opened, and may still be loaded.
      await this.forget(ref);
      return this.test(ref);
    }
    const opening = this.#open(ref);
    this.#tests.set(key, { home, test: opening });
    opening.catch(() => {
      if (this.#tests.get(key)?.test === opening) this.#tests.delete(key);
    });
    return opening;
  }

  /** Somebody wrote into a version's folder: the listing is to notice, too. */
  touched({ store, tag }: ModelRef): void {
    this.#services.catalog.touched(store, parseTag(tag).name);
  }

  /** Absolute path of a version's folder, whether it is readable or not. */
  folder(ref: ModelRef): string {
    return this.#services.stores.of(ref).pathOf(tagOf(ref));
  }

  /** What the files of a model are asked for by. @throws ModelbenchError `protocol.invalid` for no model */
  contentOf(ref: ModelRef | undefined): ContentRef {
    if (!ref) throw new ModelbenchError("protocol.invalid", "This page shows no model.");
    return { kind: "model", home: this.#services.stores.of(ref).home, tag: ref.tag };
  }

  /** Forgets what was read of a model that is gone, and ends its process. */
  async forget(ref: ModelRef): Promise<void> {
    const key = refKey(ref);
    const known = this.#tests.get(key);
    this.#tests.delete(key);
    // A run that has only begun would open a process anew while the old one ends.
    known?.test.then((opened) => opened.stop()).catch(() => undefined);
    await this.#sessions.unload(key);
    await known?.test.then((opened) => opened.dispose()).catch(() => undefined);
  }

  /** Ends every test; the sessions belong to whoever opened them. */
  dispose(): void {
    this.#replaced.dispose();
    for (const { test } of this.#tests.values()) void test.then((opened) => opened.dispose()).catch(() => undefined);
    this.#tests.clear();
  }

  #facts(ref: ModelRef, signal?: AbortSignal): Promise<ModelFacts> {
    const { home } = this.#services.stores.of(ref);
    return this.#services.jobs.run(describeModelJob, { home, tag: ref.tag }, { signal });
  }

  /** Files whose size and times are as recorded are not read: this is before every load. */
  async #verify(ref: ModelRef, signal: AbortSignal): Promise<void> {
    const { home } = this.#services.stores.of(ref);
    const { name, version = "" } = parseTag(ref.tag);
    const input = { home, tag: { name, version }, full: false };
    const { problems } = await this.#services.jobs.run(verifyModelJob, input, { signal });
    refuseChanged(ref.tag, problems);
  }

  /** Nothing to compare with: in Restricted Mode, without Python, and for what Python neither made nor runs. */
  async #versions(
    { madeWith, module, provenance }: ModelFacts,
    signal?: AbortSignal,
  ): Promise<VersionsView | undefined> {
    const { jobs, pythonTests } = this.#services;
    if (madeWith.length === 0 || (provenance === undefined && !adapterFor(module)?.python)) return undefined;
    const ready = await pythonTests.python.find([], signal).catch(() => undefined);
    const interpreter = ready?.view.interpreter;
    if (!interpreter) return undefined;
    const rows = await jobs.run(compareVersionsJob, { saved: madeWith, interpreter }, { signal });
    return { interpreter, rows: [...rows] };
  }

  /** Who uses it is worth knowing, not worth failing for. */
  async #bentos(ref: ModelRef, signal?: AbortSignal): Promise<readonly string[]> {
    const { home } = this.#services.stores.of(ref);
    const users = await this.#services.jobs.run(listBentosJob, { home }, { signal }).catch(() => undefined);
    return users?.[ref.tag] ?? [];
  }

  async #brokenFacts(ref: ModelRef, signal?: AbortSignal): Promise<BrokenFacts> {
    const { home } = this.#services.stores.of(ref);
    const nothing: BrokenFacts = { files: [], moreFiles: 0, sizeBytes: 0 };
    return this.#services.jobs.run(brokenFactsJob, { home, tag: tagOf(ref) }, { signal }).catch(() => nothing);
  }

  async #open(ref: ModelRef): Promise<ModelTest> {
    const { trust, t } = this.#services;
    const facts = await this.#facts(ref);
    const python = this.#python(ref, facts);
    // A quiet line says soon which Python it would be; reading a large model's files may take longer.
    const looking = python?.look().catch(() => undefined);
    if (looking) await Promise.race([looking, new Promise((enough) => setTimeout(enough, LOOK_MS))]);
    return new ModelTest(refKey(ref), this.#testable(ref, facts, python), {
      sessions: this.#sessions,
      memory: this.#memory,
      refusal: () => trust.refusal(facts.module, ref.store),
      now: () => Date.now(),
      t,
    });
  }

  #python(ref: ModelRef, { module }: ModelFacts): PythonTest | undefined {
    const python = adapterFor(module)?.python;
    const { home } = this.#services.stores.of(ref);
    return python && new PythonTest({ ref, home, python }, this.#services.pythonTests);
  }

  #testable(ref: ModelRef, facts: ModelFacts, python: PythonTest | undefined): Testable {
    const { settings } = this.#services;
    const { classes, examples, signatures } = facts;
    const request = (device: string): LoadRequest => ({
      label: ref.tag,
      adapter: facts.framework,
      file: python ? facts.path : entryFile(ref.tag, facts),
      device,
      signatures,
      batching: { enabled: true, maxBatchSize: settings().maxBatchSize },
    });
    const own = python ? undefined : new OwnPythonTest(ref, this.#services);
    return {
      tag: ref.tag,
      methods: Object.entries(signatures).map(([name, signature]) => methodView(name, signature)),
      classes,
      examples,
      numbers: adapterFor(facts.module)?.python?.dtype ?? "float64",
      ...(python ? { python } : {}),
      ...(own ? { own } : {}),
      isInOwnPython: (choice) => isInOwnPython(facts, choice),
      issues(method, inputs) {
        request("cpu");
        return inputIssues(methodOf(signatures, method), inputs);
      },
      loadRequest: async (choice, signal) => {
        const base = request("cpu");
        const ready = python ? await python.request(base, signal) : base;
        const opener = isInOwnPython(facts, choice) ? await own?.request(signal) : undefined;
        return withEngine(ready, facts, choice, opener);
      },
      engineView: (choice, loaded) => engineView(facts, choice, loaded, this.#services.t),
      verify: (signal) => this.#verify(ref, signal),
    };
  }
}

/** How long the page waits for what is said of a model's Python; it is told when it comes later. */
const LOOK_MS = 300;

function tagOf({ tag }: ModelRef): Tag {
  const { name, version = "" } = parseTag(tag);
  return { name, version };
}

/** What the runner opens. @throws ModelbenchError `model.broken` */
function entryFile(label: string, { broken, entryFile: file }: ModelFacts): string {
  if (file !== undefined) return file;
  throw missingFile(label, broken);
}

function missingFile(label: string, broken: WireError | undefined): ModelbenchError {
  const { message = `${label} has no model file.`, remedy, path } = broken ?? {};
  return new ModelbenchError("model.broken", message, { remedy, path });
}
