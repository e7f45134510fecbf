// Bundles the node:test files below test/unit (or test/peers with --peers) and runs them; arguments are path fragments.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const args = process.argv.slice(2);
const folder = args.includes("--peers") ? "test/peers" : "test/unit";
const wanted = args.filter((a) => !a.startsWith("--"));
const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
  .filter((f) => f.endsWith(".test.ts"))
  .map((f) => join(root, folder, f))
  .filter((f) => wanted.length === 0 || wanted.some((w) => f.includes(w)));
const out = join(root, "out", `unit-${process.pid}`);
try {
  await build({
    entryPoints: files,
    outdir: out,
    outbase: join(root, folder),
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    sourcemap: "inline",
    logLevel: "warning",
    external: ["onnxruntime-node", "esbuild", "playwright-core"],
  });
  const built = files.map((f) => join(out, relative(join(root, folder), f)).replace(/\.ts$/, ".cjs"));
  const run = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...built], {
    stdio: "inherit",
    cwd: root,
  });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
