import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname } from "node:path";
import { RelativePattern, Uri, workspace } from "vscode";
import { Emitter } from "../base/events";
import type { Log } from "../base/log";
import type { Disposable } from "../base/scope";
import { parseDotenv } from "../formats/dotenv";
import { errno } from "../store/failure";
import type { Variables } from "../store/home";
import { absolutePath, chooseHome, type HomeChoice, type HomeSources, type NamedHome, namedHomes } from "./homeChoice";

/** What a terminal's environment is called in the settings. */
const PLATFORMS: Readonly<Record<string, string>> = { darwin: "osx", win32: "windows" };
const TERMINAL = `env.${PLATFORMS[process.platform] ?? "linux"}`;
/** No `.env` file of a real project comes near this. */
const MAX_ENV_FILE = 64 * 1024;

/**
 * What this window says about where stores are: its settings, its first folder's `.env` file and the environment. What
 * the folder itself says counts only once the folder is trusted.
 */
export class WorkspaceHomes implements Disposable {
  readonly #log: Log;
  readonly #changed = new Emitter<void>();
  readonly #owned: Disposable[];
  #watched: { readonly path: string; readonly watch: Disposable } | undefined;

  /** Fires when the answers may have become others. */
  readonly onDidChange = this.#changed.event;

  constructor(log: Log) {
    this.#log = log;
    const tell = (): void => this.#changed.fire();
    this.#owned = [
      this.#changed,
      workspace.onDidGrantWorkspaceTrust(tell),
      workspace.onDidChangeWorkspaceFolders(tell),
      workspace.onDidChangeConfiguration((event) => {
        const sections = [
          "modelbench.storePath",
          "modelbench.stores",
          `terminal.integrated.${TERMINAL}`,
          "python.envFile",
        ];
        if (sections.some((section) => event.affectsConfiguration(section))) tell();
      }),
    ];
  }

  /** Where the user's own store is now. */
  own(): HomeChoice {
    const window = windowSources();
    return chooseHome({
      ...window,
      storePath: textOf(settingOf("modelbench", "storePath")).trim(),
      terminal: variablesOf(settingOf("terminal.integrated", TERMINAL)),
      envFile: this.#envFile(window),
    });
  }

  /** The further homes that the settings name. */
  further(): readonly NamedHome[] {
    return namedHomes(settingOf("modelbench", "stores"), windowSources());
  }

  dispose(): void {
    this.#watched?.watch.dispose();
    for (const thing of this.#owned.reverse()) void thing.dispose();
  }

  #envFile(window: ReturnType<typeof windowSources>): HomeSources["envFile"] {
    const path = window.workspaceFolder === undefined ? undefined : absolutePath(envFileSetting(), window);
    this.#follow(path);
    const variables = path === undefined ? undefined : this.#read(path);
    return path === undefined || variables === undefined ? undefined : { path, variables };
  }

  #follow(path: string | undefined): void {
    if (this.#watched?.path === path) return;
    this.#watched?.watch.dispose();
    this.#watched = path === undefined ? undefined : { path, watch: watchFile(path, () => this.#changed.fire()) };
  }

  /** A file that cannot be read counts as none: it must not keep the store from being listed. */
  #read(path: string): Variables | undefined {
    try {
      const { variables, badLines } = parseDotenv(smallText(path));
      if (badLines.length > 0) this.#log.warn(`${path}: no assignment in line ${badLines.join(", ")}`);
      return variables;
    } catch (error) {
      if (errno(error) !== "ENOENT") this.#log.warn(`${path} was not read: ${error}`);
      return undefined;
    }
  }
}

/** What paths are made absolute with: the environment, and the first folder when it is trusted. */
export function windowSources() {
  const folder = workspace.isTrusted ? workspace.workspaceFolders?.[0] : undefined;
  const workspaceFolder = folder?.uri.scheme === "file" ? folder.uri.fsPath : undefined;
  return { environment: process.env, userHome: homedir(), workspaceFolder };
}

/** In Restricted Mode what the user set alone; VS Code itself leaves out only what it knows to be restricted. */
function settingOf(section: string, key: string): unknown {
  const values = workspace.getConfiguration(section, workspace.workspaceFolders?.[0]?.uri);
  return workspace.isTrusted ? values.get<unknown>(key) : values.inspect<unknown>(key)?.globalValue;
}

function envFileSetting(): string {
  return textOf(settingOf("python", "envFile")).trim() || ".env";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function variablesOf(value: unknown): Record<string, string | null> {
  if (typeof value !== "object" || value === null) return {};
  const entries = Object.entries(value).filter(([, text]) => typeof text === "string" || text === null);
  return Object.fromEntries(entries);
}

function watchFile(path: string, tell: () => void): Disposable {
  const name = basename(path);
  const pattern = new RelativePattern(Uri.file(dirname(path)), /[[\]{}*?]/.test(name) ? "*" : name);
  const watcher = workspace.createFileSystemWatcher(pattern);
  watcher.onDidChange(tell);
  watcher.onDidCreate(tell);
  watcher.onDidDelete(tell);
  return watcher;
}

/** A pipe of that name reads as empty; anything but a file of sensible size is refused. */
function smallText(path: string): string {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const { size } = fstatSync(file);
    if (size > MAX_ENV_FILE || !fstatSync(file).isFile())
      throw new Error(`not a file of at most ${MAX_ENV_FILE} bytes`);
    const buffer = Buffer.alloc(size);
    return buffer.toString("utf8", 0, readSync(file, buffer, 0, size, 0));
  } finally {
    closeSync(file);
  }
}
