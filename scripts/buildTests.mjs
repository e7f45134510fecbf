// Bundles test files, found by their ending, for Node or for the extension host.
import { readdirSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { root } from "./places.mjs";
import { wat } from "./wat.mjs";

/** Our scripts run where they lie: they find the repository by their own place. Only ES modules can load them. */
const scriptsStay = {
  name: "scripts-stay",
  setup({ onResolve }) {
    onResolve({ filter: /\/scripts\/\w+\.mjs$/ }, ({ path, resolveDir }) => ({
      path: pathToFileURL(resolve(resolveDir, path)).href,
      external: true,
    }));
  },
};

/** Loaded by path at run time, native, or there only inside the extension host. */
const external = ["vscode", "mocha", "onnxruntime-node", "esbuild", "playwright-core", "axe-core"];

/** Paths of the files below `folder` (from the root) with the given ending, sorted. */
export function testFiles(folder, ending = ".test.ts") {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending))
    .sort()
    .map((path) => join(root, folder, path));
}

/**
 * Bundles each file on its own into `outdir`, which is emptied first; answers with the bundles' paths.
 * @param {string} folder from the root; `outdir` mirrors it
 * @param {string[]} files absolute
 * @param {string} outdir absolute
 * @param {"cjs" | "esm"} format
 */
export async function buildTests(folder, files, outdir, format = "cjs") {
  const extension = format === "esm" ? ".mjs" : ".cjs";
  rmSync(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: files,
    outdir,
    outbase: join(root, folder),
    outExtension: { ".js": extension },
    bundle: true,
    platform: "node",
    target: "node20",
    format,
    sourcemap: "inline",
    logLevel: "warning",
    plugins: format === "esm" ? [scriptsStay, wat] : [wat],
    external,
  });
  return files.map((path) => join(outdir, relative(join(root, folder), path)).replace(/\.ts$/, extension));
}
