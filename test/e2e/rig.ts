import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Frame } from "playwright-core";
import { openBrowser } from "../../scripts/browser.mjs";
import { out, vsix } from "../../scripts/places.mjs";
import { startServer } from "../../scripts/vscodeServer.mjs";
import { Workbench } from "./workbench";

/** The built-in themes that every screen is looked at in. */
export const THEMES = {
  light: "Light 2026",
  dark: "Dark 2026",
  highContrast: "Default High Contrast",
  highContrastLight: "Default High Contrast Light",
} as const;

/** How long one step may take before it has failed. */
const STEP_MS = 20_000;

/** What the workbench takes to lay itself out after its window changed. */
const SETTLE_MS = 300;

/**
 * A list stays open when something else takes the focus, as a window does that is still restoring itself: a person
 * opens the list again then, a test has typed past it.
 */
const SETTINGS = { "workbench.quickOpen.closeOnFocusLost": false };

/** Name of a theme in `THEMES`. */
export type ThemeName = keyof typeof THEMES;

/** Folder below out/e2e that takes pictures; it is made. */
export function shotsFolder(name: string): string {
  const folder = join(out, "e2e", name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Where the pictures of the documentation go in a run that renews them; else undefined. */
export function picturesFolder(): string | undefined {
  return process.env["MODELBENCH_PICTURES"];
}

/** A real VS Code with the packaged extension installed, in a browser; `close` leaves nothing behind. */
export interface Rig {
  readonly workbench: Workbench;
  /** The store that the extension host sees as BENTOML_HOME; not made. */
  readonly store: string;
  /** The folder that is open in the window; empty unless `fill` put something there. */
  readonly folder: string;
  /** Addresses that were asked for outside the server, all refused. */
  readonly refused: readonly string[];
  setTheme(name: ThemeName): Promise<void>;
  /** Makes the window so wide that the visible webview has this width; answers with its frame. */
  setPageWidth(width: number): Promise<Frame>;
  close(): Promise<void>;
}

/** What a window may have besides the quiet settings. */
interface RigOptions {
  /** User settings. */
  readonly settings?: Record<string, unknown>;
  /** Reaches the extension host. */
  readonly env?: Record<string, string>;
}

/** Starts everything and waits until the window is drawn. @param fill gets the store's path before the start */
export async function openRig(fill?: (store: string) => void, options: RigOptions = {}): Promise<Rig> {
  const prepareHome = (home: string): void => fill?.(join(home, "bentoml"));
  const server = await startServer({
    ...options,
    settings: { ...SETTINGS, ...options.settings },
    vsix: [vsix],
    prepareHome,
  });
  const { browser, context, refused } = await openBrowser(server.origin);
  const close = async (): Promise<void> => {
    await browser.close();
    await server.stop();
  };
  try {
    const folder = join(server.home, "work");
    mkdirSync(folder, { recursive: true });
    context.setDefaultTimeout(STEP_MS);
    const workbench = new Workbench(await context.newPage());
    await workbench.page.goto(`${server.origin}/?folder=${folder}`);
    await workbench.ready();
    const setTheme = (name: ThemeName): Promise<void> => changeTheme(workbench, name);
    const setPageWidth = (width: number): Promise<Frame> => changePageWidth(workbench, width);
    return { workbench, store: join(server.home, "bentoml"), folder, refused, setTheme, setPageWidth, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function changeTheme(workbench: Workbench, name: ThemeName): Promise<void> {
  const kind = { light: "vs", dark: "vs-dark", highContrast: "hc-black", highContrastLight: "hc-light" }[name];
  await workbench.command("Preferences: Color Theme");
  await workbench.quickInput().fill(THEMES[name]);
  await workbench.pick(THEMES[name]);
  await workbench.page.locator(`.monaco-workbench.${kind}`).waitFor();
}

/** The room that the workbench takes beside the page changes with the window, so this goes by steps. */
async function changePageWidth(workbench: Workbench, width: number): Promise<Frame> {
  for (const deadline = Date.now() + STEP_MS; Date.now() < deadline; ) {
    const view = await workbench.frame();
    const has = await view.evaluate<number>("window.innerWidth");
    if (has === width) return view;
    const { page } = workbench;
    const size = page.viewportSize() ?? { width, height: 900 };
    await page.setViewportSize({ width: size.width + width - has, height: 900 });
    await page.waitForTimeout(SETTLE_MS);
  }
  throw new Error(`the page did not get ${width} px wide`);
}
