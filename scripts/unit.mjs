// Bundles the node:test files below test/unit (with --peers: test/peers) and runs them; other arguments are fragments
// of their paths. The results go to out/unit.json or out/peers.json.
import { randomInt } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { buildTests, testFiles } from "./buildTests.mjs";
import { runNodeTest } from "./nodeTest.mjs";
import { out, root } from "./places.mjs";

const args = process.argv.slice(2);
const suite = args.includes("--peers") ? "peers" : "unit";
const fragments = args.filter((a) => !a.startsWith("--"));
const wanted = (path) => fragments.length === 0 || fragments.some((f) => relative(root, path).includes(f));
const built = join(out, `${suite}-${process.pid}`);
// The same commit has the same cases, so that a red run is by what was changed; a soak run draws new ones.
process.env.MODELBENCH_SEED ??= process.env.MODELBENCH_SOAK === "1" ? String(randomInt(2 ** 31)) : "1";
const results = join(out, fragments.length === 0 ? `${suite}.json` : `${suite}-part.json`);

try {
  mkdirSync(out, { recursive: true });
  const files = testFiles(`test/${suite}`).filter(wanted);
  if (files.length === 0) throw new Error(`no test file below test/${suite} fits ${fragments.join(" ")}`);
  console.log(`MODELBENCH_SEED=${process.env.MODELBENCH_SEED}`);
  const bundles = await buildTests(`test/${suite}`, files, built);
  // Each file of peers has a processor-heavy Python of its own: two at a time are enough. Unit tests may use the whole
  // machine; Node on its own would leave one core idle.
  process.exitCode = runNodeTest(bundles, results, suite === "peers" ? 2 : availableParallelism(), true);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(built, { recursive: true, force: true });
}
