// Runs bundled node:test files and leaves their results as JSON.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./places.mjs";

/**
 * Answers with the exit code of `node --test` over the bundles.
 * @param {string[]} bundles
 * @param {string} results file that takes what scripts/resultReporter.mjs makes
 * @param {number} [parallel] how many files at a time; default: as many as Node thinks fit
 * @param {boolean} [capped] whether a file that runs away in memory or time is ended
 */
export function runNodeTest(bundles, results, parallel, capped = false) {
  rmSync(results, { force: true });
  const ownReporter = pathToFileURL(join(root, "scripts/resultReporter.mjs")).href;
  const reporters = [
    ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
    ...[`--test-reporter=${ownReporter}`, `--test-reporter-destination=${results}`],
  ];
  const limit = parallel ? [`--test-concurrency=${parallel}`] : [];
  const caps = capped ? ["--import", pathToFileURL(join(root, "scripts/testCaps.mjs")).href] : [];
  const args = ["--enable-source-maps", ...caps, "--test", ...limit, ...reporters, ...bundles];
  return spawnSync(process.execPath, args, { stdio: "inherit", cwd: root }).status ?? 1;
}
