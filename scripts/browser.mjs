// A headless Chromium that reaches one VS Code server on loopback and nothing else.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** Path of the browser: CHROMIUM, else the usual names on PATH and in /usr/bin; undefined = none. */
export function findChromium() {
  if (process.env.CHROMIUM) return existsSync(process.env.CHROMIUM) ? process.env.CHROMIUM : undefined;
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/snap/bin"].filter(Boolean);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path));
}

/**
 * Opens a browser and one context whose requests to other origins are aborted and listed in `refused`.
 * @param {string} origin the only origin that may be asked
 */
export async function openBrowser(origin, { width = 1400, height = 900 } = {}) {
  const executablePath = findChromium();
  if (!executablePath) throw new Error("No Chromium: run `node scripts/prepare.mjs chromium`.");
  const browser = await chromium.launch({
    executablePath,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });
  const context = await browser.newContext({ viewport: { width, height } });
  const refused = [];
  const elsewhere = (url) => url.origin !== origin && /^https?:$/.test(url.protocol);
  await context.route(elsewhere, (route) => {
    refused.push(route.request().url());
    return route.abort();
  });
  return { browser, context, refused };
}
