// npm start: builds, then opens a real VS Code with the extension in it, in a window that asks for no trust: the desktop
// one where `code` is on PATH, else the server from test/servers on 127.0.0.1. Runs until Ctrl+C.
// npm start -- --once: the same server in a headless browser, which walks to a first result, prints it and ends.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openBrowser } from "./browser.mjs";
import { buildTests } from "./buildTests.mjs";
import { out, root } from "./places.mjs";
import { prepare } from "./prepare.mjs";
import { quietSettings, startServer } from "./vscodeServer.mjs";

/** A port that stays the same from start to start, so that the window in the browser can be kept. */
const PORT = 8137;

/** A fresh window shows the sample store beside the person's own. */
const sampleOpen = { MODELBENCH_SAMPLE_STORE: "open" };

try {
  execFileSync(process.execPath, ["esbuild.mjs", "--production"], { cwd: root, stdio: "inherit" });
  if (process.argv.includes("--once")) await walkOnce();
  else if (!openDesktop()) await serve();
} catch (error) {
  console.error(`start: ${error.message}`);
  process.exitCode = 1;
}

/** A window of the desktop VS Code with a profile of ours; answers whether there was one. */
function openDesktop() {
  if (spawnSync("code", ["--version"], { stdio: "ignore" }).status !== 0) return false;
  const profile = join(root, ".tools/desktop");
  mkdirSync(join(profile, "data/User"), { recursive: true });
  writeFileSync(join(profile, "data/User/settings.json"), JSON.stringify(quietSettings));
  const folders = ["--user-data-dir", join(profile, "data"), "--extensions-dir", join(profile, "extensions")];
  const flags = ["--new-window", "--wait", "--disable-workspace-trust", `--extensionDevelopmentPath=${root}`];
  if (process.getuid?.() === 0) flags.push("--no-sandbox");
  console.log("Opening VS Code with Modelbench. Close its window or press Ctrl+C to end.");
  const env = { ...process.env, ...sampleOpen };
  return spawnSync("code", [...flags, ...folders], { stdio: "inherit", env }).status === 0;
}

/**
 * The server, with the person's own HOME and store and a profile that is thrown away. It keeps this process alive
 * until a signal ends both.
 */
async function serve() {
  prepare(["current"]);
  const { origin } = await startServer({ development: root, port: PORT, env: ownHome() });
  console.log(`\nModelbench runs in VS Code at ${origin}/?ew=true\nClick its icon on the left. Ctrl+C ends it.`);
}

function ownHome() {
  const home = homedir();
  return { ...sampleOpen, HOME: home, BENTOML_HOME: process.env.BENTOML_HOME ?? join(home, "bentoml") };
}

/** From the open window to the answer, in a store of its own; the pictures go to out/start. */
async function walkOnce() {
  prepare(["current", "chromium"]);
  const shots = join(out, "start");
  rmSync(shots, { recursive: true, force: true });
  mkdirSync(shots, { recursive: true });
  const [walk] = await buildTests("test/e2e", [join(root, "test/e2e/firstResult.ts")], join(out, "start-build"), "esm");
  const { firstResult } = await import(pathToFileURL(walk).href);
  const server = await startServer({ development: root, env: sampleOpen });
  const { browser, context } = await openBrowser(server.origin);
  const page = await context.newPage();
  try {
    await page.goto(`${server.origin}/?ew=true`);
    const { answer, clicks, seconds } = await firstResult(page, shots, true);
    console.log(`iris_clf answers: ${answer}`);
    console.log(`${clicks} clicks and ${seconds.toFixed(1)} s from the open window. Pictures: ${shots}`);
  } catch (error) {
    await page.screenshot({ path: join(shots, "failure.png") });
    throw error;
  } finally {
    await browser.close();
    await server.stop();
    rmSync(join(out, "start-build"), { recursive: true, force: true });
  }
}
