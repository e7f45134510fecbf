import { isAbsolute, join, resolve } from "node:path";
import { expandPath, type Variables } from "../store/home";

/** What says where the own store is, strongest first. */
export type HomeOrigin = "setting" | "terminal" | "envFile" | "environment" | "default";

/** Everything that may say where the own store is. */
export interface HomeSources {
  /** `modelbench.storePath`; empty = not set. */
  readonly storePath: string;
  /** What the settings add to a terminal's environment; `null` takes a variable away. */
  readonly terminal: Readonly<Record<string, string | null>>;
  /** The project's `.env` file; `undefined` without one, and where the folder is not trusted. */
  readonly envFile: { readonly path: string; readonly variables: Variables } | undefined;
  readonly environment: Variables;
  /** Absolute. */
  readonly userHome: string;
  /** The first folder of a trusted workspace; without one, a value that depends on it counts as not set. */
  readonly workspaceFolder: string | undefined;
}

/** Where the own store is, and why. */
export interface HomeChoice {
  /** Absolute. */
  readonly home: string;
  readonly origin: HomeOrigin;
  /** Absolute path of the `.env` file that says so; `undefined` for the other origins. */
  readonly file: string | undefined;
}

/** A further home that the settings name. */
export interface NamedHome {
  readonly label: string;
  /** Absolute. */
  readonly home: string;
}

const VARIABLE = "BENTOML_HOME";

/** The first of the sources that names a folder: what `bentoml` would use in a terminal of this window, if unset. */
export function chooseHome(sources: HomeSources): HomeChoice {
  const { storePath, terminal, envFile, environment, userHome } = sources;
  const inTerminal = terminalVariables(sources);
  const candidates: [HomeOrigin, string | null | undefined, Variables][] = [
    ["setting", storePath, environment],
    ["terminal", terminal[VARIABLE], inTerminal],
    ["envFile", envFile?.variables[VARIABLE], { ...inTerminal, ...envFile?.variables }],
    ["environment", VARIABLE in terminal ? undefined : environment[VARIABLE], inTerminal],
  ];
  for (const [origin, value, variables] of candidates) {
    const home = value ? absolutePath(value, sources, variables) : undefined;
    if (home !== undefined) return { home, origin, file: origin === "envFile" ? envFile?.path : undefined };
  }
  return { home: join(userHome, "bentoml"), origin: "default", file: undefined };
}

/** The homes that `modelbench.stores` names, by label; what is no path or needs a folder that is not there is left out. */
export function namedHomes(
  setting: unknown,
  sources: Pick<HomeSources, "environment" | "userHome" | "workspaceFolder">,
): NamedHome[] {
  if (typeof setting !== "object" || setting === null) return [];
  const homes = Object.entries(setting).flatMap(([label, value]: [string, unknown]) => {
    const home = typeof value === "string" && value.trim() !== "" ? absolutePath(value.trim(), sources) : undefined;
    return home === undefined ? [] : [{ label, home }];
  });
  return homes.sort((a, b) => (a.label < b.label ? -1 : 1));
}

/**
 * The absolute path a setting means: `~`, `$NAME`, `${NAME}` and `${workspaceFolder}` expanded as often as BentoML does,
 * relative ones from the workspace folder. `undefined` where that takes a folder and there is none to be trusted.
 */
export function absolutePath(
  value: string,
  sources: Pick<HomeSources, "environment" | "userHome" | "workspaceFolder">,
  variables: Variables = sources.environment,
): string | undefined {
  const { userHome, workspaceFolder } = sources;
  const path = expandPath(placed(value, sources), variables, userHome);
  if (isAbsolute(path)) return resolve(path);
  return workspaceFolder === undefined ? undefined : resolve(workspaceFolder, path);
}

/** The environment of a terminal of this window. */
function terminalVariables(sources: HomeSources): Variables {
  const added = Object.entries(sources.terminal).map(([name, value]) => {
    return [name, value === null ? undefined : placed(value, sources)] as const;
  });
  return { ...sources.environment, ...Object.fromEntries(added) };
}

/** Puts in what VS Code's own variables stand for, as it does itself for a terminal. */
function placed(
  value: string,
  { environment, userHome, workspaceFolder }: Pick<HomeSources, "environment" | "userHome" | "workspaceFolder">,
): string {
  return value.replace(/\$\{(workspaceFolder|userHome|env:[^}]*)\}/g, (whole, name: string) => {
    if (name === "userHome") return userHome;
    if (name === "workspaceFolder") return workspaceFolder ?? whole;
    return environment[name.slice("env:".length)] ?? "";
  });
}
