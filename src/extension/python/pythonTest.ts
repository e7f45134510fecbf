import type { ConsentView, PythonView } from "../../../webview/protocol/views";
import { ModelbenchError } from "../../base/errors";
import { Emitter } from "../../base/events";
import type { Jobs } from "../../base/ports";
import type { Disposable } from "../../base/scope";
import { insideFolder } from "../../formats/insideFolder";
import type { PythonFacts } from "../../frameworks/adapter";
import { type CodeFacts, codeFactsJob } from "../../frameworks/codeFacts";
import type { LoadRequest } from "../../runner/protocol";
import { isForeign } from "../../store/origin";
import { parseTag } from "../../store/tag";
import type { Localize, ModelRef, Trust, Ui } from "../services";
import { askToAllow } from "./allowDialog";
import { chooseInterpreter } from "./chooseInterpreter";
import type { AskedCode, Consents } from "./consent";
import { consentView } from "./consentView";
import type { PythonSetup, ReadyPython } from "./pythonSetup";
import { readyInterpreter } from "./readyInterpreter";

/** What running models in Python needs of its surroundings. */
export interface PythonTestPort {
  readonly jobs: Jobs;
  readonly trust: Pick<Trust, "isTrusted" | "onDidGrant">;
  readonly consents: Consents;
  readonly python: PythonSetup;
  readonly ui: Pick<Ui, "decide" | "offer" | "pick" | "pickFiles">;
  /** Absolute path of the folder with the worker's `__main__.py`. */
  readonly worker: string;
  /** URI of what is open in the window; empty = nothing. */
  workspace(): string;
  /** Absolute folders of the workspace. */
  folders(): readonly string[];
  /** Why a model cannot be run apart from the rest of the machine; `undefined` when it can. */
  whyNotIsolated(): Promise<string | undefined>;
  readonly t: Localize;
}

/** A model that runs in Python. */
export interface PythonModel {
  readonly ref: ModelRef;
  readonly home: string;
  readonly python: PythonFacts;
}

/** What is known now; undefined parts are not known yet. */
interface Known {
  readonly facts: CodeFacts;
  readonly ready: ReadyPython;
  readonly whyNotIsolated: string | undefined;
}

/** What decides whether one model runs in the user's Python, and in which. */
export class PythonTest implements Disposable {
  readonly #model: PythonModel;
  readonly #port: PythonTestPort;
  readonly #changed = new Emitter<void>();
  readonly #revoked = new Emitter<void>();
  readonly #owned: Disposable[];
  #known: Known | undefined;
  /** The code that a runner was last asked to load; its files may have become other code since. */
  #requested: AskedCode | undefined;
  /** The look under way. */
  #looking: Promise<void> | undefined;

  /** Fires when `python` or `consent` is another one than before. */
  readonly onDidChange = this.#changed.event;
  /** Fires when what allowed the code that was loaded was taken back, wherever that was done in this window. */
  readonly onDidRevoke = this.#revoked.event;

