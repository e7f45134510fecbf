#!/usr/bin/env node
// Stands in for the desktop program that @vscode/test-electron starts: takes the same
// --extensionDevelopmentPath (ours first), --extensionTestsPath and folder, runs the suite in the extension host of a VS Code server and exits with its code.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { openBrowser } from "./browser.mjs";
import { out } from "./places.mjs";
import { startServer } from "./vscodeServer.mjs";

/** A suite that has not ended by then hangs. */
const LIMIT_MS = 300_000;

const args = process.argv.slice(2);
const named = (name) => args.filter((a) => a.startsWith(`--${name}=`)).map((a) => resolve(a.slice(name.length + 3)));
const [development, ...others] = named("extensionDevelopmentPath");
const [tests] = named("extensionTestsPath");
const folder = args.find((a) => !a.startsWith("-"));
const { MODELBENCH_SERVER: version, MODELBENCH_RESULT: result, MODELBENCH_LOG: report } = process.env;
if (!development || !tests || !folder || !version || !result || !report) {
  console.error("codeShim: started by scripts/runHost.mjs, not by hand");
  process.exit(64);
}

let server;
let browser;

/** Opens the workbench on the folder, with the extension and its suite named in the payload. */
async function runSuite() {
  // A page's payload names one extension under development: the others count as installed.
  server = await startServer({ version, testMode: true, linked: others });
  const opened = await openBrowser(server.origin);
  browser = opened.browser;
  const page = await opened.context.newPage();
  try {
    const ended = suiteEnd(opened.context, page);
    const remote = (path) => `vscode-remote://${server.authority}${path}`;
    const payload = [
      ["extensionDevelopmentPath", remote(development)],
      ["extensionTestsPath", remote(tests)],
      ["skipWelcome", "true"],
    ];
    await page.goto(`${server.origin}/?${new URLSearchParams({ folder, payload: JSON.stringify(payload) })}`);
    return await ended;
  } catch (error) {
    await page.screenshot({ path: join(out, "host-failure.png") }).catch(() => {});
    throw error;
  }
}

/** The workbench calls window.codeAutomationExit(code) once run() of the suite has settled. */
function suiteEnd(context, page) {
  const ended = new Promise((settle, fail) => {
    const timer = setTimeout(() => fail(new Error(`the suite did not end within ${LIMIT_MS} ms`)), LIMIT_MS);
    void context.exposeFunction("codeAutomationExit", (code) => {
      clearTimeout(timer);
      settle(code);
    });
    page.on("crash", () => fail(new Error("the page crashed")));
  });
  ended.catch(() => {}); // Awaited after the page was opened, which may fail first.
  return ended;
}

let code = 1;
rmSync(result, { force: true });
rmSync(report, { force: true });
try {
  code = await runSuite();
} catch (error) {
  console.error(`codeShim: ${error}`);
} finally {
  await browser?.close().catch(() => {});
  await server?.stop();
}
if (existsSync(report)) process.stdout.write(readFileSync(report, "utf8"));
// A suite that never ran must not pass: only its own end writes this file.
if (!existsSync(result)) {
  console.error(`codeShim: no ${result}: the suite did not run to its end`);
  code ||= 1;
}
process.exit(code);
