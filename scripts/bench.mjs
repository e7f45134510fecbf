// npm run bench: bundles test/bench/*.bench.ts, runs each in a Node of its own and prints one table of ratios.
// A report, not a test: a missed goal is marked in the table and does not fail the run. Arguments are name fragments.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { wat } from "./wat.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const wanted = process.argv.slice(2);
const names = readdirSync(join(root, "test/bench"))
  .filter((name) => name.endsWith(".bench.ts"))
  .filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
const out = join(root, "out", "bench");
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await build({
  entryPoints: names.map((name) => join(root, "test/bench", name)),
  outdir: out,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  outExtension: { ".js": ".cjs" },
  logLevel: "warning",
  plugins: [wat],
  external: ["onnxruntime-node"],
});
for (const name of names) {
  const run = spawnSync(process.execPath, ["--expose-gc", join(out, name.replace(/\.ts$/, ".cjs"))], {
    stdio: "inherit",
    cwd: root,
  });
  if (run.status !== 0) process.exitCode = 1;
}
console.log(`JSON: ${join(out, "*.json")}`);
