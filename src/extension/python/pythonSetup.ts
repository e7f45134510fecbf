import type { PythonView } from "../../../webview/protocol/views";
import { fromWireError, ModelbenchError } from "../../base/errors";
import { Emitter } from "../../base/events";
import type { Jobs } from "../../base/ports";
import type { Disposable } from "../../base/scope";
import type { PythonFacts } from "../../frameworks/adapter";
import {
  type InterpreterQuestion,
  listInterpretersJob,
  moduleFolderJob,
  type NamedInterpreter,
  type PythonFound,
  pythonSetupJob,
} from "../../frameworks/pythonSetupJobs";
import { absolutePath } from "../homeChoice";
import { failureView } from "../page/failureView";
import type { Localize, PythonSettings } from "../services";

/** What of the window decides which Python runs models. */
export interface PythonWindow {
  readonly isTrusted: boolean;
  readonly settings: PythonSettings;
  /** Absolute folders of the workspace. */
  readonly folders: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly userHome: string;
}

/** What the set-up is made from. */
export interface PythonSetupPort {
  readonly jobs: Jobs;
  /** As it is now. */
  window(): PythonWindow;
  /** What Python extensions chose that are running; none is started to ask it. */
  chosen(): Promise<readonly NamedInterpreter[]>;
  /** Writes the setting; `undefined` takes it away. */
  writeInterpreter(path: string | undefined): Promise<void>;
  /** Adds a folder to those that modules are imported from. */
  addPath(folder: string): Promise<void>;
  readonly t: Localize;
}

/** The Python that would run models of a framework. */
export interface ReadyPython {
  readonly view: PythonView;
  /** Folders of the project that modules may be imported from, absolute. */
  readonly paths: readonly string[];
  readonly preload: readonly string[];
}

/** Variables that say which Python is meant; the others are nobody's business. */
const VARIABLES = ["VIRTUAL_ENV", "PATH", "Path", "PYENV_VERSION"];

/** Which Python of the user's runs models, and from where it may import; nothing is started to find out. */
export class PythonSetup implements Disposable {
  readonly #port: PythonSetupPort;
  readonly #changed = new Emitter<void>();

  /** Fires when the answer may have become another one. */
  readonly onDidChange = this.#changed.event;

  constructor(port: PythonSetupPort) {
    this.#port = port;
  }

  /** Something that decides it changed. */
  tellChanged(): void {
    this.#changed.fire();
  }

  /** What would run models with these needs. @throws ModelbenchError `trust.required` in Restricted Mode */
  async find(needs: PythonFacts["needs"], signal?: AbortSignal): Promise<ReadyPython> {
    const { settings } = this.#port.window();
    const question = { ...(await this.#question()), needs, paths: this.#wantedPaths() };
    const found = await this.#port.jobs.run(pythonSetupJob, question, { signal });
    return { view: this.#view(found), paths: found.paths, preload: settings.preload };
  }

  /** Every interpreter there is to choose from, the one in use first. @throws ModelbenchError `trust.required` */
  async interpreters(): Promise<readonly NamedInterpreter[]> {
    const found = await this.#port.jobs.run(listInterpretersJob, await this.#question());
    return found.map(({ by, path }) => ({ by: this.#words(by), path }));
  }

  /** Whether the user named the interpreter. */
  get isChosen(): boolean {
    return this.#port.window().settings.interpreter !== "";
  }

  /** Makes this the interpreter; `undefined` = the first that is found. */
  async choose(path: string | undefined): Promise<void> {
    await this.#port.writeInterpreter(path);
    this.tellChanged();
  }

  /** The folder of the workspace from which a module could be imported, if it is not one of those in use. */
  async folderWith(module: string, paths: readonly string[]): Promise<string | undefined> {
    const { folders } = this.#port.window();
    const folder = await this.#port.jobs.run(moduleFolderJob, { folders, module });
    return folder === null || paths.includes(folder) ? undefined : folder;
  }

  /** Lets modules be imported from a folder. */
  async addPath(folder: string): Promise<void> {
    await this.#port.addPath(folder);
    this.tellChanged();
  }

  dispose(): void {
    this.#changed.dispose();
  }

  async #question(): Promise<InterpreterQuestion> {
    const { environment, folders, isTrusted, settings, userHome } = this.#port.window();
    const { t } = this.#port;
    if (!isTrusted)
      throw new ModelbenchError("trust.required", t("Models that run code do not run in Restricted Mode."));
    const env = Object.fromEntries(VARIABLES.flatMap((name) => [[name, environment[name] ?? ""]]));
    const path = this.#settingPath(settings.interpreter);
    return {
      asked: path === undefined ? null : { by: SETTING, path },
      chosen: await this.#port.chosen(),
      env,
      folders,
      home: userHome,
    };
  }

  /** A bare name is looked for on the PATH. */
  #settingPath(value: string): string | undefined {
    if (value === "") return undefined;
    return /[/\\~$]/.test(value) ? (this.#absolute(value)[0] ?? value) : value;
  }

  #wantedPaths(): readonly string[] {
    return [...new Set(this.#port.window().settings.paths.flatMap((value) => this.#absolute(value)))];
  }

  /** What is relative, or names the folder, means each folder of the workspace. */
  #absolute(value: string): string[] {
    const { environment, folders, userHome } = this.#port.window();
    const places = folders.length === 0 ? [undefined] : folders;
    const all = places.map((workspaceFolder) => absolutePath(value, { environment, userHome, workspaceFolder }));
    return [...new Set(all.filter((path) => path !== undefined))];
  }

  #view({ interpreter, by, lacking, command, problem }: PythonFound): PythonView {
    const found = { interpreter, by: this.#words(by), lacking: [...lacking], command };
    return { ...found, problem: problem === null ? null : failureView(fromWireError(problem)) };
  }

  #words(by: string): string {
    const { t } = this.#port;
    if (by === SETTING) return t("setting {0}", SETTING);
    return by === "python3 on the PATH" ? t("python3 on the PATH") : by;
  }
}

const SETTING = "modelbench.python.interpreter";
