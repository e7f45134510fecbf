// Bundles the extension into dist/. Flags: --production (minified, no source maps, size budgets held), --watch.
import { existsSync } from "node:fs";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, context } from "esbuild";
import { wat } from "./scripts/wat.mjs";

const root = dirname(fileURLToPath(import.meta.url));

/**
 * Every bundle: its entry, where it lands and how large its minified form may be, in bytes. The host's budget keeps
 * activation short; the page's is what a webview parses before its first frame.
 */
export const bundles = [
  { name: "extension", entry: "src/extension/extension.ts", outfile: "dist/extension.cjs", budget: 400_000 },
  { name: "pages", entry: "src/extension/page/pages.ts", outfile: "dist/pages.cjs", budget: 250_000 },
  { name: "objects", entry: "src/runner/objectSaver.ts", outfile: "dist/objects.cjs", budget: 200_000 },
  { name: "cli", entry: "src/cli/main.ts", outfile: "dist/cli.cjs", budget: 300_000 },
  { name: "verbs", entry: "src/cli/verbs.ts", outfile: "dist/verbs.cjs", budget: 580_000 },
  { name: "jobs", entry: "src/jobs/main.ts", outfile: "dist/jobs.cjs", budget: 490_000 },
  { name: "runner", entry: "src/runner/main.ts", outfile: "dist/runner.cjs", budget: 200_000 },
  { name: "ortThread", entry: "src/runner/ortThread.ts", outfile: "dist/ortThread.cjs", budget: 100_000 },
  {
    name: "page",
    entry: "webview/ui/main.tsx",
    outfile: "dist/webview/page.js",
    budget: 450_000,
    gzipBudget: 130_000,
    page: true,
  },
];

/**
 * Keeps `import("./x")` of a module that has a bundle of its own as a `require` of that bundle's file: what a verb
 * or a command seldom needs is neither bundled twice nor read before its first use.
 */
function lazyBundles(from) {
  const targets = new Map(bundles.map((b) => [join(root, b.entry), b]));
  return {
    name: "lazy-bundles",
    setup({ onResolve, resolve: locate }) {
      onResolve({ filter: /^\./ }, async ({ path, kind, resolveDir, pluginData }) => {
        if (kind !== "dynamic-import" || pluginData === "located") return undefined;
        const found = await locate(path, { kind, resolveDir, pluginData: "located" });
        const target = targets.get(found.path);
        return target && target.name !== from ? { path: `./${basename(target.outfile)}`, external: true } : undefined;
      });
    },
  };
}

/** esbuild's options of one bundle. */
export function bundleOptions(bundle, production) {
  const common = {
    absWorkingDir: root,
    entryPoints: [bundle.entry],
    outfile: bundle.outfile,
    bundle: true,
    minify: production,
    sourcemap: production ? false : "linked",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    define: { "process.env.NODE_ENV": JSON.stringify(production ? "production" : "development") },
  };
  if (bundle.page) {
    return {
      ...common,
      platform: "browser",
      target: "es2022",
      format: "esm",
      jsx: "automatic",
      jsxImportSource: "preact",
    };
  }
  return {
    ...common,
    platform: "node",
    target: "node20",
    format: "cjs",
    external: ["vscode", "onnxruntime-node"],
    // Becomes a require inside a promise: the extension host's loader knows `require("vscode")` only.
    supported: { "dynamic-import": false },
    plugins: [lazyBundles(bundle.name), wat],
  };
}

async function saveMeta({ name }, metafile) {
  await mkdir(join(root, "dist/meta"), { recursive: true });
  await writeFile(join(root, `dist/meta/${name}.json`), JSON.stringify(metafile));
}

/** The Python worker runs from its source: it is copied, without what an interpreter left beside it. */
async function copyWorker() {
  const target = join(root, "dist/python");
  await rm(target, { recursive: true, force: true });
  await cp(join(root, "src/frameworks/python"), target, {
    recursive: true,
    filter: (path) => basename(path) !== "__pycache__",
  });
}

/** One line a bundle; answers with what is over budget. */
function weigh({ name, budget, gzipBudget }, outputFiles) {
  const code = outputFiles.find((f) => /\.c?js$/.test(f.path)).contents;
  const packed = gzipSync(code).byteLength;
  console.log(`${name.padEnd(10)} ${String(code.byteLength).padStart(8)} B  ${String(packed).padStart(8)} B gzip`);
  const over = [];
  if (code.byteLength > budget) over.push(`${name}: ${code.byteLength} bytes, allowed ${budget}`);
  if (gzipBudget && packed > gzipBudget) over.push(`${name}: ${packed} bytes in gzip, allowed ${gzipBudget}`);
  return over;
}

/** Builds every bundle; one that fails does not keep the others, and esbuild has printed why. */
async function buildAll(production) {
  await copyWorker();
  const settled = await Promise.allSettled(present().map((bundle) => buildOne(bundle, production)));
  const over = settled.flatMap((one) => one.value ?? []);
  for (const line of over) console.error(`over budget: ${line}`);
  if (over.length > 0 || settled.some((one) => one.status === "rejected")) process.exitCode = 1;
}

async function buildOne(bundle, production) {
  const { metafile, outputFiles } = await build({ ...bundleOptions(bundle, production), write: false });
  await mkdir(dirname(join(root, bundle.outfile)), { recursive: true });
  for (const file of outputFiles) await writeFile(file.path, file.contents);
  await saveMeta(bundle, metafile);
  return production ? weigh(bundle, outputFiles) : [];
}

/** The `[watch]` lines are what the task in .vscode/tasks.json waits for. */
async function watchAll() {
  let running = 0;
  const report = (bundle) => ({
    name: "report",
    setup({ onStart, onEnd }) {
      onStart(() => {
        if (running++ === 0) console.log("[watch] build started");
      });
      onEnd(async ({ metafile }) => {
        if (metafile) await saveMeta(bundle, metafile);
        if (--running === 0) console.log("[watch] build finished");
      });
    },
  });
  await copyWorker();
  for (const bundle of present()) {
    const options = bundleOptions(bundle, false);
    const plugins = [...(options.plugins ?? []), report(bundle)];
    await (await context({ ...options, plugins })).watch();
  }
}

function present() {
  return bundles.filter((b) => existsSync(join(root, b.entry)));
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  if (process.argv.includes("--watch")) await watchAll();
  else await buildAll(process.argv.includes("--production"));
}
