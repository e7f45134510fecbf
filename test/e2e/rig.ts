import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openBrowser } from "../../scripts/browser.mjs";
import { out, vsix } from "../../scripts/places.mjs";
import { startServer } from "../../scripts/vscodeServer.mjs";
import { Workbench } from "./workbench";

/** The built-in themes that every screen is looked at in. */
export const THEMES = {
  light: "Light 2026",
  dark: "Dark 2026",
  highContrast: "Default High Contrast",
} as const;

/** How long one step may take before it has failed. */
const STEP_MS = 20_000;

/** Name of a theme in `THEMES`. */
export type ThemeName = keyof typeof THEMES;

/** Folder below out/e2e that takes pictures; it is made. */
export function shotsFolder(name: string): string {
  const folder = join(out, "e2e", name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A real VS Code with the packaged extension installed, in a browser; `close` leaves nothing behind. */
export interface Rig {
  readonly workbench: Workbench;
  /** The store that the extension host sees as BENTOML_HOME; not made. */
  readonly store: string;
  /** An empty folder, open in the window. */
  readonly folder: string;
  /** Addresses that were asked for outside the server, all refused. */
  readonly refused: readonly string[];
  setTheme(name: ThemeName): Promise<void>;
  close(): Promise<void>;
}

/** Starts everything and waits until the window is drawn. @param fill gets the store's path before the start */
export async function openRig(fill?: (store: string) => void): Promise<Rig> {
  const server = await startServer({ vsix: [vsix], prepareHome: (home) => fill?.(join(home, "bentoml")) });
  const { browser, context, refused } = await openBrowser(server.origin);
  const close = async (): Promise<void> => {
    await browser.close();
    await server.stop();
  };
  try {
    const folder = join(server.home, "work");
    mkdirSync(folder);
    context.setDefaultTimeout(STEP_MS);
    const workbench = new Workbench(await context.newPage());
    await workbench.page.goto(`${server.origin}/?folder=${folder}`);
    await workbench.ready();
    const setTheme = (name: ThemeName): Promise<void> => changeTheme(workbench, server.home, name);
    return { workbench, store: join(server.home, "bentoml"), folder, refused, setTheme, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Through the settings file, which VS Code watches. */
async function changeTheme(workbench: Workbench, home: string, name: ThemeName): Promise<void> {
  const path = join(home, "data/User/settings.json");
  const settings: Record<string, unknown> = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...settings, "workbench.colorTheme": THEMES[name] }));
  const kind = { light: "vs", dark: "vs-dark", highContrast: "hc-black" }[name];
  await workbench.page.locator(`.monaco-workbench.${kind}`).waitFor();
}
