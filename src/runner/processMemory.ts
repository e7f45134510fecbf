import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** One process as the system lists it. */
export interface ListedProcess {
  readonly pid: number;
  readonly parent: number;
  readonly residentBytes: number;
}

/** `ps` that takes longer is of no use to somebody who looks every few seconds. */
const PS_TIMEOUT_MS = 5_000;

/** A machine with more processes than this prints them in vain. */
const PS_MAX_BYTES = 16 * 1024 * 1024;

const run = promisify(execFile);

/**
 * Resident bytes of processes, each together with everything it started, by process id; one that is gone, or whose
 * memory this system does not tell, is left out. Pages that several of them share count for each.
 */
export async function residentBytes(pids: readonly number[]): Promise<ReadonlyMap<number, number>> {
  if (pids.length === 0) return new Map();
  return process.platform === "linux" ? fromProc(pids) : fromPs(pids);
}

/** The same from the files in /proc: only those of the processes themselves are read. */
export async function fromProc(pids: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const found = await Promise.all(pids.map(async (pid) => [pid, await treeInProc(pid)] as const));
  return new Map(found.flatMap(([pid, bytes]) => (bytes === undefined ? [] : [[pid, bytes]])));
}

/** The same from what `ps` prints; nothing where there is no such program. */
export async function fromPs(pids: readonly number[]): Promise<ReadonlyMap<number, number>> {
  try {
    const options = { timeout: PS_TIMEOUT_MS, maxBuffer: PS_MAX_BYTES, windowsHide: true };
    const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid=,rss="], options);
    return sumTrees(parsePs(stdout), pids);
  } catch {
    return new Map();
  }
}

/** Reads lines of process id, parent's id and resident KiB; other lines are left out. */
export function parsePs(text: string): ListedProcess[] {
  return [...text.matchAll(/^\s*(\d+)\s+(\d+)\s+(\d+)\s*$/gm)].map(([, pid, parent, kib]) => ({
    pid: Number(pid),
    parent: Number(parent),
    residentBytes: Number(kib) * 1024,
  }));
}

/** Adds up each process and everything below it; an id that is not listed is left out. */
export function sumTrees(all: readonly ListedProcess[], pids: readonly number[]): ReadonlyMap<number, number> {
  const children = new Map<number, ListedProcess[]>();
  for (const each of all) children.set(each.parent, [...(children.get(each.parent) ?? []), each]);
  const sums = new Map<number, number>();
  for (const root of all.filter(({ pid }) => pids.includes(pid))) {
    const seen = new Set([root]);
    // A set that grows while it is walked hands out what was added.
    for (const each of seen) for (const child of children.get(each.pid) ?? []) seen.add(child);
    sums.set(
      root.pid,
      [...seen].reduce((sum, each) => sum + each.residentBytes, 0),
    );
  }
  return sums;
}

async function treeInProc(pid: number): Promise<number | undefined> {
  const own = await residentInProc(pid);
  if (own === undefined) return undefined;
  const below = await Promise.all((await childrenInProc(pid)).map(treeInProc));
  return below.reduce<number>((sum, bytes) => sum + (bytes ?? 0), own);
}

/** A zombie has no memory any more. */
async function residentInProc(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "latin1").catch(() => "");
  const [, kib] = /^VmRSS:\s*(\d+) kB$/m.exec(status) ?? [];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** Every thread of a process has its own list of what it started. */
async function childrenInProc(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch((): string[] => []);
  const lists = threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, "latin1").catch(() => ""));
  return (await Promise.all(lists)).flatMap((list) => list.split(" ").filter(Boolean)).map(Number);
}
