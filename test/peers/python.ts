import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseExactJson } from "../../src/formats/jsonExact";

const PYTHON = join(process.cwd(), ".tools/venv/bin/python");

/** Runs a script of this folder once and answers with the JSON it printed after `@@`, integers exact. */
export function askPython(script: string, ...args: readonly string[]): unknown {
  const { stdout } = runPython(join("test/peers", script), ...args);
  return parseExactJson(stdout.slice(stdout.lastIndexOf("@@") + 2));
}

/** Runs a script of the project with the peers' interpreter; it must succeed within two minutes. */
export function runPython(script: string, ...args: readonly string[]): { readonly stdout: string } {
  const ended = spawnSync(PYTHON, [join(process.cwd(), script), ...args], {
    encoding: "utf8",
    timeout: 120_000,
    maxBuffer: 64 * 2 ** 20,
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      BENTOML_DO_NOT_TRACK: "True",
      PYTHONIOENCODING: "utf-8",
    },
  });
  assert.equal(ended.status, 0, `${script} ${args.join(" ")}: ${ended.error?.message ?? ended.stderr.slice(-2000)}`);
  return { stdout: ended.stdout };
}
