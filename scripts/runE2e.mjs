// Drives the real workbench, with the packaged .vsix installed, by the Playwright suites test/e2e/*.e2e.ts; arguments
// are fragments of their paths. The results go to out/e2e.json, screenshots to out/e2e; with --update those that the
// documentation shows are renewed in docs/images. A suite that failed runs once more in a new window, because a whole
// window on a busy machine sometimes misses a click: what passes only then is counted and named as such.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { buildTests, testFiles } from "./buildTests.mjs";
import { runNodeTest } from "./nodeTest.mjs";
import { out, root, vsix } from "./places.mjs";

const args = process.argv.slice(2);
const fragments = args.filter((a) => !a.startsWith("--"));
const pictures = join(root, "docs/images");
/** Suites that run once more at most. */
const AT_MOST_AGAIN = 4;
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
  const suites = await buildTests("test/e2e", files, built, "esm");
  process.exitCode = runSuites(suites, results);
  if (process.exitCode !== 0) process.exitCode = runAgain(suites);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(built, { recursive: true, force: true });
}

/** One at a time: each has a VS Code server and a browser of its own. */
function runSuites(suites, to) {
  return runNodeTest(suites, to, 1);
}

/** Runs the suites that failed once more, unless so many did that it was no accident; their new results count. */
function runAgain(suites) {
  const first = readResults(results);
  const failures = first.filter(({ state }) => state === "failed");
  const failed = new Set(failures.map(suiteOf));
  const again = suites.filter((path) => failed.has(suiteOf({ file: path })));
  // A failure of no suite that can be run again stays one.
  if (again.length !== failed.size || again.length > AT_MOST_AGAIN) return 1;
  console.log(`\n== once more: ${[...failed].join(", ")}`);
  const second = join(out, "e2e-again.json");
  const code = runSuites(again, second);
  const failedBefore = new Set(failures.map(({ title }) => title));
  const later = readResults(second).map((test) =>
    failedBefore.has(test.title) && test.state === "passed" ? { ...test, secondTry: true } : test,
  );
  const kept = first.filter((test) => !failed.has(suiteOf(test)));
  writeFileSync(results, JSON.stringify({ results: [...kept, ...later] }, null, 1));
  return code;
}

function readResults(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).results : [];
}

/** Name of the suite that a test is of: its file may be named by the bundle or by its source. */
function suiteOf({ file }) {
  return basename(file ?? "").replace(/\.\w+$/, "");
}
