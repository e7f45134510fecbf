import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import { failureView } from "../../../src/extension/page/failureView";
import { pageHtml } from "../../../src/extension/page/html";
import type { ModelTest } from "../../../src/extension/page/modelTest";
import { type Handlers, HostPeer } from "../../../webview/protocol/hostPeer";
import type { HostEvents } from "../../../webview/protocol/messages";
import { pageStrings } from "../../../webview/protocol/strings";
import { type Theme, themes } from "./themes";

const ORIGIN = "http://127.0.0.1:1";

/** The page's bundle as the extension ships it, made once a run. */
export async function bundlePage(): Promise<{ script: string; style: string }> {
  const { outputFiles } = await build({
    entryPoints: [join(process.cwd(), "webview/ui/main.tsx")],
    outdir: "out",
    bundle: true,
    write: false,
    minify: true,
    platform: "browser",
    target: "es2022",
    format: "iife",
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "error",
  });
  const textOf = (extension: string): string => outputFiles.find(({ path }) => path.endsWith(extension))?.text ?? "";
  return { script: textOf(".js"), style: textOf(".css") };
}

/** A headless Chromium; the machine's own, or the one named by CHROMIUM. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`No Chromium at ${executablePath}: set CHROMIUM to its path.`);
  const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"];
  const quiet = ["--disable-background-networking", "--disable-component-update"];
  return chromium.launch({ executablePath, args: [...flags, ...quiet] });
}

/** What a page under test is opened with. */
export interface RigOptions {
  readonly bundle: { readonly script: string; readonly style: string };
  readonly start: Omit<HostEvents["page/init"], "strings" | "locale">;
  readonly handlers: (rig: { follow(test: ModelTest): void; readonly by: unknown }) => Handlers;
  readonly theme?: keyof typeof themes;
  readonly width?: number;
  readonly height?: number;
  /** What the page had saved before it was loaded. */
  readonly saved?: unknown;
}

/** A page in a real browser, with the real host end behind it. */
export interface PageRig extends AsyncDisposable {
  readonly page: Page;
  readonly peer: HostPeer;
  /** Violations of the security policy, script errors and refused requests, in words. */
  readonly troubles: string[];
  /** What the page asked for, by name. */
  readonly requests: string[];
  saved(): Promise<unknown>;
}

/** Opens the page as VS Code does: the real document with its policy, the theme's tokens, `acquireVsCodeApi`. */
export async function openRig(browser: Browser, options: RigOptions): Promise<PageRig> {
  const { width = 1400, height = 900, theme = "dark", bundle, saved } = options;
  const context = await browser.newContext({ viewport: { width, height }, locale: "en-US", reducedMotion: "reduce" });
  const page = await context.newPage();
  const troubles: string[] = [];
  const requests: string[] = [];
  page.on("pageerror", (error) => troubles.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") troubles.push(`console: ${message.text()}`);
  });
  await serve(page, bundle, troubles);
  const rig = { follow: (test: ModelTest) => follow(test), by: {} };
  const post = (message: unknown): void => {
    void page.evaluate(`window.postMessage(${JSON.stringify(message)}, "*")`).catch(() => undefined);
  };
  const peer = new HostPeer(
    {
      post,
      onReady: () => peer.send("page/init", { ...options.start, strings: { ...pageStrings }, locale: "en" }),
      onMismatch: () => undefined,
      describe: failureView,
    },
    options.handlers(rig),
  );
  const follow = (test: ModelTest): void => {
    test.onDidChange(() => peer.send("test/state", test.view()));
    test.onDidChangeDrafts(({ state, by }) => {
      if (by !== rig.by) peer.send("test/drafts", state);
    });
  };
  await page.exposeFunction("hostReceive", (message: unknown) => {
    if (typeof message === "object" && message !== null && "name" in message) requests.push(String(message.name));
    peer.receive(message);
  });
  await page.addInitScript({ content: apiScript(saved, themes[theme]) });
  await page.goto(`${ORIGIN}/`);
  return {
    page,
    peer,
    troubles,
    requests,
    saved: () => page.evaluate("window.savedState"),
    [Symbol.asyncDispose]: async () => {
      peer.close();
      await context.close();
    },
  };
}

async function serve(page: Page, bundle: RigOptions["bundle"], troubles: string[]): Promise<void> {
  const html = pageHtml({
    cspSource: ORIGIN,
    scriptUri: `${ORIGIN}/page.js`,
    styleUri: `${ORIGIN}/page.css`,
    nonce: randomBytes(12).toString("hex"),
    locale: "en",
  });
  const bodies = new Map([
    ["/", { contentType: "text/html", body: html }],
    ["/page.js", { contentType: "text/javascript", body: bundle.script }],
    ["/page.css", { contentType: "text/css", body: bundle.style }],
  ]);
  await page.route("**/*", (route) => {
    const known = bodies.get(new URL(route.request().url()).pathname);
    if (known) return route.fulfill(known);
    if (!route.request().url().endsWith("/favicon.ico")) troubles.push(`request: ${route.request().url()}`);
    return route.abort();
  });
}

/** Runs in the page before its own script: what VS Code gives a webview. */
function apiScript(saved: unknown, theme: Theme): string {
  return `{
    const theme = ${JSON.stringify(theme)};
    window.savedState = ${JSON.stringify(saved)};
    window.acquireVsCodeApi = () => ({
      postMessage: (message) => void window.hostReceive(structuredClone(message)),
      getState: () => window.savedState,
      setState: (state) => { window.savedState = state; },
    });
    document.addEventListener("DOMContentLoaded", () => {
      for (const [name, value] of Object.entries(theme.variables)) {
        document.documentElement.style.setProperty("--vscode-" + name, value);
      }
      document.body.className = theme.bodyClass;
      document.body.dataset.vscodeThemeKind = theme.bodyClass;
    });
  }`;
}
