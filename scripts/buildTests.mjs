// Bundles test files, found by their ending, for Node or for the extension host.
import { readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { build } from "esbuild";
import { root } from "./places.mjs";

/** Paths of the files below `folder` (from the root) with the given ending, sorted. */
export function testFiles(folder, ending = ".test.ts") {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending))
    .sort()
    .map((path) => join(root, folder, path));
}

/**
 * Bundles each file on its own into `outdir`, which is emptied first. @returns the paths of the bundles.
 * @param {string} folder from the root
 * @param {string} outdir absolute
 * @param {string[]} extra further entries, from `folder`
 * @param {(path: string) => boolean} wanted
 */
export async function buildTests(folder, outdir, extra = [], wanted = () => true, ending = ".test.ts") {
  const files = [...testFiles(folder, ending).filter(wanted), ...extra.map((name) => join(root, folder, name))];
  rmSync(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: files,
    outdir,
    outbase: join(root, folder),
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    sourcemap: "inline",
    logLevel: "warning",
    // Loaded by path at run time, native, or there only inside the extension host.
    external: ["vscode", "mocha", "onnxruntime-node", "esbuild", "playwright-core", "axe-core"],
  });
  return files.map((path) => join(outdir, relative(join(root, folder), path)).replace(/\.ts$/, ".cjs"));
}