  constructor(model: PythonModel, port: PythonTestPort) {
    this.#model = model;
    this.#port = port;
    const again = () => void this.look().catch(() => undefined);
    this.#owned = [
      port.consents.onDidChange(() => {
        const isRevoked = this.#requested !== undefined && port.consents.isAllowed(this.#requested) === undefined;
        if (isRevoked) this.#revoked.fire();
        this.#changed.fire();
      }),
      port.python.onDidChange(again),
      port.trust.onDidGrant(again),
    ];
  }

  /** The Python that would run it; `null` in Restricted Mode, where nothing is looked at, and until it was. */
  get python(): PythonView | null {
    return this.#known?.ready.view ?? null;
  }

  /** What is to be decided or was; `null` as above. */
  get consent(): ConsentView | null {
    if (this.#known === undefined) return null;
    const { facts, ready, whyNotIsolated } = this.#known;
    const allowed = this.#port.consents.isAllowed(this.#asked(this.#known));
    return consentView(this.#port.t, facts, { allowed, paths: ready.paths, whyNotIsolated });
  }

  /** Whether everything is there for it to run. */
  get isReady(): boolean {
    const { interpreter, lacking, problem } = this.python ?? { interpreter: null, lacking: [], problem: null };
    const isFound = interpreter !== null && lacking.length === 0 && problem === null;
    return isFound && this.#port.trust.isTrusted && this.consent?.state !== "needed";
  }

  /**
   * Reads the model's files and finds the interpreter anew, unless that is under way.
   * @throws ModelbenchError what reading the model throws
   */
  look(): Promise<void> {
    this.#looking ??= this.#look(undefined).finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#port.trust.isTrusted) return;
    const { home, python, ref } = this.#model;
    const [facts, ready, whyNotIsolated] = await Promise.all([
      this.#port.jobs.run(codeFactsJob, { home, tag: ref.tag }, { signal }),
      this.#port.python.find(python.needs, signal),
      this.#port.whyNotIsolated(),
    ]);
    this.#known = { facts, ready, whyNotIsolated };
    this.#changed.fire();
  }

  /**
   * What the runner is asked to load, from the files as they are now.
   * @throws ModelbenchError `trust.required` naming the digest, `python.missing`, what reading the model throws
   */
  async request(base: LoadRequest, signal?: AbortSignal): Promise<LoadRequest> {
    // One that is under way may have begun before the files became what they are; what it has read is not read again.
    await this.#looking?.catch(() => undefined);
    await this.#look(signal);
    const { t } = this.#port;
    if (this.#known === undefined)
      throw new ModelbenchError("trust.required", t("Models that run code do not run in Restricted Mode."));
    const { facts, ready, whyNotIsolated } = this.#known;
    if (this.consent?.state === "needed") throw this.#notAllowed(facts);
    const interpreter = readyInterpreter(t, this.#model.ref.tag, ready.view);
    this.#requested = this.#asked(this.#known);
    return {
      ...base,
      adapter: this.#model.python.worker,
      file: facts.path,
      signatures: facts.signatures,
      python: {
        interpreter,
        worker: this.#port.worker,
        folder: facts.path,
        files: facts.files,
        digest: facts.digest,
        options: facts.options,
        paths: ready.paths,
        preload: ready.preload,
        isolate: isForeign(facts.origin),
        // What the probe says in the runner's process may be something else, above all after a restart.
        onlyIsolated: whyNotIsolated === undefined,
      },
    };
  }

  /** Asks the user whether this code may run; whether it may now. */
  async askToAllow(): Promise<boolean> {
    await this.look();
    const { consents, t, ui } = this.#port;
    const { consent } = this;
    if (this.#known === undefined || consent === null) return false;
    if (consent.state !== "needed") return true;
    const asked = this.#asked(this.#known);
    const answer = await askToAllow(t, ui, asked, consent);
    if (answer === undefined) return false;
    await consents.allow(asked, answer === "always");
    return true;
  }

  /** Takes back whatever allows this code. */
  async revoke(): Promise<void> {
    if (this.#known) await this.#port.consents.revokeFor(this.#asked(this.#known));
  }

  /** Lets the user choose another interpreter. */
  async chooseInterpreter(): Promise<void> {
    await chooseInterpreter(this.#port.python, this.#port.ui, this.#port.t);
  }

  /**
   * What to say of a failed load: where a module of the project is that Python did not find. The user is offered to
   * let it be imported from there.
   */
  async explain(error: unknown): Promise<unknown> {
    const [, module] = error instanceof ModelbenchError ? (MISSING_MODULE.exec(error.message) ?? []) : [];
    if (!(error instanceof ModelbenchError) || error.code !== "python.module" || module === undefined) return error;
    const { python, t } = this.#port;
    const paths = this.#known?.ready.paths ?? [];
    const folder = await python.folderWith(module, paths).catch(() => undefined);
    if (folder === undefined) return error;
    void this.#offerPath(module, folder);
    const remedy = t("{0} has it: add this folder to the setting modelbench.python.paths.", folder);
    return new ModelbenchError(error.code, error.message, { remedy, cause: error });
  }

  dispose(): void {
    for (const one of this.#owned) void one.dispose();
    this.#changed.dispose();
    this.#revoked.dispose();
  }

  async #offerPath(module: string, folder: string): Promise<void> {
    const { python, t, ui } = this.#port;
    const add = t("Add Folder");
    const message = t("The Python module {0} is in {1}. Let models import from there?", module, folder);
    if ((await ui.offer(message, [add])) === add) await python.addPath(folder);
  }

  #notAllowed({ digest }: CodeFacts): ModelbenchError {
    const { t } = this.#port;
    const { tag } = this.#model.ref;
    const message = t("{0} runs code of its own, and nobody has allowed the code of digest {1}.", tag, digest);
    return new ModelbenchError("trust.required", message, { remedy: t("Allow it where the model is tested.") });
  }

  #asked({ facts, whyNotIsolated }: Known): AskedCode {
    const { home, ref } = this.#model;
    const { digest, origin } = facts;
    const isInWorkspace = (path: string) =>
      this.#port.folders().some((folder) => insideFolder(folder, path) !== undefined);
    // What lies in an opened folder may have come with it, and its notes of where it is from with it.
    const isOwn = ref.store === "own" && !isInWorkspace(home);
    const { name } = parseTag(ref.tag);
    const isSavedHere = isOwn && origin.kind === "saved" && origin.from !== undefined && isInWorkspace(origin.from);
    const isIsolated = isForeign(facts.origin) && whyNotIsolated === undefined;
    return { digest, tag: ref.tag, name, isSavedHere, isIsolated, workspace: this.#port.workspace() };
  }
}

/** As the worker words it, see `failures.py`. */
const MISSING_MODULE = /needs the Python module ([\w.]+),/;
