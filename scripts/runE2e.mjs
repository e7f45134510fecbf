// Drives the real workbench, with the packaged .vsix installed, by the Playwright suites test/e2e/*.e2e.ts; arguments
// are fragments of their paths. The results go to out/e2e.json, screenshots to out/e2e; with --update those that the
// documentation shows are renewed in docs/images.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { buildTests, testFiles } from "./buildTests.mjs";
import { runNodeTest } from "./nodeTest.mjs";
import { out, root, vsix } from "./places.mjs";

const args = process.argv.slice(2);
const fragments = args.filter((a) => !a.startsWith("--"));
const pictures = join(root, "docs/images");
const wanted = (path) => fragments.length === 0 || fragments.some((f) => relative(root, path).includes(f));
const built = join(out, `e2e-${process.pid}`);
const results = join(out, fragments.length === 0 ? "e2e.json" : "e2e-part.json");

try {
  if (!existsSync(vsix)) throw new Error(`${vsix} is missing: run \`npm run package\`.`);
  mkdirSync(join(out, "e2e"), { recursive: true });
  const files = testFiles("test/e2e", ".e2e.ts").filter(wanted);
  if (files.length === 0) throw new Error(`no suite below test/e2e fits ${fragments.join(" ")}`);
  if (args.includes("--update")) {
    mkdirSync(pictures, { recursive: true });
    process.env.MODELBENCH_PICTURES = pictures;
  }
  // One at a time: each has a VS Code server and a browser of its own.
  process.exitCode = runNodeTest(await buildTests("test/e2e", files, built, "esm"), results, 1);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(built, { recursive: true, force: true });
}
