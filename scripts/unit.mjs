// Bundles the node:test files below test/unit (with --peers: test/peers) and runs them; other arguments are fragments
// of their paths. The counts go to out/unit.json or out/peers.json, made by scripts/resultReporter.mjs.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { buildTests } from "./buildTests.mjs";
import { out, root } from "./places.mjs";

const args = process.argv.slice(2);
const suite = args.includes("--peers") ? "peers" : "unit";
const fragments = args.filter((a) => !a.startsWith("--"));
const wanted = (path) => fragments.length === 0 || fragments.some((f) => relative(root, path).includes(f));
const built = join(out, `${suite}-${process.pid}`);
const results = join(out, fragments.length === 0 ? `${suite}.json` : `${suite}-part.json`);

try {
  mkdirSync(out, { recursive: true });
  rmSync(results, { force: true });
  const bundles = await buildTests(`test/${suite}`, built, [], wanted);
  if (bundles.length === 0) throw new Error(`no test file below test/${suite} fits ${fragments.join(" ")}`);
  process.exitCode = runNode(bundles);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(built, { recursive: true, force: true });
}

function runNode(bundles) {
  const ownReporter = pathToFileURL(join(root, "scripts/resultReporter.mjs")).href;
  const reporters = [
    ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
    ...[`--test-reporter=${ownReporter}`, `--test-reporter-destination=${results}`],
  ];
  // Peers share one processor-heavy Python each: two at a time is enough.
  const parallel = suite === "peers" ? ["--test-concurrency=2"] : [];
  const flags = ["--enable-source-maps", "--test", ...parallel, ...reporters];
  return spawnSync(process.execPath, [...flags, ...bundles], { stdio: "inherit", cwd: root }).status ?? 1;
}
