import { appendFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Mocha from "mocha";
import { watchEventLoop } from "./eventLoop";

/** One test as the run's result file lists it. `blockedMs` is the longest time the host's thread was held in it. */
interface TestResult {
  readonly title: string;
  readonly state: "passed" | "failed" | "skipped";
  readonly ms: number;
  readonly blockedMs: number;
  readonly reason?: string;
}

/**
 * Called by VS Code inside the extension host, in the desktop program and in a server alike; a rejected promise is a
 * failed run. The console of a remote host does not reach the terminal, so the report goes to the files named by
 * MODELBENCH_LOG and MODELBENCH_RESULT.
 */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: "bdd", color: false, timeout: 30_000, forbidOnly: true });
  const pattern = process.env["MODELBENCH_GREP"];
  if (pattern) mocha.grep(pattern);
  const files = readdirSync(__dirname, { recursive: true, encoding: "utf8" }).filter((f) => f.endsWith(".test.cjs"));
  for (const file of files.sort()) mocha.addFile(join(__dirname, file));
  const results = await runAll(mocha);
  const failed = results.filter((r) => r.state === "failed").length;
  writeFileSync(required("MODELBENCH_RESULT"), JSON.stringify({ files: files.length, results }, null, 1));
  if (failed > 0) throw new Error(`${failed} test(s) failed`);
}

function runAll(mocha: Mocha): Promise<TestResult[]> {
  const results: TestResult[] = [];
  const loop = watchEventLoop();
  const record = (test: Mocha.Test | Mocha.Hook, state: TestResult["state"], error?: Error) => {
    const blockedMs = Math.round(loop.longestMs());
    const text = error?.stack ?? error?.message;
    results.push({
      title: test.fullTitle(),
      state,
      ms: test.duration ?? 0,
      blockedMs,
      ...(text === undefined ? {} : { reason: text }),
    });
    const line = `  ${state.padEnd(7)} ${test.fullTitle()} (${test.duration ?? 0} ms, blocked ${blockedMs} ms)`;
    appendFileSync(required("MODELBENCH_LOG"), `${line}\n${text === undefined ? "" : `${text}\n`}`);
  };
  return new Promise((done) => {
    const runner = mocha.run(() => {
      loop.stop();
      done(results);
    });
    runner.on("test", () => void loop.longestMs());
    runner.on("pass", (test) => record(test, "passed"));
    runner.on("pending", (test) => record(test, "skipped"));
    runner.on("fail", (test, error: Error) => record(test, "failed", error));
  });
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}
