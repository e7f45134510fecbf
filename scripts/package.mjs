// Packs what `npm run build` made into out/modelbench-linux-x64.vsix, with the native runtime of that platform only.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { notices } from "./notices.mjs";
import { out, root, vsix } from "./places.mjs";

/** The marketplace takes more; this is what a user should have to wait for. */
const LIMIT_BYTES = 20_000_000;

/** What inference needs of the runtime: its installer's dependencies and the other platforms stay out. */
const runtimeParts = [
  "onnxruntime-node/package.json",
  "onnxruntime-node/dist",
  "onnxruntime-node/bin/napi-v6/linux/x64",
  "onnxruntime-common/package.json",
  "onnxruntime-common/dist/cjs",
];

const shipped = join(root, "dist/node_modules");
rmSync(shipped, { recursive: true, force: true });
for (const part of runtimeParts) {
  cpSync(join(root, "node_modules", part), join(shipped, part), {
    recursive: true,
    filter: (path) => !/\.(map|d\.ts)$/.test(path),
  });
}
writeFileSync(join(root, "dist/ThirdPartyNotices.txt"), notices(["onnxruntime-node", "onnxruntime-common"]));

mkdirSync(out, { recursive: true });
rmSync(vsix, { force: true });
const vsce = join(root, "node_modules/@vscode/vsce/vsce");
const flags = [
  "--target",
  "linux-x64",
  "--no-dependencies",
  "--allow-missing-repository",
  "--no-rewrite-relative-links",
  "--out",
  vsix,
];
execFileSync(process.execPath, [vsce, "package", ...flags], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });

const { size } = statSync(vsix);
console.log(`${vsix}: ${(size / 1e6).toFixed(1)} MB`);
if (size > LIMIT_BYTES) {
  console.error(`over budget: the .vsix has ${size} bytes, allowed ${LIMIT_BYTES}`);
  process.exitCode = 1;
}
