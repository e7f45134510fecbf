import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { release, totalmem } from "node:os";
import { type IsolatedParts, isolationOptions } from "./isolationOptions";

/** A program to start in the place of an interpreter, and what comes before the interpreter on its command line. */
export interface IsolatedCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Arguments for the worker: what it may take, set before it imports anything. */
  readonly limits: readonly string[];
  /** The whole environment but for what the model's own adapter needs. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where bubblewrap is installed; never a PATH, which a workspace could have set. */
const PLACES = ["/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap", "/run/current-system/sw/bin/bwrap"];

/** The probe takes some milliseconds. */
const PROBE_MS = 5_000;

/** Of the machine's memory: the rest keeps the editor alive. */
const MEMORY_SHARE = 0.8;

/** Addresses beyond the memory that may be filled: runtimes reserve more than they use. */
const SPARE_ADDRESSES = 32 * 2 ** 30;

/** What files in memory may take, each of the three places that can be written. */
const LARGEST_SCRATCH = 2 ** 30;

let known: Promise<string | undefined> | undefined;

/**
 * Why a model cannot be run apart on this machine, as a sentence; `undefined` when it can. Found out once a process,
 * by running a program that does nothing.
 */
export function whyNotIsolated(): Promise<string | undefined> {
  known ??= findObstacle(process.platform, PLACES);
  return known;
}

/** The same for any system and any places. */
async function findObstacle(platform: NodeJS.Platform, places: readonly string[]): Promise<string | undefined> {
  if (platform !== "linux") return "Models are run apart on Linux only.";
  const program = bubblewrap(places);
  if (program === undefined) return "bubblewrap is not installed (Debian and Ubuntu: `apt-get install bubblewrap`).";
  const nothing = { readable: new Map(), scratch: ["/tmp"], scratchBytes: 2 ** 20, work: "/tmp", hasGpu: false };
  const args = [...isolationOptions(nothing), "/usr/bin/env"];
  return new Promise((settle) => {
    execFile(program, args, { env: {}, timeout: PROBE_MS, windowsHide: true }, (error, _stdout, stderr) => {
      const [words = ""] = stderr.trim().split("\n");
      settle(error === null ? undefined : `bubblewrap cannot set it up here: ${words || error.message}.`);
    });
  });
}

/**
 * The command that runs an interpreter apart: no network, no process, file or variable of anybody else; what it needs
 * is read-only, and what it writes is in memory and goes with it.
 * @throws Error when bubblewrap is gone since `whyNotIsolated` found it
 */
export function isolatedCommand(parts: Omit<IsolatedParts, "scratch" | "scratchBytes">): IsolatedCommand {
  const program = bubblewrap(PLACES);
  if (program === undefined) throw new Error("bubblewrap is gone");
  const memory = machineMemory();
  const scratchBytes = Math.min(LARGEST_SCRATCH, Math.floor(memory / 8));
  return {
    program,
    args: isolationOptions({ ...parts, scratch: ["/tmp", parts.work], scratchBytes }),
    limits: limitsOf(Math.floor(memory * MEMORY_SHARE), parts.hasGpu),
    env: { ...localeOf(process.env), PATH: "/usr/bin:/bin", HOME: "/tmp" },
  };
}

/** Where a signal ended what ran apart, its wrapper ends with a code that names the signal. */
export function signalOfCode(code: number | null): NodeJS.Signals | null {
  const names: Readonly<Record<number, NodeJS.Signals>> = {
    134: "SIGABRT",
    135: "SIGBUS",
    137: "SIGKILL",
    139: "SIGSEGV",
  };
  return names[code ?? 0] ?? null;
}

function bubblewrap(places: readonly string[]): string | undefined {
  return places.find((path) => {
    try {
      const { uid, mode } = statSync(path);
      // What others may write to could be anything by now.
      return uid === 0 && (mode & 0o022) === 0;
    } catch {
      return false;
    }
  });
}

/** A driver of a GPU reserves far more addresses than there is memory. */
function limitsOf(memory: number, hasGpu: boolean): string[] {
  const limits = ["RLIMIT_CORE=0", `RLIMIT_DATA=${memory}`];
  if (!hasGpu) limits.push(`RLIMIT_AS=${memory + SPARE_ADDRESSES}`);
  if (countsApart(release())) limits.push(`RLIMIT_NPROC=${MOST_TASKS}`);
  return limits;
}

/** Threads and processes together: a runtime has a few pools of a thread a core. */
const MOST_TASKS = 512;

/** Since Linux 5.14 a limit on processes counts those of the namespace, before it all that the user has. */
function countsApart(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 5 || (major === 5 && minor >= 14);
}

/** What this process may use at most, a container's limit included. */
function machineMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

function localeOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const names = ["LANG", "LC_ALL", "TZ"];
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
