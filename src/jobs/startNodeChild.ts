import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";

/**
 * Variables a child may see. Tokens, `NODE_OPTIONS`, `LD_PRELOAD`, `PYTHONPATH` and everything else stay behind.
 * `BENTOML_HOME` is left out on purpose: every request carries the store's folder, so one child serves several
 * stores and its environment cannot contradict a request.
 */
const PASSED = new Set([
  "PATH",
  "HOME",
  "USERPROFILE",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  "TEMP",
  "TMP",
  "SYSTEMROOT",
  "WINDIR",
]);

/** How a bundled entry is started as a process of its own. */
export interface NodeChildOptions {
  /** Absolute path of the bundled entry. */
  readonly entry: string;
  /** Whole stdio of the child, extra pipes and `"ipc"` included. */
  readonly stdio: StdioOptions;
  readonly args?: readonly string[];
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[];
  /** Variables added to the allowed ones, for instance a thread count. */
  readonly env?: Readonly<Record<string, string>>;
  /** Makes it the leader of a process group (POSIX), so that it can be ended with everything it starts. */
  readonly ownGroup?: boolean;
}

/**
 * Starts a bundled entry under the Node that runs us: VS Code's own in the editor, the terminal's in the CLI.
 * Debugger flags of the parent are not inherited, since two processes cannot listen on one port.
 */
export function startNodeChild({
  entry,
  stdio,
  args = [],
  nodeArgs = [],
  env = {},
  ownGroup = false,
}: NodeChildOptions): ChildProcess {
  return spawn(process.execPath, [...nodeArgs, entry, ...args], {
    stdio,
    serialization: "advanced",
    windowsHide: true,
    detached: ownGroup && process.platform !== "win32",
    env: { ...allowedEnvironment(process.env), ELECTRON_RUN_AS_NODE: "1", ...env },
  });
}

/** The part of `env` that children may see; names are compared as Windows does, without case. */
export function allowedEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const allowed: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && PASSED.has(name.toUpperCase())) allowed[name] = value;
  }
  return allowed;
}
