import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

const bin = join(process.cwd(), ".tools/venv/bin");
const quiet = { BENTOML_DO_NOT_TRACK: "True", NO_COLOR: "1" };

/** The tags that the real `bentoml models list` prints for a store. */
export function realList(home: string): string[] {
  const env = { ...process.env, ...quiet, BENTOML_HOME: home };
  const text = execFileSync(join(bin, "bentoml"), ["models", "list", "-o", "json"], { env, encoding: "utf8" });
  return (JSON.parse(text) as { tag: string }[]).map(({ tag }) => tag).sort();
}

/** A version that the real BentoML saved, when, and what Python answers with it. */
export interface SavedByPython {
  readonly tag: string;
  readonly answer: readonly (readonly number[])[];
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** Runs a script with the real BentoML on a store; each JSON line it prints is passed on as it comes. */
export async function* runPython(script: string, home: string, args: readonly string[]): AsyncGenerator<SavedByPython> {
  const env = { ...process.env, ...quiet, BENTOML_HOME: home };
  const child = spawn(join(bin, "python"), ["-u", join(process.cwd(), "test/e2e", script), ...args], {
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("{")) yield { ...(JSON.parse(line) as Omit<SavedByPython, "atMs">), atMs: Date.now() };
  }
}
