import { basename, dirname } from "node:path";
import { ConfigurationTarget, l10n, type Memento, workspace } from "vscode";
import { ModelbenchError } from "../base/errors";
import { insideFolder } from "../formats/insideFolder";
import { absolutePath } from "./homeChoice";
import type { StoreSettings, Stores } from "./services";
import { shortPath } from "./tree/treeRow";
import { type WorkspaceHomes, windowSources } from "./workspaceHomes";

const RECENT_KEY = "stores.recent";
const MOST_RECENT = 8;

/** What the settings are written with. */
export interface StoreSettingsParts {
  readonly homes: Pick<WorkspaceHomes, "own">;
  readonly stores: Pick<Stores, "all">;
  /** Remembers homes across windows. */
  readonly memory: Memento;
}

/** Writes `modelbench.storePath` and `modelbench.stores`, paths as short and as portable as they can be. */
export class WrittenStoreSettings implements StoreSettings {
  readonly #parts: StoreSettingsParts;

  constructor(parts: StoreSettingsParts) {
    this.#parts = parts;
  }

  get recent(): readonly string[] {
    const known = this.#parts.memory.get<unknown>(RECENT_KEY);
    return Array.isArray(known) ? known.filter((home): home is string => typeof home === "string") : [];
  }

  get isChosen(): boolean {
    return this.#parts.homes.own().origin === "setting";
  }

  async choose(home: string | undefined): Promise<void> {
    const target = ownTarget();
    await this.#remember(home, this.#parts.homes.own().home);
    const settings = workspace.getConfiguration("modelbench", workspace.workspaceFolders?.[0]?.uri);
    // An empty value in the workspace is what keeps the user's own value from counting there.
    const hides = target !== ConfigurationTarget.Global && settings.inspect("storePath")?.globalValue;
    const none = hides ? "" : undefined;
    const isLocal = target !== ConfigurationTarget.Global;
    await settings.update("storePath", home === undefined ? none : written(home, isLocal), target);
  }

  async add(home: string): Promise<boolean> {
    const { all } = this.#parts.stores;
    if (all.some(({ store }) => store.home === home)) return false;
    const settings = workspace.getConfiguration("modelbench");
    const known = homesOf(settings.inspect("stores")?.globalValue);
    const taken = new Set([...Object.keys(known), ...all.map(({ label }) => label)]);
    const value = { ...known, [freeLabel(home, taken)]: written(home, false) };
    await settings.update("stores", value, ConfigurationTarget.Global);
    await this.#remember(home);
    return true;
  }

  async remove(home: string): Promise<void> {
    const settings = workspace.getConfiguration("modelbench");
    const inspected = settings.inspect("stores");
    const levels = [
      [ConfigurationTarget.Workspace, inspected?.workspaceValue],
      [ConfigurationTarget.Global, inspected?.globalValue],
    ] as const;
    for (const [target, value] of levels) {
      const known = Object.entries(homesOf(value));
      const kept = known.filter(([, path]) => absolutePath(String(path), windowSources()) !== home);
      if (kept.length === known.length) continue;
      await settings.update("stores", kept.length === 0 ? undefined : Object.fromEntries(kept), target);
    }
  }

  async #remember(...homes: readonly (string | undefined)[]): Promise<void> {
    const all = new Set([...homes, ...this.recent].filter((home) => home !== undefined));
    await this.#parts.memory.update(RECENT_KEY, [...all].slice(0, MOST_RECENT));
  }
}

/** The workspace where there is one: a project has its own store. */
function ownTarget(): ConfigurationTarget {
  const { isTrusted, workspaceFile, workspaceFolders } = workspace;
  if (!workspaceFolders?.length && !workspaceFile) return ConfigurationTarget.Global;
  if (!isTrusted) {
    throw new ModelbenchError(
      "trust.required",
      l10n.t("In Restricted Mode a workspace cannot have a store of its own."),
      {
        remedy: l10n.t("Trust this workspace, or set modelbench.storePath in the user settings."),
      },
    );
  }
  const settings = workspace.getConfiguration("modelbench", workspaceFolders?.[0]?.uri);
  const isOfFolder = workspaceFile && settings.inspect("storePath")?.workspaceFolderValue !== undefined;
  return isOfFolder ? ConfigurationTarget.WorkspaceFolder : ConfigurationTarget.Workspace;
}

/** A folder as a setting: relative inside the workspace's folder, else with `~` where it can be. */
function written(home: string, isLocal: boolean): string {
  const { userHome, workspaceFolder } = windowSources();
  const inside = isLocal && workspaceFolder !== undefined ? insideFolder(workspaceFolder, home) : undefined;
  return inside === undefined ? shortPath(home, userHome) : inside || ".";
}

/** What the folder is called, with the one above it where that says nothing or is taken. */
function freeLabel(home: string, taken: ReadonlySet<string>): string {
  const name = basename(home) || home;
  const label = name === "bentoml" || taken.has(name) ? `${basename(dirname(home))}/${name}` : name;
  for (let n = 2; ; n++) {
    const tried = n === 2 ? label : `${label} ${n - 1}`;
    if (!taken.has(tried)) return tried;
  }
}

function homesOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
