// npm test: prepares the machine's part, runs every check and counts. A part that fails does not keep the others.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { out, root } from "./places.mjs";
import { prepare } from "./prepare.mjs";

/**
 * The parts in order. One with `results` is counted test by test and must have at least `least` of them, so that a
 * suite which was not found cannot pass; one without counts as a single check.
 */
const parts = [
  { name: "types", run: "npm run --silent types" },
  { name: "lint", run: "npm run --silent lint" },
  { name: "package", run: "npm run --silent package" },
  { name: "unit", run: "node scripts/unit.mjs", results: "unit.json", least: 3550 },
  { name: "peers", run: "node scripts/unit.mjs --peers", results: "peers.json", least: 395 },
  { name: "host current", run: "node scripts/runHost.mjs --only=current", results: "host-current.json", least: 85 },
  { name: "host minimum", run: "node scripts/runHost.mjs --only=minimum", results: "host-minimum.json", least: 85 },
  { name: "e2e", run: "node scripts/runE2e.mjs", results: "e2e.json", least: 190 },
];

/** What a machine may lack: a test that is left out for it says so by `<key>: ` or `(needs <key>)`. */
const optional = JSON.parse(readFileSync(join(root, "test/optional.json"), "utf8"));

const total = { passed: 0, failed: 0, skipped: 0 };
const notes = [];

try {
  prepare(["current", "minimum", "python", "python11", "chromium", "strace", "bubblewrap"]);
  for (const part of parts) count(part, runPart(part));
} catch (error) {
  total.failed += 1;
  notes.push(`prepare: ${error.message}`);
}
for (const note of notes) console.log(note);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;

/** Runs one part and answers whether its command succeeded. */
function runPart({ name, run, results }) {
  console.log(`\n== ${name}`);
  if (results) rmSync(join(out, results), { force: true });
  const begin = Date.now();
  const { status } = spawnSync(run, { cwd: root, shell: true, stdio: "inherit" });
  console.log(`== ${name}: ${status === 0 ? "done" : "FAILED"} after ${((Date.now() - begin) / 1000).toFixed(1)} s`);
  return status === 0;
}

function count({ name, results, least }, succeeded) {
  if (!results) {
    total[succeeded ? "passed" : "failed"] += 1;
    if (!succeeded) notes.push(`failed: ${name}`);
    return;
  }
  const tests = readResults(join(out, results));
  for (const test of tests) countTest(name, test);
  const failed = tests.some((test) => test.state === "failed");
  if (tests.length < least) fail(`${name}: ${tests.length} tests ran, at least ${least} were expected`);
  else if (!succeeded && !failed) fail(`${name}: the run failed outside its tests`);
}

/** The tests that a suite left behind; none when it died before its end. */
function readResults(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).results;
  } catch {
    return [];
  }
}

function countTest(part, { title, state, reason = "", secondTry = false }) {
  if (state !== "skipped") {
    total[state] += 1;
    if (secondTry) notes.push(`passed at the second try only: ${part}: ${title}`);
    if (state === "failed") notes.push(`failed: ${part}: ${title}`, ...beginning(reason));
    return;
  }
  const key = Object.keys(optional).find((k) => reason.startsWith(`${k}: `) || title.includes(`(needs ${k})`));
  if (!key && process.env.CI) return fail(`${part}: skipped without a reason from test/optional.json: ${title}`);
  total.skipped += 1;
  notes.push(`skipped: ${part}: ${title}: ${key ? optional[key] : reason || "no reason"}`);
}

/** A few lines of what a test said, so that the last lines of a log tell what to do. */
function beginning(reason) {
  return stripVTControlCharacters(reason)
    .split("\n")
    .slice(0, 12)
    .map((line) => `  ${line.slice(0, 300)}`);
}

function fail(note) {
  total.failed += 1;
  notes.push(`failed: ${note}`);
}
